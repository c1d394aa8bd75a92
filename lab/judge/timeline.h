/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of a run on the axis of true time: how wrong each guest clock was, and how fast it ran in each leg.
 *
 * Policy: truth of a sample is the host's clock, which ptp_kvm gave to the guest, plus that host's calibration. Errors
 * are relative to the first sample, so only rates and steps are judged, not the setting of CLOCK_REALTIME at boot.
 */
#ifndef LAB_JUDGE_TIMELINE_H
#define LAB_JUDGE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "transcript.h"
#include "manifest.h"

#define TIMELINE_ERROR_MAX 256

enum timeline_clock {
	TIMELINE_MONO,
	TIMELINE_BOOT,
	TIMELINE_REAL,
	TIMELINE_RAW,
	TIMELINE_CLOCKS
};

struct timeline_leg {
	const struct manifest_host *host;
	size_t first, count;	      /* samples */
	double rate[TIMELINE_CLOCKS]; /* of truth; 0 if there are too few samples */
};

struct timeline {
	size_t count;
	int64_t *truth;			 /* ns since the first sample */
	int64_t *error[TIMELINE_CLOCKS]; /* clock minus truth, ns; RAW: the counter at the rate of the first leg */
	int64_t *width;			 /* of the sample, ns */
	struct timeline_leg legs[TRANSCRIPT_LEGS_MAX];
	size_t leg_count;
	int64_t slew_ppm; /* of the manifest */
};

/*
 * Builds the timeline. Returns 0, -ENOMEM, or -EINVAL with one sentence in error (TIMELINE_ERROR_MAX bytes): no sample,
 * a rate that no host has, a host without calibration, a sample more than a year from the first. Free it in any case.
 */
int timeline_build(struct timeline *timeline, const struct manifest *manifest, const struct transcript *transcript,
		   char *error);

void timeline_free(struct timeline *timeline);

/* A step of CLOCK_MONOTONIC, ns: the true one lies within `uncertainty` of `size`. */
struct timeline_step {
	int64_t size;
	int64_t uncertainty;
};

/* The uncertainty if samples of one leg contradict each other, so that the step is unknown; ns. */
#define TIMELINE_UNCERTAIN 1000000000

/*
 * The step between leg - 1 and leg, from the samples next to it. The truth of a sample was read between two readings
 * of the guest's clock: that bounds the clock's error whatever the readings took, and all samples of a leg together
 * bound it tighter, since it grows as the host's clock does, but for what a time service in the guest slews. Both
 * sides' bounds, the spread of the calibrations, and drift while the guest was not sampled make the uncertainty.
 */
struct timeline_step timeline_step(const struct timeline *timeline, size_t leg);

/* The longest time between two samples, ns. */
int64_t timeline_longest_gap(const struct timeline *timeline);

#endif
