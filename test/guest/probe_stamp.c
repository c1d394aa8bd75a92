// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes stamps. Policy: a try during which the guest moved, or that could not read, does not count.
 */
#include "probe_stamp.h"

#define STAMP_TRIES 32
#define STAMP_WIDTH_NS 200000

/* False if this try does not count. */
static bool stamp_try(struct stamp *stamp, const struct truth *truth, bool (*read)(int64_t *value))
{
	uint64_t hz, hz_after;
	int64_t ptp = truth_read(truth, &hz);
	bool is_read = read(&stamp->value);
	int64_t ptp_after = truth_read(truth, &hz_after);

	stamp->ptp = ptp + (ptp_after - ptp) / 2;
	stamp->width = ptp_after - ptp;
	return is_read && hz == hz_after;
}

bool stamp_take(struct stamp *stamp, const struct truth *truth, bool (*read)(int64_t *value))
{
	bool taken = false;

	for (int i = 0; i < STAMP_TRIES && !(taken && stamp->width <= STAMP_WIDTH_NS); i++) {
		struct stamp next;

		if (!stamp_try(&next, truth, read) || (taken && next.width >= stamp->width))
			continue;
		*stamp = next;
		taken = true;
	}
	return taken;
}
