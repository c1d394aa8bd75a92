/* SPDX-License-Identifier: BSD-2-Clause */
/* Scales: see the header. */
#include "scale.h"

/* A clocksource is read, and a device programmed, at least so often where 32 bits of ticks do not last as long. */
#define SECONDS_MAX 600u
#define SCHED_SECONDS 3600u
#define SHIFT_MAX 32u
/* NTP may change a multiplier by so much. */
#define ADJUST_PERCENT 11u
/* Shorter deltas of a device are noise. */
#define EVENT_NS_MIN 1000u

/* The nearest multiplier for a shift; `to` << 32 has at most 63 bits. */
static uint64_t mult_of(uint32_t from, uint32_t to, uint32_t shift)
{
	return (((uint64_t)to << shift) + from / 2) / from;
}

/* How many bits a multiplier may have: seconds * from * mult must have 64. */
static uint32_t mult_bits(uint32_t from, uint32_t seconds)
{
	uint32_t bits = SHIFT_MAX;

	for (uint64_t high = (uint64_t)seconds * from >> 32; high; high >>= 1)
		bits--;
	return bits;
}

struct scale sc_scale_make(uint32_t from, uint32_t to, uint32_t seconds)
{
	uint32_t bits = mult_bits(from, seconds), shift = SHIFT_MAX;

	while (shift > 0 && mult_of(from, to, shift) >> bits)
		shift--;
	return (struct scale){ .mult = (uint32_t)mult_of(from, to, shift), .shift = shift };
}

/* How many seconds a range of ticks is to last. */
static uint32_t seconds_of(uint32_t hz, uint64_t ticks)
{
	uint64_t seconds = ticks / hz;

	if (!seconds)
		return 1;
	return seconds > SECONDS_MAX && ticks > UINT32_MAX ? SECONDS_MAX : (uint32_t)seconds;
}

static uint32_t max_adjust(uint32_t mult)
{
	return (uint32_t)((uint64_t)mult * ADJUST_PERCENT / 100);
}

static uint64_t max_cycles(uint64_t mult, uint64_t mask)
{
	uint64_t cycles = UINT64_MAX / mult;

	return cycles < mask ? cycles : mask;
}

struct scale_clocksource sc_scale_clocksource(uint32_t hz, uint64_t mask)
{
	struct scale_clocksource source = { .scale = sc_scale_make(hz, NS_PER_SECOND, seconds_of(hz, mask)) };

	source.max_adjust = max_adjust(source.scale.mult);
	while (source.scale.shift > 0 && source.scale.mult > UINT32_MAX - source.max_adjust) {
		source.scale.mult >>= 1;
		source.scale.shift--;
		source.max_adjust = max_adjust(source.scale.mult);
	}
	source.max_cycles = max_cycles((uint64_t)source.scale.mult + source.max_adjust, mask);
	source.max_idle_ns = (source.max_cycles * (source.scale.mult - source.max_adjust) >> source.scale.shift) >> 1;
	return source;
}

/* Ticks of a device in ns, rounded up where that does not lead beyond `ticks`. */
static uint64_t event_ns(const struct scale *scale, uint64_t ticks, int is_max)
{
	uint64_t product = ticks << scale->shift, round = (uint64_t)scale->mult - 1, ns;

	if (product >> scale->shift != ticks)
		product = UINT64_MAX;
	if (UINT64_MAX - product > round && (!is_max || scale->mult <= 1ull << scale->shift))
		product += round;
	ns = product / scale->mult;
	return ns > EVENT_NS_MIN ? ns : EVENT_NS_MIN;
}

struct scale_event sc_scale_event(uint32_t hz, uint64_t min_ticks, uint64_t max_ticks)
{
	struct scale scale = sc_scale_make(NS_PER_SECOND, hz, seconds_of(hz, max_ticks));

	return (struct scale_event){ .scale = scale,
				     .min_ns = event_ns(&scale, min_ticks, 0),
				     .max_ns = event_ns(&scale, max_ticks, 1) };
}

struct scale_sched sc_scale_sched(uint32_t hz, uint64_t mask, uint32_t shift_max)
{
	struct scale scale = sc_scale_make(hz, NS_PER_SECOND, SCHED_SECONDS);

	if (scale.shift > shift_max)
		scale = (struct scale){ .mult = (uint32_t)mult_of(hz, NS_PER_SECOND, shift_max), .shift = shift_max };
	return (struct scale_sched){ .scale = scale,
				     .wrap_ns = (max_cycles(scale.mult, mask) * scale.mult >> scale.shift) >> 1 };
}
