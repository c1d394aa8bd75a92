// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges a run. Policy: the legs that the guest saw and the migrations of the manifest must tell the same story, or no
 * number could be charged to the right migration.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>

static int legs_check(const struct run *run, char *error)
{
	const struct timeline *timeline = &run->timeline;

	if (timeline->leg_count != run->manifest.migration_count + 1) {
		snprintf(error, RUN_ERROR_MAX,
			 "%zu migrations, but the guest saw %zu counter rates one after the other",
			 run->manifest.migration_count, timeline->leg_count);
		return -EINVAL;
	}
	for (size_t i = 0; i < timeline->leg_count; i++) {
		const struct manifest_migration *into = &run->manifest.migrations[i ? i - 1 : 0];

		if (timeline->legs[i].count == 0 || (i && timeline->legs[i].host != &run->manifest.hosts[into->to])) {
			snprintf(error, RUN_ERROR_MAX, "leg %zu has no sample or is not on the host of the manifest",
				 i);
			return -EINVAL;
		}
	}
	return 0;
}

int run_judge(struct run *run, char *error)
{
	int err = timeline_build(&run->timeline, &run->manifest, &run->transcript, error);

	if (!err)
		err = legs_check(run, error);
	if (err)
		return err;
	run->migration_count = run->manifest.migration_count;
	for (size_t i = 0; i < run->migration_count; i++)
		migration_judge(&run->migrations[i], i, &run->manifest, &run->transcript, &run->timeline,
				&run->reports[i]);
	return 0;
}

void run_free(struct run *run)
{
	transcript_free(&run->transcript);
	timeline_free(&run->timeline);
}
