/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that starts anew, in place: its guest has reset it, or has crashed, and its description says so.
 *
 * Policy: machine_restart() orders it, the thread of the timers carries it out, since a guest that is down has none. It
 * is done only while the machine runs: a migration or a save that is under way finds the guest down, gives up with a
 * sentence, and then comes the new start; a paused machine starts anew when it is resumed. What the machine boots from
 * is read again, before anything of the guest is given up; if that cannot be, the machine ends. Reference time goes on.
 */
#ifndef VMM_MACHINE_RESTART_H
#define VMM_MACHINE_RESTART_H

#include "machine/machine.h"

/* Carries out what has been ordered, if the machine runs. From the thread of the timers alone. */
void restart_run(struct machine *machine);

#endif
