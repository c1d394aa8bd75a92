/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper: of kernels with ticks of any length, and disciplined by as much as NTP may, what it becomes is in order.
 */
#include "unit.h"

#include "../../repair/keeper.h"

#include <string.h>

#define MASK 0xffffffffffffffull

/* A kernel's timekeeper at its last update, 2 ns before the end of a second of one clock, at the begin of the other's.
 */
static struct keeper keeper_of(const struct scale_clocksource *source, uint32_t ticks_a_second, int64_t ppm)
{
	const uint32_t mult = source->scale.mult, shift = source->scale.shift;
	uint64_t tick = NS_PER_SECOND / ticks_a_second, interval = tick << shift, cycles = (interval + mult / 2) / mult;
	struct keeper keeper = { .mask = MASK,
				 .cycle_interval = cycles,
				 .raw_interval = cycles * mult,
				 .xtime_remainder = (int64_t)(interval - cycles * mult),
				 .ntp_tick = (tick << 32) + (uint64_t)((int64_t)(tick << 32) / 1000000 * ppm),
				 .ntp_error_shift = 32 - shift,
				 .raw = { mult, shift, 1000, 0 },
				 .mono = { 0, shift, 1000, (999999998ull << shift) } };

	keeper.mono.mult = (uint32_t)(((keeper.ntp_tick >> (32 - shift)) - (uint64_t)keeper.xtime_remainder) / cycles);
	keeper.xtime_interval = cycles * keeper.mono.mult;
	return keeper;
}

static void ticks_of_any_length(void **state)
{
	static const uint32_t ticks_a_second[] = { 100, 250, 300, 1000, 1200 };
	static const int64_t ppm[] = { -100500, -500, 0, 1, 500, 100500 };
	const struct sc_rate_change change = { 25000000, 62500000, 1000, 5 };
	const struct scale_clocksource from = sc_scale_clocksource(change.from_hz, MASK),
				       to = sc_scale_clocksource(change.to_hz, MASK);
	struct sc_refusal why;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(ticks_a_second) * ARRAY_SIZE(ppm); n++) {
		uint32_t rate = ticks_a_second[n / ARRAY_SIZE(ppm)];
		struct keeper keeper = keeper_of(&from, rate, ppm[n % ARRAY_SIZE(ppm)]), moved;

		if (sc_keeper_check(&keeper, &from, &why))
			fail_msg("%u, %d ppm: %s", rate, (int)ppm[n % ARRAY_SIZE(ppm)], why.text);
		assert_int_equal(sc_keeper_tick_ns(&keeper), NS_PER_SECOND / rate);
		if (sc_keeper_move(&keeper, &to, &change, &moved, &why) || sc_keeper_check(&moved, &to, &why))
			fail_msg("%u, %d ppm: %s", rate, (int)ppm[n % ARRAY_SIZE(ppm)], why.text);
		assert_int_equal(sc_keeper_tick_ns(&moved), NS_PER_SECOND / rate);
		/* At the moment of an update nothing has passed, and nothing becomes of nothing. */
		assert_int_equal(moved.mono.cycle_last, 5);
		assert_int_equal(moved.mono.xtime_nsec >> moved.mono.shift, 999999998);
		assert_int_equal(moved.ntp_tick, keeper.ntp_tick);
	}
}

/* What Linux 7.3 has instead of a remainder says as much, whatever the rate of its ticks. */
static void adjustments_that_are_remainders(void **state)
{
	static const uint32_t ticks_a_second[] = { 100, 250, 300, 1000, 1200 };
	static const uint32_t rates[] = { 1000000, 19200000, 24390243, 25000000, 999999999, 2000000000 };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(ticks_a_second) * ARRAY_SIZE(rates); n++) {
		const struct scale_clocksource source = sc_scale_clocksource(rates[n % ARRAY_SIZE(rates)], MASK);
		const struct keeper want = keeper_of(&source, ticks_a_second[n / ARRAY_SIZE(rates)], 77);
		int64_t second = sc_keeper_adjustment(&want);
		struct keeper keeper = want;

		/* By the kernel's own words: a second of intervals, less one of ticks. */
		assert_true(second == (int64_t)((want.raw_interval << want.ntp_error_shift) -
						((uint64_t)sc_keeper_tick_ns(&want) << 32)) *
					      (int64_t)ticks_a_second[n / ARRAY_SIZE(rates)]);
		keeper.xtime_remainder = 4711;
		keeper.ntp_tick += (uint64_t)sc_keeper_tick_adjustment(&want);
		sc_keeper_take_adjustment(&keeper, second);
		assert_memory_equal(&keeper, &want, sizeof(want));
	}
}

/* Numbers that no kernel has do no harm. */
static void adjustments_that_are_none(void **state)
{
	static const int64_t adjustments[] = { INT64_MIN, -(1000000000ll << 32), 0, INT64_MAX };
	const struct scale_clocksource source = sc_scale_clocksource(25000000, MASK);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(adjustments) * 3; n++) {
		struct keeper keeper = keeper_of(&source, 250, 0);
		struct sc_refusal why;

		if (n % 3 == 1)
			keeper.raw_interval = 0;
		else if (n % 3 == 2)
			keeper.ntp_error_shift = UINT32_MAX;
		sc_keeper_take_adjustment(&keeper, adjustments[n / 3]);
		assert_true(sc_keeper_check(&keeper, &source, &why) ||
			    sc_keeper_adjustment(&keeper) != adjustments[n / 3] || adjustments[n / 3] == 0);
	}
}

/* More than NTP may: as if the kernel were another one. */
static void adjusted_too_far(void **state)
{
	const struct scale_clocksource source = sc_scale_clocksource(25000000, MASK);
	struct sc_refusal why;

	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) {
		struct keeper keeper = keeper_of(&source, 250, sign * 115000);

		assert_int_equal(sc_keeper_check(&keeper, &source, &why), -SC_REFUSED_UNKNOWN);
		assert_non_null(strstr(why.text, "an adjustment that does not follow"));
	}
}

static void shifts(void **state)
{
	(void)state;
	assert_int_equal(sc_keeper_reshift(5, 0, 32), 5ull << 32);
	assert_int_equal(sc_keeper_reshift(5ull << 32, 32, 0), 5);
	assert_int_equal(sc_keeper_reshift((5ull << 32) + 1, 32, 0), 6);
	assert_int_equal(sc_keeper_reshift(UINT32_MAX, 24, 24), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_of_any_length),
		cmocka_unit_test(adjustments_that_are_remainders),
		cmocka_unit_test(adjustments_that_are_none),
		cmocka_unit_test(adjusted_too_far),
		cmocka_unit_test(shifts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
