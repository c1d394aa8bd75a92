/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's counter, what it says of CLOCK_REALTIME, and its random numbers.
 *
 * Policy: guest time rests on the system counter alone.
 */
#include "host/host.h"

#include <errno.h>
#include <seaclock/page.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u
#define NS_PER_US 1000u
#define US_PER_S 1000000

/* The thread may be held up between two readings: the tightest of a few brackets counts. */
#define STATEMENT_TRIES 4

sc_ticks_t host_counter(void)
{
	return sc_counter_read();
}

uint32_t host_counter_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint32_t)hz;
}

sc_ns_t host_counter_ns(void)
{
	return sc_rate_ticks_to_ns(host_counter_hz(), host_counter());
}

/*
 * The time and its largest error as they belong together, SC_STATEMENT_UNKNOWN if the clock is not synchronised or in a
 * leap second, of which two hosts may think differently. The kernel adds to the error once a second: until then it may
 * lack what a clock drifts in a second, as many us as it drifts ppm.
 */
static sc_ns_t realtime_read(uint64_t *max_error_ns)
{
	struct timex timex = { 0 };
	int state = adjtimex(&timex);
	bool nanoseconds = timex.status & STA_NANO;

	*max_error_ns = SC_STATEMENT_UNKNOWN;
	if (state >= 0 && state != TIME_ERROR && state != TIME_OOP && !(timex.status & STA_UNSYNC))
		*max_error_ns = ((uint64_t)timex.maxerror + SC_OFFSET_DRIFT_PPM + !nanoseconds) * NS_PER_US;
	return sc_ns((uint64_t)timex.time.tv_sec * NS_PER_S +
		     (uint64_t)timex.time.tv_usec * (nanoseconds ? 1 : NS_PER_US));
}

struct sc_statement host_statement(void)
{
	struct sc_statement statement = { .error_ns = SC_STATEMENT_UNKNOWN };
	uint64_t tightest = UINT64_MAX;

	for (int n = 0; n < STATEMENT_TRIES; n++) {
		uint64_t max_error_ns;
		sc_ns_t before = host_counter_ns();
		sc_ns_t realtime = realtime_read(&max_error_ns);
		sc_ns_t after = host_counter_ns();

		if (after.v - before.v < tightest &&
		    !sc_statement_make(&statement, host_counter_hz(), before, realtime, after, max_error_ns))
			tightest = after.v - before.v;
	}
	return statement;
}

sc_ns_t host_realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return sc_ns((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec);
}

static enum host_leap leap_of(int state, int status)
{
	switch (state) {
	case TIME_INS:
		return HOST_LEAP_INSERT;
	case TIME_DEL:
		return HOST_LEAP_DELETE;
	case TIME_OOP:
		return HOST_LEAP_NOW;
	case TIME_WAIT:
		return status & STA_DEL ? HOST_LEAP_DELETED : HOST_LEAP_INSERTED;
	default:
		return HOST_LEAP_NONE;
	}
}

/*
 * A clock that runs at its own rate is steered by the frequency, which the kernel keeps within 500 ppm. What goes
 * beyond that stands in the length of a tick.
 */
struct host_discipline host_discipline(void)
{
	struct timex timex = { 0 };
	int state = adjtimex(&timex);
	bool known = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
	long tick = US_PER_S / sysconf(_SC_CLK_TCK);

	return (struct host_discipline){
		.synchronised = known,
		.slewing = timex.tick != tick,
		.frequency = timex.freq,
		.estimated_error_ns = (uint64_t)timex.esterror * NS_PER_US,
		.leap = leap_of(state, timex.status),
		.tai_offset_s = timex.tai,
	};
}

void host_random(void *buffer, size_t size)
{
	uint8_t *place = buffer;

	while (size) {
		ssize_t got = getrandom(place, size, 0);

		if (got > 0) {
			place += got;
			size -= (size_t)got;
		}
	}
}
