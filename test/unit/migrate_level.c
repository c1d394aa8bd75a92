/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole migrations, and dry runs of them, of guests that may not follow: both give the same reason, and give it before
 * the guest is asked for anything.
 */
#include "pair_fixture.h"
#include "../fake/driver.h"
#include "../fake/guest_call.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#define FROM_HZ 25000000u
#define TO_HZ 1000000000u

static struct driver driver;

/* A guest of another driver, which declares nothing. */
static void open_undeclared(uint32_t from_hz, uint32_t to_hz)
{
	pair_open(&pair, from_hz, to_hz, 2, 7);
	pair_load_driver(&pair);
	guest_set(vcpu(&pair.source, 0), SC_REG_GUEST_CLOCK, 0);
}

static void open_cooperative(bool chooses_other)
{
	pair_open(&pair, FROM_HZ, TO_HZ, 2, 7);
	pair_load_driver(&pair);
	driver = (struct driver){
		.machine = &pair.source, .prepares = true, .holds = true, .chooses_other = chooses_other
	};
	driver_start(&driver);
	fake_time_set_step(50);
}

static uint32_t asked(void)
{
	return fake_vm_of(&pair.source.vm)->edges[SC_MIGRATION_INTID];
}

/* The dry run and the real one say the same, and the guest has not been asked for anything. */
static void expect_refused(const char *reason)
{
	uint32_t before = asked();

	for (int dry = 1; dry >= 0; dry--) {
		pair.dry_run = dry;
		pair.source_error.text[0] = '\0';
		pair_migrate(&pair);
		if (!strstr(pair.source_error.text, reason))
			fprintf(stderr, "%s\n", pair.source_error.text);
		assert_non_null(strstr(pair.source_error.text, reason));
		assert_true(dry ? pair.dry_run_result != 0 : pair_stayed(&pair));
	}
	/* After the real one it is told that nothing is asked, no more. */
	assert_in_range(asked(), before, before + 1);
}

static void expect_moves(enum sc_level level, bool inferred)
{
	pair.dry_run = true;
	pair_migrate(&pair);
	assert_int_equal(pair.dry_run_result, 0);
	assert_int_equal(pair.report.level, level);
	assert_int_equal(pair.report.inferred, inferred);
	pair.dry_run = false;
	pair_migrate(&pair);
	if (pair.source_state != SOURCE_GONE)
		fprintf(stderr, "%s\n", pair.source_error.text);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(pair.report.level, level);
}

static void test_inferred(void **state)
{
	(void)state;
	open_undeclared(FROM_HZ, TO_HZ);
	expect_refused("say so with --inferred");
	pair.options.terms.inferred = true;
	expect_moves(SC_LEVEL_REFERENCE, true);
}

static void test_inferred_by_force(void **state)
{
	(void)state;
	open_undeclared(FROM_HZ, TO_HZ);
	pair.options.terms.force = true;
	expect_moves(SC_LEVEL_REFERENCE, true);
}

static void test_inferred_same_rate(void **state)
{
	(void)state;
	open_undeclared(FROM_HZ, FROM_HZ);
	expect_moves(SC_LEVEL_REFERENCE, true);
}

/* Neither in, from where it could not get out again, nor out, with the true reason. */
static void test_slow_counter_in(void **state)
{
	(void)state;
	open_undeclared(FROM_HZ, SC_REF_HZ);
	pair.options.terms.inferred = true;
	expect_refused("from there it could not be moved to another rate");
}

static void test_slow_counter_out(void **state)
{
	(void)state;
	open_undeclared(SC_REF_HZ, FROM_HZ);
	pair.options.terms.inferred = true;
	expect_refused("on a counter of 10 MHz or less the reference page is invalid");
}

static void test_slow_counter_declared(void **state)
{
	(void)state;
	pair_open(&pair, FROM_HZ, SC_REF_HZ, 2, 7);
	pair_load_driver(&pair);
	expect_moves(SC_LEVEL_REFERENCE, false);
}

/* Its clockevent was unbound on vCPU 1. */
static void test_timer_unbound(void **state)
{
	(void)state;
	open_cooperative(false);
	guest_set(vcpu(&pair.source, 1), SC_REG_STIMER0_CONFIG, 0);
	expect_refused("vCPU 1 is on and has no synthetic timer");
}

static void *hotplug_thread(void *argument)
{
	fake_host_use(argument);
	poll(NULL, 0, 50);
	guest_set(vcpu(&pair.source, 1), SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID));
	return NULL;
}

/* The same for a moment, for vCPU 1 is just coming online. */
static void test_hotplug(void **state)
{
	pthread_t hotplug;

	(void)state;
	open_cooperative(false);
	guest_set(vcpu(&pair.source, 1), SC_REG_STIMER0_CONFIG, 0);
	pthread_create(&hotplug, NULL, hotplug_thread, &pair.host[0]);
	expect_moves(SC_LEVEL_COOPERATIVE, false);
	pthread_join(hotplug, NULL);
}

/* Its user has chosen another clocksource, and the driver has said so. */
static void test_other_clock(void **state)
{
	(void)state;
	pair_open(&pair, FROM_HZ, TO_HZ, 2, 7);
	pair_load_driver(&pair);
	guest_set(vcpu(&pair.source, 0), SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_HOLDS);
	expect_refused("declares a clock that is neither the reference page nor the raw counter");
}

/* The same while it is waited for: no reason to wait on, and none to call the guest busy. */
static void test_other_clock_meanwhile(void **state)
{
	time_t began = time(NULL);

	(void)state;
	open_cooperative(true);
	pair.limits.prepare_ms = 12000;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "declares a clock that is neither"));
	assert_null(strstr(pair.source_error.text, "busy"));
	assert_true(time(NULL) - began < 10);
	assert_int_equal(machine_known_follow(&pair.source).level, SC_LEVEL_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_inferred),	       TEST(test_inferred_by_force),
		TEST(test_inferred_same_rate), TEST(test_slow_counter_in),
		TEST(test_slow_counter_out),   TEST(test_slow_counter_declared),
		TEST(test_timer_unbound),      TEST(test_hotplug),
		TEST(test_other_clock),	       TEST(test_other_clock_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
