/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which interrupts a guest may name as the target of a timer or a SINT.
 *
 * Policy: internal to core/. One rule for both.
 */
#ifndef CORE_INTID_H
#define CORE_INTID_H

#include "port.h"

/* Why a guest may not have this INTID, one clause for a log; NULL if it may. */
const char *sc_intid_refused(uint32_t intid);

#endif
