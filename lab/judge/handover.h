/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor reported of one migration: the object that `seaclock migrate --json` prints.
 *
 * Policy: the report is what the monitor says of itself. The judge takes the stated bound, sizes and times from it, and
 * never the step of the clock.
 */
#ifndef LAB_JUDGE_HANDOVER_H
#define LAB_JUDGE_HANDOVER_H

#include <stdint.h>

#define HANDOVER_ERROR_MAX 256

struct handover {
	int64_t from_hz, to_hz;
	int64_t rounds, bytes;
	int64_t bound_ns; /* half the width of the measured interval between the two hosts' clocks */
	double downtime_ms;
};

/* Parses the JSON text. Returns 0, or -EINVAL with one sentence in error, HANDOVER_ERROR_MAX bytes. */
int handover_parse(struct handover *handover, const char *text, char *error);

#endif
