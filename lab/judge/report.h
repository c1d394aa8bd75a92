/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor reported of one migration: the object that `seaclock migrate --json` prints.
 *
 * Policy: the report is what the monitor says of itself. The judge takes sizes and times from it, and what it is to be
 * held against: the intended step, the bound, the rate. The true ones come from elsewhere.
 */
#ifndef LAB_JUDGE_REPORT_H
#define LAB_JUDGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#define REPORT_ERROR_MAX 256
#define REPORT_PARTS 6
#define REPORT_LEVEL_MAX 32

struct report {
	int64_t from_hz, to_hz;
	int64_t rounds, bytes;
	char level[REPORT_LEVEL_MAX]; /* how far the guest followed, in the monitor's word */
	bool has_hold;		      /* the guest's vCPUs were held: */
	double hold_us;		      /* this long after they had been asked to hold */
	int64_t intended_step_ns;     /* of the guest's clocks: 0, or minus the gap that they do not count */
	int64_t bound_ns;	      /* by how much the true step may differ from that */
	int64_t round_trip_ns;	      /* of the best time stamp */
	int64_t age_ns;		      /* of that stamp when the clocks went on */
	bool has_rate;		      /* the two rates could be compared: */
	double rate_ppm;	      /* by how much the target's clock was seen to be faster than the source's */
	double rate_ppm_bound;	      /* by how much that may be wrong */
	double downtime_ms;
	double parts_ms[REPORT_PARTS]; /* of the downtime, as in report_part_names */
};

extern const char *const report_part_names[REPORT_PARTS];

/* Parses the JSON text. Returns 0, or -EINVAL with one sentence in error, REPORT_ERROR_MAX bytes. */
int report_parse(struct report *report, const char *text, char *error);

#endif
