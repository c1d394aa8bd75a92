/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry of a migration in the journal, on either side: fields that operators select and count by.
 *
 * Policy: one entry when a migration is over, whatever came of it, with the numbers of its report if there is one. A
 * dry run has none.
 */
#ifndef VMM_MIGRATE_ENTRY_H
#define VMM_MIGRATE_ENTRY_H

#include "migrate/report.h"

/* Of all of them; journalctl MESSAGE_ID=. */
#define ENTRY_MESSAGE_ID "fe9cfa85e00947b5afba60f1c6aeea3d"

enum entry_side {
	ENTRY_SOURCE,
	ENTRY_TARGET,
};

/* The machine, by its name on this side, has gone to `peer`, or come from there. The report may be the peer's word. */
void entry_moved(enum entry_side side, const char *machine, const char *peer, const struct report *report);

/* It has not: `id` is all zero if the migration did not come so far. */
void entry_failed(enum entry_side side, const char *machine, const char *peer, const struct frame_id *id,
		  const struct error *error);

#endif
