// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria. Policy: every criterion is evaluated and printed, even after one has failed; a criterion for which
 * there is no evidence fails.
 */
#include "verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "criterion.h"
#include "verdict_memory.h"

#define RATE_LIMIT 0.001
#define STEP_LIMIT_NS 5000000
#define LOST_NS 5000000000ll
#define PUBLISHED_WITHIN_NS 10000000 /* on an emulated processor, which others may take the time from */
#define MILLION 1000000
#define DAMAGED_PERCENT 2

/* One migration may be too short to compare the rates of its hosts; of this many, at least one is long enough. */
#define RATES_EXPECTED 3

static bool verdict_of_log(const struct run *run, FILE *out)
{
	const struct transcript *transcript = &run->transcript;
	bool whole = transcript->damaged * 100 <= transcript->taken * DAMAGED_PERCENT;
	bool ended = transcript->done || !run->manifest.ends_by_itself;

	return criterion_print(out, whole && ended, "log: %zu lines, %zu damaged (limit %d %%), %s", transcript->taken,
			       transcript->damaged, DAMAGED_PERCENT,
			       transcript->done ? "ended with @done" : "no @done at the end");
}

static bool verdict_of_gaps(const struct run *run, FILE *out)
{
	int64_t gap = timeline_longest_gap(&run->timeline);
	double downtime = 0, limit = (double)(LOST_NS + run->manifest.silence_ns) / 1e6;

	for (size_t i = 0; i < run->migration_count; i++)
		downtime = fmax(downtime, run->migrations[i].report.downtime_ms);
	return criterion_print(out, (double)gap / 1e6 < limit + downtime,
			       "samples: longest time without one %.0f ms (limit %.0f ms)", (double)gap / 1e6,
			       limit + downtime);
}

static bool verdict_of_rate(const struct run *run, enum timeline_clock clock, const char *name, FILE *out)
{
	double worst = 1;

	for (size_t i = 0; i < run->timeline.leg_count; i++) {
		const struct timeline_leg *leg = &run->timeline.legs[i];
		double rate = leg->rate[clock] / manifest_host_rate(leg->host);

		if (fabs(rate - 1) > fabs(worst - 1))
			worst = rate;
	}
	return criterion_print(out, fabs(worst - 1) <= RATE_LIMIT,
			       "rate of CLOCK_%s: %.6f of its host's in the worst of %zu legs (limit 1 +- %.3f)", name,
			       worst, run->timeline.leg_count, RATE_LIMIT);
}

/*
 * ns by which a change of frequency may take the clock back. Linux reads the counter, works out the new frequency and
 * then publishes it; whoever reads the clock meanwhile goes on with the old one. Without any move or module, 100
 * changes of 50 ppm on an emulated host took plain arch_sys_counter back 5574 times, by up to 170 ns.
 */
static int64_t backward_limit(const struct run *run)
{
	return run->manifest.slew_ppm * PUBLISHED_WITHIN_NS / MILLION;
}

static bool verdict_of_backward_steps(const struct run *run, FILE *out)
{
	const struct transcript_reads *reads = run->transcript.reads.items;
	size_t count = run->transcript.reads.count;
	bool seen = count > 0;

	for (size_t i = 0; i < run->migration_count; i++)
		seen = seen && run->migrations[i].reads[0] > 0 && run->migrations[i].reads[1] > 0;
	if (!seen)
		return criterion_print(out, false, "backward steps: no readings on both vCPUs in every leg");
	const struct transcript_reads *last = &reads[count - 1];

	bool none = last->own + last->cross == 0;

	return criterion_print(out, none || (run->manifest.slew_ppm && last->worst <= backward_limit(run)),
			       "backward steps: %" PRId64 " within a vCPU, %" PRId64 " across vCPUs, worst %" PRId64
			       " ns, in %" PRId64 " readings (limit %" PRId64 " ns)",
			       last->own, last->cross, last->worst, last->reads[0] + last->reads[1],
			       backward_limit(run));
}

static bool verdict_of_sleeps(const struct run *run, FILE *out)
{
	const struct transcript_sleeps *sleeps = run->transcript.sleeps.items;
	size_t count = run->transcript.sleeps.count;
	int64_t limit = LOST_NS + run->manifest.silence_ns;

	if (!count || !sleeps[count - 1].ended)
		return criterion_print(out, false, "sleeps: none ended");
	const struct transcript_sleeps *last = &sleeps[count - 1];
	bool early =
		criterion_print(out, last->early == 0, "sleeps early by the guest's clock: %" PRId64 " of %" PRId64,
				last->early, last->ended);
	bool lost = criterion_print(out, last->lost == 0 && last->late < limit,
				    "sleeps lost: %" PRId64 "; the latest ended %.1f ms after its time (limit %" PRId64
				    " s)",
				    last->lost, (double)last->late / 1e6, limit / 1000000000);

	return early && lost;
}

static bool verdict_of_sleeps_by_truth(const struct run *run, FILE *out)
{
	const struct transcript_sleeps *sleeps = run->transcript.sleeps.items;
	size_t count = run->transcript.sleeps.count;
	int64_t early = count ? sleeps[count - 1].truth_early : 0;
	int64_t spanning = 0;
	bool each_spanned = true;

	for (size_t i = 0; i < run->migration_count; i++) {
		early += run->migrations[i].early_spanning;
		spanning += run->migrations[i].sleeps_spanning;
		each_spanned = each_spanned && run->migrations[i].sleeps_spanning > 0;
	}
	return criterion_print(out, early == 0 && each_spanned,
			       "sleeps early by truth beyond the step: %" PRId64 "; %" PRId64
			       " sleeps spanned a migration (%s)",
			       early, spanning, each_spanned ? "each migration" : "not each migration");
}

static int64_t step_allowed(const struct migration *migration)
{
	return migration->report.bound_ns < STEP_LIMIT_NS ? migration->report.bound_ns : STEP_LIMIT_NS;
}

/* How much of what is allowed a step may use up; beyond 1 it is too large, or too uncertain. */
static double step_share(const struct migration *migration)
{
	return (double)migration_error(migration) / (double)step_allowed(migration);
}

static bool verdict_of_steps(const struct run *run, FILE *out)
{
	const struct migration *worst = NULL;

	for (size_t i = 0; i < run->migration_count; i++)
		if (!worst || step_share(&run->migrations[i]) > step_share(worst))
			worst = &run->migrations[i];
	if (!worst)
		return criterion_print(out, false, "steps: no migration");
	return criterion_print(
		out, migration_error(worst) <= step_allowed(worst),
		"steps: worst of %zu migrations %+.1f us +- %.1f us, intended %.1f us (limit %.1f us, the"
		" stated bound)",
		run->migration_count, (double)worst->step.size / 1e3, (double)worst->step.uncertainty / 1e3,
		(double)worst->report.intended_step_ns / 1e3, (double)step_allowed(worst) / 1e3);
}

/* How wrong the reported rate is, as a share of its bound. */
static double rate_share(const struct migration *migration)
{
	double error = fabs(migration->report.rate_ppm - migration_rate_ppm(migration));

	return error / migration->report.rate_ppm_bound;
}

static bool verdict_of_reported_rates(const struct run *run, FILE *out)
{
	const struct migration *worst = NULL;
	size_t count = 0;

	for (size_t i = 0; i < run->migration_count; i++) {
		const struct migration *migration = &run->migrations[i];

		if (!migration->report.has_rate)
			continue;
		count++;
		if (!worst || rate_share(migration) > rate_share(worst))
			worst = migration;
	}
	if (!worst)
		return criterion_print(out, run->migration_count < RATES_EXPECTED,
				       "reported rates: none in %zu migrations (limit: one in %d)",
				       run->migration_count, RATES_EXPECTED);
	return criterion_print(
		out, rate_share(worst) <= 1,
		"reported rates: worst of %zu %+.1f ppm, in truth %+.1f ppm (limit the stated +-%.1f ppm)", count,
		worst->report.rate_ppm, migration_rate_ppm(worst), worst->report.rate_ppm_bound);
}

bool verdict_of_clock(const struct run *run, FILE *out)
{
	bool passed = verdict_of_log(run, out);

	passed = verdict_of_gaps(run, out) && passed;
	passed = verdict_of_rate(run, TIMELINE_MONO, "MONOTONIC", out) && passed;
	passed = verdict_of_rate(run, TIMELINE_BOOT, "BOOTTIME", out) && passed;
	passed = verdict_of_rate(run, TIMELINE_REAL, "REALTIME", out) && passed;
	passed = verdict_of_backward_steps(run, out) && passed;
	passed = verdict_of_sleeps(run, out) && passed;
	passed = verdict_of_sleeps_by_truth(run, out) && passed;
	return verdict_of_steps(run, out) && passed;
}

bool verdict_of_run(const struct run *run, FILE *out)
{
	bool passed = verdict_of_clock(run, out);

	passed = verdict_of_reported_rates(run, out) && passed;
	return (!run->manifest.has_memory_load || verdict_of_memory(&run->transcript, out)) && passed;
}
