/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates: known scales, exact division at its edges, conversions of ticks, ns and timer deadlines.
 *
 * Policy: numbers worked out by hand or taken from the specification; the random half is test/property/rate.c.
 */
#include <seaclock/core.h>

#include "unit.h"

static void scale_of_known_rates(void **state)
{
	static const struct {
		uint32_t hz;
		uint64_t scale;
	} known[] = {
		{ 24000000, 0x6aaaaaaaaaaaaaaa },  { 25000000, 0x6666666666666666 },   { 31250000, 0x51eb851eb851eb85 },
		{ 50000000, 0x3333333333333333 },  { 54000000, 0x2f684bda12f684bd },   { 62500000, 0x28f5c28f5c28f5c2 },
		{ 100000000, 0x1999999999999999 }, { 1000000000, 0x028f5c28f5c28f5c },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(sc_rate_scale(known[i].hz), known[i].scale);
}

static void scale_needs_a_fast_counter(void **state)
{
	(void)state;
	assert_int_equal(sc_rate_scale(SC_REF_HZ), 0);
	assert_int_equal(sc_rate_scale(SC_RATE_MIN_HZ), 0);
	/* Just above it all bits but the lowest few are set, and nothing overflows. */
	assert_true(sc_rate_scale(SC_REF_HZ + 1) > 0xfffffe0000000000);
}

static void muldiv_at_its_edges(void **state)
{
	static const struct {
		uint64_t a, b, divisor, want;
	} cases[] = {
		{ 0, 0, 1, 0 },
		{ 7, 3, 2, 10 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
		{ UINT64_MAX, 1, 1, UINT64_MAX },
		{ UINT64_MAX, 2, 1, UINT64_MAX },
		{ UINT64_MAX, 2, 2, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX, 1, UINT64_MAX },
		{ 1ull << 63, 2, 1ull << 63, 2 },
		{ UINT64_MAX, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX - 1 },
		{ 1ull << 32, 1ull << 32, (1ull << 63) + 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(sc_muldiv(cases[i].a, cases[i].b, cases[i].divisor), cases[i].want);
}

static void ticks_and_ns(void **state)
{
	(void)state;
	assert_int_equal(sc_rate_ticks_to_ns(25000000, sc_ticks(1)).v, 40);
	assert_int_equal(sc_rate_ticks_to_ns(24000000, sc_ticks(1)).v, 41);
	assert_int_equal(sc_rate_ns_to_ticks(25000000, sc_ns(79)).v, 1);
	assert_int_equal(sc_rate_ns_to_ticks(1000000000, sc_ns(79)).v, 79);
	assert_int_equal(sc_rate_ticks_to_ns(1000000, sc_ticks(UINT64_MAX)).v, UINT64_MAX);
	assert_int_equal(sc_rate_ns_to_ticks(2000000000, sc_ns(UINT64_MAX)).v, UINT64_MAX);
}

static uint64_t convert(uint64_t deadline, uint64_t from, uint32_t hz_from, uint64_t to, uint32_t hz_to)
{
	return sc_rate_convert_deadline(sc_ticks(deadline), sc_ticks(from), hz_from, sc_ticks(to), hz_to).v;
}

static void deadline_keeps_its_instant(void **state)
{
	(void)state;
	/* 1 ms ahead at 25 MHz is 1 ms ahead at 1 GHz. */
	assert_int_equal(convert(125000, 100000, 25000000, 900, 1000000000), 900 + 1000000);
	assert_int_equal(convert(1000900, 900, 1000000000, 100000, 25000000), 125000);
	/* 1 tick of 1 GHz is a part of a tick of 25 MHz: rounded up, never early. */
	assert_int_equal(convert(1001, 1000, 1000000000, 5000, 25000000), 5001);
	assert_int_equal(convert(1041, 1000, 1000000000, 5000, 25000000), 5002);
	assert_int_equal(convert(77, 70, 62500000, 70, 62500000), 77);
}

static void deadline_expired_stays_expired(void **state)
{
	(void)state;
	assert_int_equal(convert(1000, 1000, 25000000, 50, 1000000000), 50);
	assert_int_equal(convert(999, 1000, 25000000, 50, 1000000000), 10);
	assert_int_equal(convert(998, 1000, 25000000, 50, 1000000000), 0);
	assert_int_equal(convert(0, UINT64_MAX, 25000000, 50, 1000000000), 0);
	assert_int_equal(convert(999, 1000, 1000000000, 50, 25000000), 50);
}

static void deadline_distant_saturates(void **state)
{
	(void)state;
	assert_int_equal(convert(UINT64_MAX, 0, 25000000, 0, 1000000000), UINT64_MAX);
	assert_int_equal(convert(UINT64_MAX, 1000, 25000000, 2000, 25000000), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale_of_known_rates),	      cmocka_unit_test(scale_needs_a_fast_counter),
		cmocka_unit_test(muldiv_at_its_edges),	      cmocka_unit_test(ticks_and_ns),
		cmocka_unit_test(deadline_keeps_its_instant), cmocka_unit_test(deadline_expired_stays_expired),
		cmocka_unit_test(deadline_distant_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
