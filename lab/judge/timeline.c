// SPDX-License-Identifier: BSD-2-Clause
/*
 * Puts samples on the axis of truth. Policy: a sample that took long is uncertain by half its width, so samples that
 * are much wider than usual do not count for rates.
 */
#include "timeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statistics.h"

#define YEAR_NS (366ll * 86400 * 1000000000)
#define STEP_SAMPLES 8
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

static int stays_find_hosts(struct timeline *timeline, const struct manifest *manifest,
			    const struct transcript *transcript, char *error)
{
	timeline->stay_count = transcript->stays;
	for (size_t i = 0; i < transcript->stays; i++) {
		const struct manifest_host *host = manifest_host_by_rate(manifest, transcript->stay_hz[i]);

		if (!host || !host->calibrations) {
			snprintf(error, TIMELINE_ERROR_MAX, "stay %zu: %s with a rate of %" PRId64 " Hz", i,
				 host ? "no calibration of the host" : "the manifest has no host",
				 transcript->stay_hz[i]);
			return -EINVAL;
		}
		timeline->stays[i].host = host;
	}
	return 0;
}

/* Nanoseconds of a number of counts; beyond about 70 years it stays there. */
static int64_t counts_to_ns(int64_t counts, int64_t hz)
{
	const double limit = (double)(1ll << 61);
	double ns = (double)counts * 1e9 / (double)hz;

	return (int64_t)(ns > limit ? limit : ns < -limit ? -limit : ns);
}

static bool sample_place(struct timeline *timeline, size_t i, const struct transcript_sample *s, int64_t raw_hz)
{
	const struct transcript_sample *first = s - i;
	int64_t truth = (s->ptp + timeline->stays[s->stay].host->offset) -
			(first->ptp + timeline->stays[first->stay].host->offset);

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
		struct timeline_stay *stay = &timeline->stays[samples[i].stay];

		if (!sample_place(timeline, i, &samples[i], timeline->stays[0].host->hz)) {
			snprintf(error, TIMELINE_ERROR_MAX, "sample %zu is more than a year from the first", i);
			return -EINVAL;
		}
		if (stay->count++ == 0)
			stay->first = i;
	}
	timeline->count = transcript->samples.count;
	return 0;
}

static int64_t usual_width(const struct timeline *timeline, const struct timeline_stay *stay, int64_t *scratch)
{
	memcpy(scratch, timeline->width + stay->first, stay->count * sizeof(*scratch));
	return statistics_median(scratch, stay->count);
}

/* x and y hold at least as many values as the stay has samples. */
static void stay_find_rates(const struct timeline *timeline, struct timeline_stay *stay, int64_t *x, int64_t *y)
{
	int64_t limit = WIDE * usual_width(timeline, stay, x);

	for (int clock = 0; clock < TIMELINE_CLOCKS; clock++) {
		size_t used = 0;

		for (size_t i = stay->first; i < stay->first + stay->count; i++) {
			if (timeline->width[i] > limit)
				continue;
			x[used] = timeline->truth[i];
			y[used++] = timeline->error[clock][i];
		}
		stay->rate[clock] = used < 2 ? 0 : 1 + statistics_slope(x, y, used);
	}
}

static int stays_find_rates(struct timeline *timeline)
{
	int64_t *x = array_new(timeline->count), *y = array_new(timeline->count);
	int err = x && y ? 0 : -ENOMEM;

	for (size_t i = 0; i < timeline->stay_count && !err; i++)
		stay_find_rates(timeline, &timeline->stays[i], x, y);
	free(x);
	free(y);
	return err;
}

int timeline_build(struct timeline *timeline, const struct manifest *manifest, const struct transcript *transcript,
		   char *error)
{
	memset(timeline, 0, sizeof(*timeline));
	if (transcript->samples.count == 0) {
		snprintf(error, TIMELINE_ERROR_MAX, "the guest printed no sample");
		return -EINVAL;
	}
	if (!arrays_new(timeline, transcript->samples.count))
		return -ENOMEM;
	int err = stays_find_hosts(timeline, manifest, transcript, error);

	if (!err)
		err = samples_place(timeline, transcript, error);
	return err ? err : stays_find_rates(timeline);
}

static int64_t median_error(const struct timeline *timeline, size_t first, size_t count, enum timeline_clock clock)
{
	int64_t errors[STEP_SAMPLES];

	memcpy(errors, timeline->error[clock] + first, count * sizeof(*errors));
	return statistics_median(errors, count);
}

int64_t timeline_step(const struct timeline *timeline, size_t stay, enum timeline_clock clock)
{
	const struct timeline_stay *before = &timeline->stays[stay - 1], *after = &timeline->stays[stay];
	size_t last = before->count < STEP_SAMPLES ? before->count : STEP_SAMPLES;
	size_t first = after->count < STEP_SAMPLES ? after->count : STEP_SAMPLES;

	return median_error(timeline, after->first, first, clock) -
	       median_error(timeline, before->first + before->count - last, last, clock);
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
