/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel in a network device's place: when it serves the queues (dev/net/vhost.h), and how they come back.
 *
 * Policy: the device's thread decides, with the device's lock, and has nothing in its hands meanwhile. The kernel gets
 * the queues while the guest runs and its driver is live; whatever needs them, such as a reset, a move or the loss of
 * the network, has the thread take them back, with nothing in flight. So the device's state is the same whoever serves
 * it, and each takes on the other's. A driver without VIRTIO_NET_F_MRG_RXBUF the kernel does not get, since older ones
 * leave it a header that is not set. What the kernel does not do is the thread's as ever: the control queue, the
 * announcements, a link that is down.
 */
#ifndef VMM_DEV_VIRTIO_NET_KERNEL_H
#define VMM_DEV_VIRTIO_NET_KERNEL_H

#include "base/error.h"
#include "dev/net/vhost.h"

#include <poll.h>

struct net;

struct net_kernel {
	struct vhost *vhost;   /* the uplink's; NULL: it never serves */
	int kick[VHOST_RINGS]; /* eventfds, the drivers' notifications; if it never serves the one that wakes the thread
				*/
	int call;	       /* eventfds */
	int broken;
	bool serves;
	bool barred;  /* it cannot */
	bool refuses; /* it has found a queue broken */
	bool logs;    /* it has to mark what it writes */
	bool told;    /* the log has heard of it */
};

/* 0 or -errno; net_kernel_close() either way. */
int net_kernel_open(struct net *net);
void net_kernel_close(struct net *net);

/* The following with the device's lock. Whether it may serve now, the guest running and the driver being live. */
bool net_kernel_can(const struct net *net);
/* Nothing of the queues is in flight: whether it serves them. */
bool net_kernel_begin(struct net *net);
/* It does not serve any more, if it did. */
void net_kernel_end(struct net *net);
/* Whether it has to mark what it writes: 0 or -errno, and a sentence. */
int net_kernel_log(struct net *net, bool logs, struct error *error);

/* What the thread waits for besides, and what it has heard. */
#define NET_KERNEL_WAITS VHOST_RINGS
void net_kernel_wait(const struct net *net, struct pollfd wait[NET_KERNEL_WAITS]);
void net_kernel_hear(struct net *net, const struct pollfd wait[NET_KERNEL_WAITS], bool uplink_fails);

#endif
