/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console as the probe would have written it, for the tests of the judge: lines with correct checksums, and a whole
 * run of known errors between two hosts whose clocks differ from truth by known offsets.
 */
#ifndef JUDGE_FIXTURE_H
#define JUDGE_FIXTURE_H

#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/checksum.h"

#define FIXTURE_TEXT_MAX 200000
#define FIXTURE_ALTRA 25000000ll
#define FIXTURE_GRACE 1000000000ll
#define FIXTURE_EPOCH INT64_C(1795000000000000000)

struct fixture_text {
	char bytes[FIXTURE_TEXT_MAX];
	size_t length;
};

/* Of a verdict's output, which is freed: the criteria that failed are `expected`, the first letters of their words. */
static inline void fixture_expect_failed(char *output, const char *expected)
{
	char failed[16] = "";
	size_t count = 0;

	for (const char *line = output; (line = strstr(line, "FAIL ")); line++)
		failed[count++] = line[5];
	assert_string_equal(failed, expected);
	free(output);
}

/* Adds a line with its checksum. */
static inline void fixture_line(struct fixture_text *text, const char *line)
{
	text->length += (size_t)snprintf(text->bytes + text->length, sizeof(text->bytes) - text->length,
					 "%s" CHECKSUM_SUFFIX_FORMAT "\r\n", line, checksum_of(line, strlen(line)));
	assert_true(text->length < sizeof(text->bytes));
}

/* Adds text as it is. */
static inline void fixture_raw(struct fixture_text *text, const char *bytes)
{
	text->length += (size_t)snprintf(text->bytes + text->length, sizeof(text->bytes) - text->length, "%s", bytes);
	assert_true(text->length < sizeof(text->bytes));
}

/* Where the fixture's run is: true time since its start, error of the guest's clocks, the raw counter. */
struct fixture_run {
	struct fixture_text text;
	int64_t hz;
	int64_t offset; /* truth minus the host's clock */
	double drift;	/* growth of that offset by the host's clock, as in the manifest */
	int64_t truth;
	int64_t error;
	double rate;
	uint64_t counter;
	int64_t reads;
	int64_t back;
};

/* The present host's CLOCK_REALTIME at a true time. */
static inline int64_t fixture_clock(const struct fixture_run *run, int64_t truth)
{
	return FIXTURE_EPOCH + (int64_t)((double)truth / (1 + run->drift)) - run->offset;
}

static inline void fixture_sample(struct fixture_run *run)
{
	char line[300];
	int64_t guest = INT64_C(5000000000) + run->truth + run->error;

	snprintf(line, sizeof(line),
		 "@sample hz=%" PRId64 " ptp=%" PRId64 " mono=%" PRId64 " boot=%" PRId64 " real=%" PRId64
		 " cnt=%" PRIu64 " width=60000",
		 run->hz, fixture_clock(run, run->truth), guest, guest + 7, FIXTURE_EPOCH + guest, run->counter);
	fixture_line(&run->text, line);
}

static inline void fixture_totals(struct fixture_run *run)
{
	char line[300];

	run->reads += 1000;
	snprintf(line, sizeof(line),
		 "@reads hz=%" PRId64 " n0=%" PRId64 " n1=%" PRId64 " back=%" PRId64 " cross=0 worst=0", run->hz,
		 run->reads, run->reads, run->back);
	fixture_line(&run->text, line);
	snprintf(line, sizeof(line), "@sleeps hz=%" PRId64 " n=%" PRId64 " early=0 truth_early=0 lost=0 late=1000000",
		 run->hz, run->reads / 100);
	fixture_line(&run->text, line);
}

/* A leg of `seconds` with four samples per second; the clocks run at run->rate. */
static inline void fixture_leg(struct fixture_run *run, int seconds)
{
	for (int i = 0; i < 4 * seconds; i++) {
		fixture_sample(run);
		if (i % 4 == 3)
			fixture_totals(run);
		run->truth += 250000000;
		run->error += (int64_t)(250000000 * (run->rate - 1));
		run->counter += (uint64_t)(run->hz / 4);
	}
}

/*
 * To another host, with a step of the clock; 300 ms pass. A sleep that spans it falls short by `shortfall` ns of truth.
 */
static inline void fixture_move(struct fixture_run *run, int64_t hz, int64_t offset, double drift, int64_t step,
				int64_t shortfall)
{
	int64_t start = run->truth - 700000000, end = run->truth + 300000000, hz0 = run->hz;
	int64_t ptp0 = fixture_clock(run, start);
	char line[300];

	run->truth = end;
	run->counter += (uint64_t)(hz * 3 / 10);
	run->hz = hz;
	run->offset = offset;
	run->drift = drift;
	run->error += step;
	snprintf(line, sizeof(line),
		 "@sleep kind=timerfd ns=%" PRId64 " mono0=%" PRId64 " mono1=%" PRId64 " hz0=%" PRId64 " ptp0=%" PRId64
		 " hz1=%" PRId64 " ptp1=%" PRId64,
		 end - start + shortfall, start, end + shortfall, hz0, ptp0, hz, fixture_clock(run, end));
	fixture_sample(run);
	fixture_line(&run->text, line);
	run->truth += 250000000;
	run->counter += (uint64_t)(hz / 4);
}

#endif
