/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind a network device of the guest: the contract between the device and a way into a network.
 *
 * Policy: one thread uses an uplink, the device's own; whoever else does so knows that it stands. No call waits. Frames
 * may be lost at any time, as in any network: what cannot be sent is dropped, and nobody is told. One that has gone
 * does not come back.
 */
#ifndef VMM_DEV_NET_UPLINK_H
#define VMM_DEV_NET_UPLINK_H

#include "base/error.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* Bytes of a frame, without a header: Ethernet, one tag of a VLAN, the largest packet of IP. */
#define UPLINK_FRAME_MAX (14u + 4u + 65535u)
#define UPLINK_FRAME_MIN 14u
#define UPLINK_HEADER_SIZE ((uint32_t)sizeof(struct virtio_net_hdr_v1))
/* Buffers of one frame, its header's included: IOV_MAX of Linux. */
#define UPLINK_BUFFERS_MAX 1024u

struct uplink;
struct vhost;

struct uplink_ops {
	/* The driver takes these features of `features` below: frames come accordingly from now on. */
	void (*negotiate)(struct uplink *uplink, uint64_t features);
	/*
	 * The next frame: its header into the first buffer, which has UPLINK_HEADER_SIZE bytes, its data into the
	 * others, as much as they take. How many bytes there are now; 0: there is no frame now; -ENODEV: it has gone.
	 */
	int64_t (*receive)(struct uplink *uplink, const struct iovec *buffer, uint32_t buffers);
	/*
	 * Sends a frame of `size` bytes, header included, in such buffers; the first one may be changed. 0, also if it
	 * was dropped; -EAGAIN: not now, `blocked` is set; -ENODEV: it has gone.
	 */
	int (*send)(struct uplink *uplink, struct iovec *buffer, uint32_t buffers, uint32_t size);
	/* While `blocked`: sends what is left of a frame. NULL: nothing is ever left. */
	void (*flush)(struct uplink *uplink);
	void (*close)(struct uplink *uplink);
};

struct uplink {
	const struct uplink_ops *ops;
	const char *where;
	uint64_t features; /* of checksums and segments, which it can do for a driver: bits 1 << VIRTIO_NET_F_* */
	uint32_t mtu;	   /* 0: it has none of its own */
	bool announces;	   /* others learn from frames where the guest is */
	int fd;		   /* readable: there may be a frame */
	bool blocked;	   /* it cannot send until the descriptor is writable */
	struct vhost
		*vhost;	 /* the kernel can move frames between the descriptor and a driver's rings; NULL: it cannot, */
	int vhost_error; /* -errno for why not; 0: for such an uplink it never does */
};

/*
 * Opens what a plug's text names, which lives as long as the uplink. -EINVAL, -ENODEV, -EBUSY, -EACCES and others with
 * a sentence.
 */
int uplink_open(struct uplink **uplink, const char *where, struct error *error);
void uplink_close(struct uplink *uplink);

#endif
