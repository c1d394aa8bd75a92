/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layout: where the members lie that a repair reads or writes, and the fingerprint by which a kernel is known.
 *
 * Policy: the fingerprint is of all members of each structure that is used, also of those that are not: a member that
 * is new may change what the others mean. Of a member, its name, place and type go in: kind, encoding, size, every
 * dimension of an array. Of a member that is itself a named structure only its name, size and number of members count,
 * and of what a pointer leads to its kind and name; if it is used it is in the list as well.
 */
#ifndef REPAIR_LAYOUT_H
#define REPAIR_LAYOUT_H

#include "types.h"

/* -SC_REFUSED_UNKNOWN if the series is not listed; -SC_REFUSED_ABSENT, _DAMAGED if a structure or member is not right.
 */
int sc_layout_read(struct sc_layout *layout, const struct sc_series *series, const struct types *btf,
		   struct sc_refusal *why);

/* The build whose layout this was first, and *known is set; or -SC_REFUSED_UNKNOWN. */
int sc_layout_judge(const struct sc_layout *layout, const char **known, struct sc_refusal *why);

#endif
