/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver that is told to end at a bad moment: its promise reaches the source, on the migration's own connection or
 * as the answer to a question, and it does not wait without end for one that does not come.
 */
#include "fixture/crossing.h"

#include <signal.h>

static struct crossing crossing;

static void begin(const char *words, const char *fault)
{
	const char *const faults[] = { fault, "GO", NULL };

	crossing_open(&crossing, "guest=reference", words);
	crossing_begin(&crossing, faults);
}

static void expect_receiver_ended(void)
{
	assert_int_equal(process_wait(crossing.receiver), 6);
}

/* GO is held back, and the receiver gives up: the source need not ask, and nobody waits for it. */
static void test_abort_is_heard(void **state)
{
	unsigned long long began;

	(void)state;
	/* Whoever waits for a question or a time limit is too late. */
	begin("stopped_ms=15000,linger_ms=15000,question_ms=30000", "swallow");
	began = process_now_ns();
	process_signal(crossing.receiver, SIGTERM);
	node_expect_refused(&crossing.altra, node_finish(&crossing.altra, crossing.migrate),
			    "the other side gave up in the handover and promises never to run guest");
	crossing_expect_on_source(&crossing);
	expect_receiver_ended();
	assert_true(process_now_ns() - began < 10000000000ull);
}

/* The connection is cut, so that the source asks: the receiver stays until it has. */
static void test_question_is_answered(void **state)
{
	(void)state;
	begin("stopped_ms=3000,linger_ms=15000,question_ms=15000,retry_ms=20", "silence");
	process_signal(crossing.receiver, SIGTERM);
	node_expect_refused(&crossing.altra, node_finish(&crossing.altra, crossing.migrate),
			    "the other side promises never to run guest");
	crossing_expect_on_source(&crossing);
	expect_receiver_ended();
}

/* The source is no more: the wait has an end; a second signal ends it at once. */
static void test_nobody_asks(void **state)
{
	(void)state;
	begin("stopped_ms=15000,linger_ms=1000", "silence");
	process_kill(crossing.monitor);
	process_signal(crossing.receiver, SIGTERM);
	expect_receiver_ended();
}

static void test_second_signal(void **state)
{
	unsigned long long began;

	(void)state;
	begin("stopped_ms=60000,linger_ms=60000", "silence");
	process_kill(crossing.monitor);
	began = process_now_ns();
	process_signal(crossing.receiver, SIGTERM);
	process_wait_text(crossing.receiver->errors, "waiting for its question", 1);
	process_signal(crossing.receiver, SIGTERM);
	expect_receiver_ended();
	assert_true(process_now_ns() - began < 15000000000ull);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_abort_is_heard),
		TEST(test_question_is_answered),
		TEST(test_nobody_asks),
		TEST(test_second_signal),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
