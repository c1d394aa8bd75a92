// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes stamps. Policy: a try during which the guest moved, or that could not read, does not count.
 */
#include "probe_stamp.h"

#define STAMP_TRIES 4

/* Returns the width of the try in ns, or -1. */
static int64_t stamp_try(struct stamp *stamp, const struct truth *truth, bool (*read)(int64_t *value))
{
	uint64_t hz, hz_after;
	int64_t ptp = truth_read(truth, &hz);
	bool is_read = read(&stamp->value);
	int64_t ptp_after = truth_read(truth, &hz_after);

	if (!is_read || hz != hz_after)
		return -1;
	stamp->ptp = ptp + (ptp_after - ptp) / 2;
	return ptp_after - ptp;
}

bool stamp_take(struct stamp *stamp, const struct truth *truth, bool (*read)(int64_t *value))
{
	int64_t best = -1;

	for (int i = 0; i < STAMP_TRIES; i++) {
		struct stamp next;
		int64_t width = stamp_try(&next, truth, read);

		if (width >= 0 && (best < 0 || width < best)) {
			best = width;
			*stamp = next;
		}
	}
	return best >= 0;
}
