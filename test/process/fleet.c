/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts, as the commands that compare them see them: their facts, a baseline and a map of them. */
#include "fixture/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct node altra;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000,counter=5000000000");
	return result;
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Of a host and itself, and of what is no host. */
static void check_baseline(const char *facts)
{
	const char *path = node_path(&altra, "altra.json");

	file_write(path, facts);
	assert_int_equal(node_command(&altra, "baseline", path, path, NULL), 0);
	assert_string_equal(altra.said, "2 of 2 hosts can offer the same processor; registers that differ now: 0\n");
	assert_int_equal(truncate(path, 20), 0);
	node_expect_refused(&altra, node_command(&altra, "baseline", path, NULL),
			    "is no output of `seaclock host --json`");
}

/* A machine of less than the host has, and what it is refused for. */
static void test_cpu(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "{\"cpu\": {\"ID_AA64ISAR0_EL1\": \"0x7000100010211120\"}}",
		  "this host's KVM does not let the machine have 0x7000100010211120 in ID_AA64ISAR0_EL1 (" },
		{ "{\"cpu\": {\"MIDR_EL1\": \"0x1\"}}",
		  "this host's KVM does not let the machine have 0x1 in MIDR_EL1 (" },
		{ "{\"cpu\": {\"ID_AA64ISAR0_EL1\": \"16\"}}",
		  "is no output of `seaclock baseline --json`: cpu.ID_AA64ISAR0_EL1 takes a text such as \"0x1100\"" },
		{ "{\"hosts\": []}", "is no output of `seaclock baseline --json`: it has no object cpu" },
		{ "{\"cpu\"", "is no output of `seaclock baseline --json`: it is not JSON in line 1" },
	};
	const char *path = node_path(&altra, "cpu.json");
	json_t *status;

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		file_write(path, cases[n].text);
		node_expect_refused(&altra,
				    node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--cpu", path, NULL),
				    cases[n].sentence);
	}
	file_write(path, "{\"cpu\": {\"ID_AA64ISAR0_EL1\": \"0x100010210120\"}}");
	node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--cpu", path, "--append", "guest=printing",
		   "--console", node_path(&altra, "boat.console"), NULL);
	node_wait_state(&altra, "boat", "running");
	status = node_status(&altra, "boat");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(json_object_get(status, "machine"), "cpu"), "ID_AA64ISAR0_EL1")),
			    "0x100010210120");
	json_decref(status);
}

/* Another host like that, with another name and rate. */
static void host_write(const char *like, const char *path, const char *name, json_int_t hz)
{
	json_t *facts = json_loads(like, 0, NULL);
	char *text;

	json_object_set_new(facts, "counter_hz", json_integer(hz));
	json_object_set_new(facts, "name", json_string(name));
	text = json_dumps(facts, 0);
	file_write(path, text);
	free(text);
	json_decref(facts);
}

/* Two hosts at other rates, one of them twice, with a name that has to be quoted. */
static void test_map(void **state)
{
	const char *slow = node_path(&altra, "slow.json"), *fast = node_path(&altra, "fast.json");

	(void)state;
	assert_int_equal(node_command(&altra, "host", "--json", NULL), 0);
	file_write(slow, altra.said);
	host_write(altra.said, fast, "a \"b\"", 1000000000);
	assert_int_equal(node_command(&altra, "map", slow, fast, slow, NULL), 0);
	assert_string_equal(altra.said, "3 hosts, of which 2 differ\n"
					"fake (2 alike, 25.000000 MHz): fake fake\n"
					"a \"b\" (1 alike, 1000.000000 MHz): a \"b\"\n"
					"fake to a \"b\": guests at level reference or higher\n"
					"a \"b\" to fake: guests at level reference or higher\n");
	assert_int_equal(node_command(&altra, "map", slow, fast, "--dot", NULL), 0);
	assert_non_null(strstr(altra.said, "\tg1 [label=\"a \\\"b\\\"\\n1000.000000 MHz\"]\n"));
	assert_non_null(strstr(altra.said, "\tg0 -> g1 [label=\"reference\"]\n"));
	assert_int_equal(node_command(&altra, "map", slow, fast, "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"level\": \"reference\""));
	assert_int_equal(node_command(&altra, "map", slow, "--json", "--dot", NULL), 2);
}

/* What the map of two hosts says of this machine, behind its lines of the groups. */
static void check_ways(const char *name, const char *text)
{
	const char *line;

	assert_int_equal(node_command(&altra, "map", node_path(&altra, "slow.json"), node_path(&altra, "fast.json"),
				      "--machine", name, NULL),
			 0);
	line = strstr(altra.said, name);
	assert_non_null(line);
	assert_string_equal(line, text);
}

static void set_up_hosts(void)
{
	assert_int_equal(node_command(&altra, "host", "--json", NULL), 0);
	file_write(node_path(&altra, "slow.json"), altra.said);
	host_write(altra.said, node_path(&altra, "fast.json"), "fast", 1000000000);
}

/* One that runs, at each of the levels that have a say. */
static void test_map_machine(void **state)
{
	const char *fast;

	(void)state;
	set_up_hosts();
	fast = node_path(&altra, "fast.json");
	node_expect_refused(&altra, node_command(&altra, "map", fast, "--machine", "boat", NULL), "boat");
	node_run(&altra, "boat", "guest=printing");
	node_wait_state(&altra, "boat", "running");
	check_ways("boat", "boat, which runs on fake (25.000000 MHz), level none\n"
			   "to fake: yes, at the same rate\n"
			   "to fast: no: its clock cannot follow another rate: it is not on the reference clock\n");
	node_run(&altra, "ship", "guest=cooperative");
	node_wait_level(&altra, "ship", "cooperative");
	check_ways("ship", "ship, which runs on fake (25.000000 MHz), level cooperative\n"
			   "to fake: yes, at the same rate\n"
			   "to fast: yes, at level cooperative\n");
	fast = node_path(&altra, "fast.json");
	assert_int_equal(node_command(&altra, "map", fast, "--machine", "ship", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"level\": \"cooperative\""));
	assert_int_equal(node_command(&altra, "map", fast, "--machine", "ship", "--dot", NULL), 0);
	assert_non_null(strstr(altra.said, "\tmachine -> g0 [label=\"cooperative\"]\n"));
}

/* One that does not run: its description, with a register that its host does not have so. */
static void test_map_described(void **state)
{
	const char *path;
	char text[1024];

	(void)state;
	set_up_hosts();
	path = node_path(&altra, "boat.json");
	file_write(path, "{\"cpu\": {\"ID_AA64ISAR0_EL1\": \"0x7000100010211120\"}}");
	snprintf(text, sizeof(text),
		 "%s, if it runs on fake (25.000000 MHz)\n"
		 "to fake: no: ID_AA64ISAR0_EL1: RNDR is 0x7, and 0x0 there; a baseline of both would fit\n"
		 "to fast: no: ID_AA64ISAR0_EL1: RNDR is 0x7, and 0x0 there; a baseline of both would fit\n",
		 path);
	check_ways(path, text);
	file_write(path, "{}");
	snprintf(text, sizeof(text),
		 "%s, if it runs on fake (25.000000 MHz)\n"
		 "to fake: yes, at the same rate\n"
		 "to fast: yes, at level reference or higher\n",
		 path);
	check_ways(path, text);
	file_write(path, "{\"cpu\": 1}");
	node_expect_refused(&altra,
			    node_command(&altra, "map", node_path(&altra, "slow.json"), "--machine", path, NULL),
			    "cpu takes an object with a member for each register");
}

static void test_host(void **state)
{
	(void)state;
	assert_int_equal(node_command(&altra, "host", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"counter_hz\": 25000000,"));
	check_baseline(altra.said);
	altra.host = "hz=25000000,without_kvm=2";
	node_expect_refused(&altra, node_command(&altra, "host", NULL), "");
	node_expect_refused(&altra, node_command(&altra, "receive", NULL), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cpu), TEST(test_map), TEST(test_map_machine), TEST(test_map_described), TEST(test_host),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
