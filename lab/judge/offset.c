// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges the offset estimates. Policy: as for a run, every criterion is printed, and one without evidence fails.
 */
#include "offset.h"

#include <inttypes.h>
#include <stdlib.h>

#include "criterion.h"
#include "statistics.h"

#define BOUND_MEDIAN_MAX_NS 1000000
#define STEP_MEDIAN_MAX_NS 150000
#define BOUND_SLACK_NS 2000

/* Two clocks that are each wrong by up to 100 ppm drift apart by up to 2p / (1 - p) of the slower one's time. */
#define DRIFT_PPM 100
#define RATES 4
#define PAIRS (RATES * (RATES - 1))
#define MILLION 1000000

const char *const offset_load_names[OFFSET_LOADS] = { "idle", "memory" };

bool offset_add(struct offset_set *set, const struct run *run)
{
	if (run->migration_count > OFFSET_MAX - set->count)
		return false;
	for (size_t i = 0; i < run->migration_count; i++) {
		struct offset *offset = &set->offsets[set->count++];

		offset->migration = run->migrations[i];
		offset->from = *run->migrations[i].from;
		offset->to = *run->migrations[i].to;
		offset->migration.from = &offset->from;
		offset->migration.to = &offset->to;
		offset->load = run->manifest.has_memory_load ? OFFSET_MEMORY : OFFSET_IDLE;
	}
	return true;
}

static int64_t value_of(const struct migration *migration, enum offset_quantity quantity)
{
	switch (quantity) {
	case OFFSET_STEP:
		return llabs(migration->step.size - migration->report.intended_step_ns);
	case OFFSET_BOUND:
		return migration->report.bound_ns;
	case OFFSET_ROUND_TRIP:
		return migration->report.round_trip_ns;
	default:
		return (int64_t)(migration->report.downtime_ms * 1000);
	}
}

struct offset_spread offset_spread(const struct offset_set *set, enum offset_load load, enum offset_quantity quantity)
{
	struct offset_spread spread = { 0 };
	int64_t values[OFFSET_MAX];

	for (size_t i = 0; i < set->count; i++)
		if (set->offsets[i].load == load)
			values[spread.count++] = value_of(&set->offsets[i].migration, quantity);
	spread.median = statistics_median(values, spread.count);
	if (spread.count) {
		spread.least = values[0];
		spread.most = values[spread.count - 1];
	}
	return spread;
}

int64_t offset_bound_limit(const struct report *report)
{
	double drift = (double)report->age_ns * 2 * DRIFT_PPM / (MILLION - DRIFT_PPM);

	return report->round_trip_ns / 2 + (int64_t)drift + BOUND_SLACK_NS;
}

static bool verdict_of_count(const struct offset_set *set, size_t half, FILE *out)
{
	size_t idle = offset_spread(set, OFFSET_IDLE, OFFSET_STEP).count, memory = set->count - idle;

	return criterion_print(out, idle >= half && memory >= half,
			       "migrations: %zu idle, %zu under memory load (at least %zu of each)", idle, memory,
			       half);
}

static size_t rate_index(int64_t *rates, size_t *count, int64_t hz)
{
	size_t i = 0;

	while (i < *count && rates[i] != hz)
		i++;
	if (i == *count && *count < OFFSET_RATES_MAX)
		rates[(*count)++] = hz;
	return i;
}

static bool verdict_of_pairs(const struct offset_set *set, size_t half, FILE *out)
{
	bool seen[OFFSET_RATES_MAX][OFFSET_RATES_MAX] = { 0 };
	int64_t rates[OFFSET_RATES_MAX];
	size_t count = 0, pairs = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct report *report = &set->offsets[i].migration.report;
		size_t from = rate_index(rates, &count, report->from_hz);
		size_t to = rate_index(rates, &count, report->to_hz);

		if (from == OFFSET_RATES_MAX || to == OFFSET_RATES_MAX || from == to || seen[from][to])
			continue;
		seen[from][to] = true;
		pairs++;
	}
	/* A few migrations are each between a different pair. */
	size_t least = 2 * half < PAIRS ? 2 * half : PAIRS;

	return criterion_print(out, count == RATES && pairs >= least,
			       "migrations: %zu ordered pairs of %zu counter rates (at least %zu of %d)", pairs, count,
			       least, RATES);
}

static bool verdict_of_steps(const struct offset_set *set, FILE *out)
{
	size_t within = 0;
	double worst = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct migration *migration = &set->offsets[i].migration;
		double share = (double)migration_error(migration) / (double)migration->report.bound_ns;

		within += migration_error(migration) <= migration->report.bound_ns;
		worst = share > worst ? share : worst;
	}
	return criterion_print(
		out, set->count && within == set->count,
		"true steps: %zu of %zu within the stated bound, measurement error included; the largest is %.2f"
		" of its bound",
		within, set->count, worst);
}

static bool verdict_of_bounds(const struct offset_set *set, FILE *out)
{
	int64_t worst = INT64_MIN;

	for (size_t i = 0; i < set->count; i++) {
		const struct report *report = &set->offsets[i].migration.report;
		int64_t excess = report->bound_ns - offset_bound_limit(report);

		worst = excess > worst ? excess : worst;
	}
	return criterion_print(out, set->count && worst <= 0,
			       "stated bounds: at most %" PRId64
			       " ns more than half the round trip, %d ppm of each clock"
			       " over the age, and %d us (limit 0)",
			       worst, DRIFT_PPM, BOUND_SLACK_NS / 1000);
}

static bool verdict_of_median(const struct offset_set *set, enum offset_quantity quantity, const char *name,
			      int64_t limit, FILE *out)
{
	struct offset_spread spread = offset_spread(set, OFFSET_IDLE, quantity);

	return criterion_print(out, spread.count && spread.median < limit,
			       "median %s of the idle half: %.1f us (limit %" PRId64 " us)", name,
			       (double)spread.median / 1e3, limit / 1000);
}

bool offset_verdict(const struct offset_set *set, size_t half, FILE *out)
{
	bool passed = verdict_of_count(set, half, out);

	passed = verdict_of_pairs(set, half, out) && passed;
	passed = verdict_of_steps(set, out) && passed;
	passed = verdict_of_bounds(set, out) && passed;
	passed = verdict_of_median(set, OFFSET_BOUND, "bound", BOUND_MEDIAN_MAX_NS, out) && passed;
	return verdict_of_median(set, OFFSET_STEP, "true step", STEP_MEDIAN_MAX_NS, out) && passed;
}
