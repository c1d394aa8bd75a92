/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's side of a hold: it reads the register.
 *
 * Policy: internal to core/.
 */
#ifndef CORE_HOLD_H
#define CORE_HOLD_H

#include "register.h"

/* A vCPU reads SC_REG_HOLD. True if it waits from now on; else *value is what it reads at once. */
bool sc_hold_begin(struct sc_partition *partition, uint32_t vp, struct sc_register_value *value);

#endif
