// SPDX-License-Identifier: BSD-2-Clause
/*
 * Holds clocks against the counter: see the header. Policy: CNTFRQ_EL0 is read on both sides of every reading; when it
 * has changed, the reading does not count, and the bounds begin anew.
 */
#include "probe_bracket.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe_line.h"
#include "probe_log.h"
#include "probe_truth.h"

#define NS_PER_S 1000000000ll
#define NS_PER_US 1000
#define CLOCK_COUNT 3
#define BURST 50
#define LOG_BURST 10
#define PAUSE_NS 10000000

static const clockid_t clocks[CLOCK_COUNT] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME };

/* By how much a clock is ahead of the counter, in ns: low <= that <= high. */
struct bounds {
	int64_t low, high;
};

/* One way of reading the clocks. */
struct bracket {
	bool by_call;
	uint64_t hz;
	uint64_t count; /* the counter at the newest reading */
	uint64_t readings;
	struct bounds bounds[CLOCK_COUNT];
	struct bounds log; /* the stamps of the kernel's log, which are its sched_clock(); by calls only */
};

/* Without a barrier, which would cost half of the precision: an emulator executes in order. */
static inline uint64_t counter(void)
{
	uint64_t count;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(count) : : "memory");
	return count;
}

static void bracket_clear(struct bracket *bracket, uint64_t hz)
{
	*bracket = (struct bracket){ .by_call = bracket->by_call, .hz = hz };
	for (int i = 0; i < CLOCK_COUNT; i++)
		bracket->bounds[i] = (struct bounds){ INT64_MIN, INT64_MAX };
	bracket->log = (struct bounds){ INT64_MIN, INT64_MAX };
}

/* A reading, between two of the counter, of a clock that then showed `first` to `last` ns. */
static void bracket_take(struct bracket *bracket, struct bounds *bounds, uint64_t hz, const uint64_t counts[2],
			 const int64_t times[2])
{
	int64_t tick = NS_PER_S / (int64_t)hz;
	int64_t low = times[0] - (int64_t)counts[1] * tick, high = times[1] - (int64_t)counts[0] * tick;

	if (hz != bracket->hz)
		bracket_clear(bracket, hz);
	bounds->low = low > bounds->low ? low : bounds->low;
	bounds->high = high < bounds->high ? high : bounds->high;
	bracket->count = counts[1];
	bracket->readings++;
}

static void bracket_read(struct bracket *bracket, int clock)
{
	uint64_t hz = truth_rate(), counts[2] = { counter() };
	struct timespec time;
	long failed = bracket->by_call ? syscall(SYS_clock_gettime, clocks[clock], &time)
				       : clock_gettime(clocks[clock], &time);

	counts[1] = counter();
	if (failed || truth_rate() != hz)
		return;
	int64_t now = time.tv_sec * NS_PER_S + time.tv_nsec;

	bracket_take(bracket, &bracket->bounds[clock], hz, counts, (const int64_t[]){ now, now });
}

/* Stamps are of whole microseconds. */
static void bracket_read_log(struct bracket *bracket)
{
	uint64_t hz = truth_rate(), counts[2] = { counter() };
	int64_t now = 0;
	bool stamped = log_stamp(&now);

	counts[1] = counter();
	if (stamped && truth_rate() == hz)
		bracket_take(bracket, &bracket->log, hz, counts, (const int64_t[]){ now, now + NS_PER_US - 1 });
}

static bool bracket_is_whole(const struct bracket *bracket)
{
	for (int i = 0; i < CLOCK_COUNT; i++)
		if (bracket->bounds[i].low == INT64_MIN)
			return false;
	return !bracket->by_call || bracket->log.low != INT64_MIN;
}

static void bracket_print(struct bracket *bracket)
{
	const struct bounds *b = bracket->bounds;
	char log[64] = "";

	if (!bracket_is_whole(bracket))
		return;
	if (bracket->by_call)
		(void)snprintf(log, sizeof(log), " log=%" PRId64 " log_w=%" PRId64, bracket->log.low,
			       bracket->log.high - bracket->log.low);
	line_print("@bracket hz=%" PRIu64 " cnt=%" PRIu64 " call=%d n=%" PRIu64 " mono=%" PRId64 " mono_w=%" PRId64
		   " raw=%" PRId64 " raw_w=%" PRId64 " real=%" PRId64 " real_w=%" PRId64 "%s",
		   bracket->hz, bracket->count, bracket->by_call, bracket->readings, b[0].low, b[0].high - b[0].low,
		   b[1].low, b[1].high - b[1].low, b[2].low, b[2].high - b[2].low, log);
	bracket_clear(bracket, bracket->hz);
}

static void *bracket_run(void *argument)
{
	const int64_t every = *(const unsigned int *)argument * 1000000ll;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct bracket brackets[] = { { .by_call = false }, { .by_call = true } };
	int64_t printed = truth_clock_ns(CLOCK_MONOTONIC);

	for (;;) {
		for (int i = 0; i < 2 * BURST * CLOCK_COUNT; i++)
			bracket_read(&brackets[i / (BURST * CLOCK_COUNT)], i % CLOCK_COUNT);
		for (int i = 0; i < LOG_BURST; i++)
			bracket_read_log(&brackets[1]);
		if (truth_clock_ns(CLOCK_MONOTONIC) - printed >= every) {
			bracket_print(&brackets[0]);
			bracket_print(&brackets[1]);
			printed = truth_clock_ns(CLOCK_MONOTONIC);
		}
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int bracket_start(unsigned int every_ms)
{
	static unsigned int every;
	pthread_t thread;

	int err = log_open();

	every = every_ms;
	return err ? err : -pthread_create(&thread, NULL, bracket_run, &every);
}
