// SPDX-License-Identifier: BSD-2-Clause
/*
 * Puts samples on the axis of truth. Policy: a sample that took long is uncertain by half its width, so samples that
 * are much wider than usual do not count for rates.
 */
#include "timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statistics.h"

#define YEAR_NS (366ll * 86400 * 1000000000)
#define STEP_SAMPLES 16
#define PPM 1000000
#define WIDE 4 /* times the median width */

static int64_t *array_new(size_t count)
{
	return calloc(count, sizeof(int64_t));
}

static bool arrays_new(struct timeline *timeline, size_t count)
{
	bool all = (timeline->truth = array_new(count)) && (timeline->width = array_new(count));

	for (int clock = 0; clock < TIMELINE_CLOCKS; clock++)
		all = (timeline->error[clock] = array_new(count)) && all;
	return all;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline->truth);
	free(timeline->width);
	for (int clock = 0; clock < TIMELINE_CLOCKS; clock++)
		free(timeline->error[clock]);
	memset(timeline, 0, sizeof(*timeline));
}

static int legs_find_hosts(struct timeline *timeline, const struct manifest *manifest,
			   const struct transcript *transcript, char *error)
{
	timeline->leg_count = transcript->legs;
	for (size_t i = 0; i < transcript->legs; i++) {
		const struct manifest_host *host = manifest_host_by_rate(manifest, transcript->leg_hz[i]);

		if (!host || !host->calibrations) {
			snprintf(error, TIMELINE_ERROR_MAX, "leg %zu: %s with a rate of %" PRId64 " Hz", i,
				 host ? "no calibration of the host" : "the manifest has no host",
				 transcript->leg_hz[i]);
			return -EINVAL;
		}
		timeline->legs[i].host = host;
	}
	return 0;
}

/* Nanoseconds of a number of counts; saturates at about 70 years. */
static int64_t counts_to_ns(int64_t counts, int64_t hz)
{
	const double limit = (double)(1ll << 61);
	double ns = (double)counts * 1e9 / (double)hz;

	return (int64_t)(ns > limit ? limit : ns < -limit ? -limit : ns);
}

static bool sample_place(struct timeline *timeline, size_t i, const struct transcript_sample *s, int64_t raw_hz)
{
	const struct transcript_sample *first = s - i;
	int64_t truth = manifest_host_truth(timeline->legs[s->leg].host, s->ptp) -
			manifest_host_truth(timeline->legs[first->leg].host, first->ptp);

	if (truth <= -YEAR_NS || truth >= YEAR_NS)
		return false;
	timeline->truth[i] = truth;
	timeline->width[i] = s->width;
	timeline->error[TIMELINE_MONO][i] = s->mono - first->mono - truth;
	timeline->error[TIMELINE_BOOT][i] = s->boot - first->boot - truth;
	timeline->error[TIMELINE_REAL][i] = s->real - first->real - truth;
	timeline->error[TIMELINE_RAW][i] = counts_to_ns((int64_t)(s->cnt - first->cnt), raw_hz) - truth;
	return true;
}

static int samples_place(struct timeline *timeline, const struct transcript *transcript, char *error)
{
	const struct transcript_sample *samples = transcript_samples(transcript);

	for (size_t i = 0; i < transcript->samples.count; i++) {
		struct timeline_leg *leg = &timeline->legs[samples[i].leg];

		if (!sample_place(timeline, i, &samples[i], timeline->legs[0].host->hz)) {
			snprintf(error, TIMELINE_ERROR_MAX, "sample %zu is more than a year from the first", i);
			return -EINVAL;
		}
		if (leg->count++ == 0)
			leg->first = i;
	}
	timeline->count = transcript->samples.count;
	return 0;
}

static int64_t usual_width(const struct timeline *timeline, const struct timeline_leg *leg, int64_t *scratch)
{
	memcpy(scratch, timeline->width + leg->first, leg->count * sizeof(*scratch));
	return statistics_median(scratch, leg->count);
}

/* x and y hold at least as many values as the leg has samples. */
static void leg_find_rates(const struct timeline *timeline, struct timeline_leg *leg, int64_t *x, int64_t *y)
{
	int64_t limit = WIDE * usual_width(timeline, leg, x);

	for (int clock = 0; clock < TIMELINE_CLOCKS; clock++) {
		size_t used = 0;

		for (size_t i = leg->first; i < leg->first + leg->count; i++) {
			if (timeline->width[i] > limit)
				continue;
			x[used] = timeline->truth[i];
			y[used++] = timeline->error[clock][i];
		}
		leg->rate[clock] = used < 2 ? 0 : 1 + statistics_slope(x, y, used);
	}
}

static int legs_find_rates(struct timeline *timeline)
{
	int64_t *x = array_new(timeline->count), *y = array_new(timeline->count);
	int err = x && y ? 0 : -ENOMEM;

	for (size_t i = 0; i < timeline->leg_count && !err; i++)
		leg_find_rates(timeline, &timeline->legs[i], x, y);
	free(x);
	free(y);
	return err;
}

int timeline_build(struct timeline *timeline, const struct manifest *manifest, const struct transcript *transcript,
		   char *error)
{
	memset(timeline, 0, sizeof(*timeline));
	timeline->slew_ppm = manifest->slew_ppm;
	if (transcript->samples.count == 0) {
		snprintf(error, TIMELINE_ERROR_MAX, "the guest printed no sample");
		return -EINVAL;
	}
	if (!arrays_new(timeline, transcript->samples.count))
		return -ENOMEM;
	int err = legs_find_hosts(timeline, manifest, transcript, error);

	if (!err)
		err = samples_place(timeline, transcript, error);
	return err ? err : legs_find_rates(timeline);
}

/* Bounds of the error of CLOCK_MONOTONIC, ns. */
struct bounds {
	int64_t low, high;
};

/* How fast the error grows of a clock that runs like its host's. */
static double growth_of(const struct timeline_leg *leg)
{
	return manifest_host_rate(leg->host) - 1;
}

/* From `count` samples, as of the true time `at`. */
static struct bounds bounds_of(const struct timeline *timeline, const struct timeline_leg *leg, size_t first,
			       size_t count, int64_t at)
{
	struct bounds bounds = { .low = INT64_MIN, .high = INT64_MAX };

	for (size_t i = first; i < first + count; i++) {
		int64_t away = at - timeline->truth[i];
		int64_t error = timeline->error[TIMELINE_MONO][i] + (int64_t)((double)away * growth_of(leg));
		/* Half, and one for rounding. */
		int64_t reach = timeline->width[i] / 2 + 1 + llabs(away) / PPM * timeline->slew_ppm;

		bounds.low = error - reach > bounds.low ? error - reach : bounds.low;
		bounds.high = error + reach < bounds.high ? error + reach : bounds.high;
	}
	return bounds;
}

static size_t at_most(size_t count)
{
	return count < STEP_SAMPLES ? count : STEP_SAMPLES;
}

struct timeline_step timeline_step(const struct timeline *timeline, size_t leg)
{
	const struct timeline_leg *from = &timeline->legs[leg - 1], *to = &timeline->legs[leg];
	size_t last = from->first + from->count - 1;
	int64_t unseen = timeline->truth[to->first] - timeline->truth[last];
	int64_t middle = timeline->truth[last] + unseen / 2;
	struct bounds before = bounds_of(timeline, from, last + 1 - at_most(from->count), at_most(from->count), middle);
	struct bounds after = bounds_of(timeline, to, to->first, at_most(to->count), middle);
	double apart = fabs(growth_of(from) - growth_of(to));

	if (before.low > before.high || after.low > after.high)
		return (struct timeline_step){ .size = after.low - before.low, .uncertainty = TIMELINE_UNCERTAIN };
	return (struct timeline_step){
		.size = (after.low + after.high) / 2 - (before.low + before.high) / 2,
		.uncertainty = (after.high - after.low) / 2 + (before.high - before.low) / 2 + from->host->spread +
			       to->host->spread + (int64_t)(apart * (double)unseen / 2) + 2,
	};
}

int64_t timeline_longest_gap(const struct timeline *timeline)
{
	int64_t longest = 0;

	for (size_t i = 1; i < timeline->count; i++) {
		int64_t gap = timeline->truth[i] - timeline->truth[i - 1];

		longest = gap > longest ? gap : longest;
	}
	return longest;
}
