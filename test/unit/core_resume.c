/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping and resuming guest time: both policies, changes of rate, and the promise that nothing goes back.
 *
 * Policy: values by hand; thousands of random rebases are in test/property/clock.c.
 */
#include <seaclock/core.h>

#include "unit.h"

static struct sc_partition partition;
static struct sc_stop_point stop;

/* A machine at 25 MHz that has run for one second. */
static int set_up(void **state)
{
	(void)state;
	assert_int_equal(sc_partition_init(&partition, 1, 25000000, sc_ticks(0)), 0);
	partition.page_sequence = 3;
	stop = sc_partition_stop(&partition, sc_ticks(25000001));
	return 0;
}

static uint64_t read_at(uint64_t counter)
{
	return sc_clock_read(&partition.clock, sc_ticks(counter)).v;
}

static void stop_point_is_where_time_stands(void **state)
{
	(void)state;
	assert_int_equal(stop.hz, 25000000);
	assert_int_equal(stop.counter.v, 25000001);
	assert_int_equal(stop.reference.v, 10000000);
}

static void advance_counts_the_gap(void **state)
{
	sc_ticks_t counter;

	(void)state;
	assert_int_equal(sc_partition_resume(&partition, &stop, 1000000000, SC_CLOCK_ADVANCE, sc_ns(5000000), &counter),
			 0);
	/* 5 ms are 5000000 ticks at the new rate and 50000 units. */
	assert_int_equal(counter.v, 30000001);
	assert_in_range(read_at(counter.v), 10049999, 10050000);
	/* A second later. */
	assert_in_range(read_at(counter.v + 1000000000), 20049998, 20050000);
	assert_int_equal(partition.clock.hz, 1000000000);
	assert_int_equal(partition.page_sequence, 4);
}

static void freeze_counts_nothing(void **state)
{
	sc_ticks_t counter;

	(void)state;
	assert_int_equal(sc_partition_resume(&partition, &stop, 1000000000, SC_CLOCK_FREEZE, sc_ns(5000000), &counter),
			 0);
	assert_int_equal(counter.v, stop.counter.v);
	assert_in_range(read_at(counter.v), stop.reference.v, stop.reference.v + 1);
	assert_int_equal(partition.page_sequence, 4);
}

/* Reference time with its fraction, as a reader of the page can have it. */
static unsigned __int128 position_at(uint64_t counter)
{
	const struct sc_clock *clock = &partition.clock;

	return (unsigned __int128)counter * clock->scale + ((unsigned __int128)(uint64_t)clock->offset << 64);
}

/* Not by the fraction of a unit. */
static void freeze_never_steps_back(void **state)
{
	static const uint32_t rates[] = { 1050000000, 62500000, 13000000, 24000000, 121875000 };
	sc_ticks_t counter = stop.counter;
	unsigned __int128 position = position_at(counter.v);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		stop = sc_partition_stop(&partition, counter);
		assert_int_equal(
			sc_partition_resume(&partition, &stop, rates[i % 5], SC_CLOCK_FREEZE, sc_ns(0), &counter), 0);
		assert_true(position_at(counter.v) >= position);
		assert_in_range(read_at(counter.v), stop.reference.v, stop.reference.v + 1);
		position = position_at(counter.v);
	}
}

/* With reference time 0, a unit less would be the largest of all times. */
static void freeze_at_zero(void **state)
{
	static const uint32_t rates[] = { 25000000, 1050000000, 62500000, 24000000 };
	sc_ticks_t counter;

	(void)state;
	for (uint64_t start = 1; start < 200; start++) {
		assert_int_equal(sc_partition_init(&partition, 1, rates[start % 4], sc_ticks(start)), 0);
		stop = sc_partition_stop(&partition, sc_ticks(start));
		assert_int_equal(
			sc_partition_resume(&partition, &stop, 1000000000, SC_CLOCK_FREEZE, sc_ns(0), &counter), 0);
		assert_in_range(read_at(counter.v), 0, 1);
	}
}

static void distant_counter_saturates(void **state)
{
	sc_ticks_t counter;

	(void)state;
	stop = sc_partition_stop(&partition, sc_ticks(UINT64_MAX - 10));
	assert_int_equal(sc_partition_resume(&partition, &stop, 1000000000, SC_CLOCK_ADVANCE, sc_ns(5000), &counter),
			 0);
	assert_int_equal(counter.v, UINT64_MAX);
	assert_true(read_at(counter.v) >= stop.reference.v);
}

static void bad_rate_changes_nothing(void **state)
{
	sc_ticks_t counter = sc_ticks(42);

	(void)state;
	assert_int_equal(sc_partition_resume(&partition, &stop, 0, SC_CLOCK_ADVANCE, sc_ns(1), &counter), -SC_E_RATE);
	assert_int_equal(counter.v, 42);
	assert_int_equal(partition.clock.hz, 25000000);
	assert_int_equal(partition.page_sequence, 3);
	assert_int_equal(read_at(25000001), 10000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stop_point_is_where_time_stands, set_up),
		cmocka_unit_test_setup(advance_counts_the_gap, set_up),
		cmocka_unit_test_setup(freeze_counts_nothing, set_up),
		cmocka_unit_test_setup(freeze_never_steps_back, set_up),
		cmocka_unit_test_setup(freeze_at_zero, set_up),
		cmocka_unit_test_setup(distant_counter_saturates, set_up),
		cmocka_unit_test_setup(bad_rate_changes_nothing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
