/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes: the list of a plan, by address.
 *
 * Policy: a value lies where its size divides its address, as the compiler has laid it out, and no two overlap: a guest
 * whose tables lead two structures to one place is refused.
 */
#ifndef REPAIR_WRITES_H
#define REPAIR_WRITES_H

#include <seaclock/repair.h>

/* Makes the list empty, with room for `max`. -SC_REFUSED_SPACE. */
int sc_writes_begin(struct sc_plan *plan, uint32_t max, struct sc_arena *arena, struct sc_refusal *why);

/* Takes one up. Of `before` and `after` only `size` bytes count. -SC_REFUSED_DAMAGED, -SC_REFUSED_SPACE. */
int sc_writes_add(struct sc_plan *plan, const struct sc_write *write, struct sc_refusal *why);

#endif
