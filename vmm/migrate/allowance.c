/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a source may hold a receiver: see the header. */
#include "migrate/allowance.h"

#include "transfer/limits.h"
#include "migrate/precopy.h"

#define NS_PER_S 1000000000ull

/* Rounds that a source may need: those that do not fit, those that pay, and a few around them. */
#define ROUNDS_MAX (PRECOPY_MISSES_MAX + PRECOPY_GAINS_MAX + 4u)

#define PAGE_NS (MEMORY_PAGE_SIZE * NS_PER_S / ALLOWANCE_BYTES_PER_S)
/* To look through a page that is zero, at 64 MiB a second. */
#define ZERO_NS (NS_PER_S / 16384)
/* To send a frame that names such pages: one for every second page, if the others are not zero. */
#define ZEROES_FRAME_NS ((FRAME_HEADER_SIZE + 2 * sizeof(uint64_t)) * NS_PER_S / ALLOWANCE_BYTES_PER_S)
#define STAMP_NS (NS_PER_S / 2)

struct allowance allowance_make(uint64_t memory_size)
{
	return (struct allowance){
		.pages_max = memory_size / MEMORY_PAGE_SIZE * ROUNDS_MAX,
		.stamps_max = ROUNDS_MAX * (uint64_t)handover_limits.stamps,
	};
}

static uint64_t count_up(uint64_t count, uint64_t more, uint64_t most)
{
	return more < most - count ? count + more : most;
}

/* A frame that names no pages, or too many, is refused by whoever loads it. */
static void zeroes_note(struct allowance *allowance, const struct frame *frame)
{
	uint64_t gpa;
	uint32_t count;

	if (!frame_get_zeroes(frame, &gpa, &count))
		return;
	allowance->zeroes = count_up(allowance->zeroes, count, allowance->pages_max);
	allowance->zeroes_frames = count_up(allowance->zeroes_frames, 1, allowance->pages_max);
}

void allowance_note(struct allowance *allowance, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_PAGES:
		allowance->pages = count_up(allowance->pages, frame->size / MEMORY_PAGE_SIZE, allowance->pages_max);
		break;
	case FRAME_ZEROES:
		zeroes_note(allowance, frame);
		break;
	case FRAME_STAMP:
		allowance->stamps = count_up(allowance->stamps, 1, allowance->stamps_max);
		break;
	default:
		break;
	}
}

/* 2^40 bytes of memory make less than 2^60 ns. */
sc_ns_t allowance_time(const struct allowance *allowance)
{
	return sc_ns(ALLOWANCE_START_S * NS_PER_S + allowance->pages * PAGE_NS + allowance->zeroes * ZERO_NS +
		     allowance->zeroes_frames * ZEROES_FRAME_NS + allowance->stamps * STAMP_NS);
}
