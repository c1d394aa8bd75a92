/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vhost-net: the host's kernel moves frames between a tap and the rings of a guest's driver.
 *
 * Policy: it is an offer of the host. Where /dev/vhost-net is not there, or this user may not open it, the monitor
 * moves the frames. The kernel reaches the guest's RAM and nothing else of this process: rings elsewhere are not
 * served, and a buffer elsewhere is the guest's mistake. What it writes it marks in the monitor's own record of dirty
 * pages (host/memory.h), which a word of that record and one of its log have in common: a bit a page, set with atomic
 * operations. Whoever uses it takes turns; a call waits for what the kernel has under way at most.
 * Source: Linux, include/uapi/linux/vhost.h, drivers/vhost/net.c and vhost.c.
 */
#ifndef VMM_DEV_NET_VHOST_H
#define VMM_DEV_NET_VHOST_H

#include "host/memory.h"

#include <stdbool.h>
#include <stdint.h>

#define VHOST_RINGS 2u /* what a driver receives, and what it sends */

struct vhost_ring {
	uint16_t size;
	uint16_t next;	      /* the index of the next chain; the kernel's while it serves */
	uint64_t descriptors; /* guest physical addresses, */
	uint64_t driver;
	uint64_t device;
	int kick; /* eventfd: the driver has something new */
};

struct vhost_service {
	struct memory *memory;
	uint64_t features; /* that both sides have */
	bool logs;	   /* what is written is marked */
	int tap;
	int call;   /* eventfd: the driver wants an interrupt */
	int broken; /* eventfd: the driver has broken the rules */
	struct vhost_ring ring[VHOST_RINGS];
};

struct vhost {
	int (*order)(struct vhost *vhost, unsigned long request, void *argument); /* ioctl(); -errno */
	int fd;
	struct vhost_service service;
};

/* -errno if this host has none, or this user may not use it. */
int vhost_open(struct vhost **vhost);
void vhost_close(struct vhost *vhost);
/* Whether the kernel can do what drivers may have agreed on here: 0 or -EOPNOTSUPP. It is this process's from then on.
 */
int vhost_own(struct vhost *vhost);

/*
 * The kernel serves the rings as they are in vhost->service, from now on; it looks at once. -errno: it does not, and
 * `next` of each says how far it has come, as after vhost_end(). Nothing is in flight then.
 */
int vhost_begin(struct vhost *vhost);
int vhost_end(struct vhost *vhost);

/* While it serves: whether what it writes is marked. */
int vhost_set_log(struct vhost *vhost, bool logs);

#endif
