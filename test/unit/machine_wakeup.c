/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the monitor is woken for a guest's timers: in time although the host's timers are slewed, not more often than is
 * of use, and by as few calls as can be; and which timers an operator is told of.
 */
#include "clock_fixture.h"

#include "machine/late.h"

#define PERIODIC SC_STIMER_PERIODIC

/* To the next wake-up, and what is done then; false if there is none. */
static bool wake(void)
{
	uint64_t left = fake_timer_left(clock_.timer);

	if (left == UINT64_MAX && !timer_readable())
		return false;
	fake_time_advance(left == UINT64_MAX ? 0 : left);
	serve_timer();
	return true;
}

/* What a timer takes that is due in so long: it is in time, and a few wake-ups do. */
static void expect_in_time(int ppm, uint64_t ns, int wakes_max)
{
	uint64_t due;
	int wakes = 0;

	host.ppm = ppm;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	due = reference() + REFS(ns);
	set(0, SC_REG_STIMER0_COUNT, due);
	while (!line(0) && wakes++ < wakes_max)
		assert_true(wake());
	assert_true(line(0));
	assert_in_range(reference(), due, due + REFS(MS / 10));
	clock_stop(&clock_);
}

/*
 * The counter gains on the clock of the host's timers, or loses: as far as the kernel steers it alone, as far as
 * chronyd slews it, and as far as any adjtimex(2) may.
 */
static void test_slewed(void **state)
{
	static const int ppm[] = { -100500, -83333, -500, 0, 500, 83333, 100500 };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(ppm); n++) {
		/* A counter that loses wakes too early even where a wait is not long. */
		int more = ppm[n] < -500 ? 6 : 1;

		expect_in_time(ppm[n], MS / 2, 1 + more);
		expect_in_time(ppm[n], 4 * MS, 2 + more);
		expect_in_time(ppm[n], 50 * MS, 3 + more);
		expect_in_time(ppm[n], 600000 * MS, 8 + more);
	}
}

/* An hour in which the host was suspended: its counter and its timers have gone on. */
static void test_suspended(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(600000 * MS));
	fake_time_advance(3600000 * MS);
	serve_timer();
	assert_true(line(0));
}

static void test_set_when_it_moves(void **state)
{
	uint64_t due;
	uint32_t settings;

	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(1, SC_REG_STIMER0_CONFIG, DIRECT);
	due = reference() + REFS(10 * MS);
	set(0, SC_REG_STIMER0_COUNT, due);
	settings = fake_timer_settings(clock_.timer);
	for (uint64_t n = 0; n < 20; n++) {
		fake_time_advance(MS / 4);
		set(1, SC_REG_STIMER0_COUNT, reference() + REFS(20 * MS));
	}
	assert_int_equal(fake_timer_settings(clock_.timer), settings);
	/* Earlier, and then not at all. */
	set(1, SC_REG_STIMER0_COUNT, reference() + REFS(MS));
	assert_int_equal(fake_timer_settings(clock_.timer), settings + 1);
	set(1, SC_REG_STIMER0_COUNT, 0);
	assert_int_equal(fake_timer_settings(clock_.timer), settings + 2);
	pass(5 * MS);
	assert_true(line(0));
	assert_false(line(1));
}

/* What is armed for the same moment once more after it has fired is armed again. */
static void test_fires_twice(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	host.ppm = -1000;
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(10 * MS));
	/* Early, as a long wait ends, and then by the slow counter. */
	assert_true(wake());
	assert_false(line(0));
	assert_true(wake());
	assert_true(wake() || line(0));
	while (!line(0))
		assert_true(wake());
}

/* Eight timers of 100 ns that the guest never looks at: nothing is left to be done once all lines are up. */
static void test_storm_of_levels(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	for (uint32_t n = 0; n < 2 * SC_STIMER_COUNT; n++) {
		set(n / 4, SC_REG_STIMER0_CONFIG + 2 * (n % 4), (DIRECT | PERIODIC) - (uint64_t)(n % 4) * 16);
		set(n / 4, SC_REG_STIMER0_COUNT + 2 * (n % 4), 1);
	}
	for (int n = 0; n < 20; n++)
		wake();
	assert_true(line(0) && line(1));
	assert_true(fake_timer_left(clock_.timer) == UINT64_MAX);
	assert_false(timer_readable());
}

/* The same as edges: 10,000 wake-ups a second. */
static void test_storm_of_edges(void **state)
{
	uint32_t wakes = 0;
	uint64_t began;

	(void)state;
	start(0);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT | PERIODIC);
	set(0, SC_REG_STIMER0_COUNT, 1);
	for (began = fake_time(); fake_time() - began < 1000 * MS; wakes++)
		assert_true(wake());
	assert_in_range(wakes, 9000, 10001);
	assert_in_range(latched(0), 9000, 10001);
}

/* ---- A gap that the guest's clocks count ---- */

static struct sc_reference_tsc_page page(void)
{
	struct sc_reference_tsc_page copy;

	assert_true(memory_read(&memory, PAGE, &copy, sizeof(copy)));
	return copy;
}

static void test_gap_is_told(void **state)
{
	struct sc_reference_tsc_page before, after;

	(void)state;
	start(0);
	before = page();
	/* It has not stood still. */
	assert_int_equal(clock_start(&clock_, SC_CLOCK_ADVANCE, &error), 0);
	after = page();
	assert_memory_equal(&after, &before, sizeof(before));
	clock_stop(&clock_);
	fake_time_advance(60000 * MS);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_ADVANCE, &error), 0);
	after = page();
	assert_int_not_equal(after.sequence, before.sequence);
	assert_int_not_equal(after.sequence, SC_PAGE_SEQUENCE_INVALID);
	/* No reading changes. */
	assert_true(after.scale == before.scale && after.offset == before.offset);
	assert_int_equal(set(0, SC_REG_REFERENCE_TSC, PAGE | SC_REFERENCE_TSC_ENABLE), SC_HV_SUCCESS);
	assert_int_not_equal(page().sequence, after.sequence);
}

/* ---- Timers that are late ---- */

static void expect_late(uint32_t vp, uint32_t timer, enum late_delay delay, uint64_t since_ns)
{
	struct late_timer late[LATE_TIMERS_MAX];

	assert_int_equal(late_timers(&clock_, late), 1);
	assert_int_equal(late[0].vp, vp);
	assert_int_equal(late[0].timer, timer);
	assert_int_equal(late[0].delay, delay);
	assert_in_range(late[0].since.v, since_ns - MS, since_ns + MS);
}

static void expect_none_late(void)
{
	struct late_timer late[LATE_TIMERS_MAX];

	assert_int_equal(late_timers(&clock_, late), 0);
}

static void test_overdue(void **state)
{
	(void)state;
	start(0);
	set(1, SC_REG_STIMER0_CONFIG + 4, DIRECT);
	set(1, SC_REG_STIMER0_COUNT + 4, reference() + REFS(10 * MS));
	fake_time_advance(1009 * MS);
	expect_none_late();
	fake_time_advance(2001 * MS);
	/* The thread of the timers does not run. */
	expect_late(1, 2, LATE_OVERDUE, 3000 * MS);
	clock_stop(&clock_);
	expect_none_late();
	clock_start(&clock_, SC_CLOCK_FREEZE, &error);
	serve_timer();
	expect_none_late();
}

static void test_waits(void **state)
{
	(void)state;
	start(0);
	fake_vm_of(&vm)->active[0] = 1u << INTID;
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(10 * MS));
	pass(10 * MS);
	expect_none_late();
	fake_time_advance(5000 * MS);
	expect_late(0, 0, LATE_WAITS, 5000 * MS);
}

static void test_asserted(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT | PERIODIC);
	set(0, SC_REG_STIMER0_COUNT, REFS(10 * MS));
	pass(10 * MS);
	assert_true(line(0));
	for (int n = 0; n < 4; n++) {
		fake_time_advance(1000 * MS);
		/* Another vCPU's work has the timers looked at: periods pass, the line stays as it was. */
		set(1, SC_REG_STIMER0_CONFIG, DIRECT);
	}
	expect_late(0, 0, LATE_ASSERTED, 4000 * MS);
	set(0, SC_REG_STIMER0_COUNT, REFS(10 * MS));
	expect_none_late();
	pass(10 * MS);
	expect_none_late();
}

static void test_delay_names(void **state)
{
	(void)state;
	assert_string_equal(late_delay_name(LATE_OVERDUE), "overdue");
	assert_string_equal(late_delay_name(LATE_WAITS), "waits");
	assert_string_equal(late_delay_name(LATE_ASSERTED), "asserted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_slewed),	TEST(test_suspended),	    TEST(test_set_when_it_moves),
		TEST(test_fires_twice), TEST(test_storm_of_levels), TEST(test_storm_of_edges),
		TEST(test_gap_is_told), TEST(test_overdue),	    TEST(test_waits),
		TEST(test_asserted),	TEST(test_delay_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
