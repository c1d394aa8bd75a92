// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criterion for CLOCK_MONOTONIC_RAW, which keeps pace with reference time as long as the guest stays on one host.
 * Policy: what it has lost or gained in a move is judged elsewhere, against truth. A reading that is too uncertain does
 * not count, and a leg with fewer than two that count has shown nothing, so it fails.
 */
#include "verdict_raw.h"

#include <inttypes.h>

#include "criterion.h"

/* How far the clock may certainly have drifted. */
#define RAW_LIMIT_NS 2000

struct raw_leg {
	const struct transcript_raw *first, *last; /* that count; NULL: none */
	int64_t worst;
};

static void raw_leg_add(struct raw_leg *leg, const struct transcript_raw *raw)
{
	if (!leg->first)
		leg->first = raw;
	int64_t distance = raw->difference - leg->first->difference, unknown = (raw->width + leg->first->width) / 2;

	distance = (distance < 0 ? -distance : distance) - unknown;
	leg->worst = distance > leg->worst ? distance : leg->worst;
	leg->last = raw;
}

static struct raw_leg raw_leg_of(const struct transcript *transcript, size_t index, int64_t width_limit_ns)
{
	const struct transcript_raw *raw = transcript->raw.items;
	struct raw_leg leg = { 0 };

	for (size_t i = 0; i < transcript->raw.count; i++)
		if (raw[i].leg == index && raw[i].width <= width_limit_ns)
			raw_leg_add(&leg, &raw[i]);
	return leg;
}

bool verdict_of_raw(const struct transcript *transcript, size_t from, int64_t width_limit_ns, FILE *out)
{
	double longest = 0;
	int64_t worst = 0;

	for (size_t i = from; i < transcript->legs; i++) {
		struct raw_leg leg = raw_leg_of(transcript, i, width_limit_ns);

		if (leg.first == leg.last)
			return criterion_print(out, false, "CLOCK_MONOTONIC_RAW: leg %zu has fewer than two readings",
					       i + 1);
		double seconds = (double)(leg.last->ptp - leg.first->ptp) / 1e9;

		longest = seconds > longest ? seconds : longest;
		worst = leg.worst > worst ? leg.worst : worst;
	}
	return criterion_print(out, longest > 0 && worst <= RAW_LIMIT_NS,
			       "CLOCK_MONOTONIC_RAW: drifted from reference time by %" PRId64
			       " ns at most in %.0f s on one host"
			       " (limit %d ns)",
			       worst, longest, RAW_LIMIT_NS);
}
