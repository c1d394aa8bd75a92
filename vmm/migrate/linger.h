/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last thing that a receiver does: it stays for a source that may still have to ask what became of its guest.
 *
 * Policy: only if such a source is there, for limits->linger_ms at most, and no longer than it asks by itself. New
 * migrations are refused.
 */
#ifndef VMM_MIGRATE_LINGER_H
#define VMM_MIGRATE_LINGER_H

#include "migrate/incoming.h"

/* True if it is worth lingering. */
bool linger_is_due(const struct incoming *incoming);

/* Until the source knows, at most until the limit; or until something watched ends it (NULL: nothing). */
void linger_run(struct incoming *incoming, const struct wait_watch *watch);

#endif
