/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who starts a passt, and ends it.
 *
 * Policy: a monitor in a sandbox starts no program. So launcher_open() leaves a small process behind that does nothing
 * but start passt, with the words below, and end those that it has started. It ends with the monitor. Without it, the
 * monitor does so itself.
 */
#ifndef VMM_DEV_NET_LAUNCHER_H
#define VMM_DEV_NET_LAUNCHER_H

#include "base/error.h"

#include <sys/types.h>

/* While the process has one thread. */
int launcher_open(struct error *error);

/* A passt at the other end of `socket`, which stays the caller's: 0 and its process, or a positive errno. */
int launcher_start(int socket, pid_t *passt);
/* It has ended when this returns. */
void launcher_end(pid_t passt);

#endif
