/* SPDX-License-Identifier: BSD-2-Clause */
/* When a guest can be stopped: by the speed that a round has shown, and by the operator's bound. */
#include "unit.h"

#include "migrate/precopy.h"

#include <errno.h>
#include <string.h>

#define S 1000000000ull
#define MS 1000000ull
#define MIB (1ull << 20)
#define PAGES(bytes) ((bytes) / MEMORY_PAGE_SIZE)

static struct error error;

static void test_estimate(void **state)
{
	static const struct {
		uint64_t left, measured, bound; /* bytes, bytes a second */
		bool enough;			/* for 300 ms */
	} cases[] = {
		{ 0, 100 * MIB, 0, true },
		{ 30 * MIB, 100 * MIB, 0, true },
		{ 31 * MIB, 100 * MIB, 0, false },
		/* Of the two the one that takes longer. */
		{ 30 * MIB, 100 * MIB, 200 * MIB, true },
		{ 31 * MIB, 100 * MIB, 200 * MIB, false },
		{ 3 * MIB, 100 * MIB, 10 * MIB, true },
		{ 4 * MIB, 100 * MIB, 10 * MIB, false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct precopy precopy = {
			.dirty = { .pages = PAGES(cases[n].left) },
			.downtime_ns = 300 * MS,
			.speed = { .bytes = cases[n].measured, .ns = S },
			.bucket = { .rate = cases[n].bound },
		};
		bool enough;

		assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
		if (enough != cases[n].enough)
			fail_msg("case %zu", n);
	}
}

/* What fits is halved for as long as that goes on, and is more than a few pages. */
static void test_gains(void **state)
{
	static const struct {
		uint64_t before, left;
		uint32_t gains;
		bool enough;
	} cases[] = {
		{ 65536, 900, 0, false },
		{ 900, 450, 1, false },
		{ 900, 451, 1, true },
		{ 900, 901, 1, true },
		{ 900, 33, 1, false },
		{ 900, 32, 1, true },
		{ 900, 0, 1, true },
		{ 900, 450, PRECOPY_GAINS_MAX - 1, false },
		{ 900, 450, PRECOPY_GAINS_MAX, true },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct precopy precopy = {
			.dirty = { .pages = cases[n].left },
			.round_pages = cases[n].before,
			.gains = cases[n].gains,
			.downtime_ns = 300 * MS,
			.speed = { .bytes = 100 * MIB, .ns = S },
		};
		bool enough;

		assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
		if (enough != cases[n].enough || precopy.gains != cases[n].gains + !enough || precopy.misses)
			fail_msg("case %zu", n);
	}
}

/* What fits is not lost by a bet: where another miss would end the migration, it stops. */
static void test_no_gain_at_the_end(void **state)
{
	(void)state;
	for (uint32_t misses = PRECOPY_MISSES_MAX - 2; misses < PRECOPY_MISSES_MAX; misses++) {
		struct precopy precopy = {
			.dirty = { .pages = 100 },
			.round_pages = 1000,
			.downtime_ns = 300 * MS,
			.speed = { .bytes = 100 * MIB, .ns = S },
			.misses = misses,
		};
		bool enough;

		assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
		assert_int_equal(enough, misses == PRECOPY_MISSES_MAX - 1);
	}
}

/* One that does not fit is a miss, however much it was. */
static void test_gain_that_misses(void **state)
{
	struct precopy precopy = {
		.dirty = { .pages = PAGES(100 * MIB) },
		.round_pages = PAGES(1000 * MIB),
		.downtime_ns = 300 * MS,
		.speed = { .bytes = 100 * MIB, .ns = S },
	};
	bool enough;

	(void)state;
	assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
	assert_false(enough);
	assert_int_equal(precopy.gains, 0);
	assert_int_equal(precopy.misses, 1);
}

static void expect_given_up(uint64_t bound, const char *way)
{
	struct precopy precopy = {
		.dirty = { .pages = PAGES(100 * MIB) },
		.downtime_ns = 300 * MS,
		.speed = { .bytes = 100 * MIB, .ns = S },
		.bucket = { .rate = bound },
		.misses = PRECOPY_MISSES_MAX - 1,
	};
	bool enough;

	assert_int_equal(precopy_check(&precopy, &enough, &error), -ENOBUFS);
	assert_string_equal(error.text + strlen(error.text) - strlen(way), way);
}

static void test_given_up(void **state)
{
	(void)state;
	expect_given_up(0, "or allow more with --downtime");
	expect_given_up(50 * MIB, "or allow more with --downtime or --bandwidth");
	assert_non_null(strstr(error.text, "100 MiB are still left, 2000 ms at"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_estimate),	   cmocka_unit_test(test_gains),
		cmocka_unit_test(test_no_gain_at_the_end), cmocka_unit_test(test_gain_that_misses),
		cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
