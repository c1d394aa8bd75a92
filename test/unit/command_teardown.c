/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a machine that the kernel holds up: the program ends all the same, and no other does. */
#include "unit.h"
#include "../wait_scale.h"

#include "command/teardown.h"

#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 60
#define SHORT_MS 30
#define LONG_MS 600000
#define STATUS 42

/* What a child that parts like that ends with. It is held up for ever, or until nothing could come any more. */
static int part(int limit_ms, bool for_ever)
{
	struct console console = { .in = -1, .out = -1 };
	struct teardown teardown = { .begun = false };
	pid_t child = fork();
	int status;

	if (!child) {
		alarm(wait_scaled(LIMIT_S));
		teardown_begin(&teardown, "m", &console, STATUS, limit_ms);
		/* The first one counts. */
		teardown_begin(&teardown, "m", &console, STATUS + 1, 1);
		if (for_ever)
			pause();
		teardown_end(&teardown);
		usleep(2 * SHORT_MS * 1000);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_held_up(void **state)
{
	(void)state;
	assert_int_equal(part(SHORT_MS, true), STATUS);
}

static void test_in_time(void **state)
{
	(void)state;
	assert_int_equal(part(LONG_MS, false), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
