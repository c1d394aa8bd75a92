/* SPDX-License-Identifier: BSD-2-Clause */
/* The gap: see the header. */
#include "transfer/gap.h"

#include <errno.h>
#include <inttypes.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

bool gap_is_possible(sc_ns_t gap, sc_ns_t stood)
{
	return gap.v <= GAP_SLACK_NS || gap.v - GAP_SLACK_NS <= stood.v;
}

int gap_check(const char *name, sc_ns_t gap, enum sc_clock_policy policy, uint32_t max_s, struct error *error)
{
	if (policy == SC_CLOCK_FREEZE || gap.v <= (uint64_t)max_s * NS_PER_S)
		return 0;
	return error_set(error, ETIME,
			 "%s was stopped for %" PRIu64 ".%03" PRIu64 " s, and its clocks may count %" PRIu32
			 " s at most here; allow more with --max-gap",
			 name, gap.v / NS_PER_S, gap.v % NS_PER_S / NS_PER_MS, max_s);
}
