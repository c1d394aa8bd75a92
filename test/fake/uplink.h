/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink whose other end is the test: frames with their headers, as a tap has them.
 *
 * Policy: a pair of sockets, so that waiting and a queue that is full are real. It can be told to refuse frames for a
 * moment, and to be gone. All functions but the uplink's own are the test's.
 */
#ifndef TEST_FAKE_UPLINK_H
#define TEST_FAKE_UPLINK_H

#include "dev/net/uplink.h"

#define FAKE_FRAME_MAX (UPLINK_FRAME_MAX + 100u)

struct fake_uplink {
	struct uplink uplink; /* first, so that it is the uplink */
	int other;
	uint32_t refuse;     /* one frame in so many is refused for the moment; 0: none; atomic */
	bool gone;	     /* atomic */
	uint64_t negotiated; /* atomic */
	uint32_t tries;
	void (*sending)(struct fake_uplink *fake); /* in the device's thread, before it sends a frame; NULL: nothing */
};

/* With all features of a tap. */
void fake_uplink_init(struct fake_uplink *fake);
void fake_uplink_destroy(struct fake_uplink *fake);

void fake_uplink_go(struct fake_uplink *fake);

/* A frame for the guest; false if the queue is full. */
bool fake_uplink_put(struct fake_uplink *fake, const struct virtio_net_hdr_v1 *header, const void *data, size_t size);
/* A frame from the guest: its bytes behind the header; -1 if there is none within so many ms. */
int fake_uplink_get(struct fake_uplink *fake, struct virtio_net_hdr_v1 *header, void *data, size_t room, int ms);

#endif
