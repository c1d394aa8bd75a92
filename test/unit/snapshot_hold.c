/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest whose clock is the raw counter in a file: it stands in a hold there, and to restore it is to return from
 * that.
 */
#include "snapshot_fixture.h"
#include "../fake/driver.h"
#include "../fake/guest_call.h"

#include <errno.h>
#include <string.h>

#define FROM_HZ 25000000u
#define TO_HZ 1000000000u

static struct driver driver;

static void open_guest(uint32_t to_hz, bool prepares, bool holds)
{
	pair_open(&pair, FROM_HZ, to_hz, 1, SEED);
	pair_load_driver(&pair);
	driver = (struct driver){ .machine = &pair.source, .prepares = prepares, .holds = holds };
	driver_start(&driver);
}

static void test_returns_from_its_hold(void **state)
{
	const struct host_vcpu *vcpu = &pair.target.vcpus.vcpu[0].host;

	(void)state;
	open_guest(TO_HZ, true, true);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(report.level, SC_LEVEL_COOPERATIVE);
	assert_int_equal(restore(NULL, false), 0);
	assert_int_equal(pair.target.restored.level, SC_LEVEL_COOPERATIVE);
	machine_run_loaded(&pair.target);
	assert_true(fake_vcpu_wait_inside(vcpu, true));
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0), 1ull << 32);
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0 + 6), TO_HZ);
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0 + 7), SC_HOLD_MOVED);
}

static void test_goes_on_if_it_cannot_be_saved(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, true);
	fake_fail(&pair.host[0], FAKE_GIC_SAVE, 0, 1, EIO);
	assert_true(save(SC_CLOCK_FREEZE) < 0);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	assert_true(driver_wait_raw(&driver, FROM_HZ));
	assert_false(clock_is_held(&pair.source.clock));
	assert_true(fake_vcpu_wait_inside(&pair.source.vcpus.vcpu[0].host, true));
}

/* On the page it can go anywhere; on the raw counter only to a host of its rate. */
static void test_does_not_hold(void **state)
{
	(void)state;
	open_guest(TO_HZ, true, false);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(report.level, SC_LEVEL_REFERENCE);
	assert_int_equal(restore(NULL, false), 0);
	assert_int_equal(pair.target.restored.level, SC_LEVEL_REFERENCE);
}

static void test_does_not_answer(void **state)
{
	(void)state;
	unlink(path);
	open_guest(TO_HZ, false, false);
	/* A file of less worth than was to be expected is made only for an operator who says so. */
	assert_int_equal(save(SC_CLOCK_FREEZE), -ETIME);
	assert_non_null(strstr(error.text, "save it all the same with --force"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	assert_int_equal(save_by(SC_CLOCK_FREEZE, true, NULL), 0);
	assert_int_equal(report.level, SC_LEVEL_NONE);
	assert_true(restore(NULL, false) < 0);
	assert_non_null(strstr(error.text, "from a counter of 25 MHz"));
	assert_non_null(strstr(error.text, "to one of 1000 MHz"));
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
}

static void test_does_not_answer_same_rate(void **state)
{
	(void)state;
	open_guest(FROM_HZ, false, false);
	assert_int_equal(save_by(SC_CLOCK_FREEZE, true, NULL), 0);
	assert_int_equal(restore(NULL, false), 0);
}

/* Called off before it begins, of a guest that is waited for and of one that is paused; too late once it is there. */
static void test_called_off(void **state)
{
	struct gate gate;

	(void)state;
	unlink(path);
	open_guest(TO_HZ, false, false);
	for (int paused = 0; paused < 2; paused++) {
		assert_int_equal(gate_open(&gate, &error), 0);
		assert_true(gate_cancel(&gate));
		assert_int_equal(save_by(SC_CLOCK_FREEZE, true, &gate), -ECANCELED);
		assert_string_equal(error.text, "the save was cancelled");
		assert_int_equal(access(path, F_OK), -1);
		gate_close(&gate);
		fake_host_use(&pair.host[0]);
		assert_int_equal(machine_pause(&pair.source, &error), 0);
	}
	assert_int_equal(gate_open(&gate, &error), 0);
	assert_int_equal(save_by(SC_CLOCK_FREEZE, true, &gate), 0);
	assert_false(gate_cancel(&gate));
	gate_close(&gate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_returns_from_its_hold), TEST(test_goes_on_if_it_cannot_be_saved), TEST(test_does_not_hold),
		TEST(test_does_not_answer),	  TEST(test_does_not_answer_same_rate),	    TEST(test_called_off),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
