/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose the control folder is, and who is heard at the socket in it. */
#include "unit.h"

#include "control/caller.h"
#include "control/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 12345

static char place[] = "/tmp/seaclock-folder-XXXXXX";
static char folder[64];
static struct error error;

static int make_place(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/control", mkdtemp(place) ? place : "");
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	rmdir(folder);
	return rmdir(place);
}

static void expect_open(void)
{
	int fd = folder_open(folder, &error);

	assert_true(fd >= 0);
	close(fd);
}

static void test_made(void **state)
{
	mode_t mask = umask(0);
	struct stat facts;

	(void)state;
	expect_open();
	umask(mask);
	assert_int_equal(stat(folder, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0700);
	expect_open();
}

static void test_open_to_others(void **state)
{
	static const mode_t modes[] = { 0755, 0701, 0710, 0720, 01777, 02700, 0704 };

	(void)state;
	for (size_t n = 0; n < sizeof(modes) / sizeof(*modes); n++) {
		assert_int_equal(chmod(folder, modes[n]), 0);
		assert_int_equal(folder_open(folder, &error), -EPERM);
		assert_non_null(strstr(error.text, "is open to other users (mode "));
	}
	assert_int_equal(chmod(folder, 0700), 0);
	expect_open();
}

/* Root gives its folder away; any other user has one that is not theirs. */
static void test_of_another(void **state)
{
	bool root = !geteuid();
	const char *other = root ? folder : "/";

	(void)state;
	assert_true(!root || !chown(folder, SOMEBODY, SOMEBODY));
	assert_int_equal(folder_open(other, &error), -EPERM);
	assert_non_null(strstr(error.text, root ? "belongs to user 12345, and this is user 0" : "belongs to user 0"));
	assert_true(!root || !chown(folder, 0, 0));
}

static void test_no_folder(void **state)
{
	char path[sizeof(folder) + 8];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/file", place);
	file = fopen(path, "we");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(folder_open(path, &error), -ENOTDIR);
	assert_non_null(strstr(error.text, "cannot lock the control folder"));
	unlink(path);
}

/* One end of a connection that the user `uid` has made. */
static int connection_of(uid_t uid)
{
	int ends[2];

	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(seteuid(getuid()), 0);
	close(ends[1]);
	return ends[0];
}

static void test_callers(void **state)
{
	int own = connection_of(geteuid());

	(void)state;
	assert_true(caller_may(own));
	close(own);
	if (!geteuid()) {
		int others = connection_of(SOMEBODY);

		assert_false(caller_may(others));
		close(others);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),	   cmocka_unit_test(test_open_to_others),
		cmocka_unit_test(test_of_another), cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_callers),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
