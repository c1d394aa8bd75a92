/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded queue of bytes: see the header. */
#include "base/ring.h"

#include <string.h>

void ring_init(struct ring *ring, void *bytes, size_t capacity)
{
	*ring = (struct ring){ .bytes = bytes, .capacity = capacity };
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void ring_skip(struct ring *ring, size_t size)
{
	ring->head = (ring->head + size) % ring->capacity;
	ring->count -= size;
}

size_t ring_add(struct ring *ring, const void *data, size_t size)
{
	size_t end = (ring->head + ring->count) % ring->capacity;
	size_t added = smaller(size, ring->capacity - ring->count);
	size_t first = smaller(added, ring->capacity - end);

	if (!added)
		return 0;
	memcpy(ring->bytes + end, data, first);
	memcpy(ring->bytes, (const uint8_t *)data + first, added - first);
	ring->count += added;
	return added;
}

void ring_push(struct ring *ring, const void *data, size_t size)
{
	size_t fits = smaller(size, ring->capacity);
	size_t room = ring->capacity - ring->count;

	if (fits > room) {
		ring->dropped += fits - room;
		ring_skip(ring, fits - room);
	}
	ring->dropped += size - fits;
	ring_add(ring, (const uint8_t *)data + (size - fits), fits);
}

size_t ring_peek(const struct ring *ring, size_t from, void *data, size_t size)
{
	size_t copied = from < ring->count ? smaller(size, ring->count - from) : 0;
	size_t start = (ring->head + from) % ring->capacity;
	size_t first = smaller(copied, ring->capacity - start);

	if (!copied)
		return 0;
	memcpy(data, ring->bytes + start, first);
	memcpy((uint8_t *)data + first, ring->bytes, copied - first);
	return copied;
}

size_t ring_take(struct ring *ring, void *data, size_t size, uint64_t *dropped)
{
	size_t taken = ring_peek(ring, 0, data, size);

	ring_skip(ring, taken);
	*dropped = ring->dropped;
	ring->dropped = 0;
	return taken;
}
