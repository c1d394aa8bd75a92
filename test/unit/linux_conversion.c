/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module's arithmetic of rates: its raw clock stays near reference time at every real rate.
 *
 * Policy: the clock is simulated tick by tick in exact arithmetic, and what conversion.h says of its error is held
 * against that. Rates are those of real hosts.
 */
#include "../../linux/conversion.h"

#include "unit.h"

static const uint32_t rates[] = {
	1000000,   1200000,   1920000,	 8000000,   8333333,	12500000,   13000000, 19200000,
	24000000,  25000000,  31250000,	 50000000,  54000000,	62500000,   83333333, 100000000,
	121875000, 125000000, 200000000, 400000000, 1000000000, 1050000000,
};

/* As large as the kernel takes it: the product of 600 s fits into 64 bits. */
static uint32_t shift_of(uint32_t hz)
{
	uint32_t shift = 32;

	while ((CONVERSION_NS << shift) / hz * (unsigned __int128)hz * 600 >> 64 || (CONVERSION_NS << shift) / hz >> 31)
		shift--;
	return shift;
}

/* What the clock gains in so many seconds, in 2^-32 ns: exact. */
static int64_t gained(const struct conversion *conversion, uint32_t hz, uint32_t shift, uint64_t seconds)
{
	__int128 shifted = (__int128)conversion->mult * hz * seconds - ((__int128)CONVERSION_NS << shift) * seconds;

	return (int64_t)(shifted * ((__int128)1 << (32 - shift)));
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

/* Each conversion is used as long as it says, or for a shorter time if somebody registers the clock anew before. */
static void simulate(uint32_t hz, uint64_t longest)
{
	uint32_t shift = shift_of(hz);
	int64_t error = 0, debt = 0;
	uint64_t time = 0;

	while (time < 3600) {
		struct conversion conversion = conversion_of(hz, shift, debt);
		uint64_t lasts = conversion_lasts(&conversion, debt);
		uint64_t use = lasts && lasts < longest ? lasts : longest;

		assert_true(use > 0);
		debt += conversion_error(&conversion, use * CONVERSION_NS);
		error += gained(&conversion, hz, shift, use);
		time += use;
		assert_int_equal(debt, error);
		assert_true(magnitude(error) <= CONVERSION_LIMIT + magnitude(conversion.drift));
		assert_int_equal(conversion_expired(&conversion, debt), use == lasts);
	}
}

static void an_hour_at_every_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		simulate(rates[i], 3600);
		simulate(rates[i], 60);
		simulate(rates[i], 7);
	}
}

static void rates_that_divide_need_nothing(void **state)
{
	static const uint32_t exact[] = { 25000000, 31250000, 62500000, 100000000, 200000000, 1000000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++) {
		struct conversion conversion = conversion_of(exact[i], 22, 0);

		assert_int_equal(conversion.drift, 0);
		assert_int_equal(conversion_lasts(&conversion, 0), 0);
		assert_false(conversion_expired(&conversion, 0));
		assert_int_equal((uint64_t)exact[i] * conversion.mult, CONVERSION_NS << 22);
	}
}

static void parts_of_a_second(void **state)
{
	struct conversion conversion = conversion_of(121875000, 23, 0);

	(void)state;
	assert_true(conversion.drift != 0);
	assert_int_equal(conversion_error(&conversion, CONVERSION_NS / 2), conversion.drift / 2);
	assert_int_equal(conversion_error(&conversion, 3 * CONVERSION_NS), 3 * conversion.drift);
	assert_int_equal(conversion_error(&conversion, 0), 0);
}

static void a_debt_is_taken_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		assert_true(conversion_of(rates[i], 22, 1).drift <= 0);
		assert_true(conversion_of(rates[i], 22, -1).drift >= 0);
	}
}

/* The greatest count times the fastest conversion fits into 64 bits, one more does not. */
static void limits_are_what_fits(void **state)
{
	const uint64_t mask = (1ull << 56) - 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint32_t shift = shift_of(rates[i]), mult = (uint32_t)((CONVERSION_NS << shift) / rates[i]);
		struct conversion_limits limits = conversion_limits_of(mult, shift, mask);
		unsigned __int128 fastest = (unsigned __int128)mult + limits.max_adjustment;

		assert_in_range(limits.max_adjustment, mult / 100 * 11, mult / 100 * 11 + 11);
		assert_true(!(fastest * limits.max_cycles >> 64));
		assert_true(limits.max_cycles == mask || fastest * (limits.max_cycles + 1) >> 64);
		/* 600 s and more, less the 11 %, and half of that. */
		assert_true(limits.max_idle_ns >= 200 * CONVERSION_NS);
	}
	/* As kernels print them for counters of 62.5 and 24 MHz. */
	struct conversion_limits known = conversion_limits_of(1 << 27, 23, mask);

	assert_int_equal(known.max_cycles, 0x1cd42e208cull);
	assert_int_equal(known.max_idle_ns, 881590405314ull);
	known = conversion_limits_of(699050667, 24, mask);
	assert_int_equal(known.max_cycles, 0x588fe9dc0ull);
	assert_int_equal(known.max_idle_ns, 440795202592ull);
	/* A narrow counter comes round earlier. */
	assert_int_equal(conversion_limits_of(671088640, 24, UINT32_MAX).max_cycles, UINT32_MAX);
}

static void delay_loops_do_not_round_twice(void **state)
{
	(void)state;
	assert_int_equal(conversion_loops(100000, 25000000, 1000000000), 4000000);
	assert_int_equal(conversion_loops(487500, 121875000, 25000000), 100000);
	assert_int_equal(conversion_loops(487500, 121875000, 121875000), 487500);
}

/* 10 kHz from 25 MHz: bit 10 rises every 2048 ticks, 82 us. From 1 GHz: bit 16, every 131 us. */
static void event_stream_of_known_rates(void **state)
{
	(void)state;
	assert_int_equal(conversion_event_bit(25000000), 10);
	assert_int_equal(conversion_event_bit(62500000), 12);
	assert_int_equal(conversion_event_bit(100000000), 12);
	assert_int_equal(conversion_event_bit(1000000000), 16);
	assert_int_equal(conversion_event_bit(20000), 0);
	assert_int_equal(conversion_event_bit(1000), 0);
}

/* Never early: the ticks last at least as long as the units, and less than two ticks longer. */
static void ticks_are_never_early(void **state)
{
	static const uint32_t units[] = { 0, 1, 2, 3, 7, 10, 9999999, 10000000, 10000001, UINT32_MAX };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rates); n++)
		for (size_t m = 0; m < ARRAY_SIZE(units); m++) {
			unsigned __int128 ticks = conversion_ticks(units[m], rates[n]);
			unsigned __int128 due = (unsigned __int128)units[m] * rates[n];

			assert_true(ticks * CONVERSION_UNITS >= due);
			assert_true((ticks - 1) * CONVERSION_UNITS <= due);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_never_early),	  cmocka_unit_test(an_hour_at_every_rate),
		cmocka_unit_test(rates_that_divide_need_nothing), cmocka_unit_test(parts_of_a_second),
		cmocka_unit_test(a_debt_is_taken_back),		  cmocka_unit_test(limits_are_what_fits),
		cmocka_unit_test(delay_loops_do_not_round_twice), cmocka_unit_test(event_stream_of_known_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
