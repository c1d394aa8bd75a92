/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side that takes a machine over.
 *
 * Policy: the stream is hostile until it has ended well. The machine is made as soon as the source has said what comes,
 * so that what this host cannot do is refused before the guest is touched. Nothing runs before GO; after READY nothing
 * here can fail. The states are those of migrate/handover.h; they are kept in the incoming side's ledger, for the
 * source may ask at any time on another connection what became of its migration, and that ends it.
 */
#ifndef VMM_MIGRATE_TARGET_H
#define VMM_MIGRATE_TARGET_H

#include "machine/machine.h"
#include "migrate/incoming.h"

/* Makes the machine for what comes, if this host can. `name`: what it shall be called here, NULL for its own name. */
int target_begin(struct machine *machine, const struct frame_hello *hello, struct console *console, const char *name,
		 struct error *error);

/* After the state was loaded: -EPROTO if it is of another counter rate than the hello says. */
int target_check_rate(const struct machine *machine, uint32_t hello_hz, struct error *error);

/*
 * Takes over its contents, and serves other connections meanwhile. 0: the guest runs, and DONE was sent as far as the
 * source listened. On an error it never has run and never will; a dry run ends with -ECANCELED.
 */
int target_run(struct machine *machine, struct channel *channel, const struct frame_hello *hello,
	       struct incoming *incoming, struct error *error);

#endif
