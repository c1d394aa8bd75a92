/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock handoff: what one stamp says, how bounds combine and age, and what is refused.
 *
 * Policy: values by hand; that the truth is always inside is test/property/handoff.c.
 */
#include <seaclock/core.h>

#include "unit.h"

static struct sc_handoff handoff;

static int set_up(void **state)
{
	(void)state;
	sc_handoff_init(&handoff);
	return 0;
}

static int add(uint64_t sent, uint64_t received, uint64_t answered, uint64_t returned)
{
	struct sc_stamp stamp = { sc_ns(sent), sc_ns(received), sc_ns(answered), sc_ns(returned) };

	return sc_handoff_add(&handoff, &stamp);
}

static void expect(uint64_t now, int64_t middle, uint64_t half)
{
	uint64_t got_half;
	int64_t got;

	assert_int_equal(sc_handoff_result(&handoff, sc_ns(now), &got, &got_half), 0);
	assert_int_equal(got, middle);
	assert_int_equal(got_half, half);
}

static void no_stamp_no_result(void **state)
{
	uint64_t half;
	int64_t middle;

	(void)state;
	assert_int_equal(sc_handoff_result(&handoff, sc_ns(0), &middle, &half), -SC_E_NO_DATA);
}

static void one_stamp_bounds_both_sides(void **state)
{
	(void)state;
	/* Away for 100 ns, held for 20: the difference is between 950 and 1030. */
	assert_int_equal(add(1000, 2030, 2050, 1100), 0);
	assert_int_equal(handoff.low_ns, 950);
	assert_int_equal(handoff.high_ns, 1030);
	assert_int_equal(handoff.stamps, 1);
	assert_int_equal(handoff.best_round_trip_ns, 80);
	/* Half of 80, 1 for the age of 100 ns, 1 for whole nanoseconds. */
	expect(1100, 990, 42);
}

static void target_behind_is_negative(void **state)
{
	(void)state;
	assert_int_equal(add(1000000, 40, 40, 1000060), 0);
	expect(1000060, -999990, 32);
}

static void each_side_takes_the_tighter_bound(void **state)
{
	(void)state;
	/* Truth 0. One stamp with a slow way back, one with a slow way out. */
	assert_int_equal(add(1000, 1010, 1010, 1500), 0);
	assert_int_equal(add(2000, 2500, 2500, 2510), 0);
	assert_int_equal(handoff.low_ns, -10);
	assert_int_equal(handoff.high_ns, 10);
	assert_int_equal(handoff.low_at.v, 2000);
	assert_int_equal(handoff.high_at.v, 1000);
	assert_int_equal(handoff.best_round_trip_ns, 500);
}

static void bounds_age(void **state)
{
	(void)state;
	assert_int_equal(add(0, 0, 0, 0), 0);
	expect(0, 0, 1);
	/* A second at twice 100 ppm, in both directions at once. */
	expect(1000000000, 0, 200000 + 20 + 1 + 1);
	/* A looser stamp is better than one that has aged so far. */
	assert_int_equal(add(1000000000, 1000050000, 1000050000, 1000100000), 0);
	assert_int_equal(handoff.high_ns, 50000);
	assert_int_equal(handoff.low_ns, -50000);
}

static void looser_stamp_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(add(1000, 1010, 1010, 1020), 0);
	assert_int_equal(add(2000, 2500, 2500, 3000), 0);
	assert_int_equal(handoff.low_ns, -10);
	assert_int_equal(handoff.high_ns, 10);
	assert_int_equal(handoff.stamps, 2);
}

static void stepped_clock_starts_anew(void **state)
{
	(void)state;
	assert_int_equal(add(1000, 1010, 1010, 1020), 0);
	assert_int_equal(add(2000, 9002010, 9002010, 2020), 0);
	assert_int_equal(handoff.low_ns, 8999990);
	assert_int_equal(handoff.high_ns, 9000010);
	assert_int_equal(add(3000, 3010, 3010, 3020), 0);
	assert_int_equal(handoff.high_ns, 10);
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
	assert_int_equal(handoff.low_ns, -10);
	assert_int_equal(handoff.high_ns, 10);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_stamp_no_result, set_up),
		cmocka_unit_test_setup(one_stamp_bounds_both_sides, set_up),
		cmocka_unit_test_setup(target_behind_is_negative, set_up),
		cmocka_unit_test_setup(each_side_takes_the_tighter_bound, set_up),
		cmocka_unit_test_setup(bounds_age, set_up),
		cmocka_unit_test_setup(looser_stamp_changes_nothing, set_up),
		cmocka_unit_test_setup(stepped_clock_starts_anew, set_up),
		cmocka_unit_test_setup(impossible_stamps_are_refused, set_up),
		cmocka_unit_test_setup(bases_may_be_far_apart, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
