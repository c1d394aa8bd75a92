/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of locks: what is in it passes, and what is not ends the program, as a debug build must. */
#include "unit.h"

#include "base/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lock machine, device, other;

static void take_all(enum lock_rank first, enum lock_rank second)
{
	lock_init(&machine, first);
	lock_init(&device, second);
	lock_take(&machine);
	lock_take(&device);
	lock_drop(&device);
	lock_drop(&machine);
}

static int in_child(enum lock_rank first, enum lock_rank second)
{
	pid_t child = fork();
	int status;

	if (!child) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		take_all(first, second);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_order(void **state)
{
	(void)state;
	assert_int_equal(in_child(LOCK_MACHINE, LOCK_DEVICE), 0);
	assert_int_equal(in_child(LOCK_DEVICE, LOCK_MACHINE), SIGABRT);
	assert_int_equal(in_child(LOCK_DEVICE, LOCK_DEVICE), SIGABRT);
}

/* One that was dropped counts no more. */
static void test_dropped(void **state)
{
	(void)state;
	lock_init(&other, LOCK_DEVICE);
	lock_take(&other);
	lock_drop(&other);
	take_all(LOCK_MACHINE, LOCK_CLOCK);
	take_all(LOCK_CLOCK, LOCK_DEVICE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
