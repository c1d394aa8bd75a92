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
#include "migrate/allowance.h"
#include "migrate/incoming.h"
#include "transfer/arrival.h"
#include "transfer/repair.h"

struct target {
	struct machine *machine;
	struct channel *channel;
	const struct frame_hello *hello;
	struct incoming *incoming;
	sc_ns_t began;
	sc_ns_t asked;	    /* by this host's counter: when the source, which then waits for the answer, last asked */
	uint32_t max_gap_s; /* that the guest's clocks may count; target_open() sets GAP_DEFAULT_S */
	struct allowance allowance; /* until READY */
	struct repair repair;	    /* of a guest whose kernel the source has asked to find */
};

/* For the migration that `hello` opens: waits on its channel serve other connections from here on. */
void target_open(struct target *target, struct channel *channel, const struct frame_hello *hello,
		 struct incoming *incoming);

/* Makes the machine that the source describes next, if this host can; as arrival_create(). */
int target_create(struct target *target, struct machine *machine, const struct arrival_names *names,
		  struct console *console, struct error *error);

/*
 * Takes over its contents. 0: the guest runs, and DONE was sent as far as the source listened. On an error it never has
 * run and never will; a dry run ends with -ECANCELED.
 */
int target_run(struct target *target, struct error *error);

#endif
