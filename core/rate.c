/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rates: exact conversions between ticks, nanoseconds and reference time.
 *
 * Policy: products have 128 bits and quotients are exact, so the only errors are the stated roundings. What does not
 * fit saturates; nothing wraps. Speed does not matter here: guests read the page, and a page needs no division.
 */
#include "rate.h"

#define NS_PER_S 1000000000u

uint64_t sc_muldiv_remainder(uint64_t a, uint64_t b, uint64_t divisor, uint64_t *remainder)
{
	sc_u128 product = (sc_u128)a * b;
	uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;

	*remainder = 0;
	if (high >= divisor)
		return SC_U64_MAX;
	/* Long division: high is the remainder so far, quotient bits enter low as its own bits leave it. */
	for (int bit = 0; bit < 64; bit++) {
		bool carry = high >> 63;

		high = high << 1 | low >> 63;
		low <<= 1;
		if (carry || high >= divisor) {
			high -= divisor;
			low |= 1;
		}
	}
	*remainder = high;
	return low;
}

uint64_t sc_muldiv(uint64_t a, uint64_t b, uint64_t divisor)
{
	uint64_t remainder;

	return sc_muldiv_remainder(a, b, divisor, &remainder);
}

uint64_t sc_muldiv_up(uint64_t a, uint64_t b, uint64_t divisor)
{
	uint64_t remainder, quotient = sc_muldiv_remainder(a, b, divisor, &remainder);

	return remainder ? sc_add_saturating(quotient, 1) : quotient;
}

uint64_t sc_fraction(uint64_t numerator, uint64_t denominator)
{
	/* 2^64 itself does not fit: 2^63 times twice the numerator. */
	return sc_muldiv(numerator * 2, 1ull << 63, denominator);
}

uint64_t sc_rate_scale(uint32_t hz)
{
	return hz > SC_REF_HZ ? sc_fraction(SC_REF_HZ, hz) : 0;
}

sc_ns_t sc_rate_ticks_to_ns(uint32_t hz, sc_ticks_t ticks)
{
	return sc_ns(sc_muldiv(ticks.v, NS_PER_S, hz));
}

sc_ticks_t sc_rate_ns_to_ticks(uint32_t hz, sc_ns_t ns)
{
	return sc_ticks(sc_muldiv(ns.v, hz, NS_PER_S));
}

uint64_t sc_rate_lag(uint32_t hz)
{
	return NS_PER_S / hz + (NS_PER_S % hz ? 2 : 0);
}

sc_ticks_t sc_rate_convert_deadline(sc_ticks_t deadline, sc_ticks_t from, uint32_t hz_from, sc_ticks_t to,
				    uint32_t hz_to)
{
	uint64_t past;

	if (deadline.v > from.v)
		return sc_ticks(sc_add_saturating(to.v, sc_muldiv_up(deadline.v - from.v, hz_to, hz_from)));
	/* Expired: the distance is rounded down, so the result is rounded up here too and stays at or below `to`. */
	past = sc_muldiv(from.v - deadline.v, hz_to, hz_from);
	return sc_ticks(past < to.v ? to.v - past : 0);
}
