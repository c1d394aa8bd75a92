/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of a machine's timers: raises what has expired of the synthetic ones, and gives the devices their ticks.
 *
 * Policy: a guest that arms timers without pause gets half of one processor of the host, not more (base/pace.h).
 */
#ifndef VMM_MACHINE_EXPIRY_H
#define VMM_MACHINE_EXPIRY_H

#include "machine/machine.h"

/* Starts the thread; and ends it, if it was started. */
int expiry_start(struct machine *machine, struct error *error);
void expiry_stop(struct machine *machine);

#endif
