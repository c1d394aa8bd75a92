/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sandbox around a machine: which of its threads have it, that a guest which has taken over a vCPU ends with a
 * sentence, what an operator sees and may ask for, and that a machine still opens what it opens while it runs. All
 * other tests run their machines in it as well.
 */
#include "fixture/node.h"
#include "../fake/port.h"
#include "../intruder/intruder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORTS_ABI 4

static struct node altra;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000,counter=5000000000");
	return result;
}

/* Of this machine's kernel: what is to be expected of the monitors. */
static long landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	return version > 0 ? version : 0;
}

/* ---- Threads ---- */

static bool has_line(const char *path, const char *line)
{
	return process_count(path, line) == 1;
}

/* How many threads of this name have a filter, and how many have none. */
static unsigned int threads_count(const struct process *monitor, const char *name, bool filtered)
{
	char folder[64], wanted[64], file[128];
	const struct dirent *entry;
	unsigned int count = 0;
	DIR *tasks;

	snprintf(folder, sizeof(folder), "/proc/%d/task", (int)monitor->pid);
	snprintf(wanted, sizeof(wanted), "Name:\t%s\n", name);
	tasks = opendir(folder);
	assert_non_null(tasks);
	while ((entry = readdir(tasks))) {
		snprintf(file, sizeof(file), "%s/%.20s/status", folder, entry->d_name);
		count += entry->d_name[0] != '.' && has_line(file, wanted) &&
			 has_line(file, filtered ? "Seccomp:\t2\n" : "Seccomp:\t0\n");
	}
	closedir(tasks);
	return count;
}

static void expect_facts(bool calls, bool files, bool ports)
{
	json_t *status = node_status(&altra, "boat");
	const json_t *sandbox = json_object_get(status, "sandbox");

	assert_int_equal(json_is_true(json_object_get(sandbox, "calls")), calls);
	assert_int_equal(json_is_true(json_object_get(sandbox, "files")), files);
	assert_int_equal(json_is_true(json_object_get(sandbox, "ports")), ports);
	json_decref(status);
}

static struct process *run_with_disk(void)
{
	const char *disk = node_path(&altra, "disk");
	FILE *file = fopen(disk, "we");

	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 1 << 20), 0);
	fclose(file);
	return node_run_with(&altra, "boat", "guest=printing", "--disk", disk);
}

static void test_threads(void **state)
{
	static const char *const names[] = { "seaclock", "maker", "vcpu0", "timers", "disk0" };
	struct process *monitor = run_with_disk();

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		assert_int_equal(threads_count(monitor, names[n], true), 1);
	/* The log's, and the console's. */
	assert_int_equal(threads_count(monitor, "writer", true), 2);
	expect_facts(true, landlock_version() > 0, landlock_version() >= PORTS_ABI);
	assert_int_equal(node_command(&altra, "status", "boat", NULL), 0);
	if (landlock_version() >= PORTS_ABI)
		assert_null(strstr(altra.said, "sandbox"));
	assert_int_equal(node_command(&altra, "stop", "boat", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(process_count(monitor->errors, "the sandbox ends"), 0);
}

static void test_off(void **state)
{
	struct process *monitor = node_run_with(&altra, "boat", "guest=printing", "--sandbox", "off");

	(void)state;
	assert_int_equal(threads_count(monitor, "vcpu0", false), 1);
	assert_int_equal(threads_count(monitor, "maker", false), 0);
	expect_facts(false, false, false);
	assert_int_equal(node_command(&altra, "status", "boat", NULL), 0);
	assert_non_null(strstr(altra.said, "\n  there is no sandbox around it\n"));
}

static void test_strict(void **state)
{
	struct process *monitor;

	(void)state;
	if (landlock_version() >= PORTS_ABI) {
		node_run_with(&altra, "boat", "guest=printing", "--sandbox", "strict");
		expect_facts(true, true, true);
		return;
	}
	monitor = node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64", "--sandbox", "strict",
			     NULL);
	node_expect_refused(&altra, node_finish(&altra, monitor), "which --sandbox strict asks for: ");
}

static void test_words(void **state)
{
	struct process *monitor =
		node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--sandbox", "maybe", NULL);

	(void)state;
	assert_int_equal(node_finish(&altra, monitor), 2);
	assert_non_null(strstr(altra.errors, "--sandbox takes on, strict or off, not `maybe`"));
}

/* ---- A guest that has taken over its vCPU ---- */

static void test_escape(void **state)
{
	static const char sentence[] = "seaclock: the sandbox ends this program: its thread `vcpu` has made the system "
				       "call socket, which no thread of its kind makes\n";
	struct process *monitor;

	(void)state;
	monitor = node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64", "--append",
			     "guest=printing end=escape", "--console", node_path(&altra, "boat.console"), NULL);
	assert_int_equal(process_wait(monitor), 1);
	assert_int_equal(process_count(monitor->errors, sentence), 1);
	/* Its name can be had again. */
	node_run(&altra, "boat", "guest=idle");
}

static void test_escape_outside(void **state)
{
	(void)state;
	assert_int_equal(node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64", "--append",
				      "guest=printing end=escape", "--console", node_path(&altra, "boat.console"),
				      "--sandbox", "off", NULL),
			 1);
	assert_non_null(strstr(altra.errors, "left the guest for KVM's reason 99"));
}

/* ---- Somebody who has taken over any thread ---- */

/* By the kernel's name, and by that of their kind. */
static const struct {
	const char *name;
	const char *kind;
} taken[] = {
	{ "seaclock", "main" }, { "writer", "writer" }, { "vcpu0", "vcpu" },
	{ "timers", "timers" }, { "disk0", "disk" },	{ "migration", "migration" },
};

/* A machine that has all of them: its migration waits for somebody who does not answer. */
static struct process *run_with_all(int *silent)
{
	char address[PORT_TEXT_SIZE];
	struct process *monitor = run_with_disk();

	*silent = port_reserve(address);
	assert_true(*silent >= 0);
	assert_int_equal(listen(*silent, 1), 0);
	node_start(&altra, "migrate", "boat", address, NULL);
	for (int ms = 0; intruder_send(monitor->pid, "migration", "code") && ms < 5000; ms += 10)
		usleep(10000);
	process_wait_text(monitor->errors, "intruder: migration tries code: Permission denied\n", 1);
	return monitor;
}

static void test_intruder_refused(void **state)
{
	int silent;
	struct process *monitor = run_with_all(&silent);
	char line[128];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(taken); n++) {
		assert_int_equal(intruder_send(monitor->pid, taken[n].name, "code"), 0);
		snprintf(line, sizeof(line), "intruder: %s tries code: Permission denied\n", taken[n].kind);
		process_wait_text(monitor->errors, line, 1);
	}
	node_runs_on(&altra, "boat");
	close(silent);
}

static void test_intruder_ended(void **state)
{
	struct process *monitor;
	char line[160];
	int silent;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(taken); n++) {
		monitor = run_with_all(&silent);
		assert_int_equal(intruder_send(monitor->pid, taken[n].name, "execute"), 0);
		assert_int_equal(process_wait(monitor), 1);
		snprintf(line, sizeof(line), "its thread `%s` has made the system call execve,", taken[n].kind);
		assert_int_equal(process_count(monitor->errors, line), 1);
		close(silent);
	}
}

/* ---- What is opened while a machine runs ---- */

/* A kernel that was replaced, by another file of its name, is the one that the guest starts anew from. */
static void test_reset_from_new_file(void **state)
{
	const char *kernel = node_path(&altra, "kernel"), *console = node_path(&altra, "boat.console");
	char copy[1024], newer[512];
	struct process *monitor;

	(void)state;
	snprintf(newer, sizeof(newer), "%s.new", kernel);
	snprintf(copy, sizeof(copy), "cp %s %s && cp %s %s", node_kernel(), kernel, kernel, newer);
	assert_int_equal(system(copy), 0);
	monitor = node_start(&altra, "run", "boat", "--kernel", kernel, "--memory", "64", "--append",
			     "guest=printing end=reset lines=20", "--on-reboot", "reset", "--console", console, NULL);
	process_wait_text(console, "line 1 ", 1);
	assert_int_equal(rename(newer, kernel), 0);
	process_wait_text(console, "line 1 ", 2);
	assert_int_equal(node_command(&altra, "stop", "boat", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(process_count(monitor->errors, "cannot start anew"), 0);
}

/* But not by a link to another folder, which whoever may write the first one could make. */
static void test_reset_from_elsewhere(void **state)
{
	const char *console = node_path(&altra, "boat.console");
	char folder[512], kernel[600], copy[1300];
	struct process *monitor;

	(void)state;
	if (!landlock_version())
		skip();
	snprintf(folder, sizeof(folder), "%s.d", node_path(&altra, "boot"));
	snprintf(kernel, sizeof(kernel), "%s/kernel", folder);
	snprintf(copy, sizeof(copy), "mkdir %s && cp %s %s", folder, node_kernel(), kernel);
	assert_int_equal(system(copy), 0);
	monitor = node_start(&altra, "run", "boat", "--kernel", kernel, "--memory", "64", "--append",
			     "guest=printing end=reset lines=20", "--on-reboot", "reset", "--console", console, NULL);
	process_wait_text(console, "line 1 ", 1);
	assert_int_equal(unlink(kernel), 0);
	assert_int_equal(symlink(node_kernel(), kernel), 0);
	assert_int_equal(process_wait(monitor), 3);
	process_wait_text(monitor->errors, "boat cannot start anew, and ends: cannot open ", 1);
	assert_int_equal(process_count(monitor->errors, "(Permission denied)"), 1);
}

/* In any folder, one after the other: the first save is refused for want of a folder. */
static void test_save_anywhere(void **state)
{
	char folder[512], file[600];
	struct process *monitor = node_run(&altra, "boat", "guest=printing");

	(void)state;
	snprintf(folder, sizeof(folder), "%s.d", node_path(&altra, "saved"));
	snprintf(file, sizeof(file), "%s/boat", folder);
	node_expect_refused(&altra, node_command(&altra, "save", "boat", "/nowhere/boat", NULL),
			    "cannot make a file beside /nowhere/boat (No such file or directory)");
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(node_command(&altra, "save", "boat", file, "--force", NULL), 0);
	assert_int_equal(process_wait(monitor), 7);
	monitor = node_start(&altra, "restore", file, "--console", node_path(&altra, "boat.console"), NULL);
	node_wait_state(&altra, "boat", "running");
	expect_facts(true, landlock_version() > 0, landlock_version() >= PORTS_ABI);
	assert_int_equal(node_command(&altra, "stop", "boat", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_threads),
		TEST(test_off),
		TEST(test_strict),
		TEST(test_words),
		TEST(test_escape),
		TEST(test_escape_outside),
		TEST(test_intruder_refused),
		TEST(test_intruder_ended),
		TEST(test_reset_from_new_file),
		TEST(test_reset_from_elsewhere),
		TEST(test_save_anywhere),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
