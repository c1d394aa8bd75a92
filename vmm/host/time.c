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

#define NS_PER_S 1000000000u
#define NS_PER_US 1000u

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
