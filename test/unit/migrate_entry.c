/* SPDX-License-Identifier: BSD-2-Clause */
/* A migration's entry in the journal: the machine is named by this side, whatever the peer's report says. */
#include "unit.h"

#include "base/journal.h"
#include "migrate/entry.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2];

static int setup(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -1;
	journal_adopt(ends[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	journal_adopt(-1);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void test_own_name(void **state)
{
	struct report report = { .from_hz = 25000000, .to_hz = 1000000000, .downtime_ns = 90000000 };
	char entry[2048];
	ssize_t size;

	(void)state;
	snprintf(report.name, sizeof(report.name), "db");
	entry_moved(ENTRY_TARGET, "web", "10.0.0.1", &report);
	size = recv(ends[0], entry, sizeof(entry) - 1, 0);
	assert_true(size > 0);
	entry[size] = '\0';
	assert_non_null(strstr(entry, "MESSAGE=web has moved here from 10.0.0.1, with a downtime of 90000 us\n"));
	assert_non_null(strstr(entry, "SEACLOCK_MACHINE=web\n"));
	assert_null(strstr(entry, "db"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_name, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
