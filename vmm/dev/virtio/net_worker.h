/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of a network device: moves frames between guest memory and the uplink.
 *
 * Policy: it holds the device's lock for the queues and not for the uplink, and waits for nothing but news from a
 * driver or the uplink. Whoever wants something of it writes that into struct net, with the lock, and wakes it.
 */
#ifndef VMM_DEV_VIRTIO_NET_WORKER_H
#define VMM_DEV_VIRTIO_NET_WORKER_H

#include "dev/virtio/net.h"

/* The thread, of a struct net. */
void *net_worker(void *context);

/* Reads away what the uplink has: while the thread stands, or in it. */
void net_worker_drain(struct net *net);

#endif
