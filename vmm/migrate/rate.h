/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a guest may go from a counter of one rate to one of another: the rule for migrations and files alike.
 *
 * Policy: a guest that cannot follow is refused with both rates and the way out.
 */
#ifndef VMM_MIGRATE_RATE_H
#define VMM_MIGRATE_RATE_H

#include "error.h"

#include <seaclock/core.h>

/* 0 if a guest of that level may; -EPERM and the sentence if not. */
int rate_check(const char *name, enum sc_level level, uint32_t from_hz, uint32_t to_hz, struct error *error);

#endif
