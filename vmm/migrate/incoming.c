/* SPDX-License-Identifier: BSD-2-Clause */
/* A receiver's incoming side: see the header. */
#include "migrate/incoming.h"

#include "host/deadline.h"
#include "host/host.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_TIMES 16

/* What epoll says of its own descriptors; smaller numbers are calls. */
enum {
	INCOMING_LISTENER = INCOMING_CALLS,
	INCOMING_TIMER,
	INCOMING_EVENTS
};

static int incoming_watch(struct incoming *incoming, int fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(incoming->events, EPOLL_CTL_ADD, fd, &event);
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Nobody is awaited any more; who asks later finds nobody. */
static void incoming_shut(struct incoming *incoming)
{
	for (uint32_t n = 0; n < INCOMING_CALLS; n++)
		fd_close(&incoming->call[n].fd);
	fd_close(&incoming->caller);
	fd_close(&incoming->timer);
	fd_close(&incoming->listener);
}

int incoming_open(struct incoming *incoming, const struct handover_limits *limits, struct error *error)
{
	*incoming = (struct incoming){ .listener = -1, .timer = -1, .caller = -1, .limits = limits };
	for (uint32_t n = 0; n < INCOMING_CALLS; n++)
		incoming->call[n].fd = -1;
	incoming->events = epoll_create1(EPOLL_CLOEXEC);
	incoming->timer = host_timer_create();
	if (incoming->events >= 0 && incoming->timer >= 0 && !incoming_watch(incoming, incoming->timer, INCOMING_TIMER))
		return 0;
	error_record(error, errno, "no event descriptor (%s)", strerror(errno));
	incoming_close(incoming);
	return -EMFILE;
}

int incoming_listen(struct incoming *incoming, const char *address, struct error *error)
{
	int result = channel_listen(address, &incoming->listener, error);

	if (!result && incoming_watch(incoming, incoming->listener, INCOMING_LISTENER))
		result = error_set(error, errno, "cannot wait for connections (%s)", strerror(errno));
	return result;
}

void incoming_close(struct incoming *incoming)
{
	incoming_shut(incoming);
	fd_close(&incoming->events);
}

/* ---- Calls ---- */

/* The call that a new one takes the place of: a free one, or the oldest. */
static uint32_t call_choose(const struct incoming *incoming)
{
	uint32_t best = 0;

	for (uint32_t n = 0; n < INCOMING_CALLS; n++) {
		if (incoming->call[n].fd < 0)
			return n;
		if (incoming->call[n].number < incoming->call[best].number)
			best = n;
	}
	return best;
}

static void incoming_add(struct incoming *incoming, int fd, uint64_t number, enum incoming_kind kind)
{
	uint32_t n = call_choose(incoming);
	struct incoming_call *call = &incoming->call[n];

	fd_close(&call->fd);
	*call = (struct incoming_call){ .fd = fd, .number = number, .kind = kind, .id = incoming->hello.id };
	if (incoming_watch(incoming, fd, n))
		fd_close(&call->fd);
}

void incoming_admit(struct incoming *incoming, int fd)
{
	incoming_add(incoming, fd, ++incoming->calls, INCOMING_NEW);
}

static void incoming_accept(struct incoming *incoming)
{
	int fd = accept4(incoming->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		incoming_admit(incoming, fd);
}

/* A small frame on a connection that has taken nothing yet: it finds room at once, or the peer is none. */
static bool call_send(const struct incoming_call *call, enum frame_type type, const void *data, size_t size)
{
	uint8_t bytes[FRAME_HEADER_SIZE + ERROR_TEXT_MAX];
	ssize_t sent;

	frame_put_header(bytes, type, (uint32_t)size);
	memcpy(bytes + FRAME_HEADER_SIZE, data, size);
	sent = send(call->fd, bytes, FRAME_HEADER_SIZE + size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EPIPE)
		log_line("cannot answer a connection (%s)", strerror(errno));
	return sent == (ssize_t)(FRAME_HEADER_SIZE + size);
}

/* What is left unread when a connection is closed makes TCP reset it, and the peer might never see its sentence. */
static void call_drain(const struct incoming_call *call)
{
	uint8_t waste[4096];

	for (int n = 0; n < DRAIN_TIMES && recv(call->fd, waste, sizeof(waste), MSG_DONTWAIT) > 0; n++)
		;
}

static void call_refuse(struct incoming_call *call, const struct error *error)
{
	log_line("a connection was refused: %s", error->text);
	if (call->kind != INCOMING_RUNNING)
		call_send(call, FRAME_ABORT, error->text, strlen(error->text));
	call_drain(call);
	fd_close(&call->fd);
}

/* ---- What they say ---- */

static int incoming_hello(struct incoming *incoming, struct incoming_call *call, const struct frame *frame,
			  struct error *error)
{
	struct frame_hello hello;
	int result = frame_get_hello(frame->data, frame->size, &hello, error);

	if (!result && incoming->ending)
		result = error_set(error, EBUSY, "this receiver is ending: start another one for %s", hello.name);
	if (!result && incoming->busy)
		result = error_set(error, EBUSY,
				   "this receiver has taken %s already: start another one for %s, on "
				   "another port",
				   incoming->hello.name, hello.name);
	if (!result)
		result = ledger_open(&incoming->ledger, &hello.id, error);
	if (result)
		return result;
	epoll_ctl(incoming->events, EPOLL_CTL_DEL, call->fd, NULL);
	incoming->hello = hello;
	incoming->caller = call->fd;
	incoming->busy = true;
	call->fd = -1;
	return 0;
}

static int incoming_question(struct incoming *incoming, struct incoming_call *call, const struct frame *frame,
			     struct error *error)
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

	if (!result && call->kind != INCOMING_NEW)
		result = error_set(error, EPROTO, "a connection asks one question");
	if (result)
		return result;
	answer = ledger_answer(&incoming->ledger, &id);
	if (answer == FRAME_ANSWER_NEVER && incoming->promise && frame_id_equal(&id, &incoming->hello.id))
		incoming->promise(incoming->context);
	frame_put_answer(&buffer, answer);
	if (!buffer_failed(&buffer) && call_send(call, FRAME_ANSWER, buffer.data, buffer.size))
		ledger_tell(&incoming->ledger, &id);
	buffer_free(&buffer);
	frame_id_text(&id, text);
	log_line("asked about migration %s: %s", text, words[answer]);
	call->kind = INCOMING_ANSWERED;
	call->size = 0;
	return 0;
}

static int incoming_settle(struct incoming *incoming, const struct frame *frame, struct error *error)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	enum target_state state;
	struct report report;
	int result = report_get(&cursor, &report, error);

	if (result)
		return result;
	if (!ledger_find(&incoming->ledger, &report.id, &state) || state != TARGET_RUNNING)
		return error_set(error, EPROTO, "the other side settled a migration that does not run here");
	ledger_tell(&incoming->ledger, &report.id);
	incoming->report = report;
	incoming->settled = true;
	incoming_shut(incoming);
	return 0;
}

static int incoming_frame(struct incoming *incoming, struct incoming_call *call, const struct frame *frame,
			  struct error *error)
{
	switch (frame->type) {
	case FRAME_HELLO:
		return incoming_hello(incoming, call, frame, error);
	case FRAME_QUESTION:
		return incoming_question(incoming, call, frame, error);
	case FRAME_SETTLED:
		return incoming_settle(incoming, frame, error);
	default:
		return error_set(error, EPROTO, "a connection does not begin with %s", frame_name(frame->type));
	}
}

/* Bytes that the call's frame still lacks, as far as it is known; -EPROTO if it can be none. */
static int call_wants(const struct incoming_call *call, struct frame *frame, size_t *wants, struct error *error)
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
static bool call_read(struct incoming_call *call, size_t wants)
{
	ssize_t got = recv(call->fd, call->bytes + call->size, wants, MSG_DONTWAIT);

	if (got > 0) {
		call->size += (size_t)got;
		return true;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (call->kind == INCOMING_NEW)
		log_line("a connection ended before it had said what it wanted");
	fd_close(&call->fd);
	return false;
}

/*
 * A source closes the connection only once it is done with the migration. One that has not read our ABORT by then makes
 * its kernel reset the connection instead.
 */
static void call_hear_end(struct incoming *incoming, struct incoming_call *call)
{
	uint8_t waste[4096];
	ssize_t got = recv(call->fd, waste, sizeof(waste), MSG_DONTWAIT);

	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (!got)
		ledger_tell(&incoming->ledger, &call->id);
	fd_close(&call->fd);
}

static void call_serve(struct incoming *incoming, struct incoming_call *call)
{
	struct frame frame;
	struct error error;
	size_t wants;
	int result = 0;

	do {
		result = call_wants(call, &frame, &wants, &error);
		if (!result && !wants)
			result = incoming_frame(incoming, call, &frame, &error);
		if (result)
			return call_refuse(call, &error);
	} while (call->fd >= 0 && wants && call_read(call, wants));
}

static void incoming_serve_call(struct incoming *incoming, struct incoming_call *call)
{
	if (call->kind == INCOMING_REFUSED)
		call_hear_end(incoming, call);
	else
		call_serve(incoming, call);
}

/* ---- The incoming ---- */

static void incoming_expire(struct incoming *incoming)
{
	log_line("%s: the source has not said that it discarded the machine; it is no longer waited for",
		 incoming->hello.name);
	incoming_shut(incoming);
}

void incoming_serve(struct incoming *incoming)
{
	struct epoll_event events[INCOMING_EVENTS];
	int count = epoll_wait(incoming->events, events, INCOMING_EVENTS, 0);

	for (int n = 0; n < count; n++) {
		uint32_t number = events[n].data.u32;

		if (number == INCOMING_LISTENER && incoming->listener >= 0)
			incoming_accept(incoming);
		else if (number == INCOMING_TIMER && incoming->timer >= 0)
			incoming_expire(incoming);
		else if (number < INCOMING_CALLS && incoming->call[number].fd >= 0)
			incoming_serve_call(incoming, &incoming->call[number]);
	}
}

bool incoming_take(struct incoming *incoming, struct channel *channel, struct frame_hello *hello)
{
	if (incoming->caller < 0)
		return false;
	channel_open(channel, incoming->caller, incoming->limits->frame_ms);
	incoming->caller = -1;
	*hello = incoming->hello;
	return true;
}

/* A source asks by itself until it has waited for DONE, and then for as long as questions take. */
static void incoming_owe(struct incoming *incoming)
{
	incoming->owes_until = deadline_after_ms(incoming->limits->stopped_ms + incoming->limits->question_ms);
}

static void incoming_keep(struct incoming *incoming, struct channel *channel, uint64_t number, enum incoming_kind kind)
{
	incoming_add(incoming, channel->transport.fd, number, kind);
	channel->transport.fd = -1;
	channel_close(channel);
}

void incoming_tell(struct incoming *incoming, incoming_promise_fn promise, void *context)
{
	incoming->promise = promise;
	incoming->context = context;
}

void incoming_give_up(struct incoming *incoming, struct channel *channel, const struct error *reason)
{
	ledger_step(&incoming->ledger, &incoming->hello.id, TARGET_EVENT_FAILED);
	incoming->busy = false;
	channel_abort(channel, reason);
	if (!ledger_owes_to(&incoming->ledger, &incoming->hello.id))
		return;
	incoming_owe(incoming);
	if (channel->broken)
		return;
	/* Closed at once, a connection with unread bytes would be reset, and the ABORT might be lost. */
	shutdown(channel->transport.fd, SHUT_WR);
	incoming_keep(incoming, channel, ++incoming->calls, INCOMING_REFUSED);
}

void incoming_await_settled(struct incoming *incoming, struct channel *channel)
{
	incoming_owe(incoming);
	/* Its number is beyond all others, so that no other call pushes it out. */
	incoming_keep(incoming, channel, UINT64_MAX, INCOMING_RUNNING);
	host_timer_arm(incoming->timer, sc_ns((uint64_t)incoming->limits->settled_ms * 1000000));
}
