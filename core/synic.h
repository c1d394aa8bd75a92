/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The synthetic interrupt controller of a vCPU, as far as timers need it.
 *
 * Policy: internal to core/. Registers hold what was written; whether a message can go is decided from them each time.
 */
#ifndef CORE_SYNIC_H
#define CORE_SYNIC_H

#include "port.h"

void sc_synic_reset(struct sc_synic *synic);

/* The registers SC_REG_SINT0 to SC_REG_EOM. */
uint64_t sc_synic_get(const struct sc_synic *synic, uint32_t name);

/* Why the value is refused, one clause for a log; NULL if it was taken. Not for SC_REG_SVERSION. */
const char *sc_synic_set(struct sc_synic *synic, uint32_t name, uint64_t value);

/* True if no guest can have written this: it must not be loaded. */
bool sc_synic_impossible(const struct sc_synic *synic);

/* Where a message for a SINT goes, in the fields of `delivery`; false while there is no place for it. */
bool sc_synic_route(const struct sc_synic *synic, uint32_t sint, struct sc_delivery *delivery);

#endif
