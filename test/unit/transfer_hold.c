/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole migrations of a guest whose clock is the raw counter: it is asked to prepare and to hold, does so or not, and
 * finds the right answer where it goes on.
 */
#include "pair_fixture.h"
#include "../fake/driver.h"
#include "../fake/guest_call.h"

#include <errno.h>
#include <string.h>

#define FROM_HZ 25000000u
#define TO_HZ 1000000000u

static struct driver driver;

static void open_guest(uint32_t to_hz, bool prepares, bool holds)
{
	pair_open(&pair, FROM_HZ, to_hz, 2, 7);
	pair_load_driver(&pair);
	driver = (struct driver){ .machine = &pair.source, .prepares = prepares, .holds = holds };
	driver_start(&driver);
	assert_int_equal(machine_follow(&pair.source, SC_MOVE_ASKED).level, SC_LEVEL_COOPERATIVE);
	assert_int_equal(machine_follow(&pair.source, SC_MOVE_AS_STANDS).level, SC_LEVEL_NONE);
	fake_time_set_step(50);
}

static void expect_moved(enum sc_level level)
{
	if (pair.source_state != SOURCE_GONE)
		fprintf(stderr, "source: %s; target: %s\n", pair.source_error.text, pair.target_error.text);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(machine_get_state(&pair.target), MACHINE_RUNNING);
	assert_true(fake_vcpu_wait_inside(&pair.target.vcpus.vcpu[0].host, true));
	assert_int_equal(pair.report.level, level);
	assert_false(clock_is_held(&pair.target.clock));
	assert_int_equal(pair.target.clock.partition.asked, SC_ASK_NOTHING);
}

/* What the call has left in X0, X6 and X7. */
static void expect_answer(struct machine *machine, uint64_t hz, uint64_t outcome)
{
	const struct host_vcpu *vcpu = &machine->vcpus.vcpu[0].host;

	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0), 1ull << 32);
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0 + 6), hz);
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0 + 7), outcome);
}

static void test_held(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, true);
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_COOPERATIVE);
	expect_answer(&pair.target, TO_HZ, SC_HOLD_MOVED);
	assert_true(pair.report.parts.hold > 0);
	assert_true(pair.report.downtime_ns >= pair.report.parts.hold);
	assert_true(fake_vm_of(&pair.source.vm)->edges[SC_MIGRATION_INTID] >= 2);
	assert_int_equal(machine_follow(&pair.target, SC_MOVE_ASKED).level, SC_LEVEL_COOPERATIVE);
	assert_int_equal(machine_follow(&pair.target, SC_MOVE_AS_STANDS).level, SC_LEVEL_REFERENCE);
}

/* The target fails after the guest has held: the call returns here, and the guest is on its raw clock again. */
static void test_called_off(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, true);
	fake_fail(&pair.host[1], FAKE_GIC_LOAD, 0, 1, EIO);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_true(driver_wait_raw(&driver, FROM_HZ));
	assert_false(clock_is_held(&pair.source.clock));
	assert_int_equal(pair.report.level, SC_LEVEL_COOPERATIVE);
	/* And it can be tried again. */
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_COOPERATIVE);
}

static void test_does_not_prepare(void **state)
{
	(void)state;
	open_guest(TO_HZ, false, true);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_string_equal(pair.source_error.text,
			    "pair was asked to put its clock on the reference page before it moves, and has not done "
			    "so in 300 ms: it is too busy, or hangs; it runs on here");
	assert_int_equal(pair.source.clock.partition.asked, SC_ASK_NOTHING);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
}

static void test_by_force(void **state)
{
	(void)state;
	open_guest(TO_HZ, false, true);
	pair.options.terms.force = true;
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_NONE);
	assert_int_equal(pair.report.parts.hold, 0);
}

/* On the page, but not in a hold: that is enough to follow. */
static void test_does_not_hold(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, false);
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_REFERENCE);
	assert_int_equal(pair.report.parts.hold, 0);
}

/* Nothing is asked of a guest that sees no other rate. */
static void test_same_rate(void **state)
{
	(void)state;
	open_guest(FROM_HZ, false, false);
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_COOPERATIVE);
	assert_int_equal(fake_vm_of(&pair.source.vm)->edges[SC_MIGRATION_INTID], 0);
	assert_int_equal(pair.target.clock.partition.guest_clock >> SC_GUEST_CLOCK_RAW_HZ_SHIFT, FROM_HZ);
}

/* Once the guest was told so often that what is asked has changed. */
static void cancel_after(struct pair *p)
{
	struct fake_vm *vm = fake_vm_of(&p->source.vm);
	const uint32_t *times = p->context;

	while (__atomic_load_n(&vm->edges[SC_MIGRATION_INTID], __ATOMIC_SEQ_CST) < *times)
		usleep(1000);
	gate_cancel(&p->gate);
}

/* The operator calls it off while the guest is being waited for. */
static void cancel(uint32_t times)
{
	pair.limits.prepare_ms = pair.limits.hold_ms = 60000;
	pair.operator= cancel_after;
	pair.context = &times;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_string_equal(pair.source_error.text, "the migration was cancelled");
	assert_int_equal(pair.source.clock.partition.asked, SC_ASK_NOTHING);
}

static void test_cancelled(void **state)
{
	(void)state;
	open_guest(TO_HZ, false, true);
	cancel(1);
}

static void test_cancelled_in_hold(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, false);
	cancel(2);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
}

/* DONE is lost and nobody can be asked: the guest stands in its hold until the operator lets it go on here. */
static size_t tap_loses_go(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)p;
	(void)index;
	(void)size;
	return way == PAIR_TO_TARGET && frame[0] == FRAME_GO ? 0 : PAIR_PASS;
}

/* The operator has an undecided machine go on: it hears, by an interrupt too, that nothing is asked any more. */
static void resume_undecided(bool holds)
{
	struct error error;
	uint64_t edges;

	open_guest(TO_HZ, true, holds);
	pair.tap = tap_loses_go;
	pair.asked = PAIR_ASKED_NOBODY;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_UNDECIDED);
	assert_int_equal(clock_is_held(&pair.source.clock), holds);
	edges = fake_vm_of(&pair.source.vm)->edges[SC_MIGRATION_INTID];
	fake_host_use(&pair.host[0]);
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_ADVANCE, true, &error), 0);
	assert_int_equal(fake_vm_of(&pair.source.vm)->edges[SC_MIGRATION_INTID], edges + 1);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
	assert_false(clock_is_held(&pair.source.clock));
}

static void test_undecided(void **state)
{
	(void)state;
	resume_undecided(true);
}

static void test_undecided_without_hold(void **state)
{
	(void)state;
	resume_undecided(false);
}

/* Half of that is more than the clocks may be apart. */
static size_t tap_delays(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)way;
	(void)index;
	(void)frame;
	(void)size;
	/* Asked to prepare, to hold, and without a hold to stay prepared. */
	if (fake_vm_of(&p->source.vm)->edges[SC_MIGRATION_INTID] >= (driver.holds ? 2 : 3))
		fake_time_advance(20000000);
	return PAIR_PASS;
}

static void open_slow_guest(bool holds)
{
	open_guest(TO_HZ, true, holds);
	/* By then the hosts' clocks may be 2 ms further apart. Without a hold the guest hesitates once a ms. */
	driver.hesitates_ns = holds ? 10000000000 : 100000000;
	if (holds)
		pair.limits.hold_ms = 200000;
	pair.options.max_step_us = 1000;
}

static void test_compares_anew(void **state)
{
	(void)state;
	open_slow_guest(true);
	pair_migrate(&pair);
	expect_moved(SC_LEVEL_COOPERATIVE);
	assert_true(pair.report.stated_bound_ns <= 1000000 + SC_REF_NS);
}

/* It is called off, and the guest goes on here as it was. */
static void compare_unevenly(bool holds)
{
	open_slow_guest(holds);
	pair.tap = tap_delays;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	if (!strstr(pair.source_error.text, "once pair was asked to hold, the hosts' clocks could be"))
		fail_msg("it says: %s", pair.source_error.text);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
	assert_false(clock_is_held(&pair.source.clock));
}

/* A second each way. */
static size_t tap_delays_long(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)way;
	(void)index;
	(void)frame;
	(void)size;
	if (clock_is_held(&p->source.clock))
		fake_time_advance(1000000000);
	return PAIR_PASS;
}

/* A guest in a hold stands still: the other side has 10 s for all that it does from there on, however little each is.
 */
static void test_slow_in_hold(void **state)
{
	(void)state;
	open_slow_guest(true);
	pair.tap = tap_delays_long;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	if (!strstr(pair.source_error.text, "the other side took more than 10 s while the guest was stopped"))
		fail_msg("it says: %s", pair.source_error.text);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
}

static void test_too_uneven_in_hold(void **state)
{
	(void)state;
	compare_unevenly(true);
}

static void test_too_uneven_without_hold(void **state)
{
	(void)state;
	compare_unevenly(false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_held),
		TEST(test_called_off),
		TEST(test_does_not_prepare),
		TEST(test_by_force),
		TEST(test_does_not_hold),
		TEST(test_same_rate),
		TEST(test_cancelled),
		TEST(test_cancelled_in_hold),
		TEST(test_undecided),
		TEST(test_undecided_without_hold),
		TEST(test_compares_anew),
		TEST(test_slow_in_hold),
		TEST(test_too_uneven_in_hold),
		TEST(test_too_uneven_without_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
