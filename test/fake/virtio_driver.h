/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of a virtio device: rings in guest memory, and a driver that uses them through the registers.
 *
 * Policy: written from the specification (Virtual I/O Device (VIRTIO) Version 1.2, sections 2.7, 3.1 and 4.2), without
 * the constants of the code under test. It keeps to the rules; a test that breaks them writes to the rings itself. A
 * ring knows guest memory alone, so that a queue can be tested without a device.
 */
#ifndef TEST_FAKE_VIRTIO_DRIVER_H
#define TEST_FAKE_VIRTIO_DRIVER_H

#include "dev/device.h"
#include "host/memory.h"

#define RING_SIZE_MAX 256u
/* Descriptors in an indirect table. */
#define RING_TABLE_MAX 16u

/* What a descriptor's flags say. */
#define RING_NEXT 1u
#define RING_WRITE 2u
#define RING_INDIRECT 4u

/* Guest memory that a ring of `size` takes, in bytes; with its tables, of which each head has one. */
#define RING_BYTES(size) (16u * (size) + 6u + 2u * (size) + 4u + 6u + 8u * (size))
#define RING_TABLE_BYTES (16u * RING_TABLE_MAX)
#define RING_ALL_BYTES(size) (RING_BYTES(size) + 64u + (size)*RING_TABLE_BYTES)

struct ring_buffer {
	uint64_t gpa;
	uint32_t size; /* bytes */
	bool writable; /* by the device */
};

struct virtio_ring {
	struct memory *memory;
	uint16_t size;
	bool event_index;     /* negotiated */
	uint64_t descriptors; /* guest physical addresses */
	uint64_t available;
	uint64_t used;
	uint64_t tables;
	uint16_t next_available; /* what the driver has made available, as it is in the ring */
	uint16_t next_used;	 /* what it has seen of what the device used */
	uint16_t told;		 /* next_available when the device was last told */
	uint16_t free_count;
	uint16_t free[RING_SIZE_MAX];	/* descriptors, the last one is taken first */
	uint16_t behind[RING_SIZE_MAX]; /* of a descriptor in use: the next of its chain, or itself */
	bool in_use[RING_SIZE_MAX];	/* a head that the device has */
};

/* An empty ring at `gpa`, a multiple of 16, for which there are RING_ALL_BYTES(size). */
void virtio_ring_init(struct virtio_ring *ring, struct memory *memory, uint64_t gpa, uint16_t size);

/* Descriptor n of the table at `table`, which may be the ring's own. */
void virtio_ring_describe(struct virtio_ring *ring, uint64_t table, uint32_t n, const struct ring_buffer *buffer,
			  uint16_t flags, uint16_t next);
/* Makes a head available, whatever it is. */
void virtio_ring_offer(struct virtio_ring *ring, uint16_t head);
void virtio_ring_set_index(struct virtio_ring *ring, uint16_t index);

/* A chain of 1 to RING_TABLE_MAX buffers: its head, -1 if there are no descriptors left for it. */
int virtio_ring_add(struct virtio_ring *ring, const struct ring_buffer *buffers, uint32_t count, bool indirect);
/* The next chain that the device gave back; false if there is none. One that was not added is not the driver's. */
bool virtio_ring_collect(struct virtio_ring *ring, uint16_t *head, uint32_t *written);

/* Whether the device wants to be told of what has been added since this was last asked. */
bool virtio_ring_wants_kick(struct virtio_ring *ring);
/* Asks for an interrupt when the next chain comes back, or for none. */
void virtio_ring_ask(struct virtio_ring *ring, bool wanted);

uint16_t virtio_ring_load(const struct virtio_ring *ring, uint64_t gpa);
void virtio_ring_store(struct virtio_ring *ring, uint64_t gpa, uint16_t value);

/* ---- The registers ---- */

/* An access of 4 bytes, as the bus makes it; a load where the guest finds the registers in memory. */
uint32_t virtio_driver_read(struct device *device, uint32_t offset);
void virtio_driver_write(struct device *device, uint32_t offset, uint32_t value);

/* Reset, then the features: whether the device takes them. */
bool virtio_driver_begin(struct device *device, uint64_t features);
uint64_t virtio_driver_offered(struct device *device);
/* Queue number n is the ring: whether it is ready. */
bool virtio_driver_set_queue(struct device *device, uint32_t n, const struct virtio_ring *ring);
/* The device is live: whether it says so. */
bool virtio_driver_go(struct device *device);
/* Tells the device of a queue if it wants that. */
void virtio_driver_kick(struct device *device, uint32_t n, struct virtio_ring *ring);
/* Why there was an interrupt, which it acknowledges. */
uint32_t virtio_driver_take_interrupt(struct device *device);

#endif
