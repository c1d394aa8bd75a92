/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest is asked before it stands still for a move: to prepare, and to hold (doc/abi.md).
 *
 * Policy: a guest that does not answer in time is not waited for; what becomes of it the caller decides. While the
 * guest runs here, whatever was asked is called off again; where it goes on, its hold is answered first.
 */
#ifndef VMM_TRANSFER_HOLD_H
#define VMM_TRANSFER_HOLD_H

#include "machine/machine.h"
#include "transfer/wait.h"

/* What a wait may take, and what ends it besides. */
struct hold_wait {
	int limit_ms;
	const struct wait_watch *watch;
	unsigned int watches;
};

/*
 * The guest is to put its clock on the page, and to hold. 0 and whether it does, or -errno for what is watched. Once it
 * is known that it does not hold, it no longer can, and its clock stays on the page.
 */
int hold_prepare(struct machine *machine, const struct hold_wait *wait, bool *prepared, struct error *error);
int hold_begin(struct machine *machine, const struct hold_wait *wait, bool *held, struct error *error);

/* The guest goes on here: nothing is asked of it any more, and its hold returns. */
void hold_call_off(struct machine *machine);

#endif
