/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program is replaced while a machine runs from it, as by a package's upgrade: the machine goes on, and its status
 * says so.
 */
#include "fixture/installed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GUEST "guest"
#define SENTENCE "another program has been installed here"

static struct node altra;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	return result;
}

static void expect_replaced(bool expected)
{
	json_t *status = node_status(&altra, GUEST), *replaced = json_object_get(status, "program_replaced");

	assert_true(json_is_boolean(replaced));
	assert_int_equal(json_is_true(replaced), expected);
	json_decref(status);
	assert_int_equal(node_command(&altra, "status", GUEST, NULL), 0);
	assert_int_equal(!!strstr(altra.said, SENTENCE), expected);
}

static void test_upgrade(void **state)
{
	struct process *monitor;

	(void)state;
	installed_put();
	monitor = installed_run(&altra, GUEST, NULL, NULL);
	expect_replaced(false);
	/* It is removed: nothing stands in its place. */
	assert_int_equal(unlink(process_path("seaclock")), 0);
	expect_replaced(false);
	installed_put();
	expect_replaced(true);
	node_runs_on(&altra, GUEST);
	assert_int_equal(node_command(&altra, "stop", GUEST, NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
}

/* The same file under another name is the same program. */
static void test_moved(void **state)
{
	struct process *monitor;

	(void)state;
	installed_put();
	monitor = installed_run(&altra, GUEST, NULL, NULL);
	assert_int_equal(rename(process_path("seaclock"), process_path("elsewhere")), 0);
	expect_replaced(false);
	assert_int_equal(rename(process_path("elsewhere"), process_path("seaclock")), 0);
	expect_replaced(false);
	assert_int_equal(node_command(&altra, "stop", GUEST, NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_upgrade, set_up, process_tear_down),
		cmocka_unit_test_setup_teardown(test_moved, set_up, process_tear_down),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
