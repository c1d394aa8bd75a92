/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with one network device: memory, the device, and a driver with room for frames, frames under way, and a
 * control queue.
 *
 * Policy: buffers are cut at random, with gaps between them. The driver keeps an image of its memory as only it has
 * written it, so that a test can tell what the device wrote and whether it said so.
 */
#ifndef TEST_FAKE_NET_DRIVER_H
#define TEST_FAKE_NET_DRIVER_H

#include "uplink.h"
#include "virtio_driver.h"
#include "../property/random.h"

#include "base/layout.h"
#include "dev/virtio/net.h"

#include <pthread.h>

#define NET_SLOTS 48u /* of each direction */
#define NET_SLOT_SIZE 4096u
/* Bytes of a frame, or of room for one, header included. */
#define NET_SLOT_BYTES 3600u

/* In guest memory: the rings, one behind the other, then a place for each slot. */
#define NET_RING_GPA (LAYOUT_RAM_BASE + 0x1000)
#define NET_RING_SPACING 0x20000u
#define NET_SLOTS_GPA (NET_RING_GPA + NET_QUEUES * NET_RING_SPACING)
#define NET_MEMORY (256u * MEMORY_PAGE_SIZE)

struct net_slot {
	bool busy;
	uint16_t head;
	struct ring_buffer piece[RING_TABLE_MAX];
	uint32_t pieces;
	uint32_t written;
};

struct net_guest {
	struct memory memory;
	struct uplink *uplink;
	struct fake_uplink *fake;
	struct net net;
	uint32_t mtu;
	struct virtio_ring ring[NET_QUEUES];
	struct net_slot slot[2][NET_SLOTS]; /* by queue */
	uint8_t *image;			    /* memory as the driver has written it */
	uint8_t *allowed;		    /* a byte for each that the device may write */
	pthread_mutex_t mutex;
	pthread_cond_t risen; /* the line */
	bool level;
	int call; /* an eventfd that raises it as well; -1: none does */
};

/* The machine and its uplink; the device is quiesced and at power-on. */
void net_guest_init(struct net_guest *guest, struct fake_uplink *fake);
void net_guest_destroy(struct net_guest *guest);
/* The device alone, as on another host: it is made anew, or it is taken away. */
void net_guest_attach(struct net_guest *guest);
void net_guest_detach(struct net_guest *guest);

/* The driver resets the device and takes it, without what was under way. */
bool net_guest_begin(struct net_guest *guest, uint64_t features, uint16_t ring_size);

/* While the guest runs: until the device has seen what the driver and the uplink have for it. */
void net_guest_settle(struct net_guest *guest);

/* Gives room for a frame, or sends one, header included, in a free slot; false if there is none, or the ring is full.
 */
bool net_guest_give_room(struct net_guest *guest, uint32_t size, struct random *cuts);
bool net_guest_send(struct net_guest *guest, const void *bytes, uint32_t size, struct random *cuts);
void net_guest_kick(struct net_guest *guest, uint32_t queue);

/* A slot whose chain came back; -1: none has; -2: one that is not under way. */
int net_guest_collect(struct net_guest *guest, uint32_t queue);
/* Whether the line is up. */
bool net_guest_line(struct net_guest *guest);
/* Until the line is up; false after so many ms. */
bool net_guest_wait(struct net_guest *guest, uint32_t ms);
/* The next frame that came, header included, as its driver assembles it: its size; 0: none; -1: not as it must be. */
int net_guest_receive(struct net_guest *guest, void *bytes, uint32_t room);
uint32_t net_guest_under_way(const struct net_guest *guest, uint32_t queue);

/* A command of two bytes: the answer; -1 if none comes. */
int net_guest_command(struct net_guest *guest, uint8_t class, uint8_t command);

/*
 * While the device stands: NULL, or a sentence, if it wrote where it was not allowed to, or did not mark it. What it
 * wrote counts as the driver's from then on.
 */
const char *net_guest_audit(struct net_guest *guest);

#endif
