// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria for two busy loops that share a vCPU. Policy: the guest's scheduler is judged by the processor time that
 * it gives each loop, over the whole leg and in every window of ten seconds, so that one loop starving for a while does
 * not drown in the sum. What a loop gets done in its time also depends on the emulator, which the machine's load slows
 * down at moments of its own; so of the work no more is asked than that neither loop starves.
 */
#include "verdict_busy.h"

#include <inttypes.h>

#include "criterion.h"

#define CPU_TIME_LIMIT 0.05
#define SHARE_LIMIT 0.9
#define WINDOW_SHARE_LIMIT 0.5
#define WINDOW_WORK_LIMIT 0.25
#define WINDOW_NS 10000000000ll

struct shares {
	double time, work;
};

/* The smaller of two amounts over the larger one. */
static double share_of(int64_t a, int64_t b)
{
	int64_t least = a < b ? a : b, most = a < b ? b : a;

	return most > 0 ? (double)least / (double)most : 0;
}

static struct shares shares_between(const struct transcript_busy *from, const struct transcript_busy *to)
{
	return (struct shares){ share_of(to->ns[0] - from->ns[0], to->ns[1] - from->ns[1]),
				share_of(to->work[0] - from->work[0], to->work[1] - from->work[1]) };
}

static struct shares shares_of_worst_window(const struct transcript_busy *busy, size_t count)
{
	const struct transcript_busy *start = busy;
	struct shares worst = { 1, 1 };

	for (size_t i = 0; i < count; i++) {
		struct shares now;

		if (busy[i].ptp - start->ptp < WINDOW_NS)
			continue;
		now = shares_between(start, &busy[i]);
		worst.time = now.time < worst.time ? now.time : worst.time;
		worst.work = now.work < worst.work ? now.work : worst.work;
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
	double share = shares_between(from, to).time;
	struct shares worst = shares_of_worst_window(from, end - first);
	bool passed =
		criterion_print(out, elapsed >= (double)seconds * 1e9,
				"length of the last leg: %.1f s (at least %" PRId64 " s)", elapsed / 1e9, seconds);

	passed = criterion_print(out, cpu >= 1 - CPU_TIME_LIMIT && cpu <= 1 + CPU_TIME_LIMIT,
				 "processor time: %.4f of truth (limit 1 +- %.2f)", cpu, CPU_TIME_LIMIT) &&
		 passed;
	passed = criterion_print(out, share >= SHARE_LIMIT && worst.time >= WINDOW_SHARE_LIMIT,
				 "fairness: one loop got %.3f of the other's processor time, %.3f in the worst 10 s"
				 " (limits %.1f, %.1f)",
				 share, worst.time, SHARE_LIMIT, WINDOW_SHARE_LIMIT) &&
		 passed;
	return criterion_print(out, worst.work >= WINDOW_WORK_LIMIT,
			       "progress: one loop did %.3f of the other's work in the worst 10 s (limit %.2f)",
			       worst.work, WINDOW_WORK_LIMIT) &&
	       passed;
}
