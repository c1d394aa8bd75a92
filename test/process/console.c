/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock console`: a terminal or a pipe on a machine whose own console is a file, as a service has it. It comes and
 * goes, alone or as a second one, reads slowly or not at all, and stays attached while the machine ends or moves.
 */
#include "fixture/node.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define KEYS_MAX 2000u
#define PAUSE_US 1000
#define UNREAD "seaclock: the last "

static struct node altra, grace;
static char terminal[65536]; /* what it has shown */
static size_t terminal_size;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000");
	return result;
}

/* Begins to attach, with these files, 0 for the usual. If output is the usual, something of the guest was shown. */
static struct process *attach(int input, int output)
{
	const struct process_options options = { .input = input, .output = output };
	struct process *client = node_start_with(&altra, options, "console", "guest", NULL);

	if (!output)
		process_wait_text(client->output, "line ", 1);
	return client;
}

static void keyboard_make(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

static void type(int fd, const char *keys)
{
	assert_int_equal(write(fd, keys, strlen(keys)), strlen(keys));
}

static bool is_free(void *context)
{
	const struct process_options options = { 0 };
	struct process *client = node_start_with(context, options, "console", "guest", NULL);
	bool attached;

	while (!process_has_ended(client) && !process_count(client->output, "line "))
		usleep(2000);
	attached = !process_has_ended(client);
	process_kill(client);
	return attached;
}

/* ---- Pipes ---- */

/* What was said before is shown, then what is said now; the input's end is not the client's. */
static void test_pipe(void **state)
{
	struct process *monitor, *client;
	int keyboard[2];

	(void)state;
	monitor = node_run(&altra, "guest", "guest=reading");
	process_wait_text(node_path(&altra, "guest.console"), "line 5 ", 1);
	keyboard_make(keyboard);
	client = attach(keyboard[0], 0);
	process_wait_text(client->output, "line 1 ", 1);
	type(keyboard[1], "ab");
	process_wait_text(client->output, "key b\n", 1);
	assert_int_equal(process_count(client->output, "key a\n"), 1);
	close(keyboard[1]);
	close(keyboard[0]);
	process_wait_text(client->output, "line ", process_count(client->output, "line ") + 3);
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(process_wait(client), 6);
	assert_string_equal(process_text(client->errors), "seaclock: guest was stopped\n");
	assert_int_equal(process_count(node_path(&altra, "guest.console"), "key b\n"), 1);
}

static void test_second(void **state)
{
	struct process *client;

	(void)state;
	node_run(&altra, "guest", "guest=printing");
	client = attach(0, 0);
	node_expect_refused(&altra, node_command(&altra, "console", "guest", NULL),
			    "somebody is attached to this console of guest: only one can be");
	process_wait_text(client->output, "line ", process_count(client->output, "line ") + 3);
	process_signal(client, SIGTERM);
	assert_int_equal(process_wait(client), 1);
	assert_non_null(strstr(process_text(client->errors), "told to end"));
	process_wait_until(is_free, &altra, "somebody else can attach");
	client = attach(0, 0);
	process_kill(client);
	process_wait_until(is_free, &altra, "somebody else can attach");
}

/* ---- A client that is slow ---- */

/* It says more than anybody takes, and is in nobody's way; nor is the client, which ends when it is told to. */
static void test_slow(void **state)
{
	struct process *monitor, *client;
	unsigned long long reference;
	int ends[2];
	char byte;

	(void)state;
	keyboard_make(ends);
	monitor = node_run(&altra, "guest", "guest=printing every_ms=0");
	client = attach(0, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	process_wait_text(node_path(&altra, "guest.console"), "line 4000 ", 1);
	node_expect_refused(&altra, node_command(&altra, "console", "guest", NULL), "somebody is attached");
	reference = node_look(&altra, "guest").reference_ns;
	assert_int_equal(node_command(&altra, "pause", "guest", NULL), 0);
	assert_int_equal(node_command(&altra, "resume", "guest", NULL), 0);
	assert_true(node_look(&altra, "guest").reference_ns > reference);
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_false(process_has_ended(client));
	process_signal(client, SIGTERM);
	assert_int_equal(process_wait(client), 1);
	close(ends[0]);
}

static void test_reader_gone(void **state)
{
	struct process *client;
	char byte;
	int ends[2];

	(void)state;
	keyboard_make(ends);
	node_run(&altra, "guest", "guest=printing");
	client = attach(0, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	assert_int_equal(process_wait(client), 1);
	assert_non_null(strstr(process_text(client->errors), "seaclock: cannot write what guest says (Broken pipe)\n"));
	node_runs_on(&altra, "guest");
}

/* ---- Ends ---- */

static void expect_end(const char *guest, int status, const char *sentence)
{
	struct process *monitor, *client;

	monitor = node_run(&altra, "guest", guest);
	client = attach(0, 0);
	assert_int_equal(process_wait(monitor), status);
	assert_int_equal(process_wait(client), status);
	assert_string_equal(process_text(client->errors), sentence);
	assert_int_equal(process_count(client->output, "line 100 "), 1);
	assert_null(strchr(process_text(client->output), '{'));
}

static void test_ends(void **state)
{
	(void)state;
	expect_end("guest=printing end=off lines=100", 0, "seaclock: guest has powered off\n");
	expect_end("guest=printing end=unknown lines=100", 1, "seaclock: guest has failed, as its log says\n");
}

static void test_monitor_killed(void **state)
{
	struct process *monitor, *client;

	(void)state;
	monitor = node_run(&altra, "guest", "guest=printing");
	client = attach(0, 0);
	process_kill(monitor);
	assert_int_equal(process_wait(client), 1);
	assert_string_equal(process_text(client->errors), "seaclock: the monitor of guest has ended without a word: it "
							  "was killed, or ended by `stop --now`\n");
}

/* ---- A terminal ---- */

static int terminal_open(int *other)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	terminal_size = 0;
	terminal[0] = '\0';
	assert_true(fd >= 0);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	*other = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*other >= 0);
	return fd;
}

/* Reads until it has shown the text since it was opened. */
static void terminal_wait(int fd, const char *text)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };
	ssize_t got;

	while (!strstr(terminal, text)) {
		assert_int_equal(poll(&item, 1, process_limit_ms()), 1);
		got = read(fd, terminal + terminal_size, sizeof(terminal) - 1 - terminal_size);
		assert_true(got > 0);
		terminal_size += (size_t)got;
		terminal[terminal_size] = '\0';
	}
}

/* It is raw meanwhile, so Ctrl-C and Ctrl-A x are the guest's; and as it was when Ctrl-A d has left it. */
static void test_terminal(void **state)
{
	struct termios before, during, after;
	struct process *client;
	int fd, other;

	(void)state;
	node_run(&altra, "guest", "guest=reading");
	fd = terminal_open(&other);
	assert_int_equal(tcgetattr(other, &before), 0);
	client = attach(other, other);
	process_wait_text(client->errors, "seaclock: this is the console of guest; Ctrl-A d leaves it\n", 1);
	terminal_wait(fd, "line ");
	assert_int_equal(tcgetattr(other, &during), 0);
	assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	type(fd, "\x03\x01x");
	terminal_wait(fd, "key \x03");
	terminal_wait(fd, "key x");
	type(fd, "\x01\x01");
	terminal_wait(fd, "key \x01");
	type(fd, "\x01");
	type(fd, "d");
	assert_int_equal(process_wait(client), 0);
	assert_non_null(strstr(process_text(client->errors), "seaclock: detached from guest\n"));
	assert_int_equal(tcgetattr(other, &after), 0);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_memory_equal(after.c_cc, before.c_cc, sizeof(before.c_cc));
	node_runs_on(&altra, "guest");
	close(fd);
	close(other);
}

/* A terminal that shows nothing any more does not hold up whoever wants to leave. */
static void test_terminal_stuck(void **state)
{
	struct process *client;
	int fd, other;

	(void)state;
	node_run(&altra, "guest", "guest=printing every_ms=0");
	fd = terminal_open(&other);
	client = attach(other, other);
	terminal_wait(fd, "line ");
	process_wait_text(node_path(&altra, "guest.console"), "line 10000 ", 1);
	type(fd, "\x01");
	type(fd, "d");
	assert_int_equal(process_wait(client), 0);
	close(fd);
	close(other);
}

static void test_terminal_gone(void **state)
{
	struct process *client;
	int fd, other;

	(void)state;
	node_run(&altra, "guest", "guest=printing");
	fd = terminal_open(&other);
	client = attach(other, 0);
	close(other);
	close(fd);
	assert_int_equal(process_wait(client), 0);
	node_runs_on(&altra, "guest");
}

/* The other console has a client of its own. */
static void test_virtio(void **state)
{
	struct process *monitor, *client, *second;
	struct process_options options = { 0 };
	int fd, other;

	(void)state;
	monitor = node_run(&altra, "guest", "guest=printing");
	fd = terminal_open(&other);
	client = attach(0, 0);
	options.input = other;
	second = node_start_with(&altra, options, "console", "guest", "--virtio", NULL);
	process_wait_text(second->errors, "this is the console of guest", 1);
	process_wait_text(client->output, "line ", process_count(client->output, "line ") + 3);
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
	assert_int_equal(process_wait(client), 6);
	assert_int_equal(process_wait(second), 6);
	assert_string_equal(process_text(second->output), "");
	close(fd);
	close(other);
}

/* ---- Moves ---- */

static char key_number(size_t n)
{
	return (char)('A' + n % 26);
}

/* What the guest has said on both hosts: it may have moved in the middle of a line. */
static const char *said(void)
{
	static char text[1u << 20];
	size_t size;

	size = (size_t)snprintf(text, sizeof(text), "%s", process_text(node_path(&altra, "guest.console")));
	snprintf(text + size, sizeof(text) - size, "%s", process_text(node_path(&grace, "guest.console")));
	return text;
}

/* How many keys it shows, each in its place. */
static size_t keys_shown(void)
{
	size_t count = 0;

	for (const char *place = said(); (place = strstr(place, "key ")) && place[4]; place++)
		if (place[4] != key_number(count++))
			fail_msg("key %zu is not %c in: %.99s", count - 1, key_number(count - 1), place);
	return count;
}

static size_t keys_unread(const struct process *client)
{
	const char *place = strstr(process_text(client->errors), UNREAD);

	return place ? strtoul(place + strlen(UNREAD), NULL, 10) : 0;
}

static bool keys_are_there(void *context)
{
	const size_t *want = context;

	return keys_shown() >= *want;
}

/* Types until the client has ended: how many keys; those that nobody took are left out. */
static size_t type_to_end(struct process *client, const int keyboard[2])
{
	char left[KEYS_MAX];
	size_t typed = 0;

	for (; typed < KEYS_MAX && !process_has_ended(client); typed++) {
		char key = key_number(typed);

		assert_int_equal(write(keyboard[1], &key, 1), 1);
		usleep(PAUSE_US);
	}
	process_wait(client);
	close(keyboard[1]);
	typed -= (size_t)read(keyboard[0], left, sizeof(left));
	close(keyboard[0]);
	return typed;
}

/* Each key reaches the guest once, in order, or the client says that it did not. */
static void test_moves(void **state)
{
	struct process *monitor, *client, *migrate;
	char sentence[128];
	size_t typed;
	int keyboard[2];

	(void)state;
	monitor = node_run(&altra, "guest", "guest=reading");
	keyboard_make(keyboard);
	client = attach(keyboard[0], 0);
	node_receive(&grace);
	migrate = node_start(&altra, "migrate", "guest", grace.address, "--max-step", "100000", NULL);
	typed = type_to_end(client, keyboard);
	assert_int_equal(node_finish(&altra, migrate), 0);
	assert_int_equal(process_wait(monitor), 5);
	assert_int_equal(process_wait(client), 5);
	snprintf(sentence, sizeof(sentence), "seaclock: guest has moved, and runs on at %s\n", grace.address);
	assert_non_null(strstr(process_text(client->errors), sentence));
	typed -= keys_unread(client);
	process_wait_until(keys_are_there, &typed, "the guest shows all keys that were taken");
	node_runs_on(&grace, "guest");
	assert_int_equal(keys_shown(), typed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_pipe),	   TEST(test_second),	     TEST(test_virtio),		TEST(test_slow),
		TEST(test_reader_gone),	   TEST(test_ends),	     TEST(test_monitor_killed), TEST(test_terminal),
		TEST(test_terminal_stuck), TEST(test_terminal_gone), TEST(test_moves),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
