/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks that are exports of an NBD server: see the header. */
#include "dev/disk/nbd.h"

#include "base/log.h"
#include "base/signals.h"
#include "dev/disk/nbd_library.h"
#include "dev/disk/nbd_link.h"
#include "dev/disk/piece.h"
#include "dev/disk/request.h"
#include "host/host.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What copies of pieces may take at a time. */
#define COPIES_MAX (2u << 20)
/* How often disk_nbd_open() looks for an order to end. */
#define OPEN_LOOK_MS 100

struct export;

/* What the server has been asked, and has not answered. */
struct command {
	struct export *export;
	struct disk_request *request; /* NULL: free */
	void *copy;
	uint32_t length;
	int err; /* once it is answered */
	struct command *next;
};

struct export
{
	struct disk disk;
	const struct nbd_library *library;
	struct nbd_handle *handle; /* NULL: away */
	struct nbd_link link;
	uint32_t data_max; /* the server's limit */
	bool can_flush;
	uint32_t patience_s;
	struct disk_request_list waiting;
	struct disk_request_list done;
	struct command commands[DISK_DEPTH];
	struct command *free;
	struct command *answered; /* and not yet looked at, */
	uint32_t answers;	  /* so many */
	uint32_t in_flight;
	uint64_t copied;   /* bytes of copies */
	bool leaves;	   /* the server has said that it ends */
	bool loss_logged;  /* and not yet that it is back */
	bool fails_logged; /* the same */
	int err;	   /* why there is no connection */
	char reason[256];
};

static struct export *export_of(struct disk *disk)
{
	return (struct export *)disk;
}

/* ---- What the library says ---- */

/* Takes down the reason of a call that failed; its text begins with the name of the call. */
static void reason_take(struct export *export)
{
	const char *text = export->library->get_error();
	const char *colon = text && !strncmp(text, "nbd_", 4) ? strstr(text, ": ") : NULL;
	int err = export->library->get_errno();

	export->err = err ? error_of_call(err) : EHOSTUNREACH;
	snprintf(export->reason, sizeof(export->reason), "%s", colon ? colon + 2 : text ? text : "no reason is known");
}

static const char *reason_of(const struct export *export, const char *otherwise)
{
	return export->reason[0] ? export->reason : otherwise;
}

/* Called by the library in the middle of things: only takes down what was answered. */
static int command_answered(void *context, int *err)
{
	struct command *command = context;

	command->err = *err;
	command->next = command->export->answered;
	command->export->answered = command;
	command->export->answers++;
	return 1;
}

/* ---- Commands ---- */

static void command_free(struct command *command)
{
	struct export *export = command->export;

	if (command->copy)
		export->copied -= command->length;
	free(command->copy);
	command->copy = NULL;
	command->request = NULL;
	command->next = export->free;
	export->free = command;
	export->in_flight--;
}

/* -1 if the library refuses it. */
static int64_t command_issue(struct command *command, const struct piece *piece)
{
	const struct nbd_library *library = command->export->library;
	struct nbd_handle *handle = command->export->handle;
	nbd_completion_callback done = { .callback = command_answered, .user_data = command };
	void *data = piece->place ? piece->place : command->copy;

	switch (command->request->operation) {
	case DISK_READ:
		return library->aio_pread(handle, data, piece->length, piece->offset, done, 0);
	case DISK_WRITE:
		return library->aio_pwrite(handle, data, piece->length, piece->offset, done, 0);
	case DISK_FLUSH:
		return library->aio_flush(handle, done, 0);
	case DISK_DISCARD:
		return library->aio_trim(handle, piece->length, piece->offset, done, 0);
	case DISK_WRITE_ZEROES:
		return library->aio_zero(handle, piece->length, piece->offset, done,
					 command->request->unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE);
	}
	return -1;
}

static bool request_has_data(const struct disk_request *request)
{
	return request->operation == DISK_READ || request->operation == DISK_WRITE;
}

static void request_end(struct export *export, struct disk_request *request, int result)
{
	request->result = result;
	disk_request_put(&export->done, request);
}

/* False while there is no room for the copy. */
static bool command_prepare(struct command *command, struct disk_request *request, const struct piece *piece)
{
	struct export *export = command->export;

	if (request_has_data(request) && !piece->place) {
		if (export->copied && export->copied + piece->length > COPIES_MAX)
			return false;
		command->copy = malloc(piece->length);
		if (!command->copy)
			return false;
		export->copied += piece->length;
		if (request->operation == DISK_WRITE)
			piece_gather(request, command->copy, piece->length);
	}
	command->request = request;
	command->length = piece->length;
	export->free = command->next;
	export->in_flight++;
	return true;
}

/* Asks the server for the next piece, on a connection that is one; false if that must wait. */
static bool request_send(struct export *export, struct disk_request *request)
{
	struct piece piece = piece_next(request, export->data_max);
	struct command *command = export->free;

	if (!command_prepare(command, request, &piece)) {
		if (export->in_flight)
			return false;
		request_end(export, request, -ENOMEM);
		return true;
	}
	if (command_issue(command, &piece) >= 0)
		return true;
	reason_take(export);
	command_free(command);
	request_end(export, request, -export->err);
	return true;
}

/* There is a connection that is none any more. */
static bool export_is_cut(const struct export *export)
{
	return export->handle && (export->leaves || export->library->aio_is_dead(export->handle) ||
				  export->library->aio_is_closed(export->handle));
}

static void export_send(struct export *export)
{
	struct disk_request *request;

	if (export->link.state != NBD_LINK_UP || export_is_cut(export))
		return;
	while (export->free && (request = disk_request_take(&export->waiting))) {
		if (!request_send(export, request)) {
			disk_request_put_back(&export->waiting, request);
			return;
		}
		/* What was sent counts as not answered then. */
		if (export_is_cut(export)) {
			reason_take(export);
			return;
		}
	}
}

/* One piece is answered: the request is done, goes on, or is asked again on another connection. */
static void command_end(struct command *command)
{
	struct export *export = command->export;
	struct disk_request *request = command->request;
	int err = command->err;

	if (!err && request->operation == DISK_READ && command->copy)
		piece_scatter(request, command->copy, command->length);
	if (!err)
		request->finished += command->length;
	command_free(command);
	/* The library gives ENOTCONN to what a lost connection has left unanswered. */
	export->leaves |= err == ESHUTDOWN;
	if (err == ENOTCONN || err == ESHUTDOWN) {
		disk_request_put_back(&export->waiting, request);
		return;
	}
	nbd_link_answered(&export->link, host_monotonic());
	if (err || request->finished == request->length || request->operation == DISK_FLUSH)
		request_end(export, request, -err);
	else
		disk_request_put_back(&export->waiting, request);
}

static void export_collect(struct export *export)
{
	while (export->answered) {
		struct command *command = export->answered;

		export->answered = command->next;
		export->answers--;
		command_end(command);
	}
}

/* ---- The connection ---- */

/* No answer will come any more: what was asked waits again. */
static void export_drop(struct export *export, sc_ns_t now)
{
	export_collect(export);
	if (export->handle)
		export->library->close(export->handle);
	export->handle = NULL;
	export->leaves = false;
	for (uint32_t n = 0; n < DISK_DEPTH; n++) {
		struct disk_request *request = export->commands[n].request;

		if (!request)
			continue;
		command_free(&export->commands[n]);
		disk_request_put_back(&export->waiting, request);
	}
	nbd_link_lost(&export->link, now);
}

static void export_lose(struct export *export, sc_ns_t now)
{
	if (export->link.state == NBD_LINK_UP && !export->loss_logged) {
		export->loss_logged = true;
		log_line("the disk %s: the connection to its server is lost (%s); requests wait up to %u s",
			 export->disk.where, reason_of(export, "closed by it"), export->patience_s);
	}
	export_drop(export, now);
}

static void export_connect(struct export *export, sc_ns_t now)
{
	export->handle = export->library->create();
	if (export->handle && !export->library->set_uri_allow_local_file(export->handle, true) &&
	    !export->library->aio_connect_uri(export->handle, export->disk.where))
		return;
	reason_take(export);
	export_lose(export, now);
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

#define REFUSE(export, ...)                                                                                            \
	((export)->err = EINVAL, snprintf((export)->reason, sizeof((export)->reason), __VA_ARGS__), false)

/* What the server offers: whether it can be this disk, and still is it. */
static bool export_examine(struct export *export)
{
	int64_t size = export->library->get_size(export->handle);
	int64_t block_min = export->library->get_block_size(export->handle, LIBNBD_SIZE_MINIMUM);
	int64_t data_max = export->library->get_block_size(export->handle, LIBNBD_SIZE_MAXIMUM);

	if (size <= 0 || size % DISK_SECTOR_SIZE)
		return REFUSE(export, "its size is %" PRId64 " bytes, which is no multiple of %u above 0", size,
			      DISK_SECTOR_SIZE);
	if (export->disk.size && export->disk.size != (uint64_t)size)
		return REFUSE(export, "its size was %" PRIu64 " bytes and is %" PRId64 " now", export->disk.size, size);
	if (block_min > (int64_t)DISK_SECTOR_SIZE)
		return REFUSE(export, "its server takes blocks of %" PRId64 " bytes at least, and a guest's have %u",
			      block_min, DISK_SECTOR_SIZE);
	if (!export->disk.readonly && export->library->is_read_only(export->handle))
		return REFUSE(export, "its server lets nobody write it: add readonly");
	if (data_max > 0 && data_max < (int64_t)DISK_SECTOR_SIZE)
		return REFUSE(export, "its server takes no more than %" PRId64 " bytes at a time", data_max);
	export->disk.size = (uint64_t)size;
	export->can_flush = export->library->can_flush(export->handle) > 0;
	export->data_max = data_max > 0 && data_max < PIECE_PLACE_MAX ? (uint32_t)data_max : PIECE_PLACE_MAX;
	export->data_max -= export->data_max % DISK_SECTOR_SIZE;
	return true;
}

static void export_connected(struct export *export, sc_ns_t now)
{
	socket_watch(export->library->aio_get_fd(export->handle));
	nbd_link_connected(&export->link, now);
	if (export->loss_logged)
		log_line("the disk %s: its server is back", export->disk.where);
	export->loss_logged = false;
	export->fails_logged = false;
	export->reason[0] = '\0';
}

/* What has become of the connection. */
static void export_look(struct export *export, sc_ns_t now)
{
	if (!export->handle)
		return;
	if (export_is_cut(export))
		export_lose(export, now);
	else if (export->link.state == NBD_LINK_CONNECTING && export->library->aio_is_ready(export->handle)) {
		if (export_examine(export))
			export_connected(export, now);
		else
			export_lose(export, now);
	}
}

/* There is more to read. The library must not be told so when it is not: it would forget that it has more to send. */
static bool export_is_readable(const struct export *export)
{
	struct pollfd look = { .fd = export->library->aio_get_fd(export->handle), .events = POLLIN };

	return export->library->aio_get_direction(export->handle) & LIBNBD_AIO_DIRECTION_READ && poll(&look, 1, 0) > 0;
}

/* The library takes one answer at a time, of however many have come. */
static void export_read(struct export *export)
{
	const struct command *before;
	int result;

	do {
		before = export->answered;
		result = export->library->aio_notify_read(export->handle);
	} while (!result && export->answered != before && export->answers < export->in_flight &&
		 export_is_readable(export));
	if (result)
		reason_take(export);
}

static void export_notify(struct export *export, short events)
{
	unsigned int direction;

	if (!export->handle || !events)
		return;
	direction = export->library->aio_get_direction(export->handle);
	if (direction & LIBNBD_AIO_DIRECTION_READ && (events & ~POLLOUT || !(direction & LIBNBD_AIO_DIRECTION_WRITE)))
		export_read(export);
	else if (direction & LIBNBD_AIO_DIRECTION_WRITE && export->library->aio_notify_write(export->handle))
		reason_take(export);
}

static void export_fail(struct export *export, sc_ns_t now)
{
	struct disk_request *request;

	if (export->link.state == NBD_LINK_UP)
		export_drop(export, now);
	if (!export->fails_logged)
		log_line("the disk %s: its server has not answered for %u s (%s); requests fail until it is back",
			 export->disk.where, export->patience_s, reason_of(export, "it is silent"));
	export->fails_logged = true;
	export->loss_logged = true;
	while ((request = disk_request_take(&export->waiting)))
		request_end(export, request, -EIO);
}

static void export_count(struct export *export, sc_ns_t now)
{
	nbd_link_wait(&export->link, export->waiting.first || export->in_flight, now);
}

/* Goes on: with what the server has said, and with what is due. */
static void export_advance(struct export *export, short events)
{
	sc_ns_t now = host_monotonic();
	enum nbd_link_action action;

	export_notify(export, events);
	export_collect(export);
	export_look(export, now);
	for (;;) {
		export_count(export, now);
		action = nbd_link_step(&export->link, now);
		if (action == NBD_LINK_NOTHING)
			return;
		if (action == NBD_LINK_FAIL) {
			export_fail(export, now);
		} else if (action == NBD_LINK_DROP) {
			export->err = ETIMEDOUT;
			snprintf(export->reason, sizeof(export->reason), "no answer for %u s",
				 NBD_LINK_ATTEMPT_MS / 1000);
			export_lose(export, now);
		} else {
			export_connect(export, now);
			export_look(export, now);
		}
	}
}

/* ---- The disk ---- */

static void export_submit(struct disk *disk, struct disk_request *request)
{
	struct export *export = export_of(disk);
	int result = disk_request_check(disk, request);
	bool is_flush = request->operation == DISK_FLUSH;

	request->finished = 0;
	if (is_flush)
		request->length = 0;
	if (result || (is_flush ? disk->readonly || !export->can_flush : !request->length))
		request_end(export, request, result);
	else
		disk_request_put(&export->waiting, request);
}

static short export_events(const struct export *export)
{
	unsigned int direction = export->library->aio_get_direction(export->handle);
	int events = 0;

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		events |= POLLOUT;
	return (short)events;
}

static int export_poll(struct disk *disk, struct pollfd *wanted)
{
	struct export *export = export_of(disk);
	sc_ns_t now = host_monotonic();

	export_send(export);
	export_count(export, now);
	*wanted = (struct pollfd){ .fd = -1 };
	if (export->handle)
		*wanted = (struct pollfd){ .fd = export->library->aio_get_fd(export->handle),
					   .events = export_events(export) };
	/* Sending may have shown that the connection is lost, and then there is nothing to poll for. */
	if (export->done.first || export->answered || export_is_cut(export))
		return 0;
	return nbd_link_timeout_ms(&export->link, now);
}

static void export_dispatch(struct disk *disk, short events)
{
	struct export *export = export_of(disk);
	struct disk_request_list done;

	export_advance(export, events);
	done = export->done;
	export->done = (struct disk_request_list){ .first = NULL };
	disk_request_hand_over(disk, &done);
}

static bool export_is_away(const struct disk *disk)
{
	return ((const struct export *)disk)->link.state != NBD_LINK_UP;
}

static struct disk_request *export_withdraw(struct disk *disk)
{
	struct export *export = export_of(disk);
	sc_ns_t now = host_monotonic();
	struct disk_request *request;

	export_collect(export);
	if (export->in_flight)
		export_drop(export, now);
	request = disk_request_take(&export->waiting);
	export_count(export, now);
	return request;
}

static int export_resize(struct disk *disk, struct error *error)
{
	return error_set(error, EOPNOTSUPP,
			 "the disk %s cannot grow while it is in use: its server tells its size once", disk->where);
}

static void export_close(struct disk *disk)
{
	struct export *export = export_of(disk);

	/* As the protocol wants it, if that can be sent at once. */
	if (export->handle && export->library->aio_is_ready(export->handle))
		export->library->aio_disconnect(export->handle, 0);
	export_drop(export, host_monotonic());
	free(export);
}

static const struct disk_ops export_ops = {
	.submit = export_submit,
	.poll = export_poll,
	.dispatch = export_dispatch,
	.is_away = export_is_away,
	.withdraw = export_withdraw,
	.resize = export_resize,
	.close = export_close,
};

/* The first connection. */
static int export_await(struct export *export, struct error *error)
{
	struct pollfd wanted;
	int result;

	export_advance(export, 0);
	while (export->link.state == NBD_LINK_CONNECTING) {
		int timeout_ms = export_poll(&export->disk, &wanted);

		result = signals_check(error);
		if (result)
			return result;
		poll(&wanted, 1, timeout_ms < OPEN_LOOK_MS ? timeout_ms : OPEN_LOOK_MS);
		export_advance(export, wanted.revents);
	}
	if (export->link.state == NBD_LINK_UP)
		return 0;
	return error_set(error, export->err, "cannot use the disk %s: %s", export->disk.where, export->reason);
}

int disk_nbd_open(struct disk **disk, const struct disk_options *options, struct error *error)
{
	const struct nbd_library *library = nbd_library_load(error);
	struct export *export;
	int result;

	if (!library)
		return -error->err;
	export = calloc(1, sizeof(*export));
	if (!export)
		return error_set(error, ENOMEM, "no memory for the disk %s", options->where);
	export->library = library;
	export->patience_s = options->reconnect_s;
	export->disk.ops = &export_ops;
	export->disk.where = options->where;
	export->disk.readonly = options->readonly;
	for (uint32_t n = 0; n < DISK_DEPTH; n++)
		export->commands[n] = (struct command){ .export = export, .next = n ? &export->commands[n - 1] : NULL };
	export->free = &export->commands[DISK_DEPTH - 1];
	nbd_link_init(&export->link, options->reconnect_s, host_monotonic());
	result = export_await(export, error);
	if (result) {
		export_close(&export->disk);
		return result;
	}
	export->disk.can_discard = !options->readonly && library->can_trim(export->handle) > 0;
	export->disk.can_write_zeroes = !options->readonly && library->can_zero(export->handle) > 0;
	if (!options->readonly && !export->can_flush)
		log_line("the disk %s: its server does not flush, so what it has written may be lost when its host "
			 "fails",
			 options->where);
	*disk = &export->disk;
	return 0;
}
