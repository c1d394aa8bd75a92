/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scales: the multipliers and shifts by which Linux converts between ticks and nanoseconds, and what it derives from
 * them.
 *
 * Policy: pure arithmetic, the same as the kernel's to the last bit, so that what a kernel has for its old rate can be
 * held against it. Rates are from SC_RATE_MIN_HZ to SC_RATE_MAX_HZ; of the other numbers any value is safe. Sources:
 * Linux 6.12, kernel/time/clocksource.c, clockevents.c, sched_clock.c.
 */
#ifndef REPAIR_SCALE_H
#define REPAIR_SCALE_H

#include <seaclock/core.h>

#include <stdint.h>

#define NS_PER_SECOND 1000000000u

/* Products of 64 bits. Never divided: that would need a library. */
typedef unsigned __int128 scale_product;

/* to = from * mult >> shift */
struct scale {
	uint32_t mult;
	uint32_t shift; /* at most 32 */
};

/* From a unit of which a second has `from` to one of which it has `to`, for up to so many seconds without overflow. */
struct scale sc_scale_make(uint32_t from, uint32_t to, uint32_t seconds);

/* What a clocksource has. */
struct scale_clocksource {
	struct scale scale;  /* ticks to ns */
	uint32_t max_adjust; /* of mult */
	uint64_t max_cycles;
	uint64_t max_idle_ns;
};

struct scale_clocksource sc_scale_clocksource(uint32_t hz, uint64_t mask);

/* What a clock event device has, whose deltas are from min_ticks to max_ticks. */
struct scale_event {
	struct scale scale; /* ns to ticks */
	uint64_t min_ns;
	uint64_t max_ns;
};

struct scale_event sc_scale_event(uint32_t hz, uint64_t min_ticks, uint64_t max_ticks);

/* What sched_clock has, with a shift of at most shift_max, which is at least 1. */
struct scale_sched {
	struct scale scale; /* ticks to ns */
	uint64_t wrap_ns;   /* after so long its epoch is renewed */
};

struct scale_sched sc_scale_sched(uint32_t hz, uint64_t mask, uint32_t shift_max);

#endif
