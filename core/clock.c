/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference clock: reference time as a function of the guest's counter.
 *
 * Policy: one formula for the page and for the register, so that they can never disagree. Additions wrap, as the
 * guest's do; the offset is any 64-bit pattern.
 */
#include "clock.h"
#include "rate.h"

/* The counter's part of reference time, without the offset. */
static sc_u128 elapsed(uint32_t hz, uint64_t scale, sc_ticks_t counter)
{
	uint64_t units, remainder;

	if (scale)
		return (sc_u128)counter.v * scale;
	units = sc_muldiv_remainder(counter.v, SC_REF_HZ, hz, &remainder);
	return (sc_u128)units << 64 | sc_fraction(remainder, hz);
}

bool sc_rate_valid(uint32_t hz)
{
	return hz >= SC_RATE_MIN_HZ && hz <= SC_RATE_MAX_HZ;
}

sc_u128 sc_clock_position(const struct sc_clock *clock, sc_ticks_t counter)
{
	return elapsed(clock->hz, clock->scale, counter) + ((sc_u128)(uint64_t)clock->offset << 64);
}

sc_ref_t sc_clock_read(const struct sc_clock *clock, sc_ticks_t counter)
{
	return sc_ref((uint64_t)(sc_clock_position(clock, counter) >> 64));
}

int sc_clock_set_position(struct sc_clock *clock, uint32_t hz, sc_ticks_t counter, sc_u128 at)
{
	uint64_t scale;

	if (!sc_rate_valid(hz))
		return -SC_E_RATE;
	scale = sc_rate_scale(hz);
	clock->hz = hz;
	clock->scale = scale;
	clock->offset = (int64_t)(uint64_t)((at - elapsed(hz, scale, counter)) >> 64);
	return 0;
}

int sc_clock_set(struct sc_clock *clock, uint32_t hz, sc_ticks_t counter, sc_ref_t at)
{
	/* A position that ends in all ones: whatever fraction the counter has, reference time is `at` there. */
	return sc_clock_set_position(clock, hz, counter, (sc_u128)at.v << 64 | SC_U64_MAX);
}

sc_ns_t sc_ref_until(sc_ref_t from, sc_ref_t to)
{
	if (to.v <= from.v)
		return sc_ns(0);
	return sc_ns(sc_muldiv(to.v - from.v, SC_REF_NS, 1));
}
