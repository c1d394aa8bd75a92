/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a migration leaves in the journal: an entry of each side, whether the guest has moved or not, from within the
 * sandbox. A datagram socket of the test stands for that of the journal.
 */
#include "fixture/crossing.h"

#include "../wait_scale.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60
#define SIDES 2

static struct crossing crossing;
static struct node *const altra = &crossing.altra, *const grace = &crossing.grace;
static int ends[2]; /* the journal's, and the monitors' */
static char entries[SIDES][4096];

static const char *const sides[SIDES] = { "SEACLOCK_SIDE=source\n", "SEACLOCK_SIDE=target\n" };

static int set_up(void **state)
{
	int result = process_set_up(state);

	if (!result)
		result = socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	return result;
}

static int tear_down(void **state)
{
	int result = process_tear_down(state);

	close(ends[0]);
	close(ends[1]);
	return result;
}

static void open_crossing(const char *guest)
{
	char words[32];

	snprintf(words, sizeof(words), "journal=%d", ends[1]);
	crossing_open(&crossing, guest, words);
}

/* One entry of each side, in either order, and no third. */
static void take_entries(void)
{
	char entry[sizeof(entries[0])];

	memset(entries, 0, sizeof(entries));
	for (int n = 0; n < SIDES; n++) {
		struct pollfd wait = { .fd = ends[0], .events = POLLIN };
		ssize_t size;
		int side;

		assert_int_equal(poll(&wait, 1, (int)wait_scaled(LIMIT_S) * 1000), 1);
		size = recv(ends[0], entry, sizeof(entry) - 1, 0);
		assert_true(size > 0);
		entry[size] = '\0';
		side = strstr(entry, sides[1]) != NULL;
		assert_non_null(strstr(entry, sides[side]));
		assert_string_equal(entries[side], "");
		memcpy(entries[side], entry, (size_t)size + 1);
	}
	assert_int_equal(recv(ends[0], entry, sizeof(entry), MSG_DONTWAIT), -1);
}

static void expect_field(int side, const char *field)
{
	if (!strstr(entries[side], field))
		fail_msg("no %s in:\n%s", field, entries[side]);
}

static void expect_fields(const char *field)
{
	expect_field(0, field);
	expect_field(1, field);
}

/* The line of a field, which both sides have alike. */
static void expect_alike(const char *name)
{
	const char *one = strstr(entries[0], name), *other = strstr(entries[1], name);

	assert_non_null(one);
	assert_non_null(other);
	assert_int_equal(strncmp(one, other, strcspn(one, "\n") + 1), 0);
}

static int migrate(const char *option)
{
	return node_command(altra, "migrate", CROSSING_GUEST, grace->address, "--max-step", "100000", option, NULL);
}

static void test_moved(void **state)
{
	(void)state;
	open_crossing("guest=cooperative");
	assert_int_equal(migrate("--dry-run"), 0);
	assert_int_equal(migrate(NULL), 0);
	take_entries();
	expect_fields("MESSAGE_ID=fe9cfa85e00947b5afba60f1c6aeea3d\n");
	expect_fields("SYSLOG_IDENTIFIER=seaclock\n");
	expect_fields("PRIORITY=6\n");
	expect_fields("SEACLOCK_MACHINE=" CROSSING_GUEST "\n");
	expect_fields("SEACLOCK_RESULT=moved\n");
	expect_fields("SEACLOCK_LEVEL=cooperative\n");
	expect_fields("SEACLOCK_FROM_HZ=25000000\nSEACLOCK_TO_HZ=1000000000\n");
	expect_fields("SEACLOCK_STEP_NS=0\n");
	expect_alike("SEACLOCK_MIGRATION=");
	expect_alike("SEACLOCK_DOWNTIME_NS=");
	expect_alike("SEACLOCK_BOUND_NS=");
	expect_field(0, "MESSAGE=" CROSSING_GUEST " has moved to 127.0.0.1:");
	expect_field(0, "SEACLOCK_PEER=127.0.0.1:");
	expect_field(1, "MESSAGE=" CROSSING_GUEST " has moved here from 127.0.0.1:");
	expect_field(1, "SEACLOCK_PEER=127.0.0.1:");
	crossing_expect_on_target(&crossing);
}

static void test_failed(void **state)
{
	(void)state;
	open_crossing("guest=printing");
	assert_int_equal(migrate(NULL), 1);
	take_entries();
	expect_fields("PRIORITY=4\n");
	expect_fields("SEACLOCK_MACHINE=" CROSSING_GUEST "\n");
	expect_field(0, "SEACLOCK_RESULT=cannot-follow\n");
	expect_field(0, " cannot follow from a counter of 25 MHz to one of 1000 MHz");
	expect_field(1, "MESSAGE=" CROSSING_GUEST " has not moved here from 127.0.0.1:");
	expect_alike("SEACLOCK_MIGRATION=");
	crossing_expect_on_source(&crossing);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_moved),
		TEST(test_failed),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
