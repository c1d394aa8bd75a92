/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real timers of the host, of which the other tests have a fake: they count the time of a suspend, which no test
 * can bring about, so the clock of the descriptor is read from the kernel.
 */
#include "unit.h"

/* The archive of the tests has the fake's. NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../vmm/host/timer.c"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#define MS 1000000ull

static bool readable(int fd, int timeout_ms)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return poll(&item, 1, timeout_ms) == 1;
}

/* What the kernel says of a timer; -1 if it says nothing. */
static int clock_of(int timer)
{
	char path[64], line[128];
	int clock = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", timer);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "clockid: %d", &clock);
	if (file)
		fclose(file);
	return clock;
}

static void test_counts_suspends(void **state)
{
	int timer = host_timer_create();
	struct timespec before, after;
	sc_ns_t now;

	(void)state;
	assert_true(timer >= 0);
	assert_int_equal(clock_of(timer), CLOCK_BOOTTIME);
	close(timer);
	clock_gettime(CLOCK_BOOTTIME, &before);
	now = host_monotonic();
	clock_gettime(CLOCK_BOOTTIME, &after);
	assert_in_range(now.v, (uint64_t)before.tv_sec * NS_PER_S + (uint64_t)before.tv_nsec,
			(uint64_t)after.tv_sec * NS_PER_S + (uint64_t)after.tv_nsec);
}

static void test_fires(void **state)
{
	sc_ns_t began = host_monotonic();
	int timer = host_timer_create();

	(void)state;
	host_timer_arm(timer, sc_ns(20 * MS));
	assert_true(readable(timer, 10000));
	assert_true(host_monotonic().v - began.v >= 20 * MS);
	host_timer_acknowledge(timer);
	assert_false(readable(timer, 0));
	/* At once, although a timerfd set to 0 would be disarmed. */
	host_timer_arm(timer, sc_ns(0));
	assert_true(readable(timer, 10000));
	host_timer_disarm(timer);
	assert_false(readable(timer, 0));
	host_timer_acknowledge(timer);
	close(timer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_suspends),
		cmocka_unit_test(test_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
