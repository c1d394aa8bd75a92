/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded queue of bytes.
 *
 * Policy: pure; the caller has the lock. Where bytes must not be lost the writer is told how many fitted; where the
 * writer must not wait the oldest bytes make room, and the reader is told how many are missing, and where.
 */
#ifndef VMM_BASE_RING_H
#define VMM_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *bytes;
	size_t capacity;
	size_t head;
	size_t count;
	uint64_t dropped; /* bytes that were lost right before the head */
};

/* An empty queue in `bytes`, which live as long as it. */
void ring_init(struct ring *ring, void *bytes, size_t capacity);

/* Appends as much as there is room for: how many bytes that was. */
size_t ring_add(struct ring *ring, const void *data, size_t size);

/* Appends all of it, at the expense of the oldest bytes. */
void ring_push(struct ring *ring, const void *data, size_t size);

/* Copies up to `size` of the oldest bytes, beginning with the one at `from`: how many. They stay. */
size_t ring_peek(const struct ring *ring, size_t from, void *data, size_t size);

/* Removes up to `size` of the oldest bytes and copies them: how many. *dropped bytes before them are missing. */
size_t ring_take(struct ring *ring, void *data, size_t size, uint64_t *dropped);

#endif
