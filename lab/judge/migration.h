/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One migration, judged: what the monitor reported and what the guest saw.
 *
 * Policy: running totals that the guest printed in a leg are charged to the migration that began the leg.
 */
#ifndef LAB_JUDGE_MIGRATION_H
#define LAB_JUDGE_MIGRATION_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "report.h"
#include "timeline.h"

/* By how much the true times of a sleep's start and end may be wrong; ns. */
#define MIGRATION_TOLERANCE_NS 100000

struct migration {
	const struct manifest_host *from, *to;
	struct report report;
	int64_t truth_ns; /* middle between the samples next to it, ns since the first sample */
	struct timeline_step step;
	int64_t backward_steps;
	int64_t reads[2];	/* by each reader in the leg that follows */
	int64_t early_by_guest; /* sleeps, in the leg that follows */
	int64_t early_by_truth; /* likewise */
	int64_t early_spanning; /* sleeps that spanned the migration, early by truth beyond its step and the tolerance
				 */
	int64_t sleeps_spanning;
};

/*
 * Judges migration number `index` (from 0), which led from leg `index` to the next one. Both legs must have samples.
 */
void migration_judge(struct migration *migration, size_t index, const struct manifest *manifest,
		     const struct transcript *transcript, const struct timeline *timeline, const struct report *report);

/* By how much the true step may differ from the intended one, ns: what is measured, and how uncertain that is. */
static inline int64_t migration_error(const struct migration *migration)
{
	return llabs(migration->step.size - migration->report.intended_step_ns) + migration->step.uncertainty;
}

/* How much faster the target's clock truly ran than the source's, ppm. */
static inline double migration_rate_ppm(const struct migration *migration)
{
	return (manifest_host_rate(migration->to) / manifest_host_rate(migration->from) - 1) * 1e6;
}

/* All sleeps that were early in any sense. */
static inline int64_t migration_early(const struct migration *migration)
{
	return migration->early_by_guest + migration->early_by_truth + migration->early_spanning;
}

#endif
