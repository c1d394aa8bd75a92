/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with one disk: memory, the block device, and a driver with up to BLOCK_SLOTS requests under way.
 *
 * Policy: what the driver sends are bytes to read and room to write into, which it cuts into buffers with gaps between
 * them; what they mean is the test's business. The driver keeps an image of its memory as only it has written it, so
 * that a test can tell what the device wrote and whether it said so. It waits for interrupts, with a limit.
 */
#ifndef TEST_FAKE_BLOCK_DRIVER_H
#define TEST_FAKE_BLOCK_DRIVER_H

#include "disk.h"
#include "virtio_driver.h"

#include "base/layout.h"
#include "dev/virtio/block.h"

#include <pthread.h>

#define BLOCK_SLOTS 96u
#define BLOCK_SLOT_SIZE 4096u
/* Bytes of one request, both directions together, header and status included. */
#define BLOCK_SLOT_BYTES 3600u

/* In guest memory: the ring, then a place for each request. */
#define BLOCK_RING_GPA (LAYOUT_RAM_BASE + 0x1000)
#define BLOCK_SLOTS_GPA (LAYOUT_RAM_BASE + 0x40000)
#define BLOCK_MEMORY (192u * MEMORY_PAGE_SIZE)

struct block_slot {
	bool busy;
	uint16_t head;
	struct ring_buffer piece[RING_TABLE_MAX];
	uint32_t readable; /* pieces */
	uint32_t writable;
	uint32_t written; /* as the device said at the end */
};

struct block_guest {
	struct memory memory;
	struct fake_disk *disk;
	struct block block;
	const char *serial;
	struct virtio_ring ring;
	struct block_slot slot[BLOCK_SLOTS];
	uint8_t *image;	  /* memory as the driver has written it */
	uint8_t *allowed; /* a byte for each that the device may write */
	pthread_mutex_t mutex;
	pthread_cond_t risen; /* the line */
	bool level;
};

/* The machine and its disk; the device is quiesced and at power-on. */
void block_guest_init(struct block_guest *guest, struct fake_disk *disk, const char *serial);
void block_guest_destroy(struct block_guest *guest);
/* The device alone, as on another host: it is made anew, or it is taken away. */
void block_guest_attach(struct block_guest *guest);
void block_guest_detach(struct block_guest *guest);

/* The driver resets the device and takes it, without what was under way. */
bool block_guest_begin(struct block_guest *guest, uint64_t features, uint16_t ring_size);

/*
 * Sends what is to be read, and room for `writable` bytes, in a slot that is not busy; with `cuts` in random pieces.
 * False if the ring has no room. The driver tells the device by block_guest_kick().
 */
bool block_guest_send(struct block_guest *guest, uint32_t slot, const void *readable, uint32_t size, uint32_t writable,
		      struct random *cuts);
void block_guest_kick(struct block_guest *guest);

/* A slot whose request came back, -1: none has. */
int block_guest_collect(struct block_guest *guest);
/* The same, waiting for the interrupt; ends the program after a minute. */
int block_guest_wait(struct block_guest *guest);
/* The same for so many ms; -1 then. */
int block_guest_wait_ms(struct block_guest *guest, uint32_t ms);

/* Copies from the slot's writable pieces, `offset` counted through them. */
void block_guest_read(const struct block_guest *guest, uint32_t slot, uint32_t offset, void *data, uint32_t size);

/*
 * While nothing is under way: NULL, or a sentence, if the device wrote where it was not allowed to, or did not mark it.
 * What it wrote counts as the driver's from then on, and it may write nothing more.
 */
const char *block_guest_audit(struct block_guest *guest);

#endif
