/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines in files: saved and restored at another rate and under both policies; what is no such file; a full disk. */
#include "fixture/node.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* CLOCK_REALTIME is read between two readings of the counter, which may lie apart on a busy machine. */
#define TOLERANCE_NS 50000000u

/* Less than any machine needs. */
#define FULL_BYTES 1024u

static struct node altra, grace;
static struct process *monitor;
static struct node_moment start;
static char file[PROCESS_PATH_SIZE];

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000,counter=99887766,prepare_ms=1000,hold_ms=1000");
	node_make(&grace, "grace", "hz=1000000000,counter=123");
	snprintf(file, sizeof(file), "%s", process_path("guest.save"));
	return result;
}

static void run(const char *guest, const char *level)
{
	monitor = node_run(&altra, "guest", guest);
	node_wait_level(&altra, "guest", level);
	node_runs_on(&altra, "guest");
	start = node_look(&altra, "guest");
}

static void save(const char *option, const char *policy)
{
	assert_int_equal(node_command(&altra, "save", "guest", file, option, policy, NULL), 0);
	assert_int_equal(process_wait(monitor), 7);
}

static struct process *restore(const char *option, const char *policy)
{
	struct process *process = node_start(&grace, "restore", file, "--console", node_path(&grace, "guest.console"),
					     option, policy, NULL);

	node_wait_state(&grace, "guest", "running");
	node_runs_on(&grace, "guest");
	return process;
}

/* By its own report the machine was stopped for some time, and its clock has counted that or has not. */
static void expect_clock(const char *policy, bool counts)
{
	json_t *status = node_status(&grace, "guest");
	const json_t *restored = json_object_get(status, "restored");
	json_int_t gap_ns = json_integer_value(json_object_get(restored, "gap_ns"));

	assert_string_equal(json_string_value(json_object_get(restored, "policy")), policy);
	assert_int_equal(json_integer_value(json_object_get(restored, "from_hz")), 25000000);
	assert_true(gap_ns > 0);
	node_expect_time(&grace, "guest", &start, counts ? 0 : (unsigned long long)gap_ns, TOLERANCE_NS);
	json_decref(status);
}

/* ---- There ---- */

static void test_freeze(void **state)
{
	struct stat stat_of;
	struct process *restored;

	(void)state;
	run("guest=reference", "reference");
	save(NULL, NULL);
	assert_int_equal(stat(file, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
	restored = restore(NULL, NULL);
	expect_clock("freeze", false);
	assert_int_equal(process_count(restored->errors, "saved at 25000000 Hz, now at 1000000000 Hz, level reference"),
			 1);
	assert_int_equal(node_command(&grace, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(restored), 6);
}

static void test_advance_said_at_restore(void **state)
{
	(void)state;
	run("guest=reference", "reference");
	save(NULL, NULL);
	restore("--clock", "advance");
	expect_clock("advance", true);
}

static void test_advance_said_at_save(void **state)
{
	(void)state;
	run("guest=reference", "reference");
	save("--clock", "advance");
	restore(NULL, NULL);
	expect_clock("advance", true);
}

/* A guest that holds does so in the file, and finds another rate behind it. */
static void test_cooperative(void **state)
{
	(void)state;
	run("guest=cooperative", "cooperative");
	save(NULL, NULL);
	restore(NULL, NULL);
	process_wait_text(node_path(&grace, "guest.console"), "held moved\n", 1);
	process_wait_text(node_path(&grace, "guest.console"), "declared raw 1000000000\n", 1);
	node_wait_level(&grace, "guest", "cooperative");
	expect_clock("freeze", false);
}

static void test_paused(void **state)
{
	(void)state;
	run("guest=reference", "reference");
	assert_int_equal(node_command(&altra, "pause", "guest", NULL), 0);
	save(NULL, NULL);
	restore(NULL, NULL);
	assert_true(node_look(&grace, "guest").reference_ns > start.reference_ns);
}

static int restore_refused(const char *path)
{
	return node_command(&grace, "restore", path, "--console", node_path(&grace, "guest.console"), NULL);
}

static void test_level_none(void **state)
{
	(void)state;
	run("guest=printing", "none");
	save(NULL, NULL);
	node_expect_refused(&grace, restore_refused(file), "cannot follow from a counter of 25 MHz to one of 1000 MHz");
	restore("--force", NULL);
}

static void test_name_in_use(void **state)
{
	(void)state;
	run("guest=reference", "reference");
	save(NULL, NULL);
	restore(NULL, NULL);
	node_expect_refused(&grace, restore_refused(file), "a machine named guest is already running");
	node_runs_on(&grace, "guest");
	node_start(&grace, "restore", file, "other", "--console", node_path(&grace, "other.console"), NULL);
	node_wait_state(&grace, "other", "running");
	node_runs_on(&grace, "other");
}

/* ---- What is no saved machine ---- */

static uint8_t *content;
static size_t size;

static void content_read(void)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat stat_of;

	assert_int_equal(fstat(fd, &stat_of), 0);
	size = (size_t)stat_of.st_size;
	content = malloc(size + 1);
	assert_int_equal(read(fd, content, size), (ssize_t)size);
	content[size] = 'x';
	close(fd);
}

static void expect_no_machine(const void *data, size_t length, const char *words)
{
	const char *path = process_path("damaged");

	process_write(path, data, length);
	node_expect_refused(&grace, restore_refused(path), words);
	node_expect_nobody(&grace, "guest");
}

static void test_damaged(void **state)
{
	(void)state;
	run("guest=reference", "reference");
	save(NULL, NULL);
	content_read();
	node_expect_refused(&grace, restore_refused(process_path("none")), "No such file");
	node_expect_refused(&grace, restore_refused("/tmp"), "is not a file");
	node_expect_refused(&grace, restore_refused(node_kernel()), "");
	expect_no_machine(content, 0, "");
	expect_no_machine(content, size / 2, "");
	expect_no_machine(content, size - 1, "");
	expect_no_machine(content, size + 1, "");
	for (size_t part = 1; part <= 8; part++) {
		content[size * part / 9] ^= 1;
		expect_no_machine(content, size, "checksum");
		content[size * part / 9] ^= 1;
	}
	free(content);
	restore(NULL, NULL);
}

/* ---- Where nothing can be written ---- */

/* As a full disk is. */
static void limit_files(void)
{
	const struct rlimit limit = { FULL_BYTES, FULL_BYTES };

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void expect_not_saved(const char *path, const char *words)
{
	node_expect_refused(&altra, node_command(&altra, "save", "guest", path, NULL), words);
	node_wait_state(&altra, "guest", "running");
	assert_false(process_has_ended(monitor));
}

static void test_full_disk(void **state)
{
	(void)state;
	process_write(file, "older", 5);
	monitor = node_start_with(&altra, (struct process_options){ .prepare = limit_files }, "run", "guest",
				  "--kernel", node_kernel(), "--append", "guest=idle", NULL);
	node_wait_state(&altra, "guest", "running");
	expect_not_saved(file, "File too large");
	assert_string_equal(process_text(file), "older");
}

static void test_no_folder(void **state)
{
	(void)state;
	run("guest=cooperative", "cooperative");
	expect_not_saved(process_path("none/file"), "No such file or directory");
	expect_not_saved("/tmp", "is not a file");
	node_runs_on(&altra, "guest");
	node_expect_time(&altra, "guest", &start, 0, TOLERANCE_NS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_freeze),
		TEST(test_advance_said_at_restore),
		TEST(test_advance_said_at_save),
		TEST(test_cooperative),
		TEST(test_paused),
		TEST(test_level_none),
		TEST(test_name_in_use),
		TEST(test_damaged),
		TEST(test_full_disk),
		TEST(test_no_folder),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
