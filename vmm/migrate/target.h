/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side that takes a machine over.
 *
 * Policy: the stream is hostile until it has ended well. The machine is made as soon as the source has said what comes,
 * so that what this host cannot do is refused before the guest is touched. Nothing runs before GO; after READY nothing
 * here can fail.
 */
#ifndef VMM_MIGRATE_TARGET_H
#define VMM_MIGRATE_TARGET_H

#include "machine.h"
#include "migrate/channel.h"

/* Hears what comes and makes the machine for it. `name`: what it shall be called here, NULL for its own name. */
int target_begin(struct machine *machine, struct channel *channel, struct console *console, const char *name,
		 struct error *error);

/* Takes over its contents. On success it runs; on an error it never has and never will. */
int target_run(struct machine *machine, struct channel *channel, struct error *error);

#endif
