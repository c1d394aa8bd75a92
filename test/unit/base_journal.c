/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal's native protocol: fields of one line and of several, and who has a journal. */
#include "unit.h"

#include "base/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

static int teardown(void **state)
{
	(void)state;
	journal_adopt(-1);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_entry(void **state)
{
	static const struct journal_field fields[] = {
		{ "MESSAGE", "two\nlines" },
		{ "LEFT_OUT", NULL },
		{ "SEACLOCK_MACHINE", "web" },
		{ "EMPTY", "" },
	};
	static const char expected[] = "MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nSEACLOCK_MACHINE=web\nEMPTY=\n";
	char entry[256];

	(void)state;
	/* Nobody has opened one. */
	journal_send(fields, sizeof(fields) / sizeof(fields[0]));
	journal_adopt(ends[1]);
	assert_int_equal(recv(ends[0], entry, sizeof(entry), 0), -1);
	journal_send(fields, sizeof(fields) / sizeof(fields[0]));
	assert_int_equal(recv(ends[0], entry, sizeof(entry), 0), sizeof(expected) - 1);
	assert_memory_equal(entry, expected, sizeof(expected) - 1);
}

/* One that does not read, and one that has gone, hold up nobody. */
static void test_full(void **state)
{
	static const struct journal_field field = { "MESSAGE", "again" };

	(void)state;
	journal_adopt(ends[1]);
	for (int n = 0; n < 10000; n++)
		journal_send(&field, 1);
	shutdown(ends[0], SHUT_RDWR);
	journal_send(&field, 1);
}

static void test_stream(void **state)
{
	(void)state;
	assert_true(journal_is_stream("8:4711", 8, 4711));
	assert_false(journal_is_stream("8:4712", 8, 4711));
	assert_false(journal_is_stream("9:4711", 8, 4711));
	assert_false(journal_is_stream("", 8, 4711));
	assert_false(journal_is_stream(NULL, 8, 4711));
	/* Of another process's standard error: none. */
	setenv("JOURNAL_STREAM", "1:1", 1);
	journal_adopt(-1);
	journal_open();
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
