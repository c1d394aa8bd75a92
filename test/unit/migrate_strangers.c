/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver by TLS: who gets in, how much of it those can take who do not, and that a host is answered about its own
 * migrations only.
 *
 * Policy: one thread; what a caller sends lies in the socket before the incoming side is served.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "certificate_fixture.h"

#include "migrate/channel.h"
#include "migrate/incoming.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TURNS 200
#define LIMIT_MS 1000
#define S_NS 1000000000ull

/* Hosts that call. */
enum {
	ALTRA,
	GRACE,
	MARS,
	HOSTS
};

static const char *const names[HOSTS] = { "altra", "grace.example", "mars" };
static const char rules[] = "altra web-* 64\ngrace.example * 128\n";

static char top[] = "/tmp/seaclock-strangers-XXXXXX";
static char folders[HOSTS + 1][64];
static struct authority_pair authority;
static struct credentials own, of[HOSTS];
static struct peers peers;
static struct incoming incoming;
static struct channel calls[16];
static unsigned int count;
static struct error error;

static int set_up_all(void **state)
{
	struct authority_span span;

	(void)state;
	fake_reset();
	span = certificate_span();
	authority = certificate_authority(&span);
	if (!mkdtemp(top))
		return -1;
	for (int n = 0; n <= HOSTS; n++) {
		snprintf(folders[n], sizeof(folders[n]), "%s/%d", top, n);
		certificate_folder(folders[n], &authority, &authority, n < HOSTS ? names[n] : "here", &span);
		if (credentials_open(n < HOSTS ? &of[n] : &own, folders[n], &error))
			fail_msg("%s", error.text);
	}
	return peers_parse(rules, sizeof(rules) - 1, "peers", &peers, &error);
}

static int tear_down_all(void **state)
{
	(void)state;
	for (int n = 0; n <= HOSTS; n++) {
		credentials_close(n < HOSTS ? &of[n] : &own);
		certificate_remove(folders[n]);
	}
	authority_free(&authority);
	return rmdir(top);
}

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	count = 0;
	if (incoming_open(&incoming, &handover_limits, &error))
		return -1;
	incoming_secure(&incoming, &own, &peers);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	incoming_close(&incoming);
	while (count)
		channel_close(&calls[--count]);
	return 0;
}

/* ---- Calls ---- */

/* A connection that has said nothing yet. */
static struct channel *call(void)
{
	struct channel *channel = &calls[count++];
	int ends[2];

	assert_true(count <= ARRAY_SIZE(calls));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	incoming_admit(&incoming, ends[0]);
	channel_open(channel, ends[1], LIMIT_MS);
	return channel;
}

static int greet(struct channel *channel)
{
	int result = -EAGAIN;
	short events;

	for (int n = 0; n < TURNS && result == -EAGAIN; n++) {
		result = transport_handshake(&channel->transport, &events, &error);
		incoming_serve(&incoming);
	}
	/* It judges the caller last. */
	for (int n = 0; n < 5; n++)
		incoming_serve(&incoming);
	return result;
}

static struct channel *call_as(int host)
{
	struct channel *channel = call();

	assert_int_equal(transport_secure(&channel->transport, &of[host], "here", &error), 0);
	if (greet(channel))
		fail_msg("%s: %s", names[host], error.text);
	return channel;
}

static void say(struct channel *channel, enum frame_type type, struct buffer *content)
{
	assert_int_equal(channel_send_buffer(channel, type, content, &error), 0);
	incoming_serve(&incoming);
}

static void say_hello(struct channel *channel, uint8_t number, const char *name)
{
	struct frame_hello hello = { .id = { { number } }, .hz = 25000000, .page_size = 4096 };
	struct buffer content = { 0 };

	snprintf(hello.name, sizeof(hello.name), "%s", name);
	frame_put_hello(&content, &hello);
	say(channel, FRAME_HELLO, &content);
}

static enum frame_answer ask_as(int host, uint8_t number)
{
	struct channel *channel = call_as(host);
	const struct frame_id id = { { number } };
	struct buffer content = { 0 };
	enum frame_answer answer;
	struct frame frame;

	frame_put_question(&content, &id);
	say(channel, FRAME_QUESTION, &content);
	assert_int_equal(channel_expect(channel, FRAME_ANSWER, &frame, &error), 0);
	assert_int_equal(frame_get_answer(frame.data, frame.size, &answer, &error), 0);
	return answer;
}

static void say_settled(struct channel *channel, uint8_t number)
{
	const struct report report = { .name = "web-1", .id = { { number } }, .from_hz = 25000000 };
	struct buffer content = { 0 };

	report_put(&content, &report);
	say(channel, FRAME_SETTLED, &content);
}

static void expect_told(struct channel *channel, const char *words)
{
	struct frame frame;

	assert_int_equal(channel_receive(channel, &frame, &error), -ECONNABORTED);
	if (!strstr(error.text, words))
		fail_msg("it says: %s", error.text);
}

/* Its connection is closed. */
static bool is_gone(struct channel *channel)
{
	uint8_t waste[4096];
	ssize_t got;

	incoming_serve(&incoming);
	while ((got = recv(channel->transport.fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0)
		;
	return !got || errno != EAGAIN;
}

static void step(uint8_t number, enum target_event event)
{
	const struct frame_id id = { { number } };

	ledger_step(&incoming.ledger, &id, event);
}

/* ---- Who gets in ---- */

static void test_migration(void **state)
{
	struct frame_hello hello;
	struct channel taken;

	(void)state;
	say_hello(call_as(ALTRA), 1, "web-1");
	assert_true(incoming_take(&incoming, &taken, &hello));
	assert_string_equal(hello.name, "web-1");
	assert_string_equal(transport_name(&taken.transport, 0), "altra");
	assert_int_equal(incoming_check_memory(&incoming, 64ull << 20, &error), 0);
	assert_int_equal(incoming_check_memory(&incoming, 65ull << 20, &error), -EACCES);
	assert_non_null(strstr(error.text, "web-1 has 65 MiB, and altra may send machines of up to 64 MiB"));
	channel_close(&taken);
}

static void test_wrong_machine(void **state)
{
	struct channel *channel = call_as(ALTRA);

	(void)state;
	say_hello(channel, 1, "db");
	expect_told(channel, "altra may send no machine named db here");
	assert_false(incoming.busy);
}

/* A certificate of ours, and no line in the file. */
static void test_nobody(void **state)
{
	struct channel *channel = call_as(MARS);

	(void)state;
	expect_told(channel, "the file `peers` of this receiver does not name mars");
	assert_int_equal(incoming.strangers, 1);
	/* It is kept until it has heard that. */
	assert_true(incoming.call[INCOMING_CALLS].transport.fd >= 0);
	channel_close(channel);
	count--;
	for (int n = 0; n < 3; n++)
		incoming_serve(&incoming);
	assert_int_equal(incoming.call[INCOMING_CALLS].transport.fd, -1);
}

/* One without TLS hears why in its own language. */
static void test_plain(void **state)
{
	struct channel *channel = call();

	(void)state;
	say_hello(channel, 1, "web-1");
	expect_told(channel, "this receiver speaks TLS only: say --plain on both sides, or on neither");
	assert_false(incoming.busy);
	assert_int_equal(incoming.strangers, 1);
}

/* The other way round. */
static void test_receiver_is_plain(void **state)
{
	struct channel *channel;

	(void)state;
	incoming_secure(&incoming, NULL, NULL);
	channel = call();
	assert_int_equal(transport_secure(&channel->transport, &of[ALTRA], "here", &error), 0);
	assert_int_equal(greet(channel), -EPROTO);
	assert_non_null(
		strstr(error.text, "the other side does not speak TLS: say --plain on both sides, or on neither"));
}

/* ---- Strangers ---- */

static void test_silent(void **state)
{
	struct channel *channel = call();

	(void)state;
	fake_time_advance(INCOMING_STRANGER_MS * 1000000ull - 1000000);
	assert_false(is_gone(channel));
	fake_time_advance(2000000);
	assert_true(is_gone(channel));
	assert_int_equal(incoming.strangers, 1);
}

/* It says a byte now and then. */
static void test_slow(void **state)
{
	static const uint8_t record[] = { 22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0 };
	struct channel *channel = call();

	(void)state;
	for (size_t n = 0; n < sizeof(record); n++) {
		if (send(channel->transport.fd, &record[n], 1, MSG_NOSIGNAL) < 0)
			break;
		fake_time_advance(S_NS);
		incoming_serve(&incoming);
	}
	assert_true(is_gone(channel));
}

/* Strangers push out each other, oldest first, and nobody who is known. */
static void test_flood(void **state)
{
	struct channel *known = call_as(ALTRA), *first = call();

	(void)state;
	for (uint32_t n = 1; n < INCOMING_STRANGERS; n++)
		call();
	assert_false(is_gone(first));
	call();
	assert_true(is_gone(first));
	assert_false(is_gone(&calls[2]));
	say_hello(known, 1, "web-1");
	assert_true(incoming.busy);
	say_hello(call_as(GRACE), 2, "db");
}

/* ---- A host's own migrations ---- */

static void take_and_run(struct channel *taken)
{
	struct frame_hello hello;

	say_hello(call_as(ALTRA), 1, "web-1");
	assert_true(incoming_take(&incoming, taken, &hello));
	step(1, TARGET_EVENT_LOADED);
	step(1, TARGET_EVENT_GO);
	incoming_await_settled(&incoming, taken);
}

static void promise(void *context)
{
	(*(int *)context)++;
}

/* Whoever knows the id of a migration cannot end it. */
static void test_question_of_another(void **state)
{
	struct frame_hello hello;
	struct channel taken;
	enum target_state target;
	int promised = 0;

	(void)state;
	say_hello(call_as(ALTRA), 1, "web-1");
	assert_true(incoming_take(&incoming, &taken, &hello));
	incoming_tell(&incoming, promise, &promised);
	assert_int_equal(ask_as(GRACE, 1), FRAME_ANSWER_UNKNOWN);
	assert_true(ledger_find(&incoming.ledger, &hello.id, &target));
	assert_int_equal(target, TARGET_LOADING);
	assert_int_equal(promised, 0);
	assert_int_equal(ask_as(ALTRA, 1), FRAME_ANSWER_NEVER);
	assert_int_equal(promised, 1);
	channel_close(&taken);
}

static void test_question_about_running(void **state)
{
	struct channel taken;

	(void)state;
	take_and_run(&taken);
	assert_int_equal(ask_as(GRACE, 1), FRAME_ANSWER_UNKNOWN);
	/* The one whom it concerns has still not heard. */
	assert_true(ledger_owes(&incoming.ledger));
	assert_int_equal(ask_as(ALTRA, 1), FRAME_ANSWER_RUNNING);
	assert_false(ledger_owes(&incoming.ledger));
}

static void test_settled_by_another(void **state)
{
	struct channel taken, *channel;

	(void)state;
	take_and_run(&taken);
	say_settled(channel = call_as(GRACE), 1);
	expect_told(channel, "settled a migration that does not run here");
	assert_false(incoming.settled);
	say_settled(&calls[0], 1);
	assert_true(incoming.settled);
	assert_false(incoming.report.plain);
}

/* ---- What was read ahead ---- */

#define MANY 100

/* Frames that are off the socket before anybody waits for them: no wait, whose limit the fake's time never reaches. */
static void test_frames_ahead(void **state)
{
	struct frame_hello hello;
	struct channel *source = call_as(ALTRA), taken;
	struct frame frame;
	uint8_t byte;

	(void)state;
	say_hello(source, 1, "web-1");
	assert_true(incoming_take(&incoming, &taken, &hello));
	for (int n = 0; n < MANY; n++)
		assert_int_equal(channel_send(source, FRAME_SYNC, NULL, 0, &error), 0);
	for (int n = 0; n < MANY; n++)
		assert_int_equal(channel_expect(&taken, FRAME_SYNC, &frame, &error), 0);
	assert_true(recv(taken.transport.fd, &byte, 1, MSG_DONTWAIT) < 0);
	channel_close(&taken);
}

/* A migration that was taken and whose state is loaded: its source's end. */
static struct channel *take_loaded(struct channel *taken)
{
	struct channel *source = call_as(ALTRA);
	struct frame_hello hello;

	say_hello(source, 1, "web-1");
	assert_true(incoming_take(&incoming, taken, &hello));
	step(1, TARGET_EVENT_LOADED);
	return source;
}

/* The channel has taken SETTLED off the socket, and whoever sleeps on the incoming side is woken for it all the same.
 */
static void test_settled_ahead(void **state)
{
	struct pollfd wait = { .fd = incoming.events, .events = POLLIN };
	struct channel taken, *source = take_loaded(&taken);
	struct frame frame;

	(void)state;
	step(1, TARGET_EVENT_GO);
	assert_int_equal(channel_send(source, FRAME_SYNC, NULL, 0, &error), 0);
	say_settled(source, 1);
	assert_int_equal(channel_expect(&taken, FRAME_SYNC, &frame, &error), 0);
	assert_true(transport_pending(&taken.transport));
	incoming_await_settled(&incoming, &taken);
	fake_time_advance(1);
	assert_int_equal(poll(&wait, 1, 0), 1);
	incoming_serve(&incoming);
	assert_true(incoming.settled);
}

/* The same for the end of a connection that has heard a promise: more than one receive takes lies before it. */
static void test_end_ahead(void **state)
{
	struct pollfd wait = { .fd = incoming.events, .events = POLLIN };
	const struct error reason = { .text = "it was not to be" };
	struct channel taken, *source = take_loaded(&taken);
	struct frame frame;

	(void)state;
	for (int n = 0; n < MANY; n++)
		assert_int_equal(channel_send(source, FRAME_SYNC, NULL, 0, &error), 0);
	assert_int_equal(channel_expect(&taken, FRAME_SYNC, &frame, &error), 0);
	incoming_give_up(&incoming, &taken, &reason);
	expect_told(source, "it was not to be");
	channel_close(source);
	fake_time_advance(1);
	assert_int_equal(poll(&wait, 1, 0), 1);
	incoming_serve(&incoming);
	assert_false(ledger_owes(&incoming.ledger));
	assert_int_equal(poll(&wait, 1, 0), 0);
}

/* ---- A promise that may not have been heard ---- */

static void give_up_ready(struct channel *taken)
{
	const struct error reason = { .text = "it was not to be" };
	struct frame_hello hello;

	say_hello(call_as(ALTRA), 1, "web-1");
	assert_true(incoming_take(&incoming, taken, &hello));
	step(1, TARGET_EVENT_LOADED);
	incoming_give_up(&incoming, taken, &reason);
	channel_close(taken);
	assert_true(ledger_owes(&incoming.ledger));
}

static void test_promise_heard(void **state)
{
	struct channel taken;

	(void)state;
	give_up_ready(&taken);
	expect_told(&calls[0], "it was not to be");
	channel_close(&calls[0]);
	count--;
	incoming_serve(&incoming);
	assert_false(ledger_owes(&incoming.ledger));
}

/* The connection ends with our word unread, or is cut: neither says that it was heard. */
static void test_promise_unheard(void **state)
{
	struct channel taken;

	(void)state;
	give_up_ready(&taken);
	channel_close(&calls[0]);
	count--;
	incoming_serve(&incoming);
	assert_true(ledger_owes(&incoming.ledger));
}

static void test_promise_cut(void **state)
{
	struct channel taken;

	(void)state;
	give_up_ready(&taken);
	expect_told(&calls[0], "it was not to be");
	shutdown(calls[0].transport.fd, SHUT_RDWR);
	incoming_serve(&incoming);
	assert_true(ledger_owes(&incoming.ledger));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_migration),
		TEST(test_wrong_machine),
		TEST(test_nobody),
		TEST(test_plain),
		TEST(test_receiver_is_plain),
		TEST(test_silent),
		TEST(test_slow),
		TEST(test_flood),
		TEST(test_question_of_another),
		TEST(test_question_about_running),
		TEST(test_settled_by_another),
		TEST(test_frames_ahead),
		TEST(test_settled_ahead),
		TEST(test_end_ahead),
		TEST(test_promise_heard),
		TEST(test_promise_unheard),
		TEST(test_promise_cut),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
