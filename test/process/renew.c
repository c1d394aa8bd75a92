/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A running machine moves to a process of the program that is installed now: its name, disks and clock are right
 * afterwards, and where that fails it runs on as it was.
 */
#include "fixture/installed.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST "guest"
#define TOLERANCE_NS 101000000u
/* The clocks of two processes have to be compared as well as on a quiet machine. */
#define HOST "hz=25000000,counter=998877665544,comparison_ms=60000"

static struct node altra;
/* The same host, whose new processes have no memory left for a machine; or another processor, which is found later. */
static struct node small, strange;
static int manager;

static int set_up(void **state)
{
	int result = process_set_up(state);

	/* What renew leaves running is this process's, to be ended with it. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	node_make(&altra, "altra", HOST);
	small = strange = altra;
	small.host = HOST ",available_mib=1";
	strange.host = HOST ",features=7";
	return result;
}

/* ---- The program ---- */

static struct process *run_with_disk(void)
{
	static const char content[4096];
	struct process *process;

	process_write(process_path("disk"), content, sizeof(content));
	process = installed_run(&altra, GUEST, "--disk", process_path("disk"));
	node_runs_on(&altra, GUEST);
	return process;
}

static int renew_by(struct node *node, const char *verb)
{
	const bool service = !strcmp(verb, "service");
	const char *const words[] = {
		process_path("seaclock"),
		node->host,
		verb,
		GUEST,
		"--console",
		node_path(&altra, "guest.console"),
		service ? "--renew" : "--max-step",
		service ? NULL : "100000",
		NULL,
	};
	const struct process_options options = { .folder = altra.folder };

	return node_finish(node, process_start(&options, words));
}

static int renew(struct node *node)
{
	return renew_by(node, "renew");
}

/* ---- What is there afterwards ---- */

static pid_t machine_process(void)
{
	json_t *status = node_status(&altra, GUEST);
	pid_t pid = (pid_t)json_integer_value(json_object_get(status, "pid"));

	json_decref(status);
	return pid;
}

static void expect_replaced(bool expected)
{
	json_t *status = node_status(&altra, GUEST);

	assert_int_equal(json_is_true(json_object_get(status, "program_replaced")), expected);
	json_decref(status);
}

static bool disk_is_locked(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(process_path("disk"), O_RDWR | O_CLOEXEC);

	assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
	close(fd);
	return lock.l_type != F_UNLCK;
}

/* The machine runs, and nothing but its own socket is left beside it. */
static void expect_runs(const struct node_moment *start)
{
	assert_true(node_state_is(&altra, GUEST, "running"));
	node_runs_on(&altra, GUEST);
	node_expect_time(&altra, GUEST, start, 0, TOLERANCE_NS);
	assert_true(disk_is_locked());
	assert_int_equal(access(process_path("altra.control/guest.sock"), F_OK), 0);
	assert_int_not_equal(access(process_path("altra.control/guest.next"), F_OK), 0);
	assert_int_not_equal(access(process_path("altra.control/guest.move"), F_OK), 0);
}

/* A process that was left running is this one's child once its parent has ended. */
static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int tear_down(void **state)
{
	pid_t pid = machine_process();

	if (pid > 0)
		kill(pid, SIGKILL);
	unsetenv("NOTIFY_SOCKET");
	return process_tear_down(state);
}

/* ---- Tests ---- */

static void test_renewed(void **state)
{
	struct node_moment start;
	struct process *monitor;
	pid_t first, second;

	(void)state;
	installed_put();
	monitor = run_with_disk();
	start = node_look(&altra, GUEST);
	installed_put();
	expect_replaced(true);
	assert_int_equal(renew(&altra), 0);
	assert_non_null(strstr(altra.said, "guest runs in process "));
	first = machine_process();
	assert_int_not_equal(first, monitor->pid);
	assert_int_equal(process_wait(monitor), 5);
	expect_replaced(false);
	expect_runs(&start);
	/* Nothing new is installed: it is done all the same. */
	assert_int_equal(renew(&altra), 0);
	second = machine_process();
	assert_int_equal(reap(first), 5);
	assert_int_not_equal(first, second);
	expect_runs(&start);
	assert_int_equal(node_command(&altra, "stop", GUEST, NULL), 0);
	assert_int_equal(reap(second), 6);
	assert_false(disk_is_locked());
	assert_int_not_equal(access(process_path("altra.control/guest.sock"), F_OK), 0);
}

/* The new process cannot have it: all is as before, and it can be renewed later. */
static void test_refused_there(void **state)
{
	struct node_moment start;
	struct process *monitor;

	(void)state;
	installed_put();
	monitor = run_with_disk();
	start = node_look(&altra, GUEST);
	node_expect_refused(&small, renew(&small), "this host has 1 MiB available");
	expect_runs(&start);
	node_expect_refused(&strange, renew(&strange), "refuses a vCPU's register");
	expect_runs(&start);
	assert_int_equal(machine_process(), monitor->pid);
	/* Its process and its socket are gone. */
	assert_int_equal(renew(&altra), 0);
	assert_int_equal(process_wait(monitor), 5);
	expect_runs(&start);
}

static void test_refused_here(void **state)
{
	struct node_moment start;
	struct process *monitor;

	(void)state;
	installed_put();
	node_expect_refused(&altra, renew(&altra), "no machine named guest is running here");
	monitor = run_with_disk();
	start = node_look(&altra, GUEST);
	assert_int_equal(node_command(&altra, "pause", GUEST, NULL), 0);
	node_expect_refused(&altra, renew(&altra), "guest is paused: it cannot be migrated now");
	assert_int_equal(node_command(&altra, "resume", GUEST, "--clock", "advance", NULL), 0);
	expect_runs(&start);
	assert_int_equal(machine_process(), monitor->pid);
}

/* Two operators at once; and what a killed one has left is in nobody's way. */
static void test_already(void **state)
{
	const char *path = process_path("altra.control/guest.move");
	struct process *monitor;
	int listener;

	(void)state;
	installed_put();
	monitor = run_with_disk();
	listener = process_listen(path);
	node_expect_refused(&altra, renew(&altra), "guest is being renewed already");
	assert_int_equal(machine_process(), monitor->pid);
	close(listener);
	assert_int_equal(renew(&altra), 0);
	assert_int_equal(process_wait(monitor), 5);
}

/* As its unit is reloaded: the manager hears which process is the machine's, of this command, and nothing else. */
static void test_service(void **state)
{
	struct process *monitor;
	char text[32] = "", expected[32];

	(void)state;
	installed_put();
	monitor = run_with_disk();
	manager = process_manager();
	node_expect_refused(&small, renew_by(&small, "service"), "this host has 1 MiB available");
	assert_int_equal(recv(manager, text, sizeof(text) - 1, 0), -1);
	assert_int_equal(renew_by(&altra, "service"), 0);
	assert_int_equal(process_wait(monitor), 5);
	snprintf(expected, sizeof(expected), "MAINPID=%d", (int)machine_process());
	assert_true(recv(manager, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, expected);
	assert_int_equal(recv(manager, text, sizeof(text) - 1, 0), -1);
	close(manager);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_renewed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_here, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_already, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_service, set_up, tear_down),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
