/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control plane: it waits for no client, no guest and no reader; whoever does not answer is named; and `stop --now`
 * ends a monitor whatever it does.
 */
#include "fixture/node.h"
#include "fixture/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILENT 24
#define PROMPT_NS 10000000000ull

static struct node altra, grace;

/* ---- Clients that are slow ---- */

/* Many connect and say nothing, and somebody else is served all the same. */
static void expect_prompt(struct node *node, const char *name)
{
	unsigned long long began = process_now_ns();
	int silent[SILENT];

	for (int n = 0; n < SILENT; n++)
		silent[n] = node_connect(node, name);
	assert_int_equal(node_command(node, "status", name, NULL), 0);
	assert_in_range(process_now_ns() - began, 0, PROMPT_NS);
	for (int n = 0; n < SILENT; n++)
		close(silent[n]);
}

static void test_silent_clients(void **state)
{
	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "guest", "guest=printing");
	expect_prompt(&altra, "guest");
}

/* In the waits of a migration, at both of its ends. */
static void test_silent_clients_in_migration(void **state)
{
	static const char *const faults[] = { "silence", "PAGES:3", NULL };
	struct relay relay;

	(void)state;
	node_make(&altra, "altra", "frame_ms=60000");
	node_make(&grace, "grace", "frame_ms=60000");
	node_run(&altra, "guest", "guest=printing");
	node_receive(&grace);
	relay_start(&relay, grace.address, faults);
	node_start(&altra, "migrate", "guest", relay.address, NULL);
	relay_wait(&relay, 1);
	expect_prompt(&grace, "guest");
	expect_prompt(&altra, "guest");
	assert_int_equal(node_command(&altra, "migrate", "--cancel", "guest", NULL), 0);
}

/* A request in pieces, with others between them. */
static void test_slow_client(void **state)
{
	static const char request[] = "{\"version\": 1, \"command\": \"status\"}\n";
	struct pollfd item = { .events = POLLIN };
	char answer[32] = "";

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "guest", "guest=printing");
	item.fd = node_connect(&altra, "guest");
	for (size_t n = 0; n < sizeof(request) - 1; n += 5) {
		size_t left = sizeof(request) - 1 - n;

		assert_int_equal(poll(&item, 1, 0), 0);
		assert_true(send(item.fd, request + n, left < 5 ? left : 5, MSG_NOSIGNAL) > 0);
		assert_true(node_state_is(&altra, "guest", "running"));
		usleep(300000);
	}
	assert_int_equal(poll(&item, 1, process_limit_ms()), 1);
	assert_true(read(item.fd, answer, sizeof(answer) - 1) > 0);
	assert_memory_equal(answer, "{\"ok\":", 6);
	close(item.fd);
}

/* ---- Monitors that do not answer ---- */

static void test_stopped_monitor(void **state)
{
	struct process *stopped;

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "one", "guest=printing");
	stopped = node_run(&altra, "two", "guest=printing");
	node_run(&altra, "three", "guest=printing");
	process_signal(stopped, SIGSTOP);
	assert_int_equal(node_command(&altra, "status", NULL), 1);
	assert_non_null(strstr(altra.said, "two                  does not answer\n"));
	assert_non_null(strstr(altra.said, "one                  running "));
	assert_non_null(strstr(altra.said, "three                running "));
	assert_string_equal(altra.errors, "seaclock: 1 of 3 monitors did not answer within 3 s\n");
	assert_int_equal(node_command(&altra, "status", "--json", NULL), 1);
	assert_non_null(strstr(altra.said, "\"error\": \"the monitor of two does not answer"));
	assert_non_null(strstr(altra.said, "\"code\": \"timeout\""));
	node_expect_refused(&altra, node_command(&altra, "status", "two", NULL), "the monitor of two does not answer");
	assert_int_equal(node_command(&altra, "stop", "--now", "two", NULL), 0);
	assert_string_equal(altra.errors, "seaclock: the monitor of two did not answer, and was killed\n");
	assert_int_equal(process_wait(stopped), 128 + SIGKILL);
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	/* Its name is free. */
	node_run(&altra, "two", "guest=printing");
}

/* What takes long may be under way: nobody is told to end the machine for it. */
static void test_stopped_at_work(void **state)
{
	struct process *stopped;
	int result;

	(void)state;
	node_make(&altra, "altra", "frame_ms=200,question_ms=200");
	stopped = node_run(&altra, "one", "guest=printing");
	process_signal(stopped, SIGSTOP);
	result = node_command(&altra, "pause", "one", NULL);
	node_expect_failed(&altra, result, NODE_UNHEARD, "the monitor of one has said nothing for ");
	assert_null(strstr(altra.errors, "--now"));
	process_signal(stopped, SIGCONT);
}

static void test_no_folder(void **state)
{
	(void)state;
	node_make(&altra, "altra", "");
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	process_write(altra.folder, "", 0);
	node_expect_refused(&altra, node_command(&altra, "status", NULL), "cannot read the control folder");
}

/* What nobody can have called a machine is no monitor. */
static void test_foreign_names(void **state)
{
	static const char *const files[] = { "%s.control/.old.sock", "%s.control/a b.sock", "%s.control/-.sock" };

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "guest", "guest=printing");
	for (size_t n = 0; n < sizeof(files) / sizeof(files[0]); n++)
		process_write(process_path(files[n], altra.name), "", 0);
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	assert_null(strstr(altra.said, "old"));
}

/* ---- Monitors that are none ---- */

static const char done[] = "{\"ok\": true}\n";

/* Answers each request alike, until somebody kills it. Once it has done what was asked its socket is gone. */
static void foreign_serve(int listener, const char *path, const char *answer)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		char request[256];

		(void)!read(fd, request, sizeof(request));
		if (answer == done)
			unlink(path);
		(void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
		close(fd);
	}
}

static const char *foreign_path(const struct node *node, const char *name)
{
	return process_path("%s.control/%s.sock", node->name, name);
}

/* A monitor that has nothing but a control socket: its process. It listens once this returns. */
static pid_t foreign_run(const struct node *node, const char *name, const char *answer)
{
	const char *path = foreign_path(node, name);
	int listener = process_bind(path, SOCK_STREAM), ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Whoever listens is the process that clients see. */
		if (listen(listener, 8) || write(ready[1], "", 1) != 1)
			_exit(1);
		foreign_serve(listener, path, answer);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(listener);
	return pid;
}

static void foreign_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void expect_killed(pid_t pid, const char *name)
{
	int how = 0;

	assert_int_equal(node_command(&altra, "stop", "--now", name, NULL), 0);
	assert_non_null(strstr(altra.errors, " speaks another version of the control protocol, and was killed\n"));
	assert_int_equal(waitpid(pid, &how, WNOHANG), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void test_other_version(void **state)
{
	static const char told[] = "{\"error\": \"no\", \"code\": \"version\", \"version\": 2}\n";
	static const char untold[] = "{\"error\": \"this monitor takes version 0\", \"code\": \"version\"}\n";
	pid_t newer, older;

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "own", "guest=printing");
	newer = foreign_run(&altra, "newer", told);
	older = foreign_run(&altra, "older", untold);
	node_expect_refused(
		&altra, node_command(&altra, "status", "newer", NULL),
		"the monitor of newer speaks version 2 of the control protocol, and this program version 1");
	node_expect_refused(&altra, node_command(&altra, "pause", "older", NULL),
			    "the monitor of older does not take this program's requests: this monitor takes version 0");
	node_expect_refused(&altra, node_command(&altra, "status", NULL), "2 of 3 monitors gave no status");
	assert_non_null(strstr(altra.said, "newer                the monitor of newer speaks version 2 "));
	assert_non_null(strstr(altra.said, "own                  running "));
	assert_int_equal(node_command(&altra, "status", "--json", NULL), 1);
	assert_non_null(strstr(altra.said, "\"code\": \"version\""));
	expect_killed(newer, "newer");
	expect_killed(older, "older");
	assert_int_equal(node_command(&altra, "status", NULL), 0);
}

/* ---- Words ---- */

/* A monitor that a guest has taken over says what it likes: the operator gets a sentence, and his terminal no orders.
 */
static void test_words(void **state)
{
	static const struct {
		const char *answer, *sentence;
	} cases[] = {
		{ "{\"error\": \"\"}\n", "seaclock: its monitor refuses, and gives no reason\n" },
		{ "{\"error\": \"a\\u001b[2J\"}\n",
		  "seaclock: its monitor refuses, with a sentence that cannot be printed\n" },
		{ "{\"error\": \"\", \"code\": \"version\"}\n",
		  "seaclock: the monitor of odd does not take this program's requests: its monitor refuses, and gives "
		  "no reason\n" },
	};

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "own", "guest=printing");
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		pid_t pid = foreign_run(&altra, "odd", cases[n].answer);

		assert_int_equal(node_command(&altra, "pause", "odd", NULL), 1);
		assert_string_equal(altra.errors, cases[n].sentence);
		foreign_end(pid);
		assert_int_equal(unlink(foreign_path(&altra, "odd")), 0);
	}
}

/* A status that no monitor of ours would send is shown without a crash. */
static void test_words_of_status(void **state)
{
	static const char answer[] = "{\"ok\": {\"name\": \"odd\", \"error\": \"a\\u009b2J\"}}\n";
	pid_t pid;

	(void)state;
	node_make(&altra, "altra", "");
	node_run(&altra, "own", "guest=printing");
	pid = foreign_run(&altra, "odd", answer);
	assert_int_equal(node_command(&altra, "status", "odd", NULL), 0);
	assert_non_null(strstr(altra.said, "odd                  (not printable)\n"));
	foreign_end(pid);
}

/* ---- shutdown --wait ---- */

/* The machine has ended, but not its process, which the kernel keeps. */
static void test_monitor_stays(void **state)
{
	pid_t pid;

	(void)state;
	node_make(&altra, "altra", "");
	/* Which makes the folder. */
	node_run(&altra, "own", "guest=printing");
	pid = foreign_run(&altra, "boat", done);
	node_expect_refused(&altra, node_command(&altra, "shutdown", "boat", "--wait", "1", NULL),
			    "boat has ended, and its monitor has not, 1 s after its power button was pressed");
	foreign_end(pid);
}

/* ---- stop --now ---- */

static void expect_ended_now(struct node *node, struct process *monitor)
{
	assert_int_equal(node_command(node, "stop", "guest", "--now", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(access(process_path("%s.control/guest.sock", node->name), F_OK), -1);
}

static void test_now_running(void **state)
{
	(void)state;
	node_make(&altra, "altra", "");
	expect_ended_now(&altra, node_run(&altra, "guest", "guest=printing"));
}

/* Neither end of the migration waits for the other. */
static void test_now_migrating(void **state)
{
	static const char *const faults[] = { "silence", "PAGES:3", NULL };
	struct process *monitor, *receiver;
	struct relay relay;

	(void)state;
	node_make(&altra, "altra", "frame_ms=60000");
	node_make(&grace, "grace", "frame_ms=60000");
	monitor = node_run(&altra, "guest", "guest=printing");
	receiver = node_receive(&grace);
	relay_start(&relay, grace.address, faults);
	node_start(&altra, "migrate", "guest", relay.address, NULL);
	relay_wait(&relay, 1);
	node_wait_state(&grace, "guest", "receiving");
	node_expect_refused(&grace, node_command(&grace, "stop", "guest", NULL), "it cannot be stopped now");
	expect_ended_now(&grace, receiver);
	expect_ended_now(&altra, monitor);
}

static void test_now_saving(void **state)
{
	struct process *monitor;

	(void)state;
	node_make(&altra, "altra", "prepare_ms=60000");
	monitor = node_run(&altra, "guest", "guest=stubborn");
	node_wait_level(&altra, "guest", "cooperative");
	node_start(&altra, "save", "guest", node_path(&altra, "saved"), NULL);
	node_wait_state(&altra, "guest", "saving");
	expect_ended_now(&altra, monitor);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_silent_clients),  TEST(test_silent_clients_in_migration),
		TEST(test_slow_client),	    TEST(test_stopped_monitor),
		TEST(test_stopped_at_work), TEST(test_no_folder),
		TEST(test_foreign_names),   TEST(test_now_running),
		TEST(test_now_migrating),   TEST(test_now_saving),
		TEST(test_other_version),   TEST(test_words),
		TEST(test_words_of_status), TEST(test_monitor_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
