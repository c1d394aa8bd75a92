/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's timers, and the clock that they follow.
 *
 * Policy: CLOCK_BOOTTIME, because it counts the time in which the host is suspended, as the system counter does. A
 * timer that fell due in a suspend fires as the host wakes. It is slewed and the counter is not, so whoever is woken
 * compares with the counter again.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u

static sc_ns_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return sc_ns((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec);
}

sc_ns_t host_monotonic(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

sc_ns_t host_thread_time(void)
{
	return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

int host_timer_create(void)
{
	int timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	return timer < 0 ? -errno : timer;
}

static void timer_set(int timer, uint64_t ns)
{
	struct itimerspec setting = {
		.it_value = { .tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S) },
	};

	timerfd_settime(timer, 0, &setting, NULL);
}

void host_timer_arm(int timer, sc_ns_t delay)
{
	/* A timerfd set to 0 would be disarmed. */
	timer_set(timer, delay.v ? delay.v : 1);
}

void host_timer_disarm(int timer)
{
	timer_set(timer, 0);
}

void host_timer_acknowledge(int timer)
{
	uint64_t expirations;

	/* Nothing to read means that it was armed anew meanwhile: as good. */
	while (read(timer, &expirations, sizeof(expirations)) < 0 && errno == EINTR)
		;
}
