// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criterion for CLOCK_MONOTONIC_RAW, which goes with reference time as long as the guest stays on one host. Policy:
 * what it has lost or won in a move is judged elsewhere, against truth. A reading that does not know the difference
 * well counts for nothing, and a stay without two that do has shown nothing, so it fails.
 */
#include "verdict_raw.h"

#include <inttypes.h>

#include "criterion.h"

/* How far the clock may surely be from where it was, and how well a reading must know it. */
#define RAW_LIMIT_NS 2000
#define RAW_WIDTH_LIMIT_NS 20000

struct raw_stay {
	const struct transcript_raw *first, *last; /* that count; NULL: none */
	int64_t worst;
};

static void raw_stay_add(struct raw_stay *stay, const struct transcript_raw *raw)
{
	if (raw->width > RAW_WIDTH_LIMIT_NS)
		return;
	if (!stay->first)
		stay->first = raw;
	int64_t distance = raw->difference - stay->first->difference, unknown = (raw->width + stay->first->width) / 2;

	distance = (distance < 0 ? -distance : distance) - unknown;
	stay->worst = distance > stay->worst ? distance : stay->worst;
	stay->last = raw;
}

static struct raw_stay raw_stay_of(const struct transcript *transcript, size_t index)
{
	const struct transcript_raw *raw = transcript->raw.items;
	struct raw_stay stay = { 0 };

	for (size_t i = 0; i < transcript->raw.count; i++)
		if (raw[i].stay == index)
			raw_stay_add(&stay, &raw[i]);
	return stay;
}

bool verdict_of_raw(const struct transcript *transcript, size_t from, FILE *out)
{
	double longest = 0;
	int64_t worst = 0;

	for (size_t i = from; i < transcript->stays; i++) {
		struct raw_stay stay = raw_stay_of(transcript, i);

		if (stay.first == stay.last)
			return criterion_print(out, false, "CLOCK_MONOTONIC_RAW: stay %zu has fewer than two readings",
					       i + 1);
		double seconds = (double)(stay.last->ptp - stay.first->ptp) / 1e9;

		longest = seconds > longest ? seconds : longest;
		worst = stay.worst > worst ? stay.worst : worst;
	}
	return criterion_print(out, longest > 0 && worst <= RAW_LIMIT_NS,
			       "CLOCK_MONOTONIC_RAW: left reference time by %" PRId64
			       " ns at most in %.0f s on one host"
			       " (limit %d ns)",
			       worst, longest, RAW_LIMIT_NS);
}
