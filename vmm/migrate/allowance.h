/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a source may hold a receiver while its guest still runs over there.
 *
 * Policy: pure. A source has a minute for all that is not memory, and each frame that carries something buys the time
 * in which a slow but honest source would have sent it: at 64 KiB a second, with a round trip of half a second. Frames
 * of each kind count only as often as an honest source sends them, so that the whole is bounded by the guest's memory.
 */
#ifndef VMM_MIGRATE_ALLOWANCE_H
#define VMM_MIGRATE_ALLOWANCE_H

#include "transfer/frame.h"

#define ALLOWANCE_BYTES_PER_S 65536u
#define ALLOWANCE_START_S 60u

struct allowance {
	uint64_t pages_max; /* in all rounds together, as is stamps_max */
	uint64_t stamps_max;
	uint64_t pages;
	uint64_t zeroes; /* pages */
	uint64_t zeroes_frames;
	uint64_t stamps;
};

/* For a guest with so many bytes of memory, at most 2^40. */
struct allowance allowance_make(uint64_t memory_size);

/* A frame has come. */
void allowance_note(struct allowance *allowance, const struct frame *frame);

/* From HELLO on: what the frames so far allow. */
sc_ns_t allowance_time(const struct allowance *allowance);

#endif
