/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the clocks have been compared well enough: see the header. */
#include "migrate/comparison.h"

#include "base/log.h"
#include "host/host.h"
#include "migrate/stamps.h"

#include <errno.h>
#include <inttypes.h>

#define NS_PER_MS 1000000u
#define NS_PER_US 1000u
#define MS_PER_S 1000

bool comparison_fits(const struct comparison *comparison, uint64_t *half_width_us)
{
	struct sc_offset_result known = { .half_width_ns = UINT64_MAX };

	sc_offset_result(&comparison->offset, host_counter_ns(), &known);
	*half_width_us = known.half_width_ns / NS_PER_US;
	return known.half_width_ns <= (uint64_t)comparison->max_step_us * NS_PER_US;
}

int comparison_check(struct comparison *comparison, bool *enough, struct error *error)
{
	sc_ns_t now = host_monotonic();
	uint64_t half_width_us;

	*enough = comparison_fits(comparison, &half_width_us);
	if (*enough)
		return 0;
	if (!comparison->lacking_since.v)
		comparison->lacking_since = now;
	if (now.v - comparison->lacking_since.v < (uint64_t)comparison->limit_ms * NS_PER_MS)
		return 0;
	return error_set(error, ETIME,
			 "the hosts' clocks could be compared to within %" PRIu64
			 " us only, in %d s: the connection is "
			 "too uneven for the %" PRIu32 " us asked for; allow more with --max-step",
			 half_width_us, comparison->limit_ms / MS_PER_S, comparison->max_step_us);
}

void comparison_rest(struct comparison *comparison)
{
	comparison->lacking_since = sc_ns(0);
}

int comparison_keep(struct comparison *comparison, struct channel *channel, const char *name, bool held,
		    struct error *error)
{
	uint64_t half_width_us;
	int result = 0;

	if (!held || !comparison_fits(comparison, &half_width_us))
		result = stamps_burst(channel, &comparison->offset, error);
	if (result || comparison_fits(comparison, &half_width_us))
		return result;
	return error_set(error, ETIME,
			 "once %s was asked to hold, the hosts' clocks could be compared to within %" PRIu64
			 " us only, where %" PRIu32 " us were asked for; allow more with --max-step",
			 name, half_width_us, comparison->max_step_us);
}

void comparison_report(const struct comparison *comparison, sc_ns_t started, int64_t difference_ns,
		       struct report *report)
{
	struct sc_offset_result known = { 0 };

	/* One unit for the rebase of reference time. */
	report->stated_bound_ns = sc_offset_bound(&comparison->offset, started, difference_ns, &known) + SC_REF_NS;
	report->round_trip_ns = known.round_trip_ns;
	report->age_ns = known.age_ns;
	report->rate_known = !sc_offset_rate(&comparison->offset, &report->rate);
	if (known.stated == SC_STATED_EXCLUDED)
		log_line("%s: what the hosts say of their synchronisation contradicts their time stamps", report->name);
}
