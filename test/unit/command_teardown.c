/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a machine that the kernel holds up: the program ends all the same, and no other does. */
#include "unit.h"
#include "../wait_scale.h"

#include "base/log.h"
#include "command/teardown.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 60
#define SHORT_MS 30
#define LONG_MS 600000
#define STATUS 42

/* As for a thread whose write the kernel cannot break off, since the server of its file is away. */
static void make_stubborn(void)
{
	static const char bytes[4096];
	const struct sigaction action = { .sa_handler = SIG_IGN };
	int ends[2];

	sigaction(SIGUSR2, &action, NULL);
	if (pipe(ends) || fcntl(ends[1], F_SETFL, O_NONBLOCK))
		_exit(1);
	while (write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	dup2(ends[1], STDERR_FILENO);
}

static sc_ns_t no_time(void)
{
	return sc_ns(0);
}

static void log_to_nobody(void)
{
	struct error error;

	if (log_open(no_time, &error))
		_exit(1);
	/* Behind log_open(), which makes the signal break off a write. */
	make_stubborn();
	log_line("nobody reads this");
}

/* What a child that parts like that ends with. It is held up for ever, or until nothing could come any more. */
static int part(int limit_ms, bool for_ever, void (*before)(void))
{
	struct console console = { .in = -1, .out = -1 };
	struct teardown teardown = { .begun = false };
	pid_t child = fork();
	int status;

	if (!child) {
		alarm(wait_scaled(LIMIT_S));
		if (before)
			before();
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
	assert_int_equal(part(SHORT_MS, true, NULL), STATUS);
}

/* The log is what holds it up, or is on the same server. */
static void test_log_is_held_up(void **state)
{
	(void)state;
	assert_int_equal(part(SHORT_MS, true, log_to_nobody), STATUS);
}

static void test_in_time(void **state)
{
	(void)state;
	assert_int_equal(part(LONG_MS, false, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_log_is_held_up),
		cmocka_unit_test(test_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
