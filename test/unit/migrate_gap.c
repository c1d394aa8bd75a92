/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source that lies about when its guest was stopped: how far the guest's clock can be moved by that, and what is
 * refused, with the sentence on both sides and before the guest runs on either.
 *
 * Policy: the tap between the hosts lies, so that both ends are as they are.
 */
#include "pair_fixture.h"
#include "../fake/source_script.h"
#include "../property/random.h"

#include "transfer/gap.h"

#include <errno.h>
#include <string.h>

#define S 1000000000ull
#define MS 1000000ull
/* Hosts of these rates have no error of a tick in a clock that counts ns. */
#define HZ 1000000000u
#define WALKS 16

/* What the tap does with STATE. */
static struct {
	uint64_t late;	      /* it takes so many ns more */
	uint64_t lie;	      /* added to the difference of the counters: the guest was stopped so much later */
	uint64_t *stopped_at; /* replaces the time at which the guest was stopped, if it is there */
} script;

static uint64_t reference; /* at the stop */

static size_t lie(struct pair *migration, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct source_script_times times;

	(void)migration;
	(void)index;
	if (way != PAIR_TO_TARGET || frame[0] != FRAME_STATE)
		return PAIR_PASS;
	reference = pair.source.clock.stop.reference.v;
	fake_time_advance(script.late);
	times = source_script_find_times(frame + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE);
	source_script_write(times.difference, source_script_read(times.difference) + script.lie);
	if (script.stopped_at)
		source_script_write(times.stopped, *script.stopped_at);
	return PAIR_PASS;
}

static void migrate(uint64_t late, uint64_t lied)
{
	script.late = late;
	script.lie = lied;
	pair.tap = lie;
	pair_migrate(&pair);
}

static void open_pair(void)
{
	memset(&script, 0, sizeof(script));
	pair_open(&pair, HZ, HZ, 1, 5);
	pair_load_driver(&pair);
}

/* How much the guest's clock counts for the stop, in ns. The fake's time passes only where a test lets it. */
static uint64_t counted(void)
{
	assert_int_equal(pair.source_state, SOURCE_GONE);
	return (pair_reference(&pair, &pair.target) - reference) * SC_REF_NS;
}

/* To within what whole units of reference time cannot tell. */
static void expect_counted(uint64_t ns)
{
	assert_in_range(counted() + SC_REF_NS, ns, ns + 3 * SC_REF_NS);
}

static void expect_refused(const char *words)
{
	assert_true(pair_stayed(&pair));
	if (!strstr(pair.target_error.text, words))
		fail_msg("the target says: %s", pair.target_error.text);
	if (!strstr(pair.source_error.text, words))
		fail_msg("the source says: %s", pair.source_error.text);
}

/* ---- What the worst source can do ---- */

static void test_honest(void **state)
{
	(void)state;
	open_pair();
	migrate(3 * S, 0);
	expect_counted(3 * S);
}

/* Up to a second more than has passed, for that is what a comparison of clocks may be off. */
static void test_longer(void **state)
{
	(void)state;
	open_pair();
	migrate(3 * S, -(S - MS));
	expect_counted(4 * S - MS);
}

static void test_too_long(void **state)
{
	(void)state;
	open_pair();
	migrate(3 * S, -(S + MS));
	expect_refused("says that pair was stopped 4001 ms ago, but it still ran when the other side last asked, "
		       "3000 ms ago");
}

/* The clock counts nothing then, and never less than that. */
static void test_shorter(void **state)
{
	(void)state;
	open_pair();
	migrate(3 * S, 100 * S);
	expect_counted(0);
}

/* Any two numbers, and an operator who allows all: the guest is refused, or its clock has counted no more than has
 * passed and a second. */
static void test_any(void **state)
{
	struct random random = random_start();
	uint32_t taken = 0;

	(void)state;
	for (int n = 0; n < WALKS; n++) {
		uint64_t stopped_at = random_wide(&random);

		if (n)
			pair_close(&pair);
		open_pair();
		pair.max_gap_s = GAP_MAX_S;
		script.stopped_at = random_chance(&random, 2) ? &stopped_at : NULL;
		migrate(random_between(&random, 0, 9 * S), random_wide(&random) * (random_chance(&random, 2) ? 1 : -1));
		if (pair.source_state == SOURCE_GONE) {
			assert_in_range(counted(), 0, script.late + S + 200);
			taken++;
		} else {
			expect_refused("was stopped");
		}
	}
	assert_in_range(taken, 1, WALKS - 1);
}

/* The edges of 64 bits. */
static void test_edges(void **state)
{
	static const uint64_t lies[] = { INT64_MAX, (uint64_t)INT64_MIN, (uint64_t)INT64_MIN + S };
	static uint64_t stops[] = { 0, INT64_MAX, UINT64_MAX };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(lies) * ARRAY_SIZE(stops); n++) {
		if (n)
			pair_close(&pair);
		open_pair();
		script.stopped_at = &stops[n / ARRAY_SIZE(lies)];
		migrate(0, lies[n % ARRAY_SIZE(lies)]);
		if (pair.source_state == SOURCE_GONE)
			assert_in_range(counted(), 0, S + 200);
		else
			expect_refused("was stopped");
	}
}

/* ---- What the operator allows ---- */

static void test_allowed(void **state)
{
	(void)state;
	open_pair();
	pair.max_gap_s = 2;
	migrate(2 * S - MS, 0);
	expect_counted(2 * S - MS);
}

static void test_not_allowed(void **state)
{
	(void)state;
	open_pair();
	pair.max_gap_s = 2;
	migrate(2 * S + MS, 0);
	expect_refused("pair was stopped for 2.001 s, and its clocks may count 2 s at most here; allow more with "
		       "--max-gap");
}

/* Nothing is counted. */
static void test_frozen(void **state)
{
	(void)state;
	open_pair();
	pair.max_gap_s = 2;
	pair.options.policy = SC_CLOCK_FREEZE;
	migrate(9 * S, 0);
	expect_counted(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_honest), TEST(test_longer),  TEST(test_too_long),    TEST(test_shorter), TEST(test_any),
		TEST(test_edges),  TEST(test_allowed), TEST(test_not_allowed), TEST(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
