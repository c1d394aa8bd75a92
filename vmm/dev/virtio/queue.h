/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue, as the device sees it: what the driver has made available, and what the device has used.
 *
 * Policy: pure; guest memory is its only door. Rings, indices, chains and lengths are a hostile guest's: whatever the
 * specification does not allow breaks the queue, which then gives nothing more until the driver resets the device. No
 * chain is read twice: what was checked is what is used. Source: Virtual I/O Device (VIRTIO) Version 1.2, section 2.7.
 */
#ifndef VMM_DEV_VIRTIO_QUEUE_H
#define VMM_DEV_VIRTIO_QUEUE_H

#include "base/buffer.h"
#include "host/memory.h"

#include <sys/uio.h>

#define VIRTQUEUE_SIZE_MAX 256u
/* Buffers of one chain, after those that cross a boundary of memory regions were refused. */
#define VIRTQUEUE_CHAIN_MAX 256u
#define VIRTQUEUE_TAKEN_WORDS (VIRTQUEUE_SIZE_MAX / 64u)

struct virtqueue {
	uint16_t size;	      /* at most VIRTQUEUE_SIZE_MAX; a power of 2 once it is ready */
	bool ready;	      /* its rings have been checked and may be used */
	bool event_index;     /* VIRTIO_F_EVENT_IDX was negotiated */
	bool indirect;	      /* VIRTIO_F_INDIRECT_DESC was */
	bool lent;	      /* the kernel serves it, and knows how far it is */
	const char *broken;   /* how the driver broke the rules, a clause for the log; NULL: it did not */
	uint64_t descriptors; /* guest physical addresses: descriptor table, */
	uint64_t driver;      /* available ring, */
	uint64_t device;      /* used ring */
	uint16_t next_available;
	uint16_t next_used;
	uint16_t signalled; /* next_used when it was last asked whether the driver wants an interrupt */
	uint64_t taken[VIRTQUEUE_TAKEN_WORDS]; /* a bit for each head of a chain that has not been given back */
};

/*
 * One request of the driver: buffers to read from, then buffers to write to. They are guest memory, whose contents may
 * change at any time.
 */
struct virtqueue_chain {
	uint16_t head;
	uint16_t readable; /* how many of `buffer`, the first ones */
	uint16_t writable; /* how many behind those */
	uint64_t readable_size;
	uint64_t writable_size;
	struct iovec buffer[VIRTQUEUE_CHAIN_MAX];
};

/* A chain that goes back. */
struct virtqueue_used {
	uint16_t head;
	uint32_t written; /* bytes, into its writable buffers */
};

/* With the addresses and the size set: ready, or -EINVAL if the rings are not aligned or not in one region of memory.
 */
int virtqueue_start(struct virtqueue *queue, const struct memory *memory);
/* As at power-on. */
void virtqueue_reset(struct virtqueue *queue);

/*
 * The next chain: 1; 0 if there is none; -EPROTO if the driver broke the rules: the queue is broken. No head is taken
 * again before it was given back, so there are never more chains in flight than the queue has descriptors.
 */
int virtqueue_take(struct virtqueue *queue, const struct memory *memory, struct virtqueue_chain *chain);
/* The chain of a head that was taken before, and has not been given back: after a load. 1 or -EPROTO, as above. */
int virtqueue_take_again(struct virtqueue *queue, const struct memory *memory, uint16_t head,
			 struct virtqueue_chain *chain);
/* Whether a chain has been taken and not given back; how many have. */
bool virtqueue_has_taken(const struct virtqueue *queue, uint16_t head);
uint16_t virtqueue_in_flight(const struct virtqueue *queue);
/*
 * Gives a chain back, into whose writable buffers `written` bytes were put; they have been marked as dirty. A broken
 * queue keeps it.
 */
void virtqueue_give(struct virtqueue *queue, struct memory *memory, uint16_t head, uint32_t written);
/* The same with several, in this order; the driver sees all of them at once. */
void virtqueue_give_all(struct virtqueue *queue, struct memory *memory, const struct virtqueue_used *used,
			uint32_t count);
/* The chain that was taken last of those that were not given back is available again, as if it had not been taken. */
void virtqueue_put_back(struct virtqueue *queue, uint16_t head);

/* Whether the driver wants an interrupt for what was given back since the last call. */
bool virtqueue_wants_interrupt(struct virtqueue *queue, const struct memory *memory);
/*
 * Asks the driver for a notification at its next chain, or for none while the device looks by itself. After asking,
 * look once more: a chain may have come meanwhile.
 */
void virtqueue_ask_notification(struct virtqueue *queue, struct memory *memory, bool wanted);

/*
 * The kernel serves the queue from here on (dev/net/vhost.h): a queue that is ready, not broken, and of which nothing
 * is in flight. Nothing else is done to it but a reset, until it comes back, `next` being the index of the next chain.
 * A kernel that cannot send has dropped chains without giving them back (vhost_tx_batch() in drivers/vhost/net.c); it
 * gives them back in order, so they are the last before `next`, and are taken once more. If the used ring says anything
 * else, which the driver may have written to, the queue is broken.
 */
void virtqueue_lend(struct virtqueue *queue);
void virtqueue_return(struct virtqueue *queue, const struct memory *memory, uint16_t next);

/* Marks what was written into a chain's writable buffers, the first `size` bytes; they are still as they were taken. */
void virtqueue_mark_written(struct memory *memory, const struct virtqueue_chain *chain, uint64_t size);

void virtqueue_save(const struct virtqueue *queue, struct buffer *state);
/* -EPROTO for what virtqueue_save() cannot have written. Memory is not looked at. */
int virtqueue_load(struct virtqueue *queue, struct cursor *state);

#endif
