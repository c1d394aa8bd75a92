/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows the state of the kernel's NTP code: `discipline show`; or changes it first:
 *
 *     sync [US [S]]  the clock is synchronised, to within US (1000) microseconds, and TAI is S seconds ahead of it
 *     step NS        step it by NS nanoseconds
 *     slew US        slew it by US microseconds, as adjtime() does
 *     leap S         set it to S seconds before the end of a day, and announce a leap second
 *
 * `discipline watch` prints a line whenever the clock is no longer synchronised or is so again, and every WATCH_MS,
 * until it is killed: "@sync unsync=N monotonic=NS".
 *
 * Policy: one line for a script, "@discipline state=N unsync=N leap=N slew=US maxerror=US monotonic=NS seconds=S":
 * state and leap as the kernel numbers them, seconds since the day began.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "probe_line.h"

#define DAY_S 86400
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS 1000000
#define LOOK_MS 100
#define WATCH_MS 5000

/* Without a second number, the kernel keeps what it knows of TAI. */
static int discipline_sync(long us, long tai_s)
{
	struct timex timex = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .maxerror = us, .esterror = us };

	if (tai_s) {
		timex.modes |= ADJ_TAI;
		timex.constant = tai_s;
	}
	return adjtimex(&timex) < 0;
}

static int discipline_step(long ns)
{
	struct timex timex = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	timex.time.tv_sec = ns / NS_PER_S - (ns % NS_PER_S < 0);
	timex.time.tv_usec = ns - timex.time.tv_sec * NS_PER_S;
	return adjtimex(&timex) < 0;
}

static int discipline_slew(long us)
{
	struct timex timex = { .modes = ADJ_OFFSET_SINGLESHOT, .offset = us };

	return adjtimex(&timex) < 0;
}

static int discipline_leap(long seconds)
{
	struct timex timex = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_INS, .maxerror = 1000 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += DAY_S - now.tv_sec % DAY_S - seconds;
	return clock_settime(CLOCK_REALTIME, &now) || adjtimex(&timex) < 0;
}

static int discipline_show(void)
{
	struct timex timex = { 0 }, slew = { .modes = ADJ_OFFSET_SS_READ };
	struct timespec monotonic;
	int state = adjtimex(&timex);

	if (state < 0 || adjtimex(&slew) < 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	printf("@discipline state=%d unsync=%d leap=%d slew=%ld maxerror=%ld monotonic=%lld%09ld seconds=%ld\n", state,
	       !!(timex.status & STA_UNSYNC), !!(timex.status & STA_INS), slew.offset, timex.maxerror,
	       (long long)monotonic.tv_sec, monotonic.tv_nsec, (long)(timex.time.tv_sec % DAY_S));
	return 0;
}

/* Prints the state if it is not `last`, or has not been printed for long; returns it, -1 if it is not known. */
static int watch_step(int last, int64_t *printed_ns)
{
	struct timex timex = { 0 };
	struct timespec t;

	if (adjtimex(&timex) < 0 || clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return -1;
	int unsync = !!(timex.status & STA_UNSYNC);
	int64_t now = t.tv_sec * NS_PER_S + t.tv_nsec;

	if (unsync != last || now - *printed_ns >= WATCH_MS * (int64_t)NS_PER_MS) {
		line_print("@sync unsync=%d monotonic=%" PRId64, unsync, now);
		*printed_ns = now;
	}
	return unsync;
}

static int discipline_watch(void)
{
	struct timespec pause = { .tv_nsec = LOOK_MS * NS_PER_MS };
	int64_t printed_ns = 0;
	int unsync = 0;

	while ((unsync = watch_step(unsync, &printed_ns)) >= 0)
		nanosleep(&pause, NULL);
	perror("discipline");
	return 1;
}

int main(int argc, char **argv)
{
	const char *order = argc > 1 ? argv[1] : "show";
	long value = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int failed = 0;

	if (!strcmp(order, "watch"))
		return discipline_watch();
	if (!strcmp(order, "sync"))
		failed = discipline_sync(argc > 2 ? value : 1000, argc > 3 ? strtol(argv[3], NULL, 10) : 0);
	else if (!strcmp(order, "step"))
		failed = discipline_step(value);
	else if (!strcmp(order, "slew"))
		failed = discipline_slew(value);
	else if (!strcmp(order, "leap"))
		failed = discipline_leap(value);
	failed |= discipline_show();
	if (failed)
		perror("discipline");
	return failed;
}
