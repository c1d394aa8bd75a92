/* SPDX-License-Identifier: BSD-2-Clause */
/* A client on one of the guest's consoles: see the header. */
#include "control/attachment.h"

#include "control/line.h"
#include "control/stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Input that is looked at together. */
#define INPUT_MAX 256u

static struct backlog *attachment_backlog(const struct attachment *attachment)
{
	struct devices *devices = &attachment->machine->devices;

	return attachment->port == ATTACHMENT_UART ? &devices->uart.backlog : &devices->console.backlog;
}

/* ---- Coming and going ---- */

void attachment_init(struct attachment *attachment, struct machine *machine, enum attachment_port port, int events,
		     uint32_t number)
{
	*attachment = (struct attachment){
		.machine = machine,
		.port = port,
		.fd = -1,
		.wake = -1,
		.events = events,
		.number = number,
	};
}

/* From any thread. */
static void attachment_wake(void *context)
{
	eventfd_write(*(const int *)context, 1);
}

static void attachment_leave(struct attachment *attachment)
{
	backlog_detach(attachment_backlog(attachment));
	close(attachment->fd);
	close(attachment->wake);
	attachment_init(attachment, attachment->machine, attachment->port, attachment->events, attachment->number);
}

static int attachment_watch(const struct attachment *attachment, int fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(attachment->events, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int attachment_check(const struct attachment *attachment, struct error *error)
{
	struct machine *machine = attachment->machine;

	if (attachment->port == ATTACHMENT_VIRTIO && !machine->devices.full)
		return error_set(error, ENOTSUP,
				 "%s has no virtio console, for it was first run by an older version of Seaclock",
				 machine->config.name);
	if (attachment->fd >= 0)
		return error_set(error, EBUSY, "somebody is attached to this console of %s: only one can be",
				 machine->config.name);
	if (machine_get_state(machine) == MACHINE_RECEIVING)
		return error_set(error, EBUSY, "%s is receiving: attach to it once it runs here", machine->config.name);
	return 0;
}

int attachment_open(struct attachment *attachment, int client, struct error *error)
{
	int result = attachment_check(attachment, error);

	if (result)
		return result;
	attachment->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (attachment->wake < 0)
		return error_set(error, errno, "no event descriptor for a console");
	result = attachment_watch(attachment, attachment->wake, attachment->number + 1);
	if (!result)
		result = attachment_watch(attachment, client, attachment->number);
	if (result) {
		close(attachment->wake);
		return error_set(error, -result, "no room for the events of a console");
	}
	attachment->fd = client;
	control_write_line(client, json_pack("{s:b}", "ok", 1));
	backlog_attach(attachment_backlog(attachment), attachment_wake, &attachment->wake);
	return 0;
}

/* ---- Input ---- */

/* How many of the bytes the guest has taken. One that the UART has moves with the machine, or is for the guest here. */
static size_t uart_give(struct uart *uart, const uint8_t *bytes, size_t size)
{
	size_t given = 0;

	if (!uart_begin_input(uart))
		return 0;
	while (given < size && uart_wants_input(uart))
		uart_receive(uart, bytes[given++]);
	uart_end_input(uart);
	return given;
}

static size_t attachment_give(const struct attachment *attachment, const uint8_t *bytes, size_t size)
{
	struct devices *devices = &attachment->machine->devices;

	if (attachment->port == ATTACHMENT_UART)
		return uart_give(&devices->uart, bytes, size);
	return virtio_console_receive(&devices->console, bytes, size);
}

/* Only what the guest has taken leaves the socket. True if more may be taken now. */
static bool attachment_input(struct attachment *attachment)
{
	uint8_t bytes[INPUT_MAX];
	ssize_t seen = recv(attachment->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	size_t given;

	attachment->waits = false;
	if (seen <= 0) {
		attachment->input_ended = !seen || (errno != EAGAIN && errno != EINTR);
		return false;
	}
	given = attachment_give(attachment, bytes, (size_t)seen);
	if (given)
		(void)!recv(attachment->fd, bytes, given, MSG_DONTWAIT);
	attachment->waits = given < (size_t)seen;
	return !attachment->waits;
}

/* ---- Output ---- */

/* A piece of what is new, with a mark before it if bytes are missing there. False if there is nothing. */
static bool attachment_fill(struct attachment *attachment)
{
	uint8_t *piece = attachment->piece + OUTPUT_MARK_SIZE;
	char mark[OUTPUT_MARK_SIZE];
	uint64_t missed;
	size_t length;

	attachment->sent = OUTPUT_MARK_SIZE;
	attachment->size =
		OUTPUT_MARK_SIZE + backlog_read(attachment_backlog(attachment), piece, ATTACHMENT_PIECE, &missed);
	if (missed) {
		length = output_mark(missed, mark);
		attachment->sent -= length;
		memcpy(attachment->piece + attachment->sent, mark, length);
	}
	return attachment->sent < attachment->size;
}

static bool attachment_has_output(struct attachment *attachment)
{
	return attachment->sent < attachment->size || attachment_fill(attachment);
}

/* False if the socket is full, or the client gone. */
static bool attachment_send(struct attachment *attachment)
{
	ssize_t sent = send(attachment->fd, attachment->piece + attachment->sent, attachment->size - attachment->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		attachment->sent += (size_t)sent;
	return sent > 0;
}

/* ---- Its turn ---- */

/* POLLOUT: a quarter of the buffer is in use, or less; POLLHUP: the client is gone for good. */
static int attachment_look(const struct attachment *attachment)
{
	struct pollfd item = { .fd = attachment->fd, .events = POLLOUT };

	return poll(&item, 1, 0) > 0 ? item.revents : 0;
}

/* One piece each way at a time, so that others have their turn; the events come again. */
void attachment_serve(struct attachment *attachment)
{
	struct epoll_event event = { .data.u32 = attachment->number };
	eventfd_t ignored;
	int look;

	if (attachment->fd < 0)
		return;
	look = attachment_look(attachment);
	eventfd_read(attachment->wake, &ignored);
	if (look & (POLLHUP | POLLERR)) {
		while (attachment_input(attachment))
			;
		return attachment_leave(attachment);
	}
	if (!attachment->input_ended)
		attachment_input(attachment);
	if (attachment_has_output(attachment)) {
		event.events |= EPOLLOUT;
		if (look & POLLOUT)
			attachment_send(attachment);
	}
	if (!attachment->input_ended && !attachment->waits)
		event.events |= EPOLLIN;
	epoll_ctl(attachment->events, EPOLL_CTL_MOD, attachment->fd, &event);
}

/* Bytes that the client has sent and nobody will read: how many. */
static uint64_t attachment_drain(const struct attachment *attachment)
{
	uint8_t bytes[INPUT_MAX];
	uint64_t count = 0;
	ssize_t got;

	/* There is an end to it. */
	shutdown(attachment->fd, SHUT_RD);
	while ((got = recv(attachment->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		count += (uint64_t)got;
	return count;
}

void attachment_close(struct attachment *attachment, const char *host)
{
	enum machine_end end = machine_get_end(attachment->machine);
	bool room = true;

	if (attachment->fd < 0)
		return;
	/* As much as the backlog has room for: a guest that is still stopping may say more. */
	for (size_t n = 0; room && n <= BACKLOG_SIZE / ATTACHMENT_PIECE && attachment_has_output(attachment); n++)
		room = attachment_send(attachment);
	stream_send_end(attachment->fd, end, end == MACHINE_END_MIGRATED ? host : NULL, attachment_drain(attachment));
	attachment_leave(attachment);
}
