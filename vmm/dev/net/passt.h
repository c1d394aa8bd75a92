/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink that is a passt: a process that turns the guest's frames into sockets of this host's user.
 *
 * Policy: it is started with a socket and ended with it, or found at a path. Frames have no header of virtio, so it
 * takes no offloads. What it says is checked: one that breaks the rules has gone.
 * Source: passt(1), --fd and --socket; each frame follows its length, 4 bytes, the highest first.
 */
#ifndef VMM_DEV_NET_PASST_H
#define VMM_DEV_NET_PASST_H

#include "dev/net/plug.h"
#include "dev/net/uplink.h"

/* As uplink_open(). */
int passt_open(struct uplink **uplink, const char *where, const struct plug *plug, struct error *error);
/* The same over a socket that is connected to a passt already; it is the uplink's from then on, also if this fails. */
int passt_attach(struct uplink **uplink, const char *where, int socket, struct error *error);

#endif
