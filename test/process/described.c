/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that a file describes, and what becomes of a description: options beside it, a migration, a saved file, and
 * hosts where things have other names.
 */
#include "fixture/node.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_SIZE 2048

static struct node altra, grace;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000,counter=5000000");
	return result;
}

/* A description of a guest that prints, with further fields. */
static void describe_at(const char *path, const char *fields)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "{\"kernel\": \"%s\", \"memory_mib\": 64, \"command_line\": \"guest=printing\"%s}",
		 node_kernel(), fields);
	process_write(path, text, strlen(text));
}

static const char *description(const char *fields)
{
	const char *path = node_path(&altra, "json");

	describe_at(path, fields);
	return path;
}

/* A field of the description of the guest that runs there. */
static void expect_field(const struct node *node, const char *field, const char *value)
{
	json_t *status = node_status(node, "guest");
	const json_t *machine = json_object_get(status, "machine");
	char *text = json_dumps(json_object_get(machine, field), JSON_ENCODE_ANY | JSON_COMPACT);

	assert_string_equal(text ? text : "none", value);
	free(text);
	json_decref(status);
}

/* ---- Run ---- */

static void test_config(void **state)
{
	(void)state;
	node_start(&altra, "run", "guest", "--config", description(", \"vcpus\": 2, \"on_panic\": \"exit\""),
		   "--console", node_path(&altra, "guest.console"), NULL);
	node_wait_state(&altra, "guest", "running");
	node_runs_on(&altra, "guest");
	expect_field(&altra, "vcpus", "2");
	expect_field(&altra, "memory_mib", "64");
	expect_field(&altra, "model", "3");
	expect_field(&altra, "command_line", "\"guest=printing\"");
	expect_field(&altra, "on_reboot", "\"exit\"");
	expect_field(&altra, "disks", "[]");
	expect_field(&altra, "initrd", "none");
}

static void test_config_and_options(void **state)
{
	(void)state;
	node_start(&altra, "run", "guest", "--config", description(", \"vcpus\": 2"), "--vcpus", "3", "--append",
		   "guest=idle", NULL);
	node_wait_state(&altra, "guest", "running");
	expect_field(&altra, "vcpus", "3");
	expect_field(&altra, "memory_mib", "64");
	expect_field(&altra, "command_line", "\"guest=idle\"");
}

static void test_named(void **state)
{
	struct process *monitor;

	(void)state;
	assert_int_equal(setenv("SEACLOCK_CONFIG_DIR", process_path("configured"), 1), 0);
	assert_int_equal(mkdir(process_path("configured"), 0700), 0);
	assert_int_equal(mkdir(process_path("configured/machines"), 0700), 0);
	describe_at(process_path("configured/machines/guest.json"), ", \"vcpus\": 2");
	node_expect_refused(&altra, node_command(&altra, "run", "other", NULL), "/configured/machines/other.json");
	monitor = node_start(&altra, "run", "guest", "--memory", "65", NULL);
	node_wait_state(&altra, "guest", "running");
	expect_field(&altra, "vcpus", "2");
	expect_field(&altra, "memory_mib", "65");
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_null(strstr(process_text(monitor->errors), "is not read"));
	/* With --kernel it is not read. */
	monitor = node_start(&altra, "run", "guest", "--kernel", node_kernel(), "--append", "guest=idle", NULL);
	node_wait_state(&altra, "guest", "running");
	expect_field(&altra, "vcpus", "1");
	assert_non_null(strstr(process_text(monitor->errors), "/configured/machines/guest.json is not read, because"));
	unsetenv("SEACLOCK_CONFIG_DIR");
}

static void test_bad_configs(void **state)
{
	static const char *const cases[][2] = {
		{ ", \"colour\": \"blue\"", "json: colour is no field of a description: see seaclock.json(5)" },
		{ ", \"vcpus\": 9", "json: vcpus takes 1 to 8, not 9" },
		{ ", \"memory_mib\": 64", "json: it is not JSON in line 1, column" },
		{ ", \"initrd\": \"initrd\"", "json: initrd takes an absolute path, not `initrd`" },
		{ ", \"initrd\": \"/none/initrd\"", "/none/initrd" },
		{ ", \"on_reboot\": \"halt\"", "json: on_reboot takes \"exit\" or \"reset\"" },
		{ ", \"disks\": [{\"where\": \"/a\"}, {\"where\": \"/b\", \"serial\": \"no blanks\"}]",
		  "json: disks[1].serial takes up to 20 visible characters of ASCII, without blanks" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		node_expect_refused(&altra,
				    node_command(&altra, "run", "guest", "--config", description(cases[n][0]), NULL),
				    cases[n][1]);
}

/* ---- Elsewhere ---- */

/* A file for a disk, by two of its names. */
static const char *disk_here(void)
{
	const char *path = process_path("disk");
	static const char content[4096];

	process_write(path, content, sizeof(content));
	return path;
}

static const char *disk_there(void)
{
	return process_path("./disk");
}

static struct process *run_with_disk(void)
{
	struct process *process;
	char fields[TEXT_SIZE / 2];

	snprintf(fields, sizeof(fields),
		 ", \"on_panic\": \"reset\", \"disks\": [{\"where\": \"%s\", \"serial\": \"A1\"}]", disk_here());
	process = node_start(&altra, "run", "guest", "--config", description(fields), "--console",
			     node_path(&altra, "guest.console"), NULL);
	node_wait_state(&altra, "guest", "running");
	return process;
}

static void expect_disk(const struct node *node, const char *where)
{
	char disks[TEXT_SIZE];

	snprintf(disks, sizeof(disks), "[{\"where\":\"%s\",\"readonly\":false,\"serial\":\"A1\",\"reconnect_s\":60}]",
		 where);
	expect_field(node, "disks", disks);
	expect_field(node, "on_panic", "\"reset\"");
	expect_field(node, "command_line", "\"guest=printing\"");
}

static void test_migrated(void **state)
{
	char option[TEXT_SIZE];
	struct process *monitor;

	(void)state;
	monitor = run_with_disk();
	snprintf(option, sizeof(option), "0=%s", disk_there());
	node_receive_with(&grace, "--disk", option);
	assert_int_equal(
		node_command(&altra, "migrate", "guest", grace.address, "--force", "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&grace, "guest");
	expect_disk(&grace, disk_there());
}

static void test_migrated_wrongly(void **state)
{
	struct process *receiver;

	(void)state;
	run_with_disk();
	receiver = node_receive_with(&grace, "--disk", "1=/srv/disk");
	node_expect_refused(
		&altra,
		node_command(&altra, "migrate", "guest", grace.address, "--force", "--max-step", "100000", NULL),
		"--disk names disk 1 here; the number of guest's disks is 1");
	node_runs_on(&altra, "guest");
	assert_false(process_has_ended(receiver));
	expect_disk(&altra, disk_here());
}

/* A machine that may start anew there needs its files there; another one does not. */
static void test_migrated_without_files(void **state)
{
	const struct {
		const char *action, *option, *file;
	} cases[] = {
		{ "reset", "--kernel", "/none/Image" },
		{ "reset", "--initrd", "/tmp" },
		{ "exit", "--kernel", "/none/Image" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		bool fails = !strcmp(cases[n].action, "reset");
		char words[128], fields[64];
		struct process *monitor, *receiver;
		int status;

		snprintf(words, sizeof(words), "when its guest is reset: put it there, or name it on this host with %s",
			 cases[n].option);
		snprintf(fields, sizeof(fields), ", \"on_reboot\": \"%s\"", cases[n].action);
		monitor = node_start(&altra, "run", "guest", "--config", description(fields), "--console",
				     node_path(&altra, "guest.console"), NULL);
		node_wait_state(&altra, "guest", "running");
		receiver = node_receive_with(&grace, cases[n].option, cases[n].file);
		status = node_command(&altra, "migrate", "guest", grace.address, "--force", "--dry-run", NULL);
		if (fails)
			node_expect_refused(&altra, status, words);
		else
			assert_int_equal(status, 0);
		assert_true(node_state_is(&altra, "guest", "running"));
		process_signal(receiver, SIGTERM);
		process_wait(receiver);
		process_signal(monitor, SIGTERM);
		process_wait(monitor);
	}
}

static void test_saved(void **state)
{
	const char *file = process_path("guest.save");
	char option[TEXT_SIZE];
	struct process *monitor;

	(void)state;
	monitor = run_with_disk();
	assert_int_equal(node_command(&altra, "save", "guest", file, "--force", NULL), 0);
	assert_int_equal(process_wait(monitor), 7);
	assert_int_equal(node_command(&grace, "restore", file, "--disk", "1=/srv/disk", NULL), 1);
	assert_non_null(strstr(grace.errors, "--disk names disk 1 here; the number of guest's disks is 1"));
	snprintf(option, sizeof(option), "0=%s", disk_there());
	node_expect_refused(&grace,
			    node_command(&grace, "restore", file, "--disk", option, "--kernel", "/none/Image", NULL),
			    "/none/Image");
	node_start(&grace, "restore", file, "--disk", option, "--kernel", process_path("./Image"), NULL);
	node_wait_state(&grace, "guest", "running");
	expect_disk(&grace, disk_there());
	snprintf(option, sizeof(option), "\"%s\"", process_path("./Image"));
	expect_field(&grace, "kernel", option);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_config),
		TEST(test_config_and_options),
		TEST(test_named),
		TEST(test_bad_configs),
		TEST(test_migrated),
		TEST(test_migrated_wrongly),
		TEST(test_migrated_without_files),
		TEST(test_saved),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
