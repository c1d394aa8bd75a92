/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMClock page: every field where Linux reads it (include/uapi/linux/vmclock-abi.h), what is marked as valid, and
 * that a reader never takes half of an update. The arithmetic is in test/property/vmclock.c.
 */
#include "unit.h"

#include "dev/vmclock.h"

#include <pthread.h>
#include <string.h>

#define HZ 25000000u
#define REALTIME 1700000000000000000ull

static const struct sc_statement statement = {
	.counter = { 4000000000u },
	.realtime = { REALTIME + 250000000 },
	.error_ns = 1234,
};
static const struct host_discipline synchronised = {
	.synchronised = true,
	.estimated_error_ns = 99,
	.tai_offset_s = 37,
};

static uint64_t load(const void *page, size_t offset, unsigned int width)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)page + offset, width);
	return value;
}

static struct vmclock_page page_of(const struct sc_statement *made, const struct host_discipline *discipline)
{
	struct vmclock_time time = vmclock_time_make(HZ, made, discipline);
	struct vmclock_guest guest = {
		.offset = 90000000, .disruption_marker = 5, .generation = 7, .size = 65536, .sequence = 40
	};
	struct vmclock_page page;

	memset(&page, 0xa5, sizeof(page));
	vmclock_write(&page, &time, &guest);
	assert_int_equal(guest.sequence, 42);
	return page;
}

static void test_page(void **state)
{
	const struct vmclock_page page = page_of(&statement, &synchronised);
	static const struct {
		size_t offset;
		unsigned int width;
		uint64_t value;
	} fields[] = {
		{ 0x00, 4, 0x4b4c4356 },
		{ 0x04, 4, 65536 },
		{ 0x08, 2, 1 },
		{ 0x0a, 1, 0 }, /* CNTVCT_EL0 */
		{ 0x0b, 1, 0 }, /* UTC */
		{ 0x0c, 4, 42 },
		{ 0x10, 8, 5 },
		{ 0x18, 8, 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 9 },
		{ 0x20, 2, 0 },
		{ 0x22, 1, 2 }, /* synchronized */
		{ 0x23, 1, 0 },
		{ 0x24, 2, 0xffdb }, /* UTC is 37 s behind TAI */
		{ 0x26, 1, 0 },
		{ 0x27, 1, 23 },
		{ 0x28, 8, 10000000 },
		{ 0x30, 8, 6189700196426901374 }, /* 2^87 / 25000000 */
		{ 0x38, 8, 0 },
		{ 0x48, 8, 1700000000 },
		{ 0x50, 8, 1ull << 62 },
		{ 0x58, 8, 99 },
		{ 0x60, 8, 1236 },
		{ 0x68, 8, 7 },
	};

	(void)state;
	assert_int_equal(sizeof(page), 0x70);
	for (size_t n = 0; n < ARRAY_SIZE(fields); n++)
		if (load(&page, fields[n].offset, fields[n].width) != fields[n].value)
			fail_msg("0x%zx has 0x%llx", fields[n].offset,
				 (unsigned long long)load(&page, fields[n].offset, fields[n].width));
	/* 501 ppm and a thousandth of it. */
	assert_in_range(load(&page, 0x40, 8), 6189700196426901374 / 1000000 * 501, 6189700196426901374 / 1000000 * 502);
}

static void test_not_synchronised(void **state)
{
	static const struct host_discipline discipline = { .frequency = 100 << 16, .estimated_error_ns = 99 };
	struct sc_statement unknown = statement;
	struct vmclock_page page;

	(void)state;
	unknown.error_ns = SC_STATEMENT_UNKNOWN;
	page = page_of(&unknown, &discipline);
	assert_int_equal(page.clock_status, 3); /* freerunning */
	assert_int_equal(load(&page, 0x18, 8), 1 << 8 | 1 << 9);
	assert_true(page.period == page_of(&statement, &synchronised).period);
	/* In a leap second the time is known to no bound. */
	page = page_of(&unknown, &synchronised);
	assert_int_equal(page.clock_status, 2);
	assert_int_equal(load(&page, 0x18, 8), 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9);
}

/* The host could not say anything. */
static void test_no_statement(void **state)
{
	const struct sc_statement none = { .error_ns = SC_STATEMENT_UNKNOWN };
	struct vmclock_page page = page_of(&none, &synchronised);

	(void)state;
	assert_int_equal(page.clock_status, 4); /* unreliable */
	assert_int_equal(load(&page, 0x18, 8), 1 | 1 << 8 | 1 << 9);
}

static void test_frequency(void **state)
{
	struct host_discipline discipline = synchronised;
	uint64_t period = page_of(&statement, &discipline).period,
		 bound = page_of(&statement, &discipline).period_maxerror;

	(void)state;
	discipline.frequency = 100 << 16;
	assert_in_range(page_of(&statement, &discipline).period, period + period / 10000 - 2,
			period + period / 10000 + 2);
	assert_in_range(page_of(&statement, &discipline).period_maxerror, bound / 501 * 600, bound / 501 * 602);
	discipline.frequency = -(100 << 16);
	assert_in_range(page_of(&statement, &discipline).period, period - period / 10000 - 2,
			period - period / 10000 + 2);
	assert_in_range(page_of(&statement, &discipline).period_maxerror, bound / 501 * 600, bound / 501 * 602);
	discipline.slewing = true;
	assert_true(page_of(&statement, &discipline).period == period);
}

static void test_leap(void **state)
{
	static const uint8_t expected[] = {
		[HOST_LEAP_NONE] = 0, [HOST_LEAP_INSERT] = 1,	[HOST_LEAP_DELETE] = 2,
		[HOST_LEAP_NOW] = 3,  [HOST_LEAP_INSERTED] = 4, [HOST_LEAP_DELETED] = 5,
	};
	struct host_discipline discipline = synchronised;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(expected); n++) {
		discipline.leap = (enum host_leap)n;
		assert_int_equal(page_of(&statement, &discipline).leap_indicator, expected[n]);
	}
	discipline.tai_offset_s = -3;
	assert_int_equal(page_of(&statement, &discipline).tai_offset_s, 3);
}

/* ---- Whether a page still holds ---- */

/* What is found `seconds` later, on a clock that is `stray` ns off, with the bound that Linux lets grow. */
static struct vmclock_time found_after(uint64_t seconds, int64_t stray, const struct host_discipline *discipline)
{
	struct sc_statement later = statement;

	later.counter.v += seconds * 1000000000;
	later.realtime.v += seconds * 1000000000 + (uint64_t)stray;
	later.error_ns += seconds * 500000;
	return vmclock_time_make(HZ, &later, discipline);
}

static void test_holds(void **state)
{
	static const struct {
		uint64_t seconds;
		int64_t stray;
		bool holds;
	} cases[] = {
		{ 1, 0, true },	   { 15, 0, true },    { 17, 0, false },    { 1, 900, true },
		{ 1, -900, true }, { 1, 1100, false }, { 1, -1100, false }, { 1, 1000000000, false },
	};
	const struct vmclock_time told = found_after(0, 0, &synchronised);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		const struct vmclock_time now = found_after(cases[n].seconds, cases[n].stray, &synchronised);

		if (vmclock_time_holds(&told, &now) != cases[n].holds)
			fail_msg("%u s later, off by %d ns", (unsigned int)cases[n].seconds, (int)cases[n].stray);
	}
}

/* A page that promises less than the host knows is kept for a millisecond of it; one that promises more, not at all. */
static void test_holds_bound(void **state)
{
	const struct vmclock_time told = found_after(0, 0, &synchronised);
	struct vmclock_time now = found_after(4, 0, &synchronised);

	(void)state;
	now.time_maxerror_ns += 20000;
	assert_false(vmclock_time_holds(&told, &now));
	now.time_maxerror_ns -= 20000 + 900000;
	assert_true(vmclock_time_holds(&told, &now));
	now.time_maxerror_ns -= 200000;
	assert_false(vmclock_time_holds(&told, &now));
}

static void test_holds_facts(void **state)
{
	const struct vmclock_time told = found_after(0, 0, &synchronised);
	struct host_discipline discipline = synchronised;
	struct vmclock_time now;

	(void)state;
	discipline.leap = HOST_LEAP_INSERT;
	now = found_after(1, 0, &discipline);
	assert_false(vmclock_time_holds(&told, &now));
	discipline = synchronised;
	discipline.tai_offset_s = 38;
	now = found_after(1, 0, &discipline);
	assert_false(vmclock_time_holds(&told, &now));
	discipline = synchronised;
	discipline.estimated_error_ns++;
	now = found_after(1, 0, &discipline);
	assert_false(vmclock_time_holds(&told, &now));
	discipline = synchronised;
	discipline.synchronised = false;
	now = found_after(1, 0, &discipline);
	assert_false(vmclock_time_holds(&told, &now));
}

/* ---- A reader beside the writer ---- */

#define UPDATES 200000u

static struct vmclock_page shared;
static bool over;

__attribute__((no_sanitize("thread"))) static bool reader_takes(uint64_t *marker, uint64_t *generation)
{
	uint32_t before = __atomic_load_n(&shared.sequence, __ATOMIC_ACQUIRE);

	*marker = *(volatile uint64_t *)&shared.disruption_marker;
	*generation = *(volatile uint64_t *)&shared.generation;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(before & 1) && __atomic_load_n(&shared.sequence, __ATOMIC_RELAXED) == before;
}

static void *reader(void *torn)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		uint64_t marker, generation;

		if (reader_takes(&marker, &generation) && marker != generation)
			*(bool *)torn = true;
	}
	return NULL;
}

__attribute__((no_sanitize("thread"))) static void test_reader(void **state)
{
	struct vmclock_time time = vmclock_time_make(HZ, &statement, &synchronised);
	struct vmclock_guest guest = { .sequence = 0 };
	pthread_t thread;
	bool torn = false;

	(void)state;
	vmclock_write(&shared, &time, &guest);
	assert_int_equal(pthread_create(&thread, NULL, reader, &torn), 0);
	for (uint32_t n = 0; n < UPDATES; n++) {
		guest.disruption_marker = guest.generation = n;
		vmclock_write(&shared, &time, &guest);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_false(torn);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),	    cmocka_unit_test(test_not_synchronised),
		cmocka_unit_test(test_frequency),   cmocka_unit_test(test_leap),
		cmocka_unit_test(test_reader),	    cmocka_unit_test(test_no_statement),
		cmocka_unit_test(test_holds),	    cmocka_unit_test(test_holds_bound),
		cmocka_unit_test(test_holds_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
