/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest of each level may do: move to a host of another rate, and to one of the same. */
#include "fixture/node.h"

#include <string.h>

static struct node altra, grace;
static struct process *monitor;
static struct node_moment start;

static const char source[] = "hz=25000000,counter=99887766,prepare_ms=1000,hold_ms=1000";
static const char faster[] = "hz=1000000000,counter=123";
static const char slower[] = "hz=13000000,counter=99999999999";
static const char pageless[] = "hz=10000000,counter=1";
static const char alike[] = "hz=25000000,counter=4444444";

static void begin(const char *target, const char *guest, const char *level)
{
	node_make(&altra, "altra", source);
	node_make(&grace, "grace", target);
	monitor = node_run(&altra, "guest", guest);
	node_receive(&grace);
	node_wait_level(&altra, "guest", level);
	node_runs_on(&altra, "guest");
	start = node_look(&altra, "guest");
}

static int migrate(const char *option)
{
	return node_command(&altra, "migrate", "guest", grace.address, "--max-step", "100000", option, NULL);
}

static unsigned int said_by_guest(const struct node *node, const char *text)
{
	return process_count(node_path(node, "guest.console"), text);
}

static void expect_moved(const char *option, const char *level)
{
	assert_int_equal(migrate(option), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_wait_state(&grace, "guest", "running");
	node_runs_on(&grace, "guest");
	node_expect_time(&grace, "guest", &start, 0, 100000000);
	node_wait_level(&grace, "guest", level);
}

static void expect_refused(const char *words)
{
	node_expect_refused(&altra, migrate(NULL), words);
	node_wait_state(&altra, "guest", "running");
	node_expect_nobody(&grace, "guest");
	node_runs_on(&altra, "guest");
	node_expect_time(&altra, "guest", &start, 0, 100000000);
}

/* ---- None ---- */

static void test_none(void **state)
{
	(void)state;
	begin(faster, "guest=printing", "none");
	expect_refused(
		"a counter of 25 MHz to one of 1000 MHz, at 40.00 times the rate: it is not on the reference clock");
}

static void test_none_slower(void **state)
{
	(void)state;
	begin(slower, "guest=printing", "none");
	expect_refused("from a counter of 25 MHz to one of 13 MHz, at 0.52 times the rate");
}

static void test_none_by_force(void **state)
{
	(void)state;
	begin(faster, "guest=printing", "none");
	expect_moved("--force", "none");
}

static void test_none_alike(void **state)
{
	(void)state;
	begin(alike, "guest=printing", "none");
	expect_moved(NULL, "none");
}

/* A guest that has not said anything at all. */
static void test_idle_alike(void **state)
{
	(void)state;
	node_make(&altra, "altra", source);
	node_make(&grace, "grace", alike);
	monitor = node_run(&altra, "guest", "guest=idle");
	node_receive(&grace);
	assert_int_equal(migrate(NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_wait_state(&grace, "guest", "running");
}

/* ---- Reference ---- */

static void test_reference(void **state)
{
	(void)state;
	begin(faster, "guest=reference", "reference");
	expect_moved(NULL, "reference");
}

static void test_reference_slower(void **state)
{
	(void)state;
	begin(slower, "guest=reference", "reference");
	expect_moved(NULL, "reference");
}

static void test_reference_alike(void **state)
{
	(void)state;
	begin(alike, "guest=reference", "reference");
	expect_moved(NULL, "reference");
}

/* There and back, on the same two hosts. */
static void test_reference_and_back(void **state)
{
	struct process *there = NULL;

	(void)state;
	begin(faster, "guest=reference", "reference");
	expect_moved(NULL, "reference");
	there = node_receive(&altra);
	assert_int_equal(node_command(&grace, "migrate", "guest", altra.address, "--max-step", "100000", NULL), 0);
	node_wait_state(&altra, "guest", "running");
	node_runs_on(&altra, "guest");
	node_expect_time(&altra, "guest", &start, 0, 200000000);
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(there), 6);
}

/* ---- Inferred ---- */

static void test_inferred(void **state)
{
	json_t *status;

	(void)state;
	begin(faster, "guest=undeclared", "reference");
	status = node_status(&altra, "guest");
	assert_true(json_is_true(json_object_get(status, "inferred")));
	assert_true(json_is_true(json_object_get(status, "on_page")));
	json_decref(status);
	expect_refused("say so with --inferred");
	node_expect_refused(&altra, migrate("--dry-run"), "say so with --inferred");
	expect_moved("--inferred", "reference");
	assert_int_equal(process_count(monitor->errors, "its level reference is inferred"), 1);
}

static void test_inferred_by_force(void **state)
{
	(void)state;
	begin(faster, "guest=undeclared", "reference");
	expect_moved("--force", "reference");
}

static void test_inferred_alike(void **state)
{
	(void)state;
	begin(alike, "guest=undeclared", "reference");
	expect_moved(NULL, "reference");
}

/* In there, it could not get out again. */
static void test_inferred_without_page(void **state)
{
	(void)state;
	begin(pageless, "guest=undeclared", "reference");
	node_expect_refused(&altra, migrate("--inferred"), "from there it could not be moved to another rate");
	expect_refused("from there it could not be moved to another rate");
}

/* ---- Cooperative ---- */

static void expect_held(const char *target, const char *raw)
{
	begin(target, "guest=cooperative", "cooperative");
	expect_moved(NULL, "cooperative");
	assert_int_equal(said_by_guest(&altra, "declared raw 25000000\n"), 1);
	assert_int_equal(said_by_guest(&altra, "declared page\n"), 1);
	process_wait_text(node_path(&grace, "guest.console"), "held moved\n", 1);
	process_wait_text(node_path(&grace, "guest.console"), raw, 1);
}

static void test_cooperative(void **state)
{
	(void)state;
	expect_held(faster, "declared raw 1000000000\n");
}

static void test_cooperative_slower(void **state)
{
	(void)state;
	expect_held(slower, "declared raw 13000000\n");
}

/* Nothing is asked for a move to the same rate. */
static void test_cooperative_alike(void **state)
{
	(void)state;
	begin(alike, "guest=cooperative", "cooperative");
	expect_moved(NULL, "cooperative");
	assert_int_equal(said_by_guest(&altra, "declared page\n"), 0);
	assert_int_equal(said_by_guest(&grace, "held"), 0);
}

static void test_does_not_prepare(void **state)
{
	(void)state;
	begin(faster, "guest=stubborn", "cooperative");
	expect_refused("guest was asked to put its clock on the reference page before it moves, and has not done so in "
		       "1000 ms");
}

/* There, where nothing is asked of it, it declares the counter's new rate. */
static void test_does_not_prepare_by_force(void **state)
{
	(void)state;
	begin(faster, "guest=stubborn", "cooperative");
	expect_moved("--force", "cooperative");
	assert_int_equal(said_by_guest(&grace, "held"), 0);
}

/* It moves as it stands, at level reference. */
static void test_does_not_hold(void **state)
{
	(void)state;
	begin(faster, "guest=restless", "cooperative");
	expect_moved(NULL, "cooperative");
	assert_int_equal(said_by_guest(&altra, "declared page\n"), 1);
	assert_int_equal(process_count(monitor->errors, "guest does not hold: it moves as it stands"), 1);
	assert_int_equal(said_by_guest(&grace, "held"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_none_slower),
		TEST(test_none_by_force),
		TEST(test_none_alike),
		TEST(test_idle_alike),
		TEST(test_reference),
		TEST(test_reference_slower),
		TEST(test_reference_alike),
		TEST(test_reference_and_back),
		TEST(test_inferred),
		TEST(test_inferred_by_force),
		TEST(test_inferred_alike),
		TEST(test_inferred_without_page),
		TEST(test_cooperative),
		TEST(test_cooperative_slower),
		TEST(test_cooperative_alike),
		TEST(test_does_not_prepare),
		TEST(test_does_not_prepare_by_force),
		TEST(test_does_not_hold),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
