/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks that are exports of an NBD server: see the header. */
#include "dev/disk/nbd.h"

#include "base/log.h"
#include "base/signals.h"
#include "dev/disk/nbd_command.h"
#include "dev/disk/nbd_link.h"
#include "dev/disk/piece.h"
#include "dev/disk/request.h"
#include "dev/disk/where.h"
#include "host/host.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How often whoever waits for a connection looks for an order to end. */
#define LOOK_MS 100
/* What is under way has so long before a new connection is made. */
#define RENEW_MS 5000u
#define NS_PER_MS 1000000ull

struct remote {
	struct disk disk;
	const struct nbd_library *library;
	struct nbd_commands commands;
	struct nbd_link link;
	uint64_t offered; /* the size of the export, as of this connection; bytes */
	bool can_flush;
	bool renews; /* nothing new is asked for on this connection */
	uint32_t patience_s;
	struct disk_request_list waiting;
	struct disk_request_list done;
	bool leaves;	   /* the server has said that it ends */
	bool loss_logged;  /* and not yet that it is back */
	bool fails_logged; /* the same */
	int err;	   /* why there is no connection */
	char reason[256];
};

static struct remote *remote_of(struct disk *disk)
{
	return (struct remote *)disk;
}

/* ---- What the library says ---- */

/* Takes down the reason of a call that failed; its text begins with the name of the call. */
static void reason_take(struct remote *remote)
{
	const char *text = remote->library->get_error();
	const char *colon = text && !strncmp(text, "nbd_", 4) ? strstr(text, ": ") : NULL;
	int err = remote->library->get_errno();

	remote->err = err ? error_of_call(err) : EHOSTUNREACH;
	snprintf(remote->reason, sizeof(remote->reason), "%s", colon ? colon + 2 : text ? text : "no reason is known");
}

static const char *reason_of(const struct remote *remote, const char *otherwise)
{
	return remote->reason[0] ? remote->reason : otherwise;
}

/* ---- Requests ---- */

static void request_end(struct remote *remote, struct disk_request *request, int result)
{
	request->result = result;
	disk_request_put(&remote->done, request);
}

/* There is a connection that is none any more. */
static bool remote_is_cut(const struct remote *remote)
{
	return remote->commands.handle && (remote->leaves || remote->library->aio_is_dead(remote->commands.handle) ||
					   remote->library->aio_is_closed(remote->commands.handle));
}

static void remote_send(struct remote *remote)
{
	struct disk_request *request;

	if (remote->link.state != NBD_LINK_UP || remote->renews || remote_is_cut(remote))
		return;
	while ((request = disk_request_take(&remote->waiting))) {
		int result = nbd_command_send(&remote->commands, request);

		if (result == -EAGAIN) {
			disk_request_put_back(&remote->waiting, request);
			return;
		}
		if (result)
			request_end(remote, request, result);
		/* What was sent counts as not answered then. */
		if (remote_is_cut(remote)) {
			reason_take(remote);
			return;
		}
	}
}

/* One piece is answered: the request is done, goes on, or is asked again on another connection. */
static void remote_answer(struct remote *remote, struct disk_request *request, int err)
{
	remote->leaves |= err == ESHUTDOWN;
	if (err == ENOTCONN || err == ESHUTDOWN) {
		disk_request_put_back(&remote->waiting, request);
		return;
	}
	nbd_link_answered(&remote->link, host_monotonic());
	if (err || request->finished == request->length)
		request_end(remote, request, -err);
	else
		disk_request_put_back(&remote->waiting, request);
}

static void remote_collect(struct remote *remote)
{
	struct disk_request *request;
	int err;

	while ((request = nbd_command_take(&remote->commands, &err)))
		remote_answer(remote, request, err);
}

/* ---- The connection ---- */

/* No answer will come any more: what was asked waits again. */
static void remote_drop(struct remote *remote, sc_ns_t now)
{
	struct disk_request *request;

	remote_collect(remote);
	if (remote->commands.handle)
		remote->library->close(remote->commands.handle);
	remote->commands.handle = NULL;
	remote->leaves = false;
	while ((request = nbd_command_take_back(&remote->commands)))
		disk_request_put_back(&remote->waiting, request);
	nbd_link_lost(&remote->link, now);
}

static void remote_lose(struct remote *remote, sc_ns_t now)
{
	if (remote->link.state == NBD_LINK_UP && !remote->loss_logged) {
		remote->loss_logged = true;
		log_line("the disk %s: the connection to its server is lost (%s); requests wait up to %u s",
			 remote->disk.where, reason_of(remote, "closed by it"), remote->patience_s);
	}
	remote_drop(remote, now);
}

static void remote_connect(struct remote *remote, sc_ns_t now)
{
	remote->commands.handle = remote->library->create();
	if (remote->commands.handle && !remote->library->set_uri_allow_local_file(remote->commands.handle, true) &&
	    !remote->library->aio_connect_uri(remote->commands.handle, remote->disk.where))
		return;
	reason_take(remote);
	remote_lose(remote, now);
}

/* A host that is dead does not close its connections: the kernel finds out within about 20 s. Not for local sockets. */
static void socket_watch(int fd)
{
	const int on = 1, idle_s = 5, interval_s = 5, count = 3;
	const unsigned int unacknowledged_ms = 20000;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
}

/*
 * Whoever closes the connection, this program, the library or a kernel that ends it: what it has not sent is thrown
 * away. Sent later, it would be done behind what the next connection asks for. A local socket has nothing unsent.
 */
static void socket_set_abort(int fd, bool on)
{
	const struct linger linger = { .l_onoff = on };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

#define REFUSE(remote, ...)                                                                                            \
	((remote)->err = EINVAL, snprintf((remote)->reason, sizeof((remote)->reason), __VA_ARGS__), false)

/* The guest counts on what it was told that its disk can do, and on a flush of what it has written. */
static bool remote_examine_abilities(struct remote *remote)
{
	struct nbd_handle *handle = remote->commands.handle;
	struct disk *disk = &remote->disk;
	bool can_flush = !disk->readonly && remote->library->can_flush(handle) > 0;
	bool can_discard = !disk->readonly && remote->library->can_trim(handle) > 0;
	bool can_write_zeroes = !disk->readonly && remote->library->can_zero(handle) > 0;
	const char *lost = NULL;

	if (remote->can_flush && !can_flush)
		lost = "flush";
	else if (disk->can_discard && !can_discard)
		lost = "discard";
	else if (disk->can_write_zeroes && !can_write_zeroes)
		lost = "write zeroes";
	if (lost)
		return REFUSE(remote, "its server could %s, and cannot now", lost);
	remote->can_flush = can_flush;
	/* The guest is told once. */
	if (!disk->size) {
		disk->can_discard = can_discard;
		disk->can_write_zeroes = can_write_zeroes;
	}
	return true;
}

/* What the server offers: whether it can be this disk, and still is it. */
static bool remote_examine(struct remote *remote)
{
	int64_t size = remote->library->get_size(remote->commands.handle);
	int64_t block_min = remote->library->get_block_size(remote->commands.handle, LIBNBD_SIZE_MINIMUM);
	int64_t data_max = remote->library->get_block_size(remote->commands.handle, LIBNBD_SIZE_MAXIMUM);

	if (size <= 0 || size % DISK_SECTOR_SIZE)
		return REFUSE(remote, "its size is %" PRId64 " bytes, which is no multiple of %u above 0", size,
			      DISK_SECTOR_SIZE);
	if ((uint64_t)size < remote->disk.size)
		return REFUSE(remote, "its size was %" PRIu64 " bytes and is %" PRId64 " now", remote->disk.size, size);
	if (block_min > (int64_t)DISK_SECTOR_SIZE)
		return REFUSE(remote, "its server takes blocks of %" PRId64 " bytes at least, and a guest's have %u",
			      block_min, DISK_SECTOR_SIZE);
	if (!remote->disk.readonly && remote->library->is_read_only(remote->commands.handle))
		return REFUSE(remote, "its server lets nobody write it: add readonly");
	if (data_max > 0 && data_max < (int64_t)DISK_SECTOR_SIZE)
		return REFUSE(remote, "its server takes no more than %" PRId64 " bytes at a time", data_max);
	if (!remote_examine_abilities(remote))
		return false;
	remote->offered = (uint64_t)size;
	if (!remote->disk.size)
		remote->disk.size = remote->offered;
	remote->commands.data_max = data_max > 0 && data_max < PIECE_PLACE_MAX ? (uint32_t)data_max : PIECE_PLACE_MAX;
	remote->commands.data_max -= remote->commands.data_max % DISK_SECTOR_SIZE;
	return true;
}

static void remote_connected(struct remote *remote, sc_ns_t now)
{
	int fd = remote->library->aio_get_fd(remote->commands.handle);

	socket_watch(fd);
	socket_set_abort(fd, true);
	nbd_link_connected(&remote->link, now);
	if (remote->loss_logged)
		log_line("the disk %s: its server is back", remote->disk.where);
	remote->loss_logged = false;
	remote->fails_logged = false;
	remote->reason[0] = '\0';
}

/* What has become of the connection. */
static void remote_look(struct remote *remote, sc_ns_t now)
{
	if (!remote->commands.handle)
		return;
	if (remote_is_cut(remote))
		remote_lose(remote, now);
	else if (remote->link.state == NBD_LINK_CONNECTING && remote->library->aio_is_ready(remote->commands.handle)) {
		if (remote_examine(remote))
			remote_connected(remote, now);
		else
			remote_lose(remote, now);
	}
}

/* There is more to read. The library must not be told so when it is not: it would forget that it has more to send. */
static bool remote_is_readable(const struct remote *remote)
{
	struct pollfd look = { .fd = remote->library->aio_get_fd(remote->commands.handle), .events = POLLIN };

	return remote->library->aio_get_direction(remote->commands.handle) & LIBNBD_AIO_DIRECTION_READ &&
	       poll(&look, 1, 0) > 0;
}

/* The library takes one answer at a time, of however many have come. */
static void remote_read(struct remote *remote)
{
	const struct nbd_command *before;
	int result;

	do {
		before = remote->commands.answered;
		result = remote->library->aio_notify_read(remote->commands.handle);
	} while (!result && remote->commands.answered != before &&
		 remote->commands.answers < remote->commands.in_flight && remote_is_readable(remote));
	if (result)
		reason_take(remote);
}

static void remote_notify(struct remote *remote, short events)
{
	unsigned int direction;

	if (!remote->commands.handle || !events)
		return;
	direction = remote->library->aio_get_direction(remote->commands.handle);
	if (direction & LIBNBD_AIO_DIRECTION_READ && (events & ~POLLOUT || !(direction & LIBNBD_AIO_DIRECTION_WRITE)))
		remote_read(remote);
	else if (direction & LIBNBD_AIO_DIRECTION_WRITE && remote->library->aio_notify_write(remote->commands.handle))
		reason_take(remote);
}

static void remote_fail(struct remote *remote, sc_ns_t now)
{
	struct disk_request *request;

	if (remote->link.state == NBD_LINK_UP)
		remote_drop(remote, now);
	if (!remote->fails_logged)
		log_line("the disk %s: its server has not answered for %u s (%s); requests fail until it is back",
			 remote->disk.where, remote->patience_s, reason_of(remote, "it is silent"));
	remote->fails_logged = true;
	remote->loss_logged = true;
	while ((request = disk_request_take(&remote->waiting)))
		request_end(remote, request, -EIO);
}

static void remote_count(struct remote *remote, sc_ns_t now)
{
	nbd_link_wait(&remote->link, remote->waiting.first || remote->commands.in_flight, now);
}

/* Goes on: with what the server has said, and with what is due. */
static void remote_advance(struct remote *remote, short events)
{
	sc_ns_t now = host_monotonic();
	enum nbd_link_action action;

	remote_notify(remote, events);
	remote_collect(remote);
	remote_look(remote, now);
	for (;;) {
		remote_count(remote, now);
		action = nbd_link_step(&remote->link, now);
		if (action == NBD_LINK_NOTHING)
			return;
		if (action == NBD_LINK_FAIL) {
			remote_fail(remote, now);
		} else if (action == NBD_LINK_DROP) {
			remote->err = ETIMEDOUT;
			snprintf(remote->reason, sizeof(remote->reason), "no answer for %u s",
				 NBD_LINK_ATTEMPT_MS / 1000);
			remote_lose(remote, now);
		} else {
			remote_connect(remote, now);
			remote_look(remote, now);
		}
	}
}

/* ---- The disk ---- */

static void remote_submit(struct disk *disk, struct disk_request *request)
{
	struct remote *remote = remote_of(disk);
	int result = disk_request_check(disk, request);
	bool is_flush = request->operation == DISK_FLUSH;

	request->finished = 0;
	if (is_flush)
		request->length = 0;
	if (result || (is_flush ? !remote->can_flush : !request->length))
		request_end(remote, request, result);
	else
		disk_request_put(&remote->waiting, request);
}

static short remote_events(const struct remote *remote)
{
	unsigned int direction = remote->library->aio_get_direction(remote->commands.handle);
	int events = 0;

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		events |= POLLOUT;
	return (short)events;
}

static int remote_poll(struct disk *disk, struct pollfd *wanted)
{
	struct remote *remote = remote_of(disk);
	sc_ns_t now = host_monotonic();

	remote_send(remote);
	remote_count(remote, now);
	*wanted = (struct pollfd){ .fd = -1 };
	if (remote->commands.handle)
		*wanted = (struct pollfd){ .fd = remote->library->aio_get_fd(remote->commands.handle),
					   .events = remote_events(remote) };
	/* Sending may have shown that the connection is lost, and then there is nothing to poll for. */
	if (remote->done.first || remote->commands.answered || remote_is_cut(remote))
		return 0;
	return nbd_link_timeout_ms(&remote->link, now);
}

static void remote_dispatch(struct disk *disk, short events)
{
	struct remote *remote = remote_of(disk);
	struct disk_request_list done;

	remote_advance(remote, events);
	done = remote->done;
	remote->done = (struct disk_request_list){ .first = NULL };
	disk_request_hand_over(disk, &done);
}

static bool remote_is_away(const struct disk *disk)
{
	const struct remote *remote = (const struct remote *)disk;

	return remote->link.state != NBD_LINK_UP || remote_is_cut(remote);
}

static struct disk_request *remote_withdraw(struct disk *disk)
{
	struct remote *remote = remote_of(disk);
	sc_ns_t now = host_monotonic();
	struct disk_request *request;

	remote_collect(remote);
	if (remote->commands.in_flight)
		remote_drop(remote, now);
	request = disk_request_take(&remote->waiting);
	remote_count(remote, now);
	return request;
}

/* Ends the connection, as the protocol wants it if everything is answered and that can be sent at once. */
static void remote_leave(struct remote *remote)
{
	struct nbd_handle *handle = remote->commands.handle;

	remote_collect(remote);
	if (handle && !remote->commands.in_flight && remote->library->aio_is_ready(handle)) {
		socket_set_abort(remote->library->aio_get_fd(handle), false);
		remote->library->aio_disconnect(handle, 0);
	}
	remote_drop(remote, host_monotonic());
}

/* Waits for whatever comes next, but not for long. */
static void remote_wait(struct remote *remote)
{
	struct pollfd wanted;
	int timeout_ms = remote_poll(&remote->disk, &wanted);

	poll(&wanted, 1, timeout_ms >= 0 && timeout_ms < LOOK_MS ? timeout_ms : LOOK_MS);
	remote_advance(remote, wanted.revents);
}

/* Until the server can be used; or the first attempt has failed. */
static int remote_await(struct remote *remote, struct error *error)
{
	remote_advance(remote, 0);
	while (remote->link.state == NBD_LINK_CONNECTING) {
		int result = signals_check(error);

		if (result)
			return result;
		remote_wait(remote);
	}
	if (remote->link.state == NBD_LINK_UP)
		return 0;
	return error_set(error, remote->err, "cannot use the disk %s: %s", remote->disk.where, remote->reason);
}

/* Until nothing is under way. */
static void remote_finish(struct remote *remote)
{
	uint64_t end = host_monotonic().v + RENEW_MS * NS_PER_MS;

	remote->renews = true;
	while (remote->commands.in_flight && !remote_is_away(&remote->disk) && host_monotonic().v < end)
		remote_wait(remote);
	remote->renews = false;
}

/* A server tells the size once for each connection, so that there has to be a new one. */
static int remote_resize(struct disk *disk, struct error *error)
{
	struct remote *remote = remote_of(disk);
	int result;

	remote_finish(remote);
	if (remote_is_away(disk))
		return error_set(error, EHOSTUNREACH,
				 "the disk %s cannot be measured, because its server is away (%s): try again later",
				 disk->where, reason_of(remote, "it has closed the connection"));
	if (remote->commands.in_flight)
		return error_set(error, ETIMEDOUT,
				 "the disk %s cannot be measured, because its server has not answered for %u s: try "
				 "again later",
				 disk->where, RENEW_MS / 1000);
	remote_leave(remote);
	nbd_link_init(&remote->link, remote->patience_s, host_monotonic());
	result = remote_await(remote, error);
	if (!result)
		disk->size = remote->offered;
	return result;
}

static void remote_close(struct disk *disk)
{
	struct remote *remote = remote_of(disk);

	remote_leave(remote);
	free(remote);
}

static const struct disk_ops remote_ops = {
	.submit = remote_submit,
	.poll = remote_poll,
	.dispatch = remote_dispatch,
	.is_away = remote_is_away,
	.withdraw = remote_withdraw,
	.resize = remote_resize,
	.close = remote_close,
};

int disk_nbd_open(struct disk **disk, const struct disk_options *options, struct error *error)
{
	const struct nbd_library *library = nbd_library_load(error);
	struct remote *remote;
	int result;

	if (!library)
		return -error->err;
	remote = calloc(1, sizeof(*remote));
	if (!remote)
		return error_set(error, ENOMEM, "no memory for the disk %s", options->where);
	remote->library = library;
	remote->patience_s = options->reconnect_s;
	remote->disk.ops = &remote_ops;
	remote->disk.where = options->where;
	remote->disk.thread = THREAD_NBD;
	remote->disk.readonly = options->readonly;
	remote->disk.shared_name = where_is_shared(options->where);
	nbd_command_init(&remote->commands, library);
	nbd_link_init(&remote->link, options->reconnect_s, host_monotonic());
	result = remote_await(remote, error);
	if (result) {
		remote_close(&remote->disk);
		return result;
	}
	if (!options->readonly && !remote->can_flush)
		log_line("the disk %s: its server does not flush, so what it has written may be lost when its host "
			 "fails",
			 options->where);
	*disk = &remote->disk;
	return 0;
}
