/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that was told MIDR_EL1, and one that was not, between hosts of unlike processors: what the baseline and the
 * map say is what a dry run and a migration then do.
 */
#include "fixture/node.h"

#include <stdio.h>
#include <string.h>

#define OTHERS "hz=25000000,counter=77,midr=0x414fd0b1"
#define REFUSAL                                                                                                        \
	"this host's KVM does not let the machine have 0x413fd0c1 in MIDR_EL1 (Invalid argument): that of Linux 6.15 " \
	"and newer does"

/* Two processors: the KVM of one host lets MIDR_EL1 be written, those of the others do not. */
static struct node altra, grace, bound;

static void facts_write(struct node *node)
{
	assert_int_equal(node_command(node, "host", "--json", NULL), 0);
	process_write(node_path(node, "json"), node->said, strlen(node->said));
}

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000,midr=0x413fd0c1");
	node_make(&grace, "grace", OTHERS ",writable_midr=0xffffffff");
	node_make(&bound, "bound", OTHERS);
	facts_write(&altra);
	facts_write(&grace);
	facts_write(&bound);
	return result;
}

/* What the map says of the machine that runs here, to the host there. */
static void expect_map(struct node *here, const struct node *there, const char *words)
{
	assert_int_equal(node_command(here, "map", node_path(there, "json"), "--machine", "guest", NULL), 0);
	if (!strstr(here->said, words))
		fail_msg("instead of \"%s\" the map says: %s", words, here->said);
}

static int migrate(struct node *here, const struct node *there, const char *option)
{
	return node_command(here, "migrate", "guest", there->address, "--max-step", "100000", option, NULL);
}

/* The map, a dry run and the migration say the same; the machine runs on. */
static void expect_stays(struct node *here, struct node *there, const char *map, const char *words)
{
	expect_map(here, there, map);
	node_receive(there);
	node_expect_refused(here, migrate(here, there, "--dry-run"), words);
	node_expect_refused(here, migrate(here, there, NULL), words);
	node_expect_nobody(there, "guest");
	node_runs_on(here, "guest");
}

static void expect_moves(struct node *here, struct node *there)
{
	expect_map(here, there, "to fake: yes, at the same rate\n");
	node_receive(there);
	assert_int_equal(migrate(here, there, "--dry-run"), 0);
	assert_int_equal(migrate(here, there, NULL), 0);
	node_wait_state(there, "guest", "running");
	node_runs_on(there, "guest");
}

static void expect_told(const struct node *node, const char *value)
{
	json_t *status = node_status(node, "guest");
	const json_t *cpu = json_object_get(json_object_get(status, "machine"), "cpu");
	const char *midr = json_string_value(json_object_get(cpu, "MIDR_EL1"));

	assert_int_equal(!midr, !value);
	if (value)
		assert_string_equal(midr, value);
	json_decref(status);
}

/* The largest processor of both. */
static const char *baseline_of(struct node *one, const struct node *other)
{
	const char *path = process_path("cpu.json");

	assert_int_equal(
		node_command(one, "baseline", "--json", node_path(one, "json"), node_path(other, "json"), NULL), 0);
	process_write(path, one->said, strlen(one->said));
	return path;
}

static void test_untold(void **state)
{
	(void)state;
	node_run(&altra, "guest", "guest=printing");
	expect_told(&altra, NULL);
	expect_stays(&altra, &grace,
		     "to fake: no: MIDR_EL1: its value is 0x413fd0c1, and 0x414fd0b1 there; a baseline of both would "
		     "fit\n",
		     "refuses a vCPU's register");
	expect_stays(&altra, &bound, "to fake: no: MIDR_EL1: its value is 0x413fd0c1, and 0x414fd0b1 there\n",
		     "refuses a vCPU's register");
}

/* There and back: it keeps what it was told where that is what the host has, too. */
static void test_told(void **state)
{
	(void)state;
	node_run_with(&altra, "guest", "guest=printing", "--cpu", baseline_of(&altra, &grace));
	expect_told(&altra, "0x413fd0c1");
	expect_moves(&altra, &grace);
	expect_told(&grace, "0x413fd0c1");
	expect_stays(&grace, &bound, "to fake: no: MIDR_EL1: its value is 0x413fd0c1, and 0x414fd0b1 there", REFUSAL);
	expect_moves(&grace, &altra);
	expect_told(&altra, "0x413fd0c1");
	expect_moves(&altra, &grace);
}

static void test_saved(void **state)
{
	const char *file = process_path("guest.save");

	(void)state;
	node_run_with(&altra, "guest", "guest=printing", "--cpu", baseline_of(&altra, &grace));
	node_runs_on(&altra, "guest");
	assert_int_equal(node_command(&altra, "save", "guest", file, NULL), 0);
	node_expect_refused(&bound, node_command(&bound, "restore", file, NULL), REFUSAL);
	node_start(&grace, "restore", file, "--console", node_path(&grace, "guest.console"), NULL);
	node_wait_state(&grace, "guest", "running");
	expect_told(&grace, "0x413fd0c1");
	node_runs_on(&grace, "guest");
}

/* No host of these can be told the other's. */
static void test_no_baseline(void **state)
{
	(void)state;
	node_expect_refused(
		&altra, node_command(&altra, "baseline", node_path(&altra, "json"), node_path(&bound, "json"), NULL),
		"1 of 2 hosts cannot be levelled with the others");
	assert_non_null(strstr(altra.said, "its KVM cannot change it; that of Linux 6.15 and newer can"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_untold),
		TEST(test_told),
		TEST(test_saved),
		TEST(test_no_baseline),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
