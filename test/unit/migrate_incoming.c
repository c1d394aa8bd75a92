/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiver's incoming side: what may open a connection, what it answers, and who cannot keep it from its work.
 *
 * Policy: one thread; whatever a peer sends lies in the socket before the incoming side is served.
 */
#include "unit.h"
#include "../fake/host_fake.h"

#include "migrate/linger.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 12

static struct incoming incoming;
static struct error error;
static int peers[PEERS];
static unsigned int peer_count;

static struct frame_hello hello_of(uint8_t number)
{
	return (struct frame_hello){ .id = { { number } }, .name = "boat", .hz = 25000000, .page_size = 4096 };
}

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	peer_count = 0;
	return incoming_open(&incoming, &handover_limits, &error);
}

static int tear_down(void **state)
{
	(void)state;
	incoming_close(&incoming);
	while (peer_count)
		close(peers[--peer_count]);
	return 0;
}

/* A new connection; the peer's end. */
static int call(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	assert_true(peer_count < PEERS);
	incoming_admit(&incoming, ends[0]);
	return peers[peer_count++] = ends[1];
}

/* Takes over the buffer. */
static void say(int peer, enum frame_type type, struct buffer *content)
{
	uint8_t header[FRAME_HEADER_SIZE];

	frame_put_header(header, type, (uint32_t)content->size);
	assert_int_equal(send(peer, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	if (content->size)
		assert_int_equal(send(peer, content->data, content->size, MSG_NOSIGNAL), content->size);
	buffer_free(content);
	incoming_serve(&incoming);
}

static void say_hello(int peer, uint8_t number)
{
	struct frame_hello hello = hello_of(number);
	struct buffer content = { 0 };

	frame_put_hello(&content, &hello);
	say(peer, FRAME_HELLO, &content);
}

static void ask(int peer, uint8_t number)
{
	struct frame_id id = { { number } };
	struct buffer content = { 0 };

	frame_put_question(&content, &id);
	say(peer, FRAME_QUESTION, &content);
}

static void say_settled(int peer, uint8_t number)
{
	const struct report report = { .name = "boat", .id = { { number } }, .from_hz = 25000000, .rounds = 3 };
	struct buffer content = { 0 };

	report_put(&content, &report);
	say(peer, FRAME_SETTLED, &content);
}

/* The frame that the incoming side has sent; -ECONNABORTED and the sentence for an ABORT, -ECONNRESET if the line is
 * dead. */
static int hear(int peer, struct channel *channel, struct frame *frame)
{
	channel_open(channel, dup(peer), 1000);
	return channel_receive(channel, frame, &error);
}

static void expect_refused(int peer, const char *sentence)
{
	struct channel channel;
	struct frame frame;
	uint8_t byte;

	assert_int_equal(hear(peer, &channel, &frame), -ECONNABORTED);
	if (!strstr(error.text, sentence))
		fail_msg("it says: %s", error.text);
	channel_close(&channel);
	assert_int_equal(recv(peer, &byte, 1, 0), 0);
}

static void expect_answer(int peer, enum frame_answer want)
{
	struct channel channel;
	struct frame frame;
	enum frame_answer answer;

	assert_int_equal(hear(peer, &channel, &frame), 0);
	assert_int_equal(frame.type, FRAME_ANSWER);
	assert_int_equal(frame_get_answer(frame.data, frame.size, &answer, &error), 0);
	assert_int_equal(answer, want);
	channel_close(&channel);
}

static bool is_open(int peer)
{
	uint8_t byte;

	return recv(peer, &byte, 1, MSG_PEEK) != 0;
}

/* A migration is taken, and goes as far as the event. */
static void take(uint8_t number, struct channel *channel)
{
	struct frame_hello hello;

	say_hello(call(), number);
	assert_true(incoming_take(&incoming, channel, &hello));
	assert_int_equal(hello.id.bytes[0], number);
	assert_string_equal(hello.name, "boat");
}

static void step(uint8_t number, enum target_event event)
{
	struct frame_id id = { { number } };

	ledger_step(&incoming.ledger, &id, event);
}

static void take_and_run(uint8_t number)
{
	struct channel channel;

	take(number, &channel);
	step(number, TARGET_EVENT_LOADED);
	step(number, TARGET_EVENT_GO);
	incoming_await_settled(&incoming, &channel);
}

static void give_up(struct channel *channel)
{
	const struct error reason = { .text = "it was not to be" };

	incoming_give_up(&incoming, channel, &reason);
	channel_close(channel);
}

/* ---- Migrations ---- */

static void test_one_at_a_time(void **state)
{
	struct channel channel;
	struct frame_hello hello;
	int second = call();

	(void)state;
	assert_false(incoming_take(&incoming, &channel, &hello));
	take(1, &channel);
	assert_false(incoming_take(&incoming, &channel, &hello));
	say_hello(second, 2);
	expect_refused(second, "this receiver has taken boat already: start another one for boat, on another port");
	give_up(&channel);
	/* The next one is welcome, but not the same one. */
	second = call();
	say_hello(second, 1);
	expect_refused(second, "this migration was here before and will not run here");
	take(3, &channel);
	channel_close(&channel);
}

/* Two that call in one moment, before the first is taken. */
static void test_two_at_once(void **state)
{
	int first = call(), second = call();
	struct channel channel;
	struct frame_hello hello;

	(void)state;
	say_hello(first, 1);
	say_hello(second, 2);
	expect_refused(second, "this receiver has taken boat already");
	assert_true(incoming_take(&incoming, &channel, &hello));
	assert_int_equal(hello.id.bytes[0], 1);
	assert_true(is_open(first));
	channel_close(&channel);
}

/* It comes byte by byte, and nobody waits for it. */
static void test_slow_hello(void **state)
{
	struct frame_hello hello = hello_of(5), back;
	struct buffer content = { 0 };
	uint8_t header[FRAME_HEADER_SIZE];
	struct channel channel;
	int peer = call();

	(void)state;
	frame_put_hello(&content, &hello);
	frame_put_header(header, FRAME_HELLO, (uint32_t)content.size);
	for (size_t n = 0; n < sizeof(header) + content.size; n++) {
		assert_false(incoming_take(&incoming, &channel, &back));
		send(peer, n < sizeof(header) ? &header[n] : &content.data[n - sizeof(header)], 1, MSG_NOSIGNAL);
		incoming_serve(&incoming);
	}
	assert_true(incoming_take(&incoming, &channel, &back));
	assert_memory_equal(&back.id, &hello.id, sizeof(back.id));
	channel_close(&channel);
	buffer_free(&content);
}

/* ---- Questions ---- */

static void ask_anew(uint8_t number, enum frame_answer want)
{
	int peer = call();

	ask(peer, number);
	expect_answer(peer, want);
}

static void test_questions(void **state)
{
	struct channel channel;

	(void)state;
	take(1, &channel);
	ask_anew(9, FRAME_ANSWER_UNKNOWN);
	/* A question about what is under way ends it. */
	ask_anew(1, FRAME_ANSWER_NEVER);
	step(1, TARGET_EVENT_LOADED);
	step(1, TARGET_EVENT_GO);
	ask_anew(1, FRAME_ANSWER_NEVER);
	give_up(&channel);
	take_and_run(2);
	ask_anew(2, FRAME_ANSWER_RUNNING);
	ask_anew(1, FRAME_ANSWER_NEVER);
}

/* Who wants to ask again connects again: one connection does not keep the receiver busy. */
static void test_one_question(void **state)
{
	int peer = call();

	(void)state;
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_UNKNOWN);
	ask(peer, 1);
	expect_refused(peer, "a connection asks one question");
}

/* ---- The end ---- */

static void test_settled(void **state)
{
	(void)state;
	take_and_run(1);
	/* On the migration's own connection, the first. */
	say_settled(peers[0], 1);
	assert_true(incoming.settled);
	assert_int_equal(incoming.report.rounds, 3);
	assert_false(is_open(peers[0]));
}

static void test_settled_elsewhere(void **state)
{
	int peer = call();

	(void)state;
	take_and_run(1);
	close(peers[1]);
	peers[1] = dup(peer);
	incoming_serve(&incoming);
	assert_false(incoming.settled);
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_RUNNING);
	say_settled(peer, 1);
	assert_true(incoming.settled);
}

/* Nobody else's word settles it. */
static void test_settled_falsely(void **state)
{
	struct channel channel;
	int peer = call();

	(void)state;
	say_settled(peer, 1);
	expect_refused(peer, "settled a migration that does not run here");
	take(1, &channel);
	say_settled(peer = call(), 1);
	expect_refused(peer, "settled a migration that does not run here");
	give_up(&channel);
	take_and_run(2);
	say_settled(peer = call(), 1);
	expect_refused(peer, "settled a migration that does not run here");
	assert_false(incoming.settled);
}

/* The source is awaited for ten minutes, then the incoming side closes. */
static void test_never_settled(void **state)
{
	int peer = call();

	(void)state;
	take_and_run(1);
	fake_time_advance(599000000000ull);
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_RUNNING);
	fake_time_advance(2000000000ull);
	incoming_serve(&incoming);
	assert_false(is_open(peer));
	assert_false(is_open(peers[1]));
	assert_int_equal(incoming.timer, -1);
}

/* On the connection of a guest that runs here an ABORT would be a promise that it does not. */
static void test_nothing_after_done(void **state)
{
	static const enum frame_type types[] = { FRAME_SYNC, FRAME_QUESTION, FRAME_SETTLED };
	uint8_t byte;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(types); n++) {
		struct buffer nothing = { 0 };

		take_and_run((uint8_t)(n + 1));
		say(peers[peer_count - 1], types[n], &nothing);
		assert_int_equal(recv(peers[peer_count - 1], &byte, 1, 0), 0);
		incoming.busy = false;
	}
}

/* ---- The last thing ---- */

static void take_and_give_up(uint8_t number, bool ready)
{
	struct channel channel;

	take(number, &channel);
	if (ready)
		step(number, TARGET_EVENT_LOADED);
	give_up(&channel);
}

static void hear_abort(int peer)
{
	struct channel channel;
	struct frame frame;

	assert_int_equal(hear(peer, &channel, &frame), -ECONNABORTED);
	assert_true(channel.aborted);
	channel_close(&channel);
}

/* Nobody has to ask: nothing was here, it was not ready, or it is settled. */
static void test_no_lingering(void **state)
{
	(void)state;
	assert_false(linger_is_due(&incoming));
	take_and_give_up(1, false);
	assert_false(linger_is_due(&incoming));
	take_and_run(2);
	assert_true(linger_is_due(&incoming));
	say_settled(peers[peer_count - 1], 2);
	assert_false(linger_is_due(&incoming));
}

static void test_linger_question(void **state)
{
	int peer, other;

	(void)state;
	take_and_give_up(1, true);
	assert_true(linger_is_due(&incoming));
	incoming.ending = true;
	say_hello(other = call(), 7);
	expect_refused(other, "this receiver is ending: start another one for boat");
	peer = call();
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_NEVER);
	/* Told: it ends at once. */
	linger_run(&incoming, NULL);
	assert_false(linger_is_due(&incoming));
}

/* The source has read the ABORT, and closes. */
static void test_linger_heard(void **state)
{
	(void)state;
	take_and_give_up(1, true);
	hear_abort(peers[0]);
	close(peers[0]);
	peers[0] = dup(0);
	linger_run(&incoming, NULL);
	assert_false(ledger_owes(&incoming.ledger));
	assert_int_equal(fake_time(), 0);
}

static int linger_over(void *context, struct error *reason)
{
	(void)context;
	return error_set(reason, EINTR, "at once");
}

/* It closes without having read it. A second order ends the wait. */
static void test_linger_unheard(void **state)
{
	int order = eventfd(0, EFD_CLOEXEC);
	const struct wait_watch watch = { .fd = order, .fn = linger_over };

	(void)state;
	take_and_give_up(1, true);
	close(peers[0]);
	peers[0] = dup(0);
	incoming_serve(&incoming);
	assert_true(linger_is_due(&incoming));
	eventfd_write(order, 1);
	linger_run(&incoming, &watch);
	assert_true(ledger_owes(&incoming.ledger));
	close(order);
}

static int linger_takes_time(void *context, struct error *reason)
{
	(void)context;
	(void)reason;
	fake_time_advance(100000000);
	return 0;
}

/* Nobody asks: 15 s, and none once the source asks no more. */
static void test_linger_limit(void **state)
{
	int order = eventfd(1, EFD_CLOEXEC);
	const struct wait_watch watch = { .fd = order, .fn = linger_takes_time };
	uint64_t began;

	(void)state;
	take_and_give_up(1, true);
	linger_run(&incoming, &watch);
	assert_in_range(fake_time(), 15000000000ull, 15100000000ull);
	fake_time_advance(20000000000ull);
	assert_true(linger_is_due(&incoming));
	began = fake_time();
	linger_run(&incoming, &watch);
	assert_in_range(fake_time() - began, 4800000000ull, 5000000000ull);
	assert_false(linger_is_due(&incoming));
	close(order);
}

/* The guest ran here and has ended, and the source has not heard of it. */
static void test_linger_running(void **state)
{
	int peer;

	(void)state;
	take_and_run(1);
	peer = call();
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_RUNNING);
	assert_false(linger_is_due(&incoming));
}

/* ---- Nonsense ---- */

static void test_nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *sentence;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 18, "does not speak Seaclock's migration protocol" },
		{ "\1\0\0\0\1\2\0\0", 8, "sent a HELLO frame of 513 bytes; the limit is 512" },
		{ "\1\0\0\0\0\0\0\0", 8, "does not speak Seaclock's migration protocol" },
		{ "\3\0\0\0\1\2\0\0", 8, "a connection does not begin with 513 bytes" },
		{ "\3\0\0\0\0\0\0\0", 8, "a connection does not begin with CHECK" },
		{ "\0\0\0\0\0\0\0\0", 8, "does not speak Seaclock's migration protocol" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		int peer = call();

		send(peer, cases[n].bytes, cases[n].size, MSG_NOSIGNAL);
		incoming_serve(&incoming);
		expect_refused(peer, cases[n].sentence);
	}
}

/* A hello or a question of another version is named as such. */
static void test_version(void **state)
{
	const struct frame_id id = { { 1 } };

	(void)state;
	for (int question = 0; question < 2; question++) {
		struct frame_hello hello = hello_of(1);
		struct buffer content = { 0 };
		int peer = call();

		if (question)
			frame_put_question(&content, &id);
		else
			frame_put_hello(&content, &hello);
		content.data[8] = 1;
		say(peer, question ? FRAME_QUESTION : FRAME_HELLO, &content);
		expect_refused(peer, "speaks version 1 of the migration protocol, this one 5 to 6");
	}
}

/* Who connects and says nothing is pushed out by others; who ends a migration is not. */
static void test_silent_crowd(void **state)
{
	int first, peer;

	(void)state;
	take_and_run(1);
	first = call();
	for (unsigned int n = 0; n < INCOMING_CALLS - 1; n++)
		peer = call();
	assert_false(is_open(first));
	assert_true(is_open(peers[0]));
	ask(peer, 1);
	expect_answer(peer, FRAME_ANSWER_RUNNING);
	say_settled(peers[0], 1);
	assert_true(incoming.settled);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_one_at_a_time),
		TEST(test_two_at_once),
		TEST(test_slow_hello),
		TEST(test_questions),
		TEST(test_settled),
		TEST(test_settled_elsewhere),
		TEST(test_never_settled),
		TEST(test_settled_falsely),
		TEST(test_nonsense),
		TEST(test_version),
		TEST(test_silent_crowd),
		TEST(test_one_question),
		TEST(test_nothing_after_done),
		TEST(test_no_lingering),
		TEST(test_linger_question),
		TEST(test_linger_heard),
		TEST(test_linger_unheard),
		TEST(test_linger_limit),
		TEST(test_linger_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
