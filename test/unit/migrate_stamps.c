/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time stamps and statements over a connection: a burst of the source against a target on another fake host, which
 * answers soon, late or badly.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "transfer/limits.h"
#include "migrate/stamps.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60
#define OUT_NS 70000
#define BACK_NS 30000

static struct channel source, target;
static struct fake_host host[2];
static struct sc_offset handoff;
static struct error error;
static pthread_t thread;

/* What the target does. */
static struct {
	uint32_t delay_us;    /* before each answer, of real time: the source's tries are over by then */
	enum frame_type type; /* answers this with... */
	enum frame_type with; /* ...this frame, */
	const void *data;     /* holding this */
	size_t size;
} script;

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	memset(&script, 0, sizeof(script));
	host[0] = fake_host_make(25000000, 1ull << 40);
	host[1] = fake_host_make(1000000000, 77);
	fake_host_use(&host[0]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	channel_open(&source, ends[0], LIMIT_S * 1000);
	channel_open(&target, ends[1], LIMIT_S * 1000);
	sc_offset_init(&handoff, host[0].hz, host[1].hz);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	channel_close(&source);
	channel_close(&target);
	alarm(0);
	return 0;
}

static int answer(const struct frame *frame)
{
	struct error ignored;

	if (script.with && frame->type == script.type)
		return channel_send(&target, script.with, script.data, script.size, &ignored);
	if (frame->type == FRAME_CLOCK)
		return stamps_answer_clock(&target, &ignored);
	return stamps_answer(&target, host_counter_ns(), &ignored);
}

static void *target_thread(void *argument)
{
	struct error ignored;
	struct frame frame;

	(void)argument;
	fake_host_use(&host[1]);
	while (!channel_receive(&target, &frame, &ignored)) {
		usleep(script.delay_us);
		fake_time_advance(OUT_NS);
		if (answer(&frame))
			break;
		/* A message that the source has seen before its time passes has been faster: its bound is as true. */
		fake_time_advance(BACK_NS);
	}
	return NULL;
}

/* A burst, until the source has no more to say. */
static int burst(void)
{
	int result;

	error.text[0] = '\0';
	pthread_create(&thread, NULL, target_thread, NULL);
	result = stamps_burst(&source, &handoff, &error);
	shutdown(source.transport.fd, SHUT_WR);
	pthread_join(thread, NULL);
	return result;
}

/* The difference of the two clocks is within the interval. */
static struct sc_offset_result expect_truth(void)
{
	struct sc_offset_result result;
	int64_t off;

	assert_int_equal(sc_offset_result(&handoff, host_counter_ns(), &result), 0);
	fake_host_use(&host[1]);
	off = (int64_t)host_counter_ns().v;
	fake_host_use(&host[0]);
	off -= (int64_t)host_counter_ns().v + result.middle_ns;
	/* The source's clock is read in ticks of 40 ns. */
	assert_true((uint64_t)(off < 0 ? -off : off) <= result.half_width_ns + 40);
	return result;
}

static void test_burst(void **state)
{
	struct sc_offset_result result;

	(void)state;
	assert_int_equal(burst(), 0);
	assert_int_equal(handoff.stamps, handover_limits.stamps);
	result = expect_truth();
	assert_int_equal(result.stated, SC_STATED_NOTHING);
	assert_true(result.round_trip_ns <= 2 * (OUT_NS + BACK_NS));
}

/* The answer comes when the source sleeps: it counts from its arrival, not from when the tries ended. */
static void test_late(void **state)
{
	(void)state;
	script.delay_us = 20000;
	assert_int_equal(burst(), 0);
	assert_int_equal(handoff.stamps, handover_limits.stamps);
	expect_truth();
}

static void test_synchronised(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		host[n].synchronised = true;
		host[n].realtime_error_ns = 3000;
		host[n].realtime_off_ns = n ? 2000 : -1500;
	}
	assert_int_equal(burst(), 0);
	assert_int_equal(expect_truth().stated, SC_STATED_TIGHTER);
}

static void test_one_synchronised(void **state)
{
	(void)state;
	host[1].synchronised = true;
	host[1].realtime_error_ns = 3000;
	assert_int_equal(burst(), 0);
	assert_int_equal(expect_truth().stated, SC_STATED_NOTHING);
}

/* A clock that is wrong by a second and thinks that it is right. */
static void test_wrong_clock(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		host[n].synchronised = true;
		host[n].realtime_error_ns = 3000;
	}
	host[1].realtime_off_ns = -1000000000;
	assert_int_equal(burst(), 0);
	assert_int_equal(expect_truth().stated, SC_STATED_EXCLUDED);
}

static void test_bad_answers(void **state)
{
	static const uint64_t ones[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	static const uint64_t far_counter[3] = { (1ull << 61) + 1, 0, 0 }, far_time[3] = { 0, (1ull << 62) + 1, 0 };
	static const uint64_t much_error[3] = { 0, 0, UINT64_MAX - 1 }, backwards[2] = { 2, 1 };
	static const struct {
		enum frame_type type, with;
		const void *data;
		size_t size;
		const char *sentence;
	} cases[] = {
		{ FRAME_CLOCK, FRAME_CLOCKED, ones, 24, "statement of its clock is none that a host can make" },
		{ FRAME_CLOCK, FRAME_CLOCKED, far_counter, 24, "statement of its clock is none" },
		{ FRAME_CLOCK, FRAME_CLOCKED, far_time, 24, "statement of its clock is none" },
		{ FRAME_CLOCK, FRAME_CLOCKED, much_error, 24, "statement of its clock is none" },
		{ FRAME_CLOCK, FRAME_CLOCKED, ones, 0, "CLOCKED is damaged" },
		{ FRAME_CLOCK, FRAME_CLOCKED, far_counter, 23, "CLOCKED is damaged" },
		{ FRAME_CLOCK, FRAME_STAMPED, ones, 16, "sent STAMPED where CLOCKED was due" },
		{ FRAME_CLOCK, FRAME_ABORT, "no", 2, "the other side says: no" },
		{ FRAME_STAMP, FRAME_CLOCKED, ones, 24, "sent CLOCKED where STAMPED was due" },
		{ FRAME_STAMP, FRAME_STAMPED, ones, 16, "time stamps contradict each other" },
		{ FRAME_STAMP, FRAME_STAMPED, backwards, 16, "time stamps contradict each other" },
		{ FRAME_STAMP, FRAME_STAMPED, backwards, 8, "time stamps contradict each other" },
		{ FRAME_STAMP, FRAME_STAMPED, NULL, 0, "time stamps contradict each other" },
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		script.type = cases[n].type;
		script.with = cases[n].with;
		script.data = cases[n].data;
		script.size = cases[n].size;
		assert_true(burst() < 0);
		if (!strstr(error.text, cases[n].sentence))
			fail_msg("case %zu: %s", n, error.text);
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

/* The connection ends where an answer was due. */
static void test_broken(void **state)
{
	(void)state;
	shutdown(target.transport.fd, SHUT_WR);
	assert_int_equal(burst(), -ECONNRESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_burst),	TEST(test_late),	TEST(test_synchronised), TEST(test_one_synchronised),
		TEST(test_wrong_clock), TEST(test_bad_answers), TEST(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
