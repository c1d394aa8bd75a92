/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network device: frames between its driver's queues and an uplink (dev/net/uplink.h).
 *
 * Policy: one thread, the device's own, moves frames between guest memory and the uplink without a copy, and holds the
 * device's lock for the queues alone. While it works it looks by itself, and is notified only before it sleeps; what it
 * has used it gives back together. Chains it has taken and not used are put back into their queue when it stands, so
 * none is in flight then, and frames on their way are lost, as a network may lose them. A guest that begins to run here
 * is announced: by the device, and, after a move, by its driver as well. What came while nobody could take it, and on
 * another host what came before the guest stood still, is not for the guest any more. An uplink that has gone is a
 * link that is down. Where the host's kernel can move the frames it does, and the thread waits (net_kernel.h). Source:
 * Virtual I/O Device (VIRTIO) Version 1.2, section 5.1.
 */
#ifndef VMM_DEV_VIRTIO_NET_H
#define VMM_DEV_VIRTIO_NET_H

#include "dev/net/announcement.h"
#include "dev/net/uplink.h"
#include "dev/virtio/net_kernel.h"
#include "dev/virtio/net_room.h"
#include "dev/virtio/virtio.h"

#include <pthread.h>

#define NET_QUEUE_RECEIVE 0u
#define NET_QUEUE_SEND 1u
#define NET_QUEUE_CONTROL 2u
#define NET_QUEUES 3u

/* Frames that are taken from the driver, or given to it, together. */
#define NET_BATCH 64u
#define NET_SEND_BUFFERS 2048u
/* Bytes of sent frames after which they go back, though there are more to send: the driver may wait for them. */
#define NET_HELD_BYTES 16384u

/* What the thread shall do. */
enum net_order {
	NET_STAND, /* leave guest memory and the uplink alone */
	NET_RUN,
	NET_END,
};

/* A chain of the send queue that was taken. */
struct net_sending {
	uint16_t head;
	uint16_t buffers;
	uint32_t first; /* of the buffers */
	uint64_t size;
};

struct net_sends {
	uint32_t count;
	uint32_t done;	/* the first ones, */
	uint64_t bytes; /* which have so many */
	uint32_t buffers;
	struct net_sending sending[NET_BATCH];
	struct iovec buffer[NET_SEND_BUFFERS];
};

/* The frame that is being received. */
struct net_arrival {
	uint64_t size;	 /* with its header; 0: there is none */
	uint64_t placed; /* so much of it is in guest memory, the rest in `overflow` */
	struct virtio_net_hdr_v1 header;
	uint8_t overflow[UPLINK_FRAME_MAX + 1];
};

/* What the thread has in its hands. */
struct net_traffic {
	struct net_room room;
	struct net_sends sends;
	struct net_arrival arrival;
	uint32_t received; /* chains of frames that came, in `used` */
	struct virtqueue_used used[VIRTQUEUE_SIZE_MAX];
	struct virtqueue_chain chain;
};

struct net {
	struct virtio virtio; /* first, so that it is the device; its lock covers what follows */
	uint8_t mac[6];
	uint32_t mtu; /* 0: not told */
	enum net_order order;
	bool standing;		/* the thread has seen that it shall stand */
	bool busy;		/* the thread has chains, and may touch their memory, or the kernel has the queues */
	bool link_up;		/* as the driver is told */
	bool announcing;	/* the driver shall announce the guest, and has not said that it has */
	bool arrived;		/* loaded, and not started since */
	bool stale;		/* what the uplink has is not for this driver */
	bool begins;		/* started, and the thread has not seen it */
	uint32_t resets;	/* that wait until the thread has no chains */
	pthread_cond_t changed; /* any of these */

	/*
	 * Fixed, or the thread's own. While it stands it leaves the uplink and `gone` alone, and whoever loads the
	 * state, with the lock, has both.
	 */
	struct uplink *uplink;
	bool gone;     /* the uplink, for good */
	bool readable; /* the uplink may have a frame */
	uint64_t features;
	uint64_t negotiated; /* as the uplink knows them */
	struct announcement announcement;
	struct net_traffic *traffic;
	struct net_kernel kernel; /* with the lock, or while the kernel does not serve the thread's own */
	int wake;		  /* eventfd */
	pthread_t thread;
};

struct net_options {
	uint32_t number; /* of the network device, from 0: its instance */
	uint32_t slot;
	struct uplink *uplink; /* lives as long as the device, as the rest does */
	const uint8_t *mac;    /* 6 bytes */
	uint32_t mtu;	       /* 0: the driver is not told */
	struct memory *memory;
	const char *machine;
	const struct device_line *line;
};

/* -errno if this host has no memory, descriptor or thread for it; then there is nothing to destroy. */
int net_create(struct net *net, const struct net_options *options, struct error *error);

/* Whether what is written to guest memory behind the monitor's back is marked as dirty: 0 or -errno, and a sentence. */
int net_set_log(struct net *net, bool on, struct error *error);

#endif
