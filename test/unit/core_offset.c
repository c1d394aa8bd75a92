/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock handoff: what one stamp says, how bounds combine and age, what statements add, what is refused.
 *
 * Policy: values by hand; that the truth is always inside is test/property/offset.c.
 */
#include <seaclock/core.h>

#include "unit.h"

static struct sc_offset handoff;

/* Both counters tick in whole ns: a reading lags by 1 ns at most. */
#define HZ 1000000000u

static int set_up(void **state)
{
	(void)state;
	sc_offset_init(&handoff, HZ, HZ);
	return 0;
}

static int add(uint64_t sent, uint64_t received, uint64_t answered, uint64_t returned)
{
	struct sc_stamp stamp = { sc_ns(sent), sc_ns(received), sc_ns(answered), sc_ns(returned) };

	return sc_offset_add(&handoff, &stamp);
}

static struct sc_offset_result result_at(uint64_t now)
{
	struct sc_offset_result result;

	assert_int_equal(sc_offset_result(&handoff, sc_ns(now), &result), 0);
	return result;
}

static void expect(uint64_t now, int64_t middle, uint64_t half)
{
	struct sc_offset_result result = result_at(now);

	assert_int_equal(result.middle_ns, middle);
	assert_int_equal(result.half_width_ns, half);
}

static void expect_best(uint64_t now, uint64_t round_trip, uint64_t age)
{
	struct sc_offset_result result = result_at(now);

	assert_int_equal(result.round_trip_ns, round_trip);
	assert_int_equal(result.age_ns, age);
}

/* ---- Stamps ---- */

static void no_stamp_no_result(void **state)
{
	struct sc_offset_result result;
	struct sc_offset_rate rate;

	(void)state;
	assert_int_equal(sc_offset_result(&handoff, sc_ns(0), &result), -SC_E_NO_DATA);
	assert_int_equal(sc_offset_rate(&handoff, &rate), -SC_E_NO_DATA);
}

static void one_stamp_bounds_both_sides(void **state)
{
	(void)state;
	/* Away for 100 ns, held for 20: the difference is between 950 and 1030, and 1 ns further for the lag. */
	assert_int_equal(add(1000, 2030, 2050, 1100), 0);
	assert_int_equal(handoff.low_ns, 949);
	assert_int_equal(handoff.high_ns, 1031);
	assert_int_equal(handoff.stamps, 1);
	/* Half of 80, 1 for the age of 100 ns, 1 for the lag. */
	expect(1100, 990, 42);
	expect_best(1100, 80, 100);
}

static void target_behind_is_negative(void **state)
{
	(void)state;
	assert_int_equal(add(1000000, 40, 40, 1000060), 0);
	expect(1000060, -999990, 32);
}

/* A slow counter may have been about to tick when it was read: each side's bound is looser by the other's reading. */
static void counters_lag(void **state)
{
	static const struct {
		uint32_t hz;
		uint64_t lag;
	} cases[] = {
		{ 1000000, 1000 }, { 1920000, 522 }, { 19200000, 54 },	{ 25000000, 40 },
		{ 24000000, 43 },  { 62500000, 16 }, { 121875000, 10 }, { 1050000000, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sc_offset_init(&handoff, cases[i].hz, HZ);
		assert_int_equal(add(1000, 2030, 2050, 1100), 0);
		assert_int_equal(handoff.low_ns, 950 - (int64_t)cases[i].lag);
		assert_int_equal(handoff.high_ns, 1031);
		sc_offset_init(&handoff, HZ, cases[i].hz);
		assert_int_equal(add(1000, 2030, 2050, 1100), 0);
		assert_int_equal(handoff.low_ns, 949);
		assert_int_equal(handoff.high_ns, 1030 + (int64_t)cases[i].lag);
	}
}

static void each_side_takes_the_tighter_bound(void **state)
{
	(void)state;
	/* Truth 0. One stamp with a slow way back, one with a slow way out. */
	assert_int_equal(add(1000, 1010, 1010, 1500), 0);
	assert_int_equal(add(2000, 2500, 2500, 2510), 0);
	assert_int_equal(handoff.low_ns, -11);
	assert_int_equal(handoff.high_ns, 11);
	assert_int_equal(handoff.low_at.v, 2000);
	assert_int_equal(handoff.high_at.v, 1000);
	expect_best(2510, 500, 1510);
}

static void bounds_age(void **state)
{
	(void)state;
	assert_int_equal(add(0, 0, 0, 0), 0);
	expect(0, 0, 1);
	/* A second at twice 100 ppm, in both directions at once. */
	expect(1000000000, 0, 200000 + 20 + 1 + 1);
	expect_best(1000000000, 0, 1000000000);
	/* A looser stamp is better than one that has aged so far. */
	assert_int_equal(add(1000000000, 1000050000, 1000050000, 1000100000), 0);
	assert_int_equal(handoff.high_ns, 50001);
	assert_int_equal(handoff.low_ns, -50001);
	expect_best(1000100000, 100000, 100000);
}

static void looser_stamp_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(add(1000, 1010, 1010, 1020), 0);
	assert_int_equal(add(2000, 2500, 2500, 3000), 0);
	assert_int_equal(handoff.low_ns, -11);
	assert_int_equal(handoff.high_ns, 11);
	assert_int_equal(handoff.stamps, 2);
	expect_best(3000, 20, 2000);
}

/* The best stamp is the one whose own bound is the tightest by now. */
static void best_stamp_ages(void **state)
{
	(void)state;
	assert_int_equal(add(0, 500, 500, 1000), 0);
	/* 10 ms later half of 1000 has become 500 + 2001: still better than 2600, not better than 2400. */
	assert_int_equal(add(10000000, 10002600, 10002600, 10005200), 0);
	expect_best(10005200, 1000, 10005200);
	assert_int_equal(add(10000000, 10002400, 10002400, 10004800), 0);
	expect_best(10004800, 4800, 4800);
}

static void stepped_counter_starts_anew(void **state)
{
	struct sc_offset_rate rate;

	(void)state;
	assert_int_equal(add(1000, 1010, 1010, 1020), 0);
	assert_int_equal(add(1000000000, 1009000050, 1009000050, 1000000100), 0);
	assert_int_equal(handoff.low_ns, 8999949);
	assert_int_equal(handoff.high_ns, 9000051);
	expect_best(1000000100, 100, 100);
	/* A step is no rate. */
	assert_int_equal(sc_offset_rate(&handoff, &rate), -SC_E_NO_DATA);
	assert_int_equal(add(1000003000, 1000003010, 1000003010, 1000003020), 0);
	assert_int_equal(handoff.high_ns, 11);
}

static void impossible_stamps_are_refused(void **state)
{
	static const uint64_t wrong[][4] = {
		{ 2000, 0, 0, 1999 },	       /* back before it left */
		{ 1000, 500, 499, 2000 },      /* answered before it came */
		{ 1000, 500, 1600, 2000 },     /* held for longer than it was away */
		{ 0, 0, 0, (1ull << 62) + 1 }, /* beyond all uptimes */
		{ 0, UINT64_MAX, UINT64_MAX, 10 },
		{ UINT64_MAX, 0, 0, UINT64_MAX },
	};

	(void)state;
	assert_int_equal(add(1000, 1010, 1010, 1020), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(add(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]), -SC_E_VALUE);
	assert_int_equal(handoff.stamps, 1);
	assert_int_equal(handoff.low_ns, -11);
	assert_int_equal(handoff.high_ns, 11);
}

static void bases_may_be_far_apart(void **state)
{
	const uint64_t far = 1ull << 62;

	(void)state;
	assert_int_equal(add(0, far - 10, far - 10, 20), 0);
	expect(20, (int64_t)far - 20, 12);
	assert_int_equal(add(far - 20, 5, 5, far), 0);
	expect(far, 15 - (int64_t)far, 12);
}

static void bound_of_another_difference(void **state)
{
	struct sc_offset_result result;

	(void)state;
	assert_true(sc_offset_bound(&handoff, sc_ns(0), 0, &result) == SC_OFFSET_UNKNOWN);
	/* From -1 to 1, one more for the age of 3 ns at the latest, and 1 for whole ns. */
	assert_int_equal(add(0, 0, 0, 0), 0);
	assert_int_equal(sc_offset_bound(&handoff, sc_ns(0), 0, &result), 3);
	assert_int_equal(result.age_ns, 4);
	assert_int_equal(sc_offset_bound(&handoff, sc_ns(0), 20, &result), 23);
	assert_int_equal(sc_offset_bound(&handoff, sc_ns(0), -20, &result), 23);
	/* Half a second off, so that it may also have been half a second later: 500 ms of drift at 200 ppm more. */
	assert_in_range(sc_offset_bound(&handoff, sc_ns(0), 500000000, &result), 500100000, 500100100);
	assert_in_range(result.age_ns, 500100000, 500300000);
	assert_true(sc_offset_bound(&handoff, sc_ns(0), INT64_MAX, &result) > (uint64_t)INT64_MAX);
}

/* ---- Statements ---- */

#define EPOCH 1700000000000000000u

/* The source at 4000 and the target at 4000 + `difference`, at the same moment of UTC, each to so many ns. */
static int state_both(int64_t difference, uint64_t source_error, uint64_t target_error)
{
	struct sc_statement source = { sc_ns(4000), sc_ns(EPOCH), source_error };
	struct sc_statement target = { sc_ns((uint64_t)(4000 + difference)), sc_ns(EPOCH), target_error };

	return sc_offset_state(&handoff, &source, &target);
}

static void statements_tighten(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	expect(4500, -1000, 1000 + 1 + 1);
	assert_int_equal(result_at(4500).stated, SC_STATED_NOTHING);
	/* Within 9 ns, 1 for their drift, and at 4500 another 1. */
	assert_int_equal(state_both(-1500, 4, 5), 0);
	assert_int_equal(result_at(4500).stated, SC_STATED_TIGHTER);
	expect(4500, -1500, 11);
	/* The stamp's numbers are still those of the stamp. */
	expect_best(4500, 2000, 4000);
	/* They age as stamps do. */
	expect(1000004000, -1500, 10 + 200021);
}

static void statement_of_each_side(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	/* From -2002 to 2 by the stamp: only the lower bound is new, then only the upper one. */
	assert_int_equal(state_both(-100, 98, 100), 0);
	expect(4500, -149, 151);
	assert_int_equal(state_both(-1900, 98, 100), 0);
	expect(4500, -1851, 151);
}

static void loose_statements_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	assert_int_equal(state_both(700000, 1000000, 1000000), 0);
	assert_int_equal(result_at(4500).stated, SC_STATED_LOOSER);
	expect(4500, -1000, 1002);
}

static void stamps_win(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	assert_int_equal(state_both(102, 50, 48), 0);
	assert_int_equal(result_at(4500).stated, SC_STATED_TIGHTER);
	expect(4500, 2, 0);
	assert_int_equal(state_both(103, 50, 48), 0);
	assert_int_equal(result_at(4500).stated, SC_STATED_EXCLUDED);
	expect(4500, -1000, 1002);
	assert_int_equal(state_both(-2103, 50, 48), 0);
	assert_int_equal(result_at(4500).stated, SC_STATED_EXCLUDED);
	expect(4500, -1000, 1002);
}

/* Statements of different moments: the counters drift in between. */
static void statements_at_two_moments(void **state)
{
	const struct sc_statement source = { sc_ns(1000), sc_ns(EPOCH), 4 };
	const struct sc_statement target = { sc_ns(1000001000), sc_ns(EPOCH + 1000000000), 5 };

	(void)state;
	assert_int_equal(add(0, 0, 0, 1000000), 0);
	assert_int_equal(sc_offset_state(&handoff, &source, &target), 0);
	assert_int_equal(handoff.statement.high_ns, 9 + 200021);
	assert_int_equal(handoff.statement.low_ns, -9 - 200021);
	assert_int_equal(sc_offset_state(&handoff, &target, &source), 0);
	assert_int_equal(handoff.statement.high_ns, 9 + 200021);
}

/* The last statements count, also when they say nothing. */
static void unknown_error_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(state_both(-1500, 4, 5), 0);
		assert_int_equal(result_at(4500).stated, SC_STATED_TIGHTER);
		assert_int_equal(
			state_both(-1500, n == 1 ? 4 : SC_STATEMENT_UNKNOWN, n == 0 ? 5 : SC_STATEMENT_UNKNOWN), 0);
		assert_int_equal(result_at(4500).stated, SC_STATED_NOTHING);
		expect(4500, -1000, 1002);
	}
}

static void bad_statements_are_refused(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	assert_int_equal(state_both(-1500, 4, 5), 0);
	assert_int_equal(state_both(-1500, 4, SC_STATEMENT_UNKNOWN - 1), -SC_E_VALUE);
	assert_int_equal(result_at(4500).stated, SC_STATED_NOTHING);
}

static void step_voids_statements(void **state)
{
	(void)state;
	assert_int_equal(add(500, 500, 2500, 4500), 0);
	assert_int_equal(state_both(-1500, 4, 5), 0);
	assert_int_equal(add(5000, 9005000, 9005000, 6000), 0);
	assert_int_equal(result_at(6000).stated, SC_STATED_NOTHING);
}

/* ---- Rate ---- */

static void rate_between_stamps(void **state)
{
	struct sc_offset_rate rate;

	(void)state;
	/* 50 ppm faster over 10 s, known to 2000 ns at either end. */
	assert_int_equal(add(0, 1000, 1000, 2000), 0);
	assert_int_equal(add(10000000000, 10000501000, 10000501000, 10000002000), 0);
	assert_int_equal(sc_offset_rate(&handoff, &rate), 0);
	assert_int_equal(rate.ppb, 50000);
	assert_in_range(rate.bound_ppb, 200, 210);
	sc_offset_init(&handoff, HZ, HZ);
	assert_int_equal(add(0, 100001000, 100001000, 2000), 0);
	assert_int_equal(add(10000000000, 10099001000, 10099001000, 10000002000), 0);
	assert_int_equal(sc_offset_rate(&handoff, &rate), 0);
	assert_int_equal(rate.ppb, -100000);
}

/* The stamps that tell most: the tightest of the beginning, and a tight one that is far from it. */
static void rate_by_the_best_stamps(void **state)
{
	struct sc_offset_rate rate;

	(void)state;
	assert_int_equal(add(0, 500000, 500000, 1000000), 0);
	assert_int_equal(add(100000000, 100001000, 100001000, 100002000), 0);
	assert_int_equal(add(150000000, 150500000, 150500000, 151000000), 0);
	assert_int_equal(add(10100000000, 10100001000, 10100001000, 10100002000), 0);
	assert_int_equal(add(10200000000, 10200500000, 10200500000, 10201000000), 0);
	assert_int_equal(handoff.first.at.v, 100000000);
	assert_int_equal(handoff.last.at.v, 10100000000);
	assert_int_equal(sc_offset_rate(&handoff, &rate), 0);
	assert_in_range(rate.bound_ppb, 200, 210);
	assert_int_equal(rate.ppb, 0);
	/* As loose, but so much later that it tells more. */
	assert_int_equal(add(30100000000, 30100002000, 30100002000, 30100004000), 0);
	assert_int_equal(handoff.last.at.v, 30100000000);
}

static void rate_needs_time(void **state)
{
	struct sc_offset_rate rate;

	(void)state;
	assert_int_equal(add(0, 500000, 500000, 1000000), 0);
	assert_int_equal(sc_offset_rate(&handoff, &rate), -SC_E_NO_DATA);
	/* Known to 0.5 ms at either end: to 1000 ppm only after a second. */
	assert_int_equal(add(999000000, 999500000, 999500000, 1000000000), 0);
	assert_int_equal(sc_offset_rate(&handoff, &rate), -SC_E_NO_DATA);
	assert_int_equal(add(1001000000, 1001500000, 1001500000, 1002000000), 0);
	assert_int_equal(sc_offset_rate(&handoff, &rate), 0);
	assert_in_range(rate.bound_ppb, 999000, 1000000);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_stamp_no_result),
		TEST(one_stamp_bounds_both_sides),
		TEST(target_behind_is_negative),
		TEST(counters_lag),
		TEST(each_side_takes_the_tighter_bound),
		TEST(bounds_age),
		TEST(looser_stamp_changes_nothing),
		TEST(best_stamp_ages),
		TEST(stepped_counter_starts_anew),
		TEST(impossible_stamps_are_refused),
		TEST(bases_may_be_far_apart),
		TEST(bound_of_another_difference),
		TEST(statements_tighten),
		TEST(statement_of_each_side),
		TEST(loose_statements_change_nothing),
		TEST(stamps_win),
		TEST(statements_at_two_moments),
		TEST(unknown_error_says_nothing),
		TEST(bad_statements_are_refused),
		TEST(step_voids_statements),
		TEST(rate_between_stamps),
		TEST(rate_by_the_best_stamps),
		TEST(rate_needs_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
