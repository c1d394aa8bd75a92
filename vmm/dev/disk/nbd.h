/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are exports of an NBD server: nbd:// and nbds://, over TCP, nbd+unix:// and nbds+unix://, over a socket of
 * this host.
 *
 * Policy: one connection by libnbd's asynchronous calls, which never wait but for the resolver where the URI has a name
 * instead of an address. When the server is away the connection is made again and what was not answered is asked again.
 * Requests wait as nbd_link.h says. A server that comes back smaller, or that can do less than what the guest was told,
 * is as one that is away; one that is larger is taken, and resize() tells so.
 *
 * What this host has not sent when a connection ends is never sent. What the server has by then it may still do, and
 * also later than what the next connection asks for: if a guest's write was asked for twice, was answered, and the
 * guest has written the same place again since, a server that does the first one only now undoes that. This cannot
 * happen with a server that has died or that is done with one connection before it takes the next.
 *
 * The protocol has no locks: who may write is decided by who has called disk_lock(). What a server has acknowledged but
 * not flushed it loses when its host crashes, and nobody here can know.
 * Source: the NBD protocol, doc/proto.md of its reference implementation.
 */
#ifndef VMM_DEV_DISK_NBD_H
#define VMM_DEV_DISK_NBD_H

#include "dev/disk/disk.h"

/* As disk_open(), which waits for the server, NBD_LINK_ATTEMPT_MS at most. -EINTR if an order to end comes meanwhile.
 */
int disk_nbd_open(struct disk **disk, const struct disk_options *options, struct error *error);

#endif
