/* SPDX-License-Identifier: BSD-2-Clause */
/* A receiver's desk: see the header. */
#include "migrate/desk.h"

#include "host/host.h"
#include "log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_TIMES 16

/* What epoll says of the desk's own descriptors; smaller numbers are calls. */
enum {
	DESK_LISTENER = DESK_CALLS,
	DESK_TIMER,
	DESK_EVENTS
};

static int desk_watch(struct desk *desk, int fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(desk->events, EPOLL_CTL_ADD, fd, &event);
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Nobody is awaited any more; who asks later finds nobody. */
static void desk_shut(struct desk *desk)
{
	for (uint32_t n = 0; n < DESK_CALLS; n++)
		fd_close(&desk->call[n].fd);
	fd_close(&desk->caller);
	fd_close(&desk->timer);
	fd_close(&desk->listener);
}

int desk_open(struct desk *desk, const struct handover_limits *limits, struct error *error)
{
	*desk = (struct desk){ .listener = -1, .timer = -1, .caller = -1, .limits = limits };
	for (uint32_t n = 0; n < DESK_CALLS; n++)
		desk->call[n].fd = -1;
	desk->events = epoll_create1(EPOLL_CLOEXEC);
	desk->timer = host_timer_create();
	if (desk->events >= 0 && desk->timer >= 0 && !desk_watch(desk, desk->timer, DESK_TIMER))
		return 0;
	error_format(error, "no event descriptor (%s)", strerror(errno));
	desk_close(desk);
	return -EMFILE;
}

int desk_listen(struct desk *desk, const char *address, struct error *error)
{
	int result = channel_listen(address, &desk->listener, error);

	if (!result && desk_watch(desk, desk->listener, DESK_LISTENER))
		result = error_set(error, errno, "cannot wait for connections (%s)", strerror(errno));
	return result;
}

void desk_close(struct desk *desk)
{
	desk_shut(desk);
	fd_close(&desk->events);
}

/* ---- Calls ---- */

/* The call that a new one takes the place of: a free one, or the oldest. */
static uint32_t call_choose(const struct desk *desk)
{
	uint32_t best = 0;

	for (uint32_t n = 0; n < DESK_CALLS; n++) {
		if (desk->call[n].fd < 0)
			return n;
		if (desk->call[n].number < desk->call[best].number)
			best = n;
	}
	return best;
}

static void desk_add(struct desk *desk, int fd, uint64_t number, bool answered)
{
	uint32_t n = call_choose(desk);
	struct desk_call *call = &desk->call[n];

	fd_close(&call->fd);
	*call = (struct desk_call){ .fd = fd, .number = number, .answered = answered };
	if (desk_watch(desk, fd, n))
		fd_close(&call->fd);
}

void desk_admit(struct desk *desk, int fd)
{
	desk_add(desk, fd, ++desk->calls, false);
}

static void desk_accept(struct desk *desk)
{
	int fd = accept4(desk->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		desk_admit(desk, fd);
}

/* A small frame on a connection that has taken nothing yet: it finds room at once, or the peer is none. */
static void call_send(const struct desk_call *call, enum frame_type type, const void *data, size_t size)
{
	uint8_t bytes[FRAME_HEADER_SIZE + ERROR_TEXT_MAX];

	frame_put_header(bytes, type, (uint32_t)size);
	memcpy(bytes + FRAME_HEADER_SIZE, data, size);
	if (send(call->fd, bytes, FRAME_HEADER_SIZE + size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE)
		log_line("cannot answer a connection (%s)", strerror(errno));
}

/* What is left unread when a connection is closed makes TCP reset it, and the peer might never see its sentence. */
static void call_drain(const struct desk_call *call)
{
	uint8_t waste[4096];

	for (int n = 0; n < DRAIN_TIMES && recv(call->fd, waste, sizeof(waste), MSG_DONTWAIT) > 0; n++)
		;
}

static void call_refuse(struct desk_call *call, const struct error *error)
{
	log_line("a connection was refused: %s", error->text);
	call_send(call, FRAME_ABORT, error->text, strlen(error->text));
	call_drain(call);
	fd_close(&call->fd);
}

/* ---- What they say ---- */

static int desk_hello(struct desk *desk, struct desk_call *call, const struct frame *frame, struct error *error)
{
	struct frame_hello hello;
	int result = frame_get_hello(frame->data, frame->size, &hello, error);

	if (!result && desk->busy)
		result = error_set(error, EBUSY,
				   "this receiver has taken %s already: start another one for %s, on "
				   "another port",
				   desk->hello.name, hello.name);
	if (!result)
		result = ledger_open(&desk->ledger, &hello.id, error);
	if (result)
		return result;
	epoll_ctl(desk->events, EPOLL_CTL_DEL, call->fd, NULL);
	desk->hello = hello;
	desk->caller = call->fd;
	desk->busy = true;
	call->fd = -1;
	return 0;
}

static int desk_question(struct desk *desk, struct desk_call *call, const struct frame *frame, struct error *error)
{
	static const char *const words[] = {
		[FRAME_ANSWER_RUNNING] = "it runs here",
		[FRAME_ANSWER_NEVER] = "it will never run here",
		[FRAME_ANSWER_UNKNOWN] = "it is unknown here",
	};
	struct buffer buffer = { 0 };
	struct frame_id id;
	enum frame_answer answer;
	char text[FRAME_ID_TEXT_SIZE];
	int result = frame_get_question(frame->data, frame->size, &id, error);

	if (result)
		return result;
	answer = ledger_answer(&desk->ledger, &id);
	frame_put_answer(&buffer, answer);
	if (!buffer_failed(&buffer))
		call_send(call, FRAME_ANSWER, buffer.data, buffer.size);
	buffer_free(&buffer);
	frame_id_text(&id, text);
	log_line("asked about migration %s: %s", text, words[answer]);
	call->answered = true;
	call->size = 0;
	return 0;
}

static int desk_settle(struct desk *desk, const struct frame *frame, struct error *error)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	enum target_state state;
	struct report report;
	int result = report_get(&cursor, &report, error);

	if (result)
		return result;
	if (!ledger_find(&desk->ledger, &report.id, &state) || state != TARGET_RUNNING)
		return error_set(error, EPROTO, "the other side settled a migration that does not run here");
	desk->report = report;
	desk->settled = true;
	desk_shut(desk);
	return 0;
}

static int desk_frame(struct desk *desk, struct desk_call *call, const struct frame *frame, struct error *error)
{
	switch (frame->type) {
	case FRAME_HELLO:
		return desk_hello(desk, call, frame, error);
	case FRAME_QUESTION:
		return desk_question(desk, call, frame, error);
	case FRAME_SETTLED:
		return desk_settle(desk, frame, error);
	default:
		return error_set(error, EPROTO, "a connection does not begin with %s", frame_name(frame->type));
	}
}

/* Bytes that the call's frame still lacks, as far as it is known; -EPROTO if it can be none. */
static int call_wants(const struct desk_call *call, struct frame *frame, size_t *wants, struct error *error)
{
	uint32_t size;
	int result;

	*wants = FRAME_HEADER_SIZE - call->size;
	if (call->size < FRAME_HEADER_SIZE)
		return 0;
	result = frame_get_header(call->bytes, &frame->type, &size, error);
	if (!result && size > FRAME_CALL_MAX)
		result = error_set(error, EPROTO, "a connection does not begin with %u bytes", size);
	frame->data = call->bytes + FRAME_HEADER_SIZE;
	frame->size = size;
	*wants = FRAME_HEADER_SIZE + size - call->size;
	return result;
}

/* True if more may be there. */
static bool call_read(struct desk_call *call, size_t wants)
{
	ssize_t got = recv(call->fd, call->bytes + call->size, wants, MSG_DONTWAIT);

	if (got > 0) {
		call->size += (size_t)got;
		return true;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (!call->answered)
		log_line("a connection ended before it had said what it wanted");
	fd_close(&call->fd);
	return false;
}

static void call_serve(struct desk *desk, struct desk_call *call)
{
	struct frame frame;
	struct error error;
	size_t wants;
	int result = 0;

	do {
		result = call_wants(call, &frame, &wants, &error);
		if (!result && !wants)
			result = desk_frame(desk, call, &frame, &error);
		if (result)
			return call_refuse(call, &error);
	} while (call->fd >= 0 && wants && call_read(call, wants));
}

/* ---- The desk ---- */

static void desk_expire(struct desk *desk)
{
	log_line("%s: the source has not said that it discarded the machine; it is no longer waited for",
		 desk->hello.name);
	desk_shut(desk);
}

void desk_serve(struct desk *desk)
{
	struct epoll_event events[DESK_EVENTS];
	int count = epoll_wait(desk->events, events, DESK_EVENTS, 0);

	for (int n = 0; n < count; n++) {
		uint32_t number = events[n].data.u32;

		if (number == DESK_LISTENER && desk->listener >= 0)
			desk_accept(desk);
		else if (number == DESK_TIMER && desk->timer >= 0)
			desk_expire(desk);
		else if (number < DESK_CALLS && desk->call[number].fd >= 0)
			call_serve(desk, &desk->call[number]);
	}
}

bool desk_take(struct desk *desk, struct channel *channel, struct frame_hello *hello)
{
	if (desk->caller < 0)
		return false;
	channel_open(channel, desk->caller, desk->limits->frame_ms);
	desk->caller = -1;
	*hello = desk->hello;
	return true;
}

void desk_release(struct desk *desk)
{
	ledger_step(&desk->ledger, &desk->hello.id, TARGET_EVENT_FAILED);
	desk->busy = false;
}

void desk_await_settled(struct desk *desk, struct channel *channel)
{
	/* Its number is beyond all others, so that no other call pushes it out. */
	desk_add(desk, channel->fd, UINT64_MAX, true);
	channel->fd = -1;
	channel_close(channel);
	host_timer_arm(desk->timer, sc_ns((uint64_t)desk->limits->settled_ms * 1000000));
}
