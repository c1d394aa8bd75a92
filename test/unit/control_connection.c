/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a client finds a machine by its name: in the folder that SEACLOCK_DIR names, in the control folder, and among the
 * units; and that nobody is spoken to but the user whose folder it is. The last two need a /run of the test's own.
 */
#include "unit.h"

#include "base/named_socket.h"
#include "control/client.h"
#include "control/connection.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOMEBODY 12345

static struct error error;
static char folder[] = "/tmp/seaclock-connection-XXXXXX";
static char boat[sizeof(folder) + sizeof("/boat.sock")]; /* in the folder */
static bool own_run;

static int make_folder(void **state)
{
	(void)state;
	own_run = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		  !mount("run", "/run", "tmpfs", 0, NULL);
	return mkdtemp(folder) && snprintf(boat, sizeof(boat), "%s/boat.sock", folder) > 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	/* It is there if a test has failed. */
	unlink(boat);
	return rmdir(folder);
}

/* Somebody listens at that path. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(named_socket_listen(&address, &fd), 0);
	return fd;
}

static void expect_open(const char *name, int expected)
{
	int fd, result = connection_open(name, &fd, &error);

	assert_int_equal(result, expected);
	if (!result)
		close(fd);
}

static void test_named_folder(void **state)
{
	int listener;

	(void)state;
	setenv("SEACLOCK_DIR", folder, 1);
	expect_open("boat", -ESRCH);
	assert_non_null(strstr(error.text, "no machine named boat is running here ("));
	expect_open("../boat", -EINVAL);
	listener = listen_at(boat);
	expect_open("boat", 0);
	close(listener);
	expect_open("boat", -ESRCH);
	unlink(boat);
}

/* A folder of a user whose monitor has put a link to another's socket there. */
static void test_whose(void **state)
{
	int listener;

	(void)state;
	if (geteuid())
		skip();
	setenv("SEACLOCK_DIR", folder, 1);
	listener = listen_at(boat);
	assert_int_equal(chown(folder, SOMEBODY, SOMEBODY), 0);
	expect_open("boat", -EPERM);
	assert_non_null(strstr(error.text, "user 0 listens at"));
	assert_int_equal(chown(folder, 0, 0), 0);
	expect_open("boat", 0);
	close(listener);
	unlink(boat);
}

static void expect_names(const char *expected)
{
	char(*names)[NAME_SIZE], text[256] = "";
	size_t count;

	assert_int_equal(connection_names(&names, &count, &error), 0);
	for (size_t n = 0; n < count; n++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", names[n]);
	assert_string_equal(text, expected);
	free(names);
}

static void unit_make(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/run/seaclock-units/%s", name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Another user does not get at a unit's machine, and is not told that it is silent. */
static void test_unit_of_another(void **state)
{
	json_t *all;
	int unit;

	(void)state;
	if (!own_run || geteuid())
		skip();
	unsetenv("SEACLOCK_DIR");
	assert_int_equal(mkdir("/run/seaclock-units", 0755), 0);
	unit_make("boat");
	unit = listen_at("/run/seaclock-units/boat/boat.sock");
	assert_int_equal(seteuid(SOMEBODY), 0);
	expect_open("boat", -EACCES);
	assert_int_equal(client_status_all(&all, &error), 0);
	assert_int_equal(json_array_size(all), 0);
	assert_int_equal(seteuid(0), 0);
	json_decref(all);
	close(unit);
	assert_int_equal(unlink("/run/seaclock-units/boat/boat.sock") || rmdir("/run/seaclock-units/boat") ||
				 rmdir("/run/seaclock-units"),
			 0);
}

static void test_units(void **state)
{
	int unit, own;

	(void)state;
	if (!own_run)
		skip();
	unsetenv("SEACLOCK_DIR");
	expect_names("");
	assert_int_equal(mkdir("/run/seaclock", 0700), 0);
	assert_int_equal(mkdir("/run/seaclock-units", 0755), 0);
	unit_make("boat");
	expect_open("boat", -ESRCH);
	assert_non_null(strstr(error.text, "(/run/seaclock/boat.sock: "));
	unit = listen_at("/run/seaclock-units/boat/boat.sock");
	expect_open("boat", 0);
	expect_open("ship", -ESRCH);
	expect_names("boat ");
	/* One of that name in the control folder comes first, and is there once. */
	own = listen_at("/run/seaclock/boat.sock");
	assert_int_equal(chown("/run/seaclock-units/boat", SOMEBODY, SOMEBODY), 0);
	expect_open("boat", 0);
	expect_names("boat ");
	close(own);
	expect_open("boat", -EPERM);
	/* Who names a folder means that one. */
	setenv("SEACLOCK_DIR", folder, 1);
	expect_open("boat", -ESRCH);
	expect_names("");
	close(unit);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named_folder),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_unit_of_another),
		cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
