/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference clock: setting, reading, slow counters, and the time until a deadline.
 *
 * Policy: values by hand; rebases are in core_resume.c, the random half is test/property/clock.c.
 */
#include <seaclock/core.h>

#include "unit.h"

static uint64_t read_at(const struct sc_clock *clock, uint64_t counter)
{
	return sc_clock_read(clock, sc_ticks(counter)).v;
}

static void reads_what_was_set(void **state)
{
	static const uint32_t rates[] = { 1000000, 10000000, 10000001, 25000000, 1000000000, 2000000000 };
	static const uint64_t counters[] = { 0, 1, 99, 123456789, 1ull << 40, (1ull << 50) + 7 };
	struct sc_clock clock;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		for (size_t n = 0; n < ARRAY_SIZE(counters); n++) {
			assert_int_equal(sc_clock_set(&clock, rates[i], sc_ticks(counters[n]), sc_ref(1000)), 0);
			assert_int_equal(read_at(&clock, counters[n]), 1000);
		}
}

static void counts_tenths_of_a_microsecond(void **state)
{
	struct sc_clock clock;

	(void)state;
	assert_int_equal(sc_clock_set(&clock, 25000000, sc_ticks(0), sc_ref(0)), 0);
	assert_int_equal(clock.scale, 0x6666666666666666);
	assert_int_equal(clock.offset, 0);
	/* One second; the truncated scale may be one unit late. */
	assert_in_range(read_at(&clock, 25000000), 9999999, 10000000);
	assert_int_equal(read_at(&clock, 25000001), 10000000);
}

static void slow_counter_has_no_scale(void **state)
{
	struct sc_clock clock;

	(void)state;
	assert_int_equal(sc_clock_set(&clock, 10000000, sc_ticks(500), sc_ref(7)), 0);
	assert_int_equal(clock.scale, 0);
	assert_int_equal(read_at(&clock, 501), 8);
	assert_int_equal(sc_clock_set(&clock, 3000000, sc_ticks(0), sc_ref(0)), 0);
	assert_int_equal(read_at(&clock, 1), 3);
	assert_int_equal(read_at(&clock, 2), 6);
	assert_int_equal(read_at(&clock, 3), 10);
}

static void offset_wraps_when_the_counter_is_ahead(void **state)
{
	struct sc_clock clock;

	(void)state;
	assert_int_equal(sc_clock_set(&clock, 1000000000, sc_ticks(1ull << 62), sc_ref(5)), 0);
	assert_true(clock.offset < 0);
	/* So large a counter makes the truncated scale visible: a quarter of a unit. */
	assert_in_range(read_at(&clock, (1ull << 62) + 1000), 14, 15);
}

static void refuses_rates_that_no_counter_has(void **state)
{
	static const uint32_t rates[] = { 0, 1, SC_RATE_MIN_HZ - 1, SC_RATE_MAX_HZ + 1, UINT32_MAX };
	struct sc_clock clock = { .hz = 1, .scale = 2, .offset = 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		assert_int_equal(sc_clock_set(&clock, rates[i], sc_ticks(0), sc_ref(0)), -SC_E_RATE);
	assert_int_equal(clock.hz, 1);
	assert_int_equal(clock.scale, 2);
	assert_int_equal(clock.offset, 3);
}

static void until_is_in_ns_and_never_negative(void **state)
{
	(void)state;
	assert_int_equal(sc_ref_until(sc_ref(10), sc_ref(13)).v, 300);
	assert_int_equal(sc_ref_until(sc_ref(13), sc_ref(13)).v, 0);
	assert_int_equal(sc_ref_until(sc_ref(14), sc_ref(13)).v, 0);
	assert_int_equal(sc_ref_until(sc_ref(0), sc_ref(UINT64_MAX)).v, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_set),
		cmocka_unit_test(counts_tenths_of_a_microsecond),
		cmocka_unit_test(slow_counter_has_no_scale),
		cmocka_unit_test(offset_wraps_when_the_counter_is_ahead),
		cmocka_unit_test(refuses_rates_that_no_counter_has),
		cmocka_unit_test(until_is_in_ns_and_never_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
