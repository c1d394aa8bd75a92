/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the threads of a machine may open while it runs.
 *
 * Policy: a disk, a tap and a console are open before the guest runs, and stay so. What is opened later is listed here:
 * what the machine boots from, read again when it is reset; the file of the firmware's variables, which is replaced;
 * disks' servers, to which there may be new connections; the peer of a migration, which an operator names. The rest of
 * the host's files does not exist for them.
 */
#ifndef VMM_MACHINE_REACH_H
#define VMM_MACHINE_REACH_H

#include "machine/config.h"

/* For threads that are started from here on, in a process that has a sandbox. -errno and a sentence. */
int reach_set(const struct machine_config *config, struct error *error);

#endif
