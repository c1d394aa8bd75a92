// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges a migration. Policy: a sleep is early by truth only when it fell short by more than the clock's own step at
 * this migration, since a guest sleeps by its own clock.
 */
#include "migration.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static int64_t first_truth(const struct timeline *timeline, size_t leg)
{
	return timeline->truth[timeline->legs[leg].first];
}

static int64_t last_truth(const struct timeline *timeline, size_t leg)
{
	return timeline->truth[timeline->legs[leg].first + timeline->legs[leg].count - 1];
}

/* The last totals that were printed in `leg` or before it, or all zero. */
static struct transcript_reads reads_until(const struct transcript *transcript, size_t leg)
{
	struct transcript_reads last = { 0 };
	const struct transcript_reads *reads = transcript->reads.items;

	for (size_t i = 0; i < transcript->reads.count && reads[i].leg <= leg; i++)
		last = reads[i];
	return last;
}

static struct transcript_sleeps sleeps_until(const struct transcript *transcript, size_t leg)
{
	struct transcript_sleeps last = { 0 };
	const struct transcript_sleeps *sleeps = transcript->sleeps.items;

	for (size_t i = 0; i < transcript->sleeps.count && sleeps[i].leg <= leg; i++)
		last = sleeps[i];
	return last;
}

static void judge_reads(struct migration *migration, const struct transcript *transcript, size_t index)
{
	struct transcript_reads before = reads_until(transcript, index), after = reads_until(transcript, index + 1);

	migration->backward_steps = after.own + after.cross - before.own - before.cross;
	for (int i = 0; i < 2; i++)
		migration->reads[i] = after.reads[i] - before.reads[i];
}

static int64_t truth_at(const struct transcript *transcript, const struct timeline *timeline,
			const struct manifest_host *host, int64_t ptp)
{
	return manifest_host_truth(host, ptp) -
	       manifest_host_truth(timeline->legs[0].host, transcript_samples(transcript)[0].ptp);
}

/* By how much of true time a sleep may fall short because the clocks of its hosts run too fast, ns. */
static int64_t shortfall_by_drift(const struct migration *migration, int64_t duration)
{
	double from = manifest_host_rate(migration->from), to = manifest_host_rate(migration->to);

	return (int64_t)((double)duration * (fmax(1, fmax(from, to)) - 1));
}

static void judge_sleep(struct migration *migration, size_t index, const struct transcript *transcript,
			const struct timeline *timeline, const struct transcript_sleep *sleep)
{
	if (sleep->hz0 != migration->from->hz || sleep->hz1 != migration->to->hz)
		return;
	int64_t start = truth_at(transcript, timeline, migration->from, sleep->ptp0);
	int64_t end = truth_at(transcript, timeline, migration->to, sleep->ptp1);

	if (start >= first_truth(timeline, index + 1) || end <= last_truth(timeline, index))
		return;
	migration->sleeps_spanning++;
	if (end - start < sleep->duration - llabs(migration->step.size) -
				  shortfall_by_drift(migration, sleep->duration) - MIGRATION_TOLERANCE_NS)
		migration->early_spanning++;
}

static void judge_sleeps(struct migration *migration, size_t index, const struct transcript *transcript,
			 const struct timeline *timeline)
{
	struct transcript_sleeps before = sleeps_until(transcript, index), after = sleeps_until(transcript, index + 1);
	const struct transcript_sleep *sleep = transcript->sleep.items;

	migration->early_by_guest = after.early - before.early;
	migration->early_by_truth = after.truth_early - before.truth_early;
	for (size_t i = 0; i < transcript->sleep.count; i++)
		judge_sleep(migration, index, transcript, timeline, &sleep[i]);
}

void migration_judge(struct migration *migration, size_t index, const struct manifest *manifest,
		     const struct transcript *transcript, const struct timeline *timeline, const struct report *report)
{
	int64_t last = last_truth(timeline, index);

	*migration = (struct migration){
		.from = &manifest->hosts[manifest->migrations[index].from],
		.to = &manifest->hosts[manifest->migrations[index].to],
		.report = *report,
		.truth_ns = last + (first_truth(timeline, index + 1) - last) / 2,
		.step = timeline_step(timeline, index + 1),
	};
	judge_reads(migration, transcript, index);
	judge_sleeps(migration, index, transcript, timeline);
}
