/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One machine's life: run, status, pause, resume and stop, every exit status, where its console goes, and its name.
 */
#include "fixture/node.h"
#include "host/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOLERANCE_NS 1000000u
#define PAUSE_NS 60000000u

static struct node altra;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000,counter=5000000000");
	return result;
}

/* ---- How a guest ends ---- */

static const struct end_case {
	const char *words;
	int status;
	const char *log; /* has this */
} ends[] = {
	{ "guest=printing end=off", 0, "" },
	{ "guest=printing end=reset", 3, "" },
	{ "guest=printing end=panic", 4, "seaclock:   | a scripted guest panics\nseaclock:   | as it was told\n" },
	{ "guest=reference end=unknown", 1, "left the guest for KVM's reason 99, which this monitor does not know" },
};

static void test_ends(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(ends); n++) {
		const char *console = process_path("%zu.console", n);
		int status = node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64",
					  "--append", ends[n].words, "--console", console, NULL);

		assert_int_equal(status, ends[n].status);
		assert_non_null(strstr(altra.errors, ends[n].log));
		assert_int_equal(process_count(console, "line "), 3);
	}
}

static void test_stop(void **state)
{
	struct process *monitor;

	(void)state;
	monitor = node_run(&altra, "boat", "guest=idle");
	assert_int_equal(node_command(&altra, "stop", "boat", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	node_expect_refused(&altra, node_command(&altra, "status", "boat", NULL), "no machine named boat is running");
}

static void test_signals(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
		struct process *monitor = node_run(&altra, "boat", "guest=printing");

		process_signal(monitor, numbers[n]);
		assert_int_equal(process_wait(monitor), 6);
	}
}

/* ---- What its process has given up ---- */

static void test_gives_up(void **state)
{
	struct process *monitor = node_run(&altra, "boat", "guest=idle");
	char files[100], status[64], limits[64];

	(void)state;
	snprintf(status, sizeof(status), "/proc/%d/status", (int)monitor->pid);
	snprintf(limits, sizeof(limits), "/proc/%d/limits", (int)monitor->pid);
	snprintf(files, sizeof(files), "Max open files            %-20u ", PROCESS_FILES_MAX);
	assert_int_equal(process_count(status, "NoNewPrivs:\t1\n"), 1);
	assert_int_equal(process_count(limits, "Max core file size        0 "), 1);
	assert_int_equal(process_count(limits, files), 1);
}

/* ---- How a guest starts anew ---- */

/* A guest whose end resets its machine; once it has lived five times, each time in fresh memory. */
static struct process *reset_run(const char *words, const char *option)
{
	const char *console = process_path("boat.console");
	struct process *monitor = node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64",
					     "--append", words, option, "reset", "--console", console, NULL);
	json_t *status;

	process_wait_text(console, "line 3 ", 5);
	assert_int_equal(process_count(console, "bad memory"), 0);
	status = node_status(&altra, "boat");
	assert_non_null(status);
	assert_true(json_integer_value(json_object_get(status, "resets")) >= 4);
	json_decref(status);
	return monitor;
}

static void test_reset_again_and_again(void **state)
{
	struct process *monitor;

	(void)state;
	monitor = reset_run("guest=printing end=panic", "--on-panic");
	process_signal(monitor, SIGTERM);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(process_count(monitor->errors, "cannot start anew"), 0);
}

static void test_reset_without_kernel(void **state)
{
	struct process *monitor;

	(void)state;
	monitor = reset_run("guest=printing end=reset", "--on-reboot");
	assert_int_equal(unlink(node_kernel()), 0);
	assert_int_equal(process_wait(monitor), 3);
	process_wait_text(monitor->errors, "boat cannot start anew, and ends: cannot open /", 1);
}

/* ---- The power button ---- */

static void test_shutdown(void **state)
{
	struct process *monitor;

	(void)state;
	monitor = node_run(&altra, "boat", "guest=obedient");
	assert_int_equal(node_command(&altra, "shutdown", "boat", "--wait", "60", NULL), 0);
	assert_string_equal(altra.said, "");
	node_expect_refused(&altra, node_command(&altra, "status", "boat", NULL), "no machine named boat is running");
	assert_int_equal(process_wait(monitor), 0);
	monitor = node_run(&altra, "boat", "guest=obedient");
	assert_int_equal(node_command(&altra, "shutdown", "boat", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"ok\": true"));
	assert_int_equal(process_wait(monitor), 0);
}

/* It may do as it likes. */
static void test_shutdown_not_heeded(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=printing");
	assert_int_equal(node_command(&altra, "shutdown", "boat", NULL), 0);
	node_expect_refused(&altra, node_command(&altra, "shutdown", "boat", "--wait", "1", NULL),
			    "boat has not ended 1 s after its power button was pressed");
	node_runs_on(&altra, "boat");
	assert_int_equal(node_command(&altra, "pause", "boat", NULL), 0);
	node_expect_refused(&altra, node_command(&altra, "shutdown", "boat", "--wait", "60", NULL),
			    "boat is paused: it cannot be shut down now");
}

/* ---- Pauses ---- */

static void pause_for_a_while(const char *option, const char *policy)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	assert_int_equal(node_command(&altra, "pause", "boat", option, policy, NULL), 0);
	node_wait_state(&altra, "boat", "paused");
	nanosleep(&pause, NULL);
	node_stands_still(&altra, "boat");
	assert_int_equal(node_command(&altra, "resume", "boat", NULL), 0);
	node_wait_state(&altra, "boat", "running");
	node_runs_on(&altra, "boat");
}

static void test_pause_advance(void **state)
{
	struct node_moment start;

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	node_runs_on(&altra, "boat");
	start = node_look(&altra, "boat");
	pause_for_a_while("--clock", "advance");
	node_expect_time(&altra, "boat", &start, 0, TOLERANCE_NS);
}

/* The clock stands as long as the guest does, and that is at least what we waited. */
static void test_pause_freeze(void **state)
{
	struct node_moment start, end;

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	node_runs_on(&altra, "boat");
	start = node_look(&altra, "boat");
	pause_for_a_while(NULL, NULL);
	end = node_look(&altra, "boat");
	assert_true(end.reference_ns > start.reference_ns);
	assert_true(end.reference_ns - start.reference_ns + PAUSE_NS < end.before_ns - start.after_ns);
}

static void test_pause_twice(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=printing");
	assert_int_equal(node_command(&altra, "pause", "boat", NULL), 0);
	assert_int_equal(node_command(&altra, "pause", "boat", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"ok\": true"));
	assert_int_equal(node_command(&altra, "resume", "boat", NULL), 0);
	assert_int_equal(node_command(&altra, "resume", "boat", NULL), 0);
	node_runs_on(&altra, "boat");
}

/* ---- Status ---- */

static void test_status(void **state)
{
	json_error_t error;
	json_t *all;

	(void)state;
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	assert_non_null(strstr(altra.said, "no machine is running here"));
	node_run(&altra, "boat", "guest=reference");
	node_run(&altra, "ship", "guest=idle");
	node_wait_level(&altra, "boat", "reference");
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	assert_non_null(strstr(altra.said, "boat"));
	assert_non_null(strstr(altra.said, "ship"));
	assert_int_equal(node_command(&altra, "status", "--json", NULL), 0);
	all = json_loads(altra.said, 0, &error);
	assert_int_equal(json_array_size(all), 2);
	json_decref(all);
	assert_int_equal(node_command(&altra, "stop", "boat", NULL), 0);
	node_wait_state(&altra, "ship", "running");
}

/* These guests run no Linux, and their kernel file is none. */
static void test_kernel(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=idle");
	assert_int_equal(node_command(&altra, "status", "boat", NULL), 0);
	assert_null(strstr(altra.said, "kernel:"));
	assert_int_equal(node_command(&altra, "kernel", "boat", NULL), 0);
	assert_non_null(strstr(altra.said, "boat: not known: "));
	assert_int_equal(node_command(&altra, "kernel", "boat", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "{\n  \"known\": false,\n  \"reason\": \""));
	assert_int_equal(node_command(&altra, "status", "boat", NULL), 0);
	assert_non_null(strstr(altra.said, "\n  kernel: not known: "));
	assert_int_equal(node_command(&altra, "kernel", node_kernel(), NULL), 0);
	assert_non_null(strstr(altra.said, ": not known: the file does not say of which release it is\n"));
	node_wait_state(&altra, "boat", "running");
}

static void test_vcpus(void **state)
{
	(void)state;
	for (int count = 1; count <= 8; count += count == 1 ? 1 : 3) {
		char text[16];
		struct process *monitor;
		json_t *status;

		snprintf(text, sizeof(text), "%d", count);
		monitor = node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--vcpus", text, "--append",
				     "guest=printing", "--console", node_path(&altra, "boat.console"), NULL);
		node_wait_state(&altra, "boat", "running");
		status = node_status(&altra, "boat");
		assert_int_equal(json_integer_value(json_object_get(status, "vcpus")), count);
		assert_int_equal(json_integer_value(json_object_get(status, "memory_mib")), 512);
		json_decref(status);
		node_runs_on(&altra, "boat");
		process_signal(monitor, SIGTERM);
		assert_int_equal(process_wait(monitor), 6);
	}
}

/* ---- Consoles ---- */

/* A pipe that is read: the console is standard output if no other is named. */
static void test_console_pipe(void **state)
{
	struct process *monitor;
	char text[7] = "";
	int ends_of_pipe[2];

	(void)state;
	assert_int_equal(pipe2(ends_of_pipe, O_CLOEXEC), 0);
	monitor = node_start_with(&altra, (struct process_options){ .output = ends_of_pipe[1] }, "run", "boat",
				  "--kernel", node_kernel(), "--append", "guest=printing", NULL);
	close(ends_of_pipe[1]);
	assert_int_equal(read(ends_of_pipe[0], text, 1), 1);
	assert_int_equal(text[0], 'l');
	process_signal(monitor, SIGTERM);
	assert_int_equal(process_wait(monitor), 6);
	while (read(ends_of_pipe[0], text, sizeof(text)) > 0)
		;
	close(ends_of_pipe[0]);
}

static void test_console_fifo(void **state)
{
	const char *path = process_path("fifo");
	struct process *monitor;
	char byte;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	monitor = node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--append", "guest=printing",
			     "--console", path, NULL);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (int n = 0; n < 100; n++)
		assert_int_equal(read(fd, &byte, 1), 1);
	process_signal(monitor, SIGTERM);
	assert_int_equal(process_wait(monitor), 6);
	close(fd);
}

/* A console's file is appended to. */
static void test_console_file(void **state)
{
	const char *path = node_path(&altra, "boat.console");

	(void)state;
	process_write(path, "before\n", 7);
	node_run(&altra, "boat", "guest=printing");
	node_runs_on(&altra, "boat");
	assert_memory_equal(process_text(path), "before\nline 1 ref ", 18);
}

/* ---- Names and the control folder ---- */

static void test_two_machines(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=printing");
	node_run(&altra, "ship", "guest=printing");
	assert_int_equal(node_command(&altra, "pause", "boat", NULL), 0);
	node_stands_still(&altra, "boat");
	node_runs_on(&altra, "ship");
}

static void test_name_in_use(void **state)
{
	int status;

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	status = node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--append", "guest=idle", NULL);
	node_expect_refused(&altra, status, "a machine named boat is already running");
	node_runs_on(&altra, "boat");
}

/* The socket of a monitor that was killed is in nobody's way. */
static void test_name_left_over(void **state)
{
	(void)state;
	process_kill(node_run(&altra, "boat", "guest=printing"));
	assert_int_equal(node_command(&altra, "status", "--json", NULL), 0);
	assert_string_equal(altra.said, "[]\n");
	node_run(&altra, "boat", "guest=printing");
	node_runs_on(&altra, "boat");
}

static int run_idle(void)
{
	return node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--append", "guest=idle", NULL);
}

static void test_folder(void **state)
{
	struct process *monitor;
	struct stat stat_of;

	(void)state;
	monitor = node_run(&altra, "boat", "guest=idle");
	assert_int_equal(stat(altra.folder, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0700);
	process_signal(monitor, SIGTERM);
	process_wait(monitor);
	assert_int_equal(rmdir(altra.folder), 0);
	process_write(altra.folder, "", 0);
	node_expect_refused(&altra, run_idle(), "control folder");
}

static void test_folder_with_long_path(void **state)
{
	char folder[200];
	struct process *monitor;

	(void)state;
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	memcpy(folder, "/tmp/", 5);
	monitor = node_start_with(&altra, (struct process_options){ .folder = folder }, "run", "boat", "--kernel",
				  node_kernel(), "--append", "guest=idle", NULL);
	node_expect_refused(&altra, node_finish(&altra, monitor), "too long a path for a socket");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_ends),
		TEST(test_stop),
		TEST(test_shutdown),
		TEST(test_shutdown_not_heeded),
		TEST(test_signals),
		TEST(test_gives_up),
		TEST(test_reset_again_and_again),
		TEST(test_reset_without_kernel),
		TEST(test_pause_advance),
		TEST(test_pause_freeze),
		TEST(test_pause_twice),
		TEST(test_status),
		TEST(test_kernel),
		TEST(test_vcpus),
		TEST(test_console_pipe),
		TEST(test_console_fifo),
		TEST(test_console_file),
		TEST(test_two_machines),
		TEST(test_name_in_use),
		TEST(test_name_left_over),
		TEST(test_folder),
		TEST(test_folder_with_long_path),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
