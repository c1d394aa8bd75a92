// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria for two busy loops that share a vCPU. Policy: fairness holds over the whole leg and, less strictly, in
 * every window of ten seconds, so that one loop starving for a while does not drown in the sum.
 */
#include "verdict_busy.h"

#include <inttypes.h>

#include "criterion.h"

#define CPU_TIME_LIMIT 0.05
#define SHARE_LIMIT 0.9
#define WINDOW_SHARE_LIMIT 0.5
#define WINDOW_NS 10000000000ll

/* The smaller progress of the two loops over the larger one. */
static double share_between(const struct transcript_busy *from, const struct transcript_busy *to)
{
	double a = (double)(to->a - from->a), b = (double)(to->b - from->b);
	double least = a < b ? a : b, most = a < b ? b : a;

	return most > 0 ? least / most : 0;
}

static double share_of_worst_window(const struct transcript_busy *busy, size_t count)
{
	const struct transcript_busy *start = busy;
	double worst = 1;

	for (size_t i = 0; i < count; i++) {
		if (busy[i].ptp - start->ptp < WINDOW_NS)
			continue;
		double share = share_between(start, &busy[i]);

		worst = share < worst ? share : worst;
		start = &busy[i];
	}
	return worst;
}

bool verdict_of_busy(const struct transcript *transcript, int64_t seconds, FILE *out)
{
	const struct transcript_busy *busy = transcript->busy.items;
	size_t first = 0, end = transcript->busy.count;

	while (first < end && busy[first].leg + 1 < transcript->legs)
		first++;
	if (end - first < 2)
		return criterion_print(out, false, "busy loops: no reports in the last leg");
	const struct transcript_busy *from = &busy[first], *to = &busy[end - 1];
	double elapsed = (double)(to->ptp - from->ptp), cpu = (double)(to->cpu - from->cpu) / elapsed;
	double share = share_between(from, to), window = share_of_worst_window(from, end - first);
	bool passed =
		criterion_print(out, elapsed >= (double)seconds * 1e9,
				"length of the last leg: %.1f s (at least %" PRId64 " s)", elapsed / 1e9, seconds);

	passed = criterion_print(out, cpu >= 1 - CPU_TIME_LIMIT && cpu <= 1 + CPU_TIME_LIMIT,
				 "processor time: %.4f of truth (limit 1 +- %.2f)", cpu, CPU_TIME_LIMIT) &&
		 passed;
	return criterion_print(out, share >= SHARE_LIMIT && window >= WINDOW_SHARE_LIMIT,
			       "progress: the slower loop did %.3f of the faster one's work, %.3f in the worst 10 s"
			       " (limits %.1f, %.1f)",
			       share, window, SHARE_LIMIT, WINDOW_SHARE_LIMIT) &&
	       passed;
}
