/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A migration of which the source cannot learn what became: the guest is paused, the operator asks again, forces it, or
 * stops it.
 */
#include "fixture/crossing.h"

#include <string.h>

static struct crossing crossing;

/* Nobody can be reached for as long as the source asks. */
static void be_undecided(const char *message)
{
	const char *const faults[] = { "cut", message, "close", NULL };

	crossing_open(&crossing, "guest=reference", "stopped_ms=3000,question_ms=200,retry_ms=20");
	crossing_begin(&crossing, faults);
	crossing_expect(&crossing, CROSSING_PAUSES);
}

static int resume(const char *option)
{
	return node_command(&crossing.altra, "resume", CROSSING_GUEST, option, NULL);
}

static void test_asked_again_never(void **state)
{
	(void)state;
	be_undecided("GO");
	node_expect_failed(&crossing.altra, resume(NULL), NODE_UNDECIDED, "asks again");
	crossing_expect_paused(&crossing);
	relay_mend(&crossing.relay, crossing.grace.address);
	assert_int_equal(resume(NULL), 0);
	crossing_expect_on_source(&crossing);
	assert_false(process_has_ended(crossing.receiver));
}

static void test_asked_again_running(void **state)
{
	(void)state;
	be_undecided("DONE");
	node_expect_failed(&crossing.altra, resume(NULL), NODE_UNDECIDED, "asks again");
	relay_mend(&crossing.relay, crossing.grace.address);
	node_expect_failed(&crossing.altra, resume("--json"), NODE_MOVED, "it is not resumed here, and ends");
	assert_non_null(strstr(crossing.altra.said, "\"code\":\"moved\""));
	assert_int_equal(process_wait(crossing.monitor), 5);
	crossing_expect_on_target(&crossing);
}

/* The clock counts the time for which it was paused, as the migration was to. */
static void test_forced(void **state)
{
	(void)state;
	be_undecided("GO");
	assert_int_equal(resume("--force"), 0);
	crossing_expect_on_source(&crossing);
}

static void test_stopped(void **state)
{
	(void)state;
	be_undecided("GO");
	assert_int_equal(node_command(&crossing.altra, "stop", CROSSING_GUEST, NULL), 0);
	assert_int_equal(process_wait(crossing.monitor), 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_asked_again_never),
		TEST(test_asked_again_running),
		TEST(test_forced),
		TEST(test_stopped),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
