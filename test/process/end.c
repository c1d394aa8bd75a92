/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order to end, at any time: before the guest runs, while the machine migrates or is saved, and after GO, when it
 * is too late to call the migration off.
 */
#include "fixture/node.h"
#include "fixture/relay.h"

#include <arpa/inet.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct node altra, grace;

/* ---- Before the guest runs ---- */

static void order_waits(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
}

/* The order was there before the program. */
static void expect_no_start(struct process *process, const char *console)
{
	assert_int_equal(process_wait(process), 6);
	assert_string_equal(process_text(process->errors), "seaclock: told to end (Terminated)\n");
	assert_string_equal(process_text(console), "");
}

static void test_run(void **state)
{
	const struct process_options options = { .prepare = order_waits };
	const char *console;

	(void)state;
	node_make(&altra, "altra", "");
	console = node_path(&altra, "console");
	expect_no_start(node_start_with(&altra, options, "run", "guest", "--kernel", node_kernel(), "--append",
					"guest=printing every_ms=0", "--console", console, NULL),
			console);
}

static void test_restore(void **state)
{
	const struct process_options options = { .prepare = order_waits };
	const char *saved, *console;
	struct process *monitor;

	(void)state;
	node_make(&altra, "altra", "");
	saved = node_path(&altra, "saved");
	console = node_path(&altra, "console");
	monitor = node_run(&altra, "guest", "guest=printing");
	assert_int_equal(node_command(&altra, "save", "guest", saved, NULL), 0);
	assert_int_equal(process_wait(monitor), 7);
	expect_no_start(node_start_with(&altra, options, "restore", saved, "--console", console, NULL), console);
	/* And without the order it runs. */
	node_start(&altra, "restore", saved, "--console", console, NULL);
	process_wait_text(console, "line ", 3);
}

/* ---- While it migrates ---- */

/* Somebody who takes connections and says nothing: the address is the node's. */
static int listen_silently(struct node *node)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(node->address, sizeof(node->address), "127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

/* A guest, and its migration to somebody who says nothing; the listener. */
static int migrate_to_silence(const char *guest, struct process **monitor, struct process **migrate)
{
	int listener;

	node_make(&altra, "altra", "frame_ms=60000");
	node_make(&grace, "grace", "");
	*monitor = node_run(&altra, "guest", guest);
	listener = listen_silently(&grace);
	*migrate = node_start(&altra, "migrate", "guest", grace.address, NULL);
	node_wait_state(&altra, "guest", "migrating");
	return listener;
}

static void test_migrating(void **state)
{
	struct process *monitor, *migrate;
	int listener = migrate_to_silence("guest=printing", &monitor, &migrate);

	(void)state;
	process_signal(monitor, SIGTERM);
	node_expect_refused(&altra, node_finish(&altra, migrate), "the migration was cancelled");
	assert_int_equal(process_wait(monitor), 6);
	close(listener);
}

/* The guest ends by itself: nobody waits for the other side. Its monitor calls the migration off as well, then. */
static void test_guest_ends(void **state)
{
	struct process *monitor, *migrate;
	int listener = migrate_to_silence("guest=printing end=off lines=200", &monitor, &migrate);
	unsigned long long began = process_now_ns();
	bool ended;
	int status;

	(void)state;
	assert_int_equal(process_wait(monitor), 0);
	assert_in_range(process_now_ns() - began, 0, 20000000000ull);
	status = node_finish(&altra, migrate);
	ended = strstr(altra.errors, "cancelled") == NULL;
	node_expect_refused(&altra, status,
			    ended ? "guest has ended: it cannot be migrated" : "the migration was cancelled");
	close(listener);
}

/* The connection carries nothing from DONE on, so the source does not know yet that its guest runs on the target. */
static struct process *hand_over(struct relay *relay, const char *const *faults, const char *host)
{
	struct process *monitor;

	node_make(&altra, "altra", host);
	node_make(&grace, "grace", "");
	monitor = node_run(&altra, "guest", "guest=printing");
	node_receive(&grace);
	relay_start(relay, grace.address, faults);
	node_start(&altra, "migrate", "guest", relay->address, "--max-step", "100000", NULL);
	relay_wait(relay, 1);
	process_signal(monitor, SIGTERM);
	return monitor;
}

static void test_handed_over(void **state)
{
	static const char *const faults[] = { "silence", "DONE", NULL };
	struct process *monitor;
	struct relay relay;

	(void)state;
	monitor = hand_over(&relay, faults, "stopped_ms=1000");
	process_wait_text(monitor->errors, "it ends here once that is decided", 1);
	assert_int_equal(process_wait(monitor), 5);
	node_wait_state(&grace, "guest", "running");
	node_runs_on(&grace, "guest");
}

/* Nobody can tell what became of the guest: the machine here ends all the same, as by `stop`. */
static void test_undecided(void **state)
{
	static const char *const faults[] = { "silence", "DONE", "close", NULL };
	struct process *monitor;
	struct relay relay;

	(void)state;
	monitor = hand_over(&relay, faults, "stopped_ms=500,question_ms=500,retry_ms=20");
	assert_int_equal(process_wait(monitor), 6);
	node_wait_state(&grace, "guest", "running");
	node_runs_on(&grace, "guest");
}

/* ---- While it is saved ---- */

/* The guest is waited for, which it does not do anything about. */
static void test_saving(void **state)
{
	struct process *monitor, *save;
	const char *saved;

	(void)state;
	node_make(&altra, "altra", "prepare_ms=60000");
	saved = node_path(&altra, "saved");
	process_write(saved, "older", 5);
	monitor = node_run(&altra, "guest", "guest=stubborn");
	node_wait_level(&altra, "guest", "cooperative");
	save = node_start(&altra, "save", "guest", saved, NULL);
	node_wait_state(&altra, "guest", "saving");
	process_signal(monitor, SIGTERM);
	node_expect_refused(&altra, node_finish(&altra, save), "the save was cancelled");
	assert_int_equal(process_wait(monitor), 6);
	assert_string_equal(process_text(saved), "older");
}

/* Who asked for it ends: nothing is left of the new file, and the guest goes on. */
static void test_save_interrupted(void **state)
{
	struct process *save;
	const char *saved;
	char beside[512];
	glob_t left;

	(void)state;
	node_make(&altra, "altra", "prepare_ms=60000");
	saved = node_path(&altra, "saved");
	process_write(saved, "older", 5);
	node_run(&altra, "guest", "guest=stubborn");
	node_wait_level(&altra, "guest", "cooperative");
	save = node_start(&altra, "save", "guest", saved, NULL);
	node_wait_state(&altra, "guest", "saving");
	process_signal(save, SIGINT);
	assert_int_equal(process_wait(save), 128 + SIGINT);
	node_wait_state(&altra, "guest", "running");
	assert_string_equal(process_text(saved), "older");
	snprintf(beside, sizeof(beside), "%s.*", saved);
	assert_int_equal(glob(beside, 0, NULL, &left), GLOB_NOMATCH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_run),		TEST(test_restore),   TEST(test_migrating), TEST(test_guest_ends),
		TEST(test_handed_over), TEST(test_undecided), TEST(test_saving),    TEST(test_save_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
