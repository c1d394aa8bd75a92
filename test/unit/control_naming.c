/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a machine's name leads to while a process takes it over from another, whatever becomes of the two. */
#include "unit.h"
#include "folder_fixture.h"

#include "control/naming.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "guest"

static struct error error;

/* Somebody who takes the name, or a place beside it. */
struct holder {
	struct naming naming;
	int listener;
};

static struct holder old, new;

static const char *path_of(const char *end)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/" NAME "%s", folder, end);
	return path;
}

static int tear_down(void **state)
{
	(void)state;
	close(old.listener);
	close(new.listener);
	unlink(path_of(".sock"));
	unlink(path_of(".next"));
	return 0;
}

static void take(struct holder *holder, bool succeeds)
{
	assert_int_equal(naming_take(&holder->naming, NAME, succeeds, &holder->listener, &error), 0);
}

static void take_both(void)
{
	take(&old, false);
	take(&new, true);
}

/* As by SIGKILL. */
static void kill_holder(struct holder *holder)
{
	close(holder->listener);
	holder->listener = -1;
}

static bool leads_to(const char *end, const struct holder *holder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), heard;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of(end));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return false;
	}
	heard = accept(holder->listener, NULL, NULL);
	close(fd);
	if (heard >= 0)
		close(heard);
	return heard >= 0;
}

/* Nobody else gets the name before the new one claims it. */
static void expect_kept(void)
{
	struct holder third;

	assert_int_equal(naming_take(&third.naming, NAME, false, &third.listener, &error), -EEXIST);
	assert_non_null(strstr(error.text, "a machine named guest is being renewed"));
	assert_int_equal(third.listener, -1);
}

static void expect_only(const struct holder *holder)
{
	assert_true(leads_to(".sock", holder));
	assert_int_not_equal(access(path_of(".next"), F_OK), 0);
}

/* By one rename(): the name is never free. */
static void test_given(void **state)
{
	(void)state;
	take_both();
	assert_true(leads_to(".sock", &old));
	assert_true(leads_to(".next", &new));
	naming_claim(&new.naming);
	assert_true(new.naming.succeeds);
	assert_true(leads_to(".sock", &old));
	naming_give_up(&old.naming, true);
	expect_only(&new);
	naming_claim(&new.naming);
	assert_false(new.naming.succeeds);
	expect_only(&new);
	naming_give_up(&new.naming, false);
	assert_int_not_equal(access(path_of(".sock"), F_OK), 0);
}

/* A machine that has ended, or a monitor that knows nothing of successors. */
static void test_left(void **state)
{
	(void)state;
	take_both();
	naming_give_up(&old.naming, false);
	assert_int_not_equal(access(path_of(".sock"), F_OK), 0);
	assert_true(leads_to(".next", &new));
	expect_kept();
	naming_claim(&new.naming);
	assert_false(new.naming.succeeds);
	expect_only(&new);
}

static void test_old_killed(void **state)
{
	(void)state;
	take_both();
	kill_holder(&old);
	expect_kept();
	naming_claim(&new.naming);
	assert_false(new.naming.succeeds);
	expect_only(&new);
}

/* The old one's name goes with it, and not to a socket that nobody listens on. */
static void test_new_killed(void **state)
{
	(void)state;
	take_both();
	kill_holder(&new);
	naming_give_up(&old.naming, true);
	assert_int_not_equal(access(path_of(".sock"), F_OK), 0);
	/* What it has left is in no successor's way. */
	take(&new, true);
	assert_true(leads_to(".next", &new));
}

/* It gives up what it has, which is not the name. */
static void test_new_ends(void **state)
{
	(void)state;
	take_both();
	naming_give_up(&new.naming, false);
	expect_only(&old);
	take(&new, true);
	naming_remove(&new.naming);
	expect_only(&old);
	/* A machine that moves to another host has no successor. */
	naming_give_up(&old.naming, true);
	assert_int_not_equal(access(path_of(".sock"), F_OK), 0);
}

static void test_taken(void **state)
{
	struct holder third;

	(void)state;
	take_both();
	assert_int_equal(naming_take(&third.naming, NAME, false, &third.listener, &error), -EEXIST);
	assert_non_null(strstr(error.text, "a machine named guest is already running"));
	assert_int_equal(third.listener, -1);
	assert_int_equal(naming_take(&third.naming, NAME, true, &third.listener, &error), -EEXIST);
	assert_non_null(strstr(error.text, "guest is being renewed already"));
	assert_int_equal(naming_take(&third.naming, "../guest", true, &third.listener, &error), -EINVAL);
}

/* Somebody's file is nobody's socket. */
static void test_no_socket(void **state)
{
	FILE *file;

	(void)state;
	take_both();
	assert_int_equal(unlink(path_of(".sock")), 0);
	file = fopen(path_of(".sock"), "we");
	assert_non_null(file);
	fclose(file);
	naming_claim(&new.naming);
	assert_true(new.naming.succeeds);
	assert_true(leads_to(".next", &new));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_given, tear_down),
		cmocka_unit_test_teardown(test_left, tear_down),
		cmocka_unit_test_teardown(test_old_killed, tear_down),
		cmocka_unit_test_teardown(test_new_killed, tear_down),
		cmocka_unit_test_teardown(test_new_ends, tear_down),
		cmocka_unit_test_teardown(test_taken, tear_down),
		cmocka_unit_test_teardown(test_no_socket, tear_down),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
