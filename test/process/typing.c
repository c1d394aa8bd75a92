/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed on a machine's console while it moves: each character reaches the guest once, in order, on the one host
 * or the other, or was never taken from the terminal.
 */
#include "fixture/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TYPED_MAX 4000u
#define PAUSE_US 1000

static struct node altra, grace;
static int keyboard[2];

static char key_number(size_t n)
{
	static const char keys[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return keys[n % (sizeof(keys) - 1)];
}

/* The guest whose keyboard is a pipe. */
static struct process *run_typed(const char *guest)
{
	struct process_options options = { 0 };
	struct process *monitor;

	assert_int_equal(pipe2(keyboard, O_CLOEXEC), 0);
	options.input = keyboard[0];
	monitor = node_start_with(&altra, options, "run", "guest", "--kernel", node_kernel(), "--memory", "64",
				  "--append", guest, NULL);
	node_wait_state(&altra, "guest", "running");
	return monitor;
}

static void type(size_t from, size_t to)
{
	for (size_t n = from; n < to; n++) {
		char key = key_number(n);

		assert_int_equal(write(keyboard[1], &key, 1), 1);
	}
}

/* The keys that a console shows continue the row at `*next`. */
static void expect_keys(const char *console, size_t *next)
{
	for (const char *place = process_text(console); (place = strstr(place, "key ")); place++) {
		if (place[4] != key_number(*next))
			fail_msg("key %zu is %c, not %c", *next, place[4], key_number(*next));
		++*next;
	}
}

/* How many keys nobody has taken. */
static size_t keys_left(void)
{
	char keys[TYPED_MAX];
	ssize_t count;

	close(keyboard[1]);
	count = read(keyboard[0], keys, sizeof(keys));
	close(keyboard[0]);
	assert_true(count >= 0);
	return (size_t)count;
}

static bool keys_are_there(void *context)
{
	const size_t *want = context;

	return process_count(node_path(&grace, "guest.console"), "key ") >= *want;
}

/* Types until the machine has moved: each key that was taken is shown by the one guest or the other. */
static void expect_all_keys(const char *guest, size_t first, int pause_us)
{
	struct process *monitor, *migrate;
	size_t typed = first, next = 0, want;

	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000");
	monitor = run_typed(guest);
	node_receive(&grace);
	type(0, first);
	migrate = node_start(&altra, "migrate", "guest", grace.address, "--max-step", "100000", NULL);
	for (; pause_us && !process_has_ended(monitor) && typed < TYPED_MAX; typed++) {
		type(typed, typed + 1);
		usleep((useconds_t)pause_us);
	}
	assert_int_equal(node_finish(&altra, migrate), 0);
	assert_int_equal(process_wait(monitor), 5);
	expect_keys(monitor->output, &next);
	typed -= keys_left();
	want = typed - next;
	process_wait_until(keys_are_there, &want, "the guest on the target shows the keys that are left");
	expect_keys(node_path(&grace, "guest.console"), &next);
	assert_int_equal(next, typed);
}

/* More than the UART's FIFO holds, of which the guest reads nothing before it moves. */
static void test_waiting_keys_move(void **state)
{
	(void)state;
	expect_all_keys("guest=reading reads_from=300", 1000, 0);
}

static void test_typing_while_it_moves(void **state)
{
	(void)state;
	expect_all_keys("guest=reading reads_from=20", 60, PAUSE_US);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_waiting_keys_move), TEST(test_typing_while_it_moves) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
