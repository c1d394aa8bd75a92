/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole run: the manifest, the console, the timeline and the judged migrations.
 *
 * Policy: whatever reports on a run (summary, plot, verdict) takes this and computes nothing about time itself.
 */
#ifndef LAB_JUDGE_RUN_H
#define LAB_JUDGE_RUN_H

#include "transcript.h"
#include "manifest.h"
#include "migration.h"
#include "ping.h"
#include "timeline.h"

#define RUN_ERROR_MAX 512

struct run {
	struct manifest manifest;
	struct transcript transcript;
	struct report reports[MANIFEST_FILES_MAX]; /* one per migration of the manifest */
	struct timeline timeline;
	struct migration migrations[MANIFEST_FILES_MAX];
	size_t migration_count;
	struct ping pings[MANIFEST_FILES_MAX]; /* as many as the manifest has */
	int64_t chrony_steps;		       /* of the guest's clock, by chronyd's log */
};

/*
 * Builds timeline and migrations from manifest, console and reports, which the caller has filled in. Returns 0,
 * -ENOMEM, or -EINVAL with one sentence in error (RUN_ERROR_MAX bytes). Free it in any case.
 */
int run_judge(struct run *run, char *error);

void run_free(struct run *run);

#endif
