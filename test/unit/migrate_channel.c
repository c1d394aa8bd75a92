/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames over a socket: pieces of any size, an end at any byte, what is too long, and what a peer says when it gives
 * up. */
#include "unit.h"
#include "../fake/host_fake.h"

#include "migrate/channel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 30000

static struct channel channel;
static int peer = -1;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	fake_reset();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	channel_open(&channel, pair[0], LIMIT_MS);
	peer = pair[1];
	return 0;
}

static void peer_close(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static int tear_down(void **state)
{
	(void)state;
	channel_close(&channel);
	peer_close();
	return 0;
}

static void peer_send(const void *data, size_t size)
{
	assert_int_equal(send(peer, data, size, MSG_NOSIGNAL), size);
}

static void test_send(void **state)
{
	static const uint8_t want[] = { FRAME_READY, 0,	  0,	    0, 5, 0, 0, 0, 'a', 'b', 'c',
					'd',	     'e', FRAME_GO, 0, 0, 0, 0, 0, 0,	0 };
	struct error error;
	uint8_t bytes[64];

	(void)state;
	assert_int_equal(channel.sink.put(&channel.sink, FRAME_READY, "ab", 2, "cde", 3, &error), 0);
	assert_int_equal(channel_send(&channel, FRAME_GO, NULL, 0, &error), 0);
	assert_int_equal(recv(peer, bytes, sizeof(bytes), 0), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
	assert_int_equal(channel.sink.sent, sizeof(want));
}

struct dribble {
	const uint8_t *data;
	size_t size;
	size_t piece;
};

/* Sends in pieces that the receiver is likely to see one by one. */
static void *dribble_thread(void *argument)
{
	const struct dribble *dribble = argument;

	for (size_t at = 0; at < dribble->size; at += dribble->piece) {
		size_t left = dribble->size - at;

		if (send(peer, dribble->data + at, left < dribble->piece ? left : dribble->piece, MSG_NOSIGNAL) < 0)
			return argument;
		sched_yield();
	}
	return NULL;
}

static void test_pieces(void **state)
{
	uint8_t bytes[2 * (FRAME_HEADER_SIZE + 16)];

	(void)state;
	for (uint8_t n = 0; n < 2; n++) {
		uint8_t *frame = bytes + n * sizeof(bytes) / 2;

		frame_put_header(frame, FRAME_STAMPED, 16);
		memset(frame + FRAME_HEADER_SIZE, 'p' + n, 16);
	}
	for (size_t piece = 1; piece <= sizeof(bytes); piece++) {
		struct dribble dribble = { bytes, sizeof(bytes), piece };
		struct frame frame;
		struct error error;
		pthread_t thread;
		void *failed;

		pthread_create(&thread, NULL, dribble_thread, &dribble);
		for (uint8_t n = 0; n < 2; n++) {
			assert_int_equal(channel_expect(&channel, FRAME_STAMPED, &frame, &error), 0);
			assert_int_equal(frame.size, 16);
			assert_int_equal(frame.data[0], 'p' + n);
			assert_int_equal(frame.data[15], 'p' + n);
		}
		pthread_join(thread, &failed);
		assert_null(failed);
	}
}

/* A frame larger than the socket holds: the sender waits until the receiver makes room. */
static void *receive_thread(void *argument)
{
	static uint8_t bytes[FRAME_HEADER_SIZE + FRAME_STATE_MAX];
	size_t left = sizeof(bytes);

	(void)argument;
	while (left) {
		ssize_t got = recv(peer, bytes + sizeof(bytes) - left, left, 0);

		if (got <= 0)
			return NULL;
		left -= (size_t)got;
	}
	return bytes;
}

static void test_large(void **state)
{
	static uint8_t content[FRAME_STATE_MAX];
	struct error error;
	pthread_t thread;
	void *got;

	(void)state;
	for (size_t n = 0; n < sizeof(content); n++)
		content[n] = (uint8_t)(n * 7 >> 3);
	pthread_create(&thread, NULL, receive_thread, NULL);
	assert_int_equal(channel.sink.put(&channel.sink, FRAME_STATE, content, 100, content + 100,
					  sizeof(content) - 100, &error),
			 0);
	pthread_join(thread, &got);
	assert_non_null(got);
	assert_memory_equal((uint8_t *)got + FRAME_HEADER_SIZE, content, sizeof(content));
}

/* The connection ends after any number of bytes of a frame. */
static void test_end_at_every_byte(void **state)
{
	uint8_t bytes[FRAME_HEADER_SIZE + 16];

	frame_put_header(bytes, FRAME_ZEROES, 16);
	memset(bytes + FRAME_HEADER_SIZE, 3, 16);
	for (size_t size = 0; size < sizeof(bytes); size++) {
		struct frame frame;
		struct error error;

		peer_send(bytes, size);
		peer_close();
		assert_int_equal(channel_receive(&channel, &frame, &error), -ECONNRESET);
		assert_string_equal(error.text, "the other side closed the migration connection");
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

static void test_oversize(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	frame_put_header(header, FRAME_PAGES, 0xfffffff0);
	peer_send(header, sizeof(header));
	assert_int_equal(channel_receive(&channel, &frame, &error), -EPROTO);
	assert_string_equal(error.text, "the other side sent a PAGES frame of 4294967280 bytes; the limit is 262152");
	assert_int_equal(channel.in.capacity, 0);
}

static void test_not_ours(void **state)
{
	struct frame frame;
	struct error error;

	(void)state;
	peer_send("GET / HTTP/1.1\r\n", 16);
	assert_int_equal(channel_receive(&channel, &frame, &error), -EPROTO);
	assert_non_null(strstr(error.text, "it does not speak Seaclock's migration protocol"));
}

static void test_unexpected(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	frame_put_header(header, FRAME_DONE, 0);
	peer_send(header, sizeof(header));
	assert_int_equal(channel_expect(&channel, FRAME_READY, &frame, &error), -EPROTO);
	assert_string_equal(error.text, "the other side sent DONE where READY was due");
}

static void abort_with(const char *text, size_t size)
{
	uint8_t header[FRAME_HEADER_SIZE];

	frame_put_header(header, FRAME_ABORT, (uint32_t)size);
	peer_send(header, sizeof(header));
	peer_send(text, size);
}

/* The peer's words are data: they may not steer the operator's terminal or break the line of JSON that carries them. */
static void test_abort(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *sentence;
	} cases[] = {
		{ "no room", 7, "the other side says: no room" },
		{ "", 0, "the other side gives up, and gives no reason" },
		{ "a\0b", 3, "the other side says: a?b" },
		{ "red \x1b[31m\n", 10, "the other side says: red ?[31m?" },
		{ "\xff\xc3x\x7f", 4, "the other side says: ??x?" },
	};
	struct frame frame;
	struct error error;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		channel.aborted = false;
		abort_with(cases[n].text, cases[n].size);
		assert_int_equal(channel_expect(&channel, FRAME_READY, &frame, &error), -ECONNABORTED);
		assert_string_equal(error.text, cases[n].sentence);
		/* Without a word it may be anything, a DONE of which a bit has changed. */
		assert_int_equal(channel.aborted, cases[n].size != 0);
	}
}

/* An ABORT counts when all of it has come. */
static void test_abort_in_part(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	frame_put_header(header, FRAME_ABORT, 8);
	peer_send(header, sizeof(header));
	peer_send("no roo", 6);
	peer_close();
	assert_int_equal(channel_receive(&channel, &frame, &error), -ECONNRESET);
	assert_false(channel.aborted);
}

static void test_abort_longest(void **state)
{
	char text[ERROR_TEXT_MAX];
	struct frame frame;
	struct error error;

	(void)state;
	memset(text, 'w', sizeof(text));
	abort_with(text, sizeof(text));
	assert_int_equal(channel_receive(&channel, &frame, &error), -ECONNABORTED);
	assert_int_equal(strlen(error.text), ERROR_TEXT_MAX - 1);
}

static void test_abort_is_sent(void **state)
{
	const struct error reason = { .text = "it does not fit" };
	struct error error;
	struct channel other;
	struct frame frame;

	(void)state;
	channel_abort(&channel, &reason);
	channel_open(&other, dup(peer), LIMIT_MS);
	assert_int_equal(channel_receive(&other, &frame, &error), -ECONNABORTED);
	assert_string_equal(error.text, "the other side says: it does not fit");
	channel_close(&other);
	/* To a peer that has gone it is no harm. */
	peer_close();
	channel_abort(&channel, &reason);
}

static void test_send_to_nobody(void **state)
{
	struct error error;

	(void)state;
	peer_close();
	assert_int_equal(channel_send(&channel, FRAME_GO, NULL, 0, &error), -EPIPE);
	assert_non_null(strstr(error.text, "the migration connection broke"));
}

/* A peer that sends now and then a byte has failed as well: the limit is for the whole frame. */
static void test_slow(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	frame_put_header(header, FRAME_READY, 8);
	peer_send(header, sizeof(header));
	fake_time_set_step(LIMIT_MS * 1000000ull);
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "the other side has not sent or taken a frame for 30 s");
}

static void test_slow_to_take(void **state)
{
	static const uint8_t content[FRAME_STATE_MAX];
	struct error error;

	(void)state;
	fake_time_set_step(LIMIT_MS * 1000000ull);
	assert_int_equal(channel_send(&channel, FRAME_STATE, content, sizeof(content), &error), -ETIMEDOUT);
}

/* While the guest stands still there is one limit for all frames, whatever each of them might take. */
static void test_deadline(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	fake_time_advance(5000000);
	channel.limit_ms = 10000;
	channel.deadline = sc_ns(4000000);
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "the other side took more than 10 s while the guest was stopped");
	/* What is there too late does not count. */
	frame_put_header(header, FRAME_GO, 0);
	peer_send(header, sizeof(header));
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
	channel.deadline = sc_ns(0);
	assert_int_equal(channel_receive(&channel, &frame, &error), 0);
	channel.deadline = sc_ns(4000000);
	assert_int_equal(channel_send(&channel, FRAME_GO, NULL, 0, &error), -ETIMEDOUT);
	assert_false(channel.broken);
}

/* All of a frame lies there, but it takes too long to read it. */
static void test_late_end(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct frame frame;
	struct error error;

	(void)state;
	frame_put_header(header, FRAME_READY, 8);
	peer_send(header, sizeof(header));
	peer_send("12345678", 8);
	fake_time_set_step(LIMIT_MS * 1000000ull / 2);
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
}

/* What is watched ends a wait, or is served and lets it go on. */
static int watch_count;

static int watch_serve(void *context, struct error *error)
{
	eventfd_t value;

	assert_int_equal(eventfd_read(*(int *)context, &value), 0);
	watch_count++;
	return value > 1 ? error_set(error, ECANCELED, "enough") : 0;
}

static void test_watch(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC);
	const struct wait_watch watch = { .fd = event, .fn = watch_serve, .context = &event };
	struct frame frame;
	struct error error;

	(void)state;
	watch_count = 0;
	channel_watch(&channel, &watch);
	assert_int_equal(channel_look(&channel, &error), 0);
	eventfd_write(event, 1);
	assert_int_equal(channel_look(&channel, &error), 0);
	assert_int_equal(watch_count, 1);
	eventfd_write(event, 1);
	channel.limit_ms = 20;
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
	assert_int_equal(watch_count, 2);
	eventfd_write(event, 2);
	channel.limit_ms = LIMIT_MS;
	assert_int_equal(channel_receive(&channel, &frame, &error), -ECANCELED);
	assert_string_equal(error.text, "enough");
	assert_int_equal(watch_count, 3);
	close(event);
}

/* A look for each step of a long piece of work is a call only every now and then, but that often for certain. */
static void test_glance(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC);
	const struct wait_watch watch = { .fd = event, .fn = watch_serve, .context = &event };
	struct error error;

	(void)state;
	watch_count = 0;
	channel_watch(&channel, &watch);
	fake_time_advance(CHANNEL_GLANCE_NS);
	eventfd_write(event, 1);
	assert_int_equal(channel_glance(&channel, &error), 0);
	assert_int_equal(watch_count, 1);
	eventfd_write(event, 2);
	fake_time_advance(CHANNEL_GLANCE_NS - 1);
	assert_int_equal(channel_glance(&channel, &error), 0);
	assert_int_equal(watch_count, 1);
	fake_time_advance(1);
	assert_int_equal(channel_glance(&channel, &error), -ECANCELED);
	assert_int_equal(watch_count, 2);
	close(event);
}

#define BUSY_MAX 1000

/* Never done: each time takes 100 ms, and there is more to serve. A wait that lets it go on fails the test. */
static int watch_keep_busy(void *context, struct error *error)
{
	(void)context;
	fake_time_advance(100000000);
	return ++watch_count > BUSY_MAX ? error_set(error, ELOOP, "this wait never ends") : 0;
}

/* Whoever keeps a wait busy does not make it longer, be it what is watched or what is awaited. */
static void test_busy(void **state)
{
	int event = eventfd(1, EFD_CLOEXEC);
	const struct wait_watch watch = { .fd = event, .fn = watch_keep_busy };
	struct frame frame;
	struct error error;
	bool ready;

	(void)state;
	watch_count = 0;
	channel_watch(&channel, &watch);
	assert_int_equal(channel_receive(&channel, &frame, &error), -ETIMEDOUT);
	assert_in_range(watch_count, LIMIT_MS / 100 - 1, LIMIT_MS / 100 + 1);
	assert_int_equal(wait_ready(event, POLLIN, sc_ns(1), NULL, 0, &ready, &error), 0);
	assert_false(ready);
	close(event);
}

/* A frame that was sent in part cannot be followed by a last word: the peer would take it for the frame's rest. */
static void test_no_abort_in_a_frame(void **state)
{
	static const uint8_t content[FRAME_STATE_MAX];
	const struct error reason = { .text = "lost" };
	static uint8_t bytes[FRAME_HEADER_SIZE + FRAME_STATE_MAX];
	struct error error;
	size_t got = 0;
	ssize_t piece;

	(void)state;
	channel.limit_ms = 20;
	assert_int_equal(channel_send(&channel, FRAME_STATE, content, sizeof(content), &error), -ETIMEDOUT);
	channel_abort(&channel, &reason);
	channel_close(&channel);
	while ((piece = recv(peer, bytes + got, sizeof(bytes) - got, 0)) > 0)
		got += (size_t)piece;
	assert_true(got < sizeof(bytes));
	assert_null(memmem(bytes, got, "lost", 4));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_send),
		TEST(test_pieces),
		TEST(test_large),
		TEST(test_end_at_every_byte),
		TEST(test_oversize),
		TEST(test_not_ours),
		TEST(test_unexpected),
		TEST(test_abort),
		TEST(test_slow),
		TEST(test_slow_to_take),
		TEST(test_abort_longest),
		TEST(test_abort_is_sent),
		TEST(test_send_to_nobody),
		TEST(test_deadline),
		TEST(test_watch),
		TEST(test_glance),
		TEST(test_no_abort_in_a_frame),
		TEST(test_late_end),
		TEST(test_busy),
		TEST(test_abort_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
