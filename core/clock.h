/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reference time with its fraction.
 *
 * Policy: internal to core/. A rebase that dropped the fraction of a unit would lose or gain up to one unit each time
 * on top of its own rounding; with the fraction, one floor per rebase is the whole error.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include "port.h"

bool sc_rate_valid(uint32_t hz);

/* Reference time as 64.64 fixed point, in units of 100 ns; wraps as the reference counter itself does. */
sc_u128 sc_clock_position(const struct sc_clock *clock, sc_ticks_t counter);

/*
 * From now on reference time goes on from `at` when the counter reads `counter`; it is never above that line, and less
 * than one unit below it before its own rounding. -SC_E_RATE.
 */
int sc_clock_set_position(struct sc_clock *clock, uint32_t hz, sc_ticks_t counter, sc_u128 at);

#endif
