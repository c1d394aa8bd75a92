/* SPDX-License-Identifier: BSD-2-Clause */
/* A receiver's incoming side: see the header. */
#include "migrate/incoming.h"

#include "host/deadline.h"
#include "host/host.h"
#include "base/log.h"
#include "migrate/unix_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_PER_MS 1000000u
#define PLACES (INCOMING_CALLS + INCOMING_STRANGERS)

/* What epoll says of its own descriptors; smaller numbers are calls. */
enum {
	INCOMING_LISTENER = PLACES,
	INCOMING_TIMER,
	INCOMING_HURRY,
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

static const struct transport nobody = { .fd = -1 };

/* Nobody is awaited any more; who asks later finds nobody. */
static void incoming_shut(struct incoming *incoming)
{
	for (uint32_t n = 0; n < PLACES; n++)
		call_close(&incoming->call[n]);
	if (incoming->caller.fd >= 0)
		transport_close(&incoming->caller);
	fd_close(&incoming->timer);
	fd_close(&incoming->hurry);
	if (incoming->listener >= 0 && !incoming->inherited)
		unix_socket_remove(incoming->listener);
	fd_close(&incoming->listener);
}

int incoming_open(struct incoming *incoming, const struct handover_limits *limits, struct error *error)
{
	*incoming = (struct incoming){ .listener = -1, .hurry = -1, .caller = nobody, .host = "", .limits = limits };
	for (uint32_t n = 0; n < PLACES; n++)
		incoming->call[n].transport = nobody;
	incoming->events = epoll_create1(EPOLL_CLOEXEC);
	incoming->timer = host_timer_create();
	if (incoming->timer >= 0)
		incoming->hurry = host_timer_create();
	if (incoming->events >= 0 && incoming->hurry >= 0 &&
	    !incoming_watch(incoming, incoming->timer, INCOMING_TIMER) &&
	    !incoming_watch(incoming, incoming->hurry, INCOMING_HURRY))
		return 0;
	error_record(error, errno, "no event descriptor (%s)", strerror(errno));
	incoming_close(incoming);
	return -EMFILE;
}

int incoming_listen(struct incoming *incoming, const char *address, struct error *error)
{
	int result = channel_listen(address, &incoming->listener, error);

	incoming->inherited = channel_inherits(address);
	if (!result && incoming_watch(incoming, incoming->listener, INCOMING_LISTENER))
		result = error_set(error, errno, "cannot wait for connections (%s)", strerror(errno));
	return result;
}

void incoming_close(struct incoming *incoming)
{
	incoming_shut(incoming);
	fd_close(&incoming->events);
}

void incoming_secure(struct incoming *incoming, const struct credentials *own, const struct peers *peers)
{
	incoming->own = own;
	incoming->peers = peers;
}

/* ---- Calls ---- */

/* The call that a new one takes the place of, from `n` up to `end`: a free one, or the oldest. */
static uint32_t call_choose(const struct incoming *incoming, uint32_t n, uint32_t end)
{
	uint32_t best = n;

	for (; n < end; n++) {
		if (incoming->call[n].transport.fd < 0)
			return n;
		if (incoming->call[n].number < incoming->call[best].number)
			best = n;
	}
	return best;
}

/* Takes over the transport, whose descriptor nobody watches. */
static struct call *incoming_add(struct incoming *incoming, const struct transport *transport, enum call_kind kind,
				 const char *host)
{
	bool strange = kind == CALL_STRANGER;
	uint32_t n = call_choose(incoming, strange ? INCOMING_CALLS : 0, strange ? PLACES : INCOMING_CALLS);
	struct call *call = &incoming->call[n];

	call_close(call);
	*call = (struct call){
		.transport = *transport,
		.host = host,
		.number = ++incoming->calls,
		.kind = kind,
		.id = incoming->hello.id,
	};
	if (incoming_watch(incoming, transport->fd, n))
		call_close(call);
	return call;
}

/* Something lies above its socket, of which epoll does not know. */
static bool call_is_ripe(const struct call *call)
{
	return call->transport.fd >= 0 && transport_pending(&call->transport);
}

/* When the first stranger's time is over; at once for a call that is ripe. */
static void incoming_hurry(struct incoming *incoming)
{
	sc_ns_t first = sc_ns(UINT64_MAX);

	for (uint32_t n = 0; n < INCOMING_CALLS; n++)
		if (call_is_ripe(&incoming->call[n]))
			first = sc_ns(0);
	for (uint32_t n = INCOMING_CALLS; n < PLACES; n++)
		if (incoming->call[n].transport.fd >= 0 && incoming->call[n].until.v < first.v)
			first = incoming->call[n].until;
	if (first.v == UINT64_MAX)
		host_timer_disarm(incoming->hurry);
	else
		host_timer_arm(incoming->hurry, sc_ns((uint64_t)deadline_left_ms(first) * NS_PER_MS));
}

static void incoming_admit_stranger(struct incoming *incoming, struct transport *transport)
{
	struct call *call;
	struct error error;

	if (transport_secure(transport, incoming->own, NULL, &error)) {
		log_line("a connection was refused: %s", error.text);
		transport_close(transport);
		return;
	}
	call = incoming_add(incoming, transport, CALL_STRANGER, "");
	call->until = deadline_after_ms(INCOMING_STRANGER_MS);
	incoming_hurry(incoming);
}

void incoming_admit(struct incoming *incoming, int fd)
{
	struct transport transport;

	transport_open(&transport, fd);
	if (incoming->own)
		incoming_admit_stranger(incoming, &transport);
	else
		incoming_add(incoming, &transport, CALL_NEW, "");
}

static void incoming_accept(struct incoming *incoming)
{
	int fd = accept4(incoming->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct error error;

	if (fd < 0)
		return;
	if (!unix_socket_check_peer(fd, &error)) {
		incoming_admit(incoming, fd);
		return;
	}
	log_line("a connection was refused: %s", error.text);
	close(fd);
}

static void call_refuse(struct call *call, const struct error *error)
{
	log_line("a connection was refused: %s", error->text);
	if (call->kind != CALL_RUNNING)
		call_send(&call->transport, FRAME_ABORT, error->text, strlen(error->text));
	call_drain(call);
	call_close(call);
}

/* ---- What they say ---- */

static int incoming_hello(struct incoming *incoming, struct call *call, const struct frame *frame, struct error *error)
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
	if (!result && incoming->peers)
		result = peers_check_name(incoming->peers, call->host, hello.name, error);
	if (!result)
		result = ledger_open(&incoming->ledger, &hello.id, call->host, error);
	if (result)
		return result;
	epoll_ctl(incoming->events, EPOLL_CTL_DEL, call->transport.fd, NULL);
	incoming->hello = hello;
	incoming->host = call->host;
	incoming->caller = call->transport;
	incoming->busy = true;
	call->transport = nobody;
	return 0;
}

static int incoming_question(struct incoming *incoming, struct call *call, const struct frame *frame,
			     struct error *error)
{
	static const char *const words[] = {
		[FRAME_ANSWER_RUNNING] = "it runs here",
		[FRAME_ANSWER_NEVER] = "it will never run here",
		[FRAME_ANSWER_UNKNOWN] = "it is unknown here",
	};
	struct buffer buffer = { 0 };
	struct frame_id id;
	enum frame_answer answer = FRAME_ANSWER_UNKNOWN;
	char text[FRAME_ID_TEXT_SIZE];
	int result = frame_get_question(frame->data, frame->size, &id, error);

	if (!result && call->kind != CALL_NEW)
		result = error_set(error, EPROTO, "a connection asks one question");
	if (result)
		return result;
	if (ledger_is_from(&incoming->ledger, &id, call->host))
		answer = ledger_answer(&incoming->ledger, &id);
	if (answer == FRAME_ANSWER_NEVER && incoming->promise && frame_id_equal(&id, &incoming->hello.id))
		incoming->promise(incoming->context);
	frame_put_answer(&buffer, answer);
	if (!buffer_failed(&buffer) && call_send(&call->transport, FRAME_ANSWER, buffer.data, buffer.size) &&
	    answer != FRAME_ANSWER_UNKNOWN)
		ledger_tell(&incoming->ledger, &id);
	buffer_free(&buffer);
	frame_id_text(&id, text);
	log_line("asked about migration %s: %s", text, words[answer]);
	call->kind = CALL_ANSWERED;
	call->size = 0;
	return 0;
}

static int incoming_settle(struct incoming *incoming, const struct call *call, const struct frame *frame,
			   struct error *error)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	enum target_state state;
	struct report report;
	int result = report_get(&cursor, &report, error);

	if (result)
		return result;
	if (!ledger_is_from(&incoming->ledger, &report.id, call->host) ||
	    !ledger_find(&incoming->ledger, &report.id, &state) || state != TARGET_RUNNING)
		return error_set(error, EPROTO, "the other side settled a migration that does not run here");
	ledger_tell(&incoming->ledger, &report.id);
	report.plain = !call->transport.tls;
	incoming->report = report;
	incoming->settled = true;
	incoming_shut(incoming);
	return 0;
}

static int incoming_frame(struct incoming *incoming, struct call *call, const struct frame *frame, struct error *error)
{
	switch (frame->type) {
	case FRAME_HELLO:
		return incoming_hello(incoming, call, frame, error);
	case FRAME_QUESTION:
		return incoming_question(incoming, call, frame, error);
	case FRAME_SETTLED:
		return incoming_settle(incoming, call, frame, error);
	default:
		return error_set(error, EPROTO, "a connection does not begin with %s", frame_name(frame->type));
	}
}

/*
 * A source closes the connection only once it is done with the migration. One that has not read our ABORT by then makes
 * its kernel reset the connection instead.
 */
static void call_hear_end(struct incoming *incoming, struct call *call)
{
	uint8_t waste[4096];
	struct error error;
	short events;
	ssize_t got;

	do
		got = transport_receive(&call->transport, waste, sizeof(waste), &events, &error);
	while (got > 0 && transport_pending(&call->transport));
	if (got > 0 || got == -EAGAIN)
		return;
	if (!got)
		ledger_tell(&incoming->ledger, &call->id);
	call_close(call);
}

static void call_serve(struct incoming *incoming, struct call *call)
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
	} while (call->transport.fd >= 0 && (wants ? call_read(call, wants) : transport_pending(&call->transport)));
}

/* ---- Strangers ---- */

/* What has been told is only counted, and its number told at each power of two. */
static void strangers_note(struct incoming *incoming, const struct call *call, const struct error *error)
{
	uint64_t number = ++incoming->strangers;
	char peer[CHANNEL_ADDRESS_SIZE];

	if (!strcmp(incoming->told, error->text) && number & (number - 1))
		return;
	memcpy(incoming->told, error->text, sizeof(incoming->told));
	channel_peer_of(call->transport.fd, peer);
	log_line("%s was refused: %s; strangers so far: %" PRIu64, peer, error->text, number);
}

/* It has been told why. Closed at once, with bytes unread, it might not hear that. */
static void stranger_leave(struct call *call)
{
	shutdown(call->transport.fd, SHUT_WR);
	call->kind = CALL_LEAVING;
}

static void stranger_refuse(struct incoming *incoming, struct call *call, const struct error *error)
{
	static const char words[] = "this receiver speaks TLS only: " CALL_BOTH_ALIKE;

	strangers_note(incoming, call, error);
	if (transport_is_foreign(&call->transport)) {
		struct transport plain = { .fd = call->transport.fd };

		call_send(&plain, FRAME_ABORT, words, sizeof(words) - 1);
	}
	stranger_leave(call);
}

/* A certificate of ours, of a host that may send nothing here. */
static void stranger_reject(struct incoming *incoming, struct call *call)
{
	const char *name = transport_name(&call->transport, 0);
	struct error error;

	error_record(&error, EACCES, "the file `peers` of this receiver does not name %s", name ? name : "this host");
	strangers_note(incoming, call, &error);
	call_send(&call->transport, FRAME_ABORT, error.text, strlen(error.text));
	transport_finish(&call->transport);
	stranger_leave(call);
}

/* By the first of its names that is in the table. */
static const char *stranger_host(const struct incoming *incoming, const struct transport *transport)
{
	const char *host = NULL, *name;

	for (unsigned int n = 0; !host && (name = transport_name(transport, n)); n++)
		host = peers_find(incoming->peers, name);
	return host;
}

static void stranger_serve(struct incoming *incoming, struct call *call)
{
	struct error error;
	const char *host;
	short events;
	int result = transport_handshake(&call->transport, &events, &error);

	if (result == -EAGAIN)
		return;
	if (result)
		return stranger_refuse(incoming, call, &error);
	host = stranger_host(incoming, &call->transport);
	if (!host)
		return stranger_reject(incoming, call);
	/* It takes a place among those who are known. */
	epoll_ctl(incoming->events, EPOLL_CTL_DEL, call->transport.fd, NULL);
	incoming_add(incoming, &call->transport, CALL_NEW, host);
	call->transport = nobody;
}

/* Until it closes, or its time is over. */
static void stranger_drain(struct call *call)
{
	uint8_t waste[4096];
	ssize_t got = recv(call->transport.fd, waste, sizeof(waste), MSG_DONTWAIT);

	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
		call_close(call);
}

static void strangers_expire(struct incoming *incoming)
{
	struct error error;

	error_record(&error, ETIMEDOUT, "it has not said who it is in %d s", INCOMING_STRANGER_MS / 1000);
	for (uint32_t n = INCOMING_CALLS; n < PLACES; n++) {
		struct call *call = &incoming->call[n];

		if (call->transport.fd < 0 || deadline_left_ms(call->until))
			continue;
		if (call->kind == CALL_STRANGER)
			strangers_note(incoming, call, &error);
		call_close(call);
	}
}

static void incoming_serve_call(struct incoming *incoming, struct call *call)
{
	switch (call->kind) {
	case CALL_REFUSED:
		return call_hear_end(incoming, call);
	case CALL_STRANGER:
		return stranger_serve(incoming, call);
	case CALL_LEAVING:
		return stranger_drain(call);
	default:
		return call_serve(incoming, call);
	}
}

static void calls_serve_ripe(struct incoming *incoming)
{
	for (uint32_t n = 0; n < INCOMING_CALLS; n++)
		if (call_is_ripe(&incoming->call[n]))
			incoming_serve_call(incoming, &incoming->call[n]);
}

/* ---- The incoming ---- */

static void incoming_hurried(struct incoming *incoming)
{
	host_timer_acknowledge(incoming->hurry);
	strangers_expire(incoming);
	calls_serve_ripe(incoming);
	if (incoming->hurry >= 0)
		incoming_hurry(incoming);
}

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
		else if (number == INCOMING_HURRY && incoming->hurry >= 0)
			incoming_hurried(incoming);
		else if (number < PLACES && incoming->call[number].transport.fd >= 0)
			incoming_serve_call(incoming, &incoming->call[number]);
	}
}

bool incoming_is_idle(const struct incoming *incoming)
{
	bool idle = incoming->caller.fd < 0;

	for (uint32_t n = 0; n < PLACES; n++)
		idle = idle && incoming->call[n].transport.fd < 0;
	return idle;
}

/* Without TLS nobody is known before HELLO, with which a source begins. */
static bool call_is_known(const struct call *call)
{
	if (call->transport.fd < 0 || call->kind == CALL_STRANGER || call->kind == CALL_LEAVING)
		return false;
	return call->kind != CALL_NEW || call->host[0];
}

bool incoming_knows_caller(const struct incoming *incoming)
{
	bool known = incoming->caller.fd >= 0;

	for (uint32_t n = 0; n < PLACES; n++)
		known = known || call_is_known(&incoming->call[n]);
	return known;
}

bool incoming_take(struct incoming *incoming, struct channel *channel, struct frame_hello *hello)
{
	if (incoming->caller.fd < 0)
		return false;
	channel_adopt(channel, &incoming->caller, incoming->limits->frame_ms);
	transport_read_ahead(&channel->transport, true);
	incoming->caller = nobody;
	*hello = incoming->hello;
	return true;
}

int incoming_check_memory(const struct incoming *incoming, uint64_t bytes, struct error *error)
{
	if (!incoming->peers)
		return 0;
	return peers_check_memory(incoming->peers, incoming->host, incoming->hello.name, bytes, error);
}

/* A source asks by itself until it has waited for DONE, and then for as long as questions take. */
static void incoming_owe(struct incoming *incoming)
{
	incoming->owes_until = deadline_after_ms(incoming->limits->stopped_ms + incoming->limits->question_ms);
}

/* `last`: no other call pushes it out. */
static void incoming_keep(struct incoming *incoming, struct channel *channel, enum call_kind kind, bool last)
{
	struct call *call = incoming_add(incoming, &channel->transport, kind, incoming->host);

	if (last)
		call->number = UINT64_MAX;
	channel->transport = nobody;
	channel_close(channel);
	/* What the channel has read ahead no event tells of. */
	transport_read_ahead(&call->transport, false);
	incoming_hurry(incoming);
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
	transport_finish(&channel->transport);
	incoming_keep(incoming, channel, CALL_REFUSED, false);
}

void incoming_await_settled(struct incoming *incoming, struct channel *channel)
{
	incoming_owe(incoming);
	incoming_keep(incoming, channel, CALL_RUNNING, true);
	host_timer_arm(incoming->timer, sc_ns((uint64_t)incoming->limits->settled_ms * 1000000));
}
