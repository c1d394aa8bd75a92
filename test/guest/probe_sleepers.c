// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random sleeps of 5 ms to 1.5 s. Policy: every sleep ends or is seen to be lost; the watch is in the reporting thread,
 * which is not one of the sleepers.
 */
#include "probe_sleepers.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probe_line.h"
#include "probe_sleep.h"

#define NS_PER_S 1000000000ll
#define SLEEPERS_MAX 64
#define DURATION_MIN_NS 5000000ll
#define DURATION_MAX_NS 1500000000ll
#define PRINTED_MAX 20

struct sleeper {
	const struct truth *truth;
	int timer; /* timerfd, or -1: clock_nanosleep */
	uint64_t random;
	_Atomic int64_t due;	  /* CLOCK_MONOTONIC ns of the sleep under way, 0: none */
	struct sleep_watch watch; /* the reporting thread's */
};

static struct sleeper sleepers[SLEEPERS_MAX];
static unsigned int sleeper_count;
static _Atomic uint64_t ended, early, early_by_truth, printed;
static _Atomic int64_t latest;
static uint64_t lost;
static int64_t silence;

/* xorshift64: the state is never 0. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void sleep_by_timerfd(int timer, int64_t duration)
{
	struct itimerspec setting = { .it_value = timespec_of(duration) };
	uint64_t expirations;

	if (timerfd_settime(timer, 0, &setting, NULL) != 0)
		die("probe: timerfd_settime");
	if (read(timer, &expirations, sizeof(expirations)) != sizeof(expirations))
		die("probe: read of a timerfd");
}

static void sleep_for(const struct sleeper *sleeper, int64_t duration)
{
	struct timespec time = timespec_of(duration);

	if (sleeper->timer >= 0)
		sleep_by_timerfd(sleeper->timer, duration);
	else if (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) != 0)
		die("probe: clock_nanosleep");
}

static void record_print(const struct sleep_record *r)
{
	line_print("@sleep kind=%s ns=%" PRId64 " mono0=%" PRId64 " mono1=%" PRId64 " hz0=%" PRIu64 " ptp0=%" PRId64
		   " hz1=%" PRIu64 " ptp1=%" PRId64,
		   r->kind, r->duration, r->mono0, r->mono1, r->hz0, r->ptp0, r->hz1, r->ptp1);
}

static void record_late(int64_t late)
{
	int64_t old = atomic_load(&latest);

	while (late > old && !atomic_compare_exchange_weak(&latest, &old, late))
		;
}

static void record_account(const struct sleep_record *record)
{
	enum sleep_finding finding = sleep_judge(record);

	record_late(record->mono1 - record->mono0 - record->duration);
	if (finding == SLEEP_EARLY)
		atomic_fetch_add(&early, 1);
	if (finding == SLEEP_EARLY_BY_TRUTH)
		atomic_fetch_add(&early_by_truth, 1);
	if (finding == SLEEP_MOVED || (finding != SLEEP_GOOD && atomic_fetch_add(&printed, 1) < PRINTED_MAX))
		record_print(record);
	atomic_fetch_add(&ended, 1);
}

static void sleeper_sleep(struct sleeper *sleeper)
{
	uint64_t range = DURATION_MAX_NS - DURATION_MIN_NS;
	struct sleep_record record = {
		.kind = sleeper->timer >= 0 ? "timerfd" : "nanosleep",
		.duration = DURATION_MIN_NS + (int64_t)(random_next(&sleeper->random) % range),
	};

	record.ptp0 = truth_read(sleeper->truth, &record.hz0);
	record.mono0 = truth_clock_ns(CLOCK_MONOTONIC);
	sleeper->due = record.mono0 + record.duration;
	sleep_for(sleeper, record.duration);
	record.mono1 = truth_clock_ns(CLOCK_MONOTONIC);
	sleeper->due = 0;
	record.ptp1 = truth_read(sleeper->truth, &record.hz1);
	record_account(&record);
}

static void *sleeper_run(void *argument)
{
	for (;;)
		sleeper_sleep(argument);
	return NULL;
}

static int sleeper_start(struct sleeper *sleeper, bool by_timerfd)
{
	pthread_t thread;

	sleeper->timer = by_timerfd ? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC) : -1;
	if (by_timerfd && sleeper->timer < 0)
		return -errno;
	return -pthread_create(&thread, NULL, sleeper_run, sleeper);
}

int sleepers_start(const struct truth *truth, unsigned int count, uint64_t seed, int64_t silence_ns)
{
	int err = 0;

	silence = silence_ns;
	sleeper_count = count < SLEEPERS_MAX ? count : SLEEPERS_MAX;
	for (unsigned int i = 0; i < sleeper_count && !err; i++) {
		sleepers[i].truth = truth;
		sleepers[i].random = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		err = sleeper_start(&sleepers[i], i % 2);
	}
	return err;
}

void sleepers_report(void)
{
	int64_t now = truth_clock_ns(CLOCK_MONOTONIC);

	for (unsigned int i = 0; i < sleeper_count; i++)
		if (sleep_watch(&sleepers[i].watch, sleepers[i].due, now, silence))
			lost++;
	line_print("@sleeps hz=%" PRIu64 " n=%" PRIu64 " early=%" PRIu64 " truth_early=%" PRIu64 " lost=%" PRIu64
		   " late=%" PRId64,
		   truth_rate(), ended, early, early_by_truth, lost, latest);
}
