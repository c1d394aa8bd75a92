/* SPDX-License-Identifier: BSD-2-Clause */
/* What is believed of a gap: at its bounds, beyond, and where sums would overflow. */
#include "unit.h"

#include "transfer/gap.h"

#include <errno.h>

#define S 1000000000ull

static void test_possible(void **state)
{
	static const struct {
		uint64_t gap, stood;
		bool possible;
	} cases[] = {
		{ 0, 0, true },
		{ S, 0, true },
		{ S + 1, 0, false },
		{ S + 1, 1, true },
		{ 10 * S, 9 * S, true },
		{ 10 * S + 1, 9 * S, false },
		{ UINT64_MAX, 0, false },
		{ UINT64_MAX, UINT64_MAX - S - 1, false },
		{ UINT64_MAX, UINT64_MAX - S, true },
		{ UINT64_MAX, UINT64_MAX, true },
		{ S, UINT64_MAX, true },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		if (gap_is_possible(sc_ns(cases[n].gap), sc_ns(cases[n].stood)) != cases[n].possible)
			fail_msg("case %zu", n);
}

static void test_allowed(void **state)
{
	static const struct {
		uint64_t gap;
		enum sc_clock_policy policy;
		uint32_t max_s;
		int result;
	} cases[] = {
		{ 0, SC_CLOCK_ADVANCE, 1, 0 },
		{ S, SC_CLOCK_ADVANCE, 1, 0 },
		{ S + 1, SC_CLOCK_ADVANCE, 1, -ETIME },
		{ S + 1, SC_CLOCK_FREEZE, 1, 0 },
		{ UINT64_MAX, SC_CLOCK_FREEZE, 1, 0 },
		{ UINT64_MAX, SC_CLOCK_ADVANCE, 1, -ETIME },
		{ GAP_MAX_S * S, SC_CLOCK_ADVANCE, GAP_MAX_S, 0 },
		{ GAP_MAX_S * S + 1, SC_CLOCK_ADVANCE, GAP_MAX_S, -ETIME },
		/* The product does not fit into 32 bits. */
		{ 5 * S, SC_CLOCK_ADVANCE, 5, 0 },
	};
	struct error error;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		if (gap_check("boat", sc_ns(cases[n].gap), cases[n].policy, cases[n].max_s, &error) != cases[n].result)
			fail_msg("case %zu", n);
}

static void test_sentence(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(gap_check("boat", sc_ns(12 * S + 7000000), SC_CLOCK_ADVANCE, 10, &error), -ETIME);
	assert_string_equal(error.text, "boat was stopped for 12.007 s, and its clocks may count 10 s at most here; "
					"allow more with --max-gap");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
