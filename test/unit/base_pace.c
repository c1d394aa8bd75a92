/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that works whenever it may takes a twelfth of a processor; one that works less is never held up. */
#include "unit.h"
#include "../property/random.h"

#include "base/pace.h"

#define MS 1000000ull
#define HOUR (3600 * 1000 * MS)

/* Works for `work` after each of the pauses that it is given, and `pause` besides; the share of its time, per mille. */
static uint64_t share(uint64_t work, uint64_t pause, uint64_t *longest)
{
	struct pace pace = { 0 };
	uint64_t now = HOUR, worked = 0;

	*longest = 0;
	while (now < HOUR + 10000 * MS) {
		uint64_t rest;

		worked += work;
		now += work;
		rest = pace_work(&pace, sc_ns(now), sc_ns(worked)).v;
		now += pause + rest;
		*longest = rest > *longest ? rest : *longest;
	}
	return worked * 1000 / (now - HOUR);
}

static void test_share(void **state)
{
	static const uint64_t works[] = { 1200, 12000, MS / 10, MS, PACE_DEBT_MAX_NS };
	uint64_t longest;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(works); n++) {
		assert_in_range(share(works[n], 0, &longest), 83, 84);
		assert_in_range(longest, 1, PACE_REST_MAX_NS);
		/* A little less. */
		assert_in_range(share(works[n], 11 * works[n] + works[n] / 10, &longest), 82, 83);
		assert_int_equal(longest, 0);
	}
}

/* Who is held up by others for as long as it likes does not rest for that. */
static void test_held_up(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	for (uint64_t n = 1; n < 1000; n++)
		assert_int_equal(pace_work(&pace, sc_ns(HOUR + n * 12 * MS), sc_ns(n * MS)).v, 0);
}

static void test_burst(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = HOUR, worked = 0;

	(void)state;
	/* At once, as it comes. */
	for (; worked + MS / 10 <= PACE_DEBT_MAX_NS; now += MS / 10)
		assert_int_equal(pace_work(&pace, sc_ns(now), sc_ns(worked += MS / 10)).v, 0);
	assert_in_range(pace_work(&pace, sc_ns(now), sc_ns(worked += MS)).v, MS, 12 * MS);
	/* Made up for. */
	now += 200 * MS;
	assert_int_equal(pace_work(&pace, sc_ns(now), sc_ns(worked += MS)).v, 0);
}

/* The host was suspended in the middle, or a clock is not what it should be: nobody waits for long. */
static void test_odd_times(void **state)
{
	struct random random = random_start();
	struct pace pace = { 0 };

	(void)state;
	assert_in_range(pace_work(&pace, sc_ns(0), sc_ns(HOUR)).v, 0, PACE_REST_MAX_NS);
	assert_in_range(pace_work(&pace, sc_ns(5), sc_ns(3)).v, 0, PACE_REST_MAX_NS);
	for (int n = 0; n < 10000; n++)
		assert_in_range(pace_work(&pace, sc_ns(random_wide(&random)), sc_ns(random_wide(&random))).v, 0,
				PACE_REST_MAX_NS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_odd_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
