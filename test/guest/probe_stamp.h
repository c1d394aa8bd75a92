/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock that no system call reads, held against truth.
 *
 * Policy: truth is read on both sides of it, as for the samples. The first quick try counts, or the narrowest of
 * many: a vCPU may lose its processor in the middle of one. How long it took is reported, for the judge to allow for.
 */
#ifndef TEST_GUEST_PROBE_STAMP_H
#define TEST_GUEST_PROBE_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "probe_truth.h"

struct stamp {
	int64_t ptp;   /* truth, the middle of a reading before and one after; ns */
	int64_t width; /* from one to the other, ns */
	int64_t value; /* ns */
};

/* Reads with `read`, which returns false if it cannot. False if none of the tries was wholly on one host. */
bool stamp_take(struct stamp *stamp, const struct truth *truth, bool (*read)(int64_t *value));

#endif
