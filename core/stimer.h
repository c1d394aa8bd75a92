/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which configurations of a synthetic timer this release takes: one rule for the register and for the record.
 *
 * Policy: internal to core/.
 */
#ifndef CORE_STIMER_H
#define CORE_STIMER_H

#include "port.h"

/* Why `config` is refused, one clause for a log; NULL if it is taken. */
const char *sc_stimer_config_refused(uint64_t config);

/* The SINT of a timer that is not direct; 0 is none. */
static inline uint32_t sc_stimer_sint(const struct sc_stimer *timer)
{
	return (uint32_t)(timer->config >> SC_STIMER_SINT_SHIFT & SC_STIMER_SINT_MASK);
}

/* True if no sequence of guest writes and expiries until now leads to this state: it must not be loaded. */
bool sc_stimer_impossible(const struct sc_stimer *timer, sc_ref_t now);

#endif
