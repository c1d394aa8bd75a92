/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Divisions and roundings that the core shares with itself.
 *
 * Policy: internal to core/. Every divisor is > 0.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "port.h"

/* As sc_muldiv, and what is left over in *remainder (0 where the quotient saturates). */
uint64_t sc_muldiv_remainder(uint64_t a, uint64_t b, uint64_t divisor, uint64_t *remainder);

/* As sc_muldiv, rounded up. */
uint64_t sc_muldiv_up(uint64_t a, uint64_t b, uint64_t divisor);

/* floor(2^64 * numerator / denominator). numerator < denominator and < 2^63. */
uint64_t sc_fraction(uint64_t numerator, uint64_t denominator);

/*
 * The most ns that a counter, read in whole ns, can lie behind the time that it counts: a tick, and what is lost to
 * whole ns unless its tick is made of them.
 */
uint64_t sc_rate_lag(uint32_t hz);

#endif
