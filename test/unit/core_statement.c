/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements of real time: what a bracket makes of a reading, what two of them say, and what is refused.
 *
 * Policy: values by hand.
 */
#include <seaclock/core.h>

#include "unit.h"

#define EPOCH 1700000000000000000u
#define HOUR_NS 3600000000000u

static struct sc_statement statement;

static int make(uint32_t hz, uint64_t before, uint64_t after, uint64_t error)
{
	statement = (struct sc_statement){ sc_ns(1), sc_ns(2), 3 };
	return sc_statement_make(&statement, hz, sc_ns(before), sc_ns(EPOCH), sc_ns(after), error);
}

static void test_bracket(void **state)
{
	static const struct {
		uint32_t hz;
		uint64_t before, after, error, counter, stated;
	} cases[] = {
		/* Between 1000 and 1201, because a counter of 1 GHz lags by 1: 1100 to 101, and 1 for the whole ns. */
		{ 1000000000, 1000, 1200, 0, 1100, 102 },
		{ 1000000000, 1000, 1200, 5000, 1100, 5102 },
		{ 1000000000, 1000, 1000, 5000, 1000, 5002 },
		/* At 25 MHz between 1000 and 1240. */
		{ 25000000, 1000, 1200, 5000, 1120, 5121 },
		{ 25000000, 1000, 1200, SC_STATEMENT_UNKNOWN, 1120, SC_STATEMENT_UNKNOWN },
		/* Beyond all use. */
		{ 1000000000, 1000, 1200, HOUR_NS - 102, 1100, HOUR_NS },
		{ 1000000000, 1000, 1200, HOUR_NS - 101, 1100, SC_STATEMENT_UNKNOWN },
		{ 1000000000, 1000, 1200, SC_STATEMENT_UNKNOWN - 1, 1100, SC_STATEMENT_UNKNOWN },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(make(cases[n].hz, cases[n].before, cases[n].after, cases[n].error), 0);
		assert_int_equal(statement.counter.v, cases[n].counter);
		assert_true(statement.realtime.v == EPOCH);
		assert_true(statement.error_ns == cases[n].stated);
	}
}

static void test_bracket_refused(void **state)
{
	(void)state;
	assert_int_equal(make(1000000000, 1000, 999, 5), -SC_E_VALUE);
	assert_int_equal(make(1000000000, 1000, (1ull << 61) + 1, 5), -SC_E_VALUE);
	assert_int_equal(make(1000000000, UINT64_MAX, UINT64_MAX, 5), -SC_E_VALUE);
	assert_int_equal(sc_statement_make(&statement, 1000000000, sc_ns(0), sc_ns((1ull << 62) + 1), sc_ns(0), 5),
			 -SC_E_VALUE);
	/* Nothing has changed. */
	assert_int_equal(statement.counter.v, 1);
	assert_int_equal(statement.realtime.v, 2);
	assert_int_equal(statement.error_ns, 3);
}

static void test_valid(void **state)
{
	static const struct {
		uint64_t counter, realtime, error;
		bool valid;
	} cases[] = {
		{ 0, 0, 0, true },
		{ 1ull << 61, 1ull << 62, HOUR_NS, true },
		{ 0, 0, SC_STATEMENT_UNKNOWN, true },
		{ (1ull << 61) + 1, 0, 0, false },
		{ UINT64_MAX, 0, 0, false },
		{ 0, (1ull << 62) + 1, 0, false },
		{ 0, UINT64_MAX, 0, false },
		{ 0, 0, HOUR_NS + 1, false },
		{ 0, 0, SC_STATEMENT_UNKNOWN - 1, false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		const struct sc_statement good = { sc_ns(5), sc_ns(6), 7 };
		const struct sc_statement given = { sc_ns(cases[n].counter), sc_ns(cases[n].realtime), cases[n].error };
		int64_t difference;
		uint64_t bound;

		assert_int_equal(sc_statement_is_valid(&given), cases[n].valid);
		assert_int_equal(sc_statement_difference(&given, &good, &difference, &bound),
				 cases[n].valid ? 0 : -SC_E_VALUE);
		assert_int_equal(sc_statement_difference(&good, &given, &difference, &bound),
				 cases[n].valid ? 0 : -SC_E_VALUE);
	}
}

static void test_difference(void **state)
{
	static const struct {
		struct sc_statement source, target;
		int64_t difference;
		uint64_t bound;
	} cases[] = {
		/* At the same moment. */
		{ { { 1000 }, { EPOCH }, 10 }, { { 5000 }, { EPOCH }, 7 }, 4000, 17 },
		/* 100 ns later, of which the counter of the target has counted all. */
		{ { { 1000 }, { EPOCH }, 10 }, { { 5100 }, { EPOCH + 100 }, 7 }, 4000, 17 },
		{ { { 5100 }, { EPOCH + 100 }, 7 }, { { 1000 }, { EPOCH }, 10 }, -4000, 17 },
		{ { { 1000 }, { EPOCH }, SC_STATEMENT_UNKNOWN },
		  { { 5000 }, { EPOCH }, 7 },
		  4000,
		  SC_STATEMENT_UNKNOWN },
		{ { { 1000 }, { EPOCH }, 7 },
		  { { 5000 }, { EPOCH }, SC_STATEMENT_UNKNOWN },
		  4000,
		  SC_STATEMENT_UNKNOWN },
		/* The furthest apart. */
		{ { { 1ull << 61 }, { 0 }, HOUR_NS }, { { 0 }, { 1ull << 62 }, HOUR_NS }, -(3ll << 61), 2 * HOUR_NS },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		int64_t difference;
		uint64_t bound;

		assert_int_equal(sc_statement_difference(&cases[n].source, &cases[n].target, &difference, &bound), 0);
		assert_true(difference == cases[n].difference);
		assert_true(bound == cases[n].bound);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bracket),
		cmocka_unit_test(test_bracket_refused),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
