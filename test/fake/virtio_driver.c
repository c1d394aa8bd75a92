/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's side of a virtio device: see the header. */
#include "virtio_driver.h"

#include "base/layout.h"
#include "dev/virtio/window.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* ---- Rings ---- */

static void put(struct virtio_ring *ring, uint64_t gpa, uint64_t value, uint32_t width)
{
	uint8_t *place = memory_span(ring->memory, gpa, width);

	assert(place);
	for (uint32_t n = 0; n < width; n++)
		place[n] = (uint8_t)(value >> 8 * n);
}

static uint32_t get(const struct virtio_ring *ring, uint64_t gpa)
{
	const uint8_t *place = memory_span(ring->memory, gpa, 4);

	assert(place);
	return place[0] | (uint32_t)place[1] << 8 | (uint32_t)place[2] << 16 | (uint32_t)place[3] << 24;
}

uint16_t virtio_ring_load(const struct virtio_ring *ring, uint64_t gpa)
{
	const uint16_t *place = memory_span(ring->memory, gpa, 2);

	assert(place);
	return __atomic_load_n(place, __ATOMIC_SEQ_CST);
}

void virtio_ring_store(struct virtio_ring *ring, uint64_t gpa, uint16_t value)
{
	uint16_t *place = memory_span(ring->memory, gpa, 2);

	assert(place);
	__atomic_store_n(place, value, __ATOMIC_SEQ_CST);
}

void virtio_ring_init(struct virtio_ring *ring, struct memory *memory, uint64_t gpa, uint16_t size)
{
	*ring = (struct virtio_ring){ .memory = memory, .size = size, .descriptors = gpa, .free_count = size };
	ring->available = gpa + 16u * size;
	ring->used = (ring->available + 6 + 2u * size + 3) & ~3ull;
	ring->tables = (ring->used + 6 + 8u * size + 15) & ~15ull;
	memset(memory_span(memory, gpa, RING_ALL_BYTES(size)), 0, RING_ALL_BYTES(size));
	for (uint16_t n = 0; n < size; n++)
		ring->free[n] = (uint16_t)(size - 1 - n);
}

void virtio_ring_describe(struct virtio_ring *ring, uint64_t table, uint32_t n, const struct ring_buffer *buffer,
			  uint16_t flags, uint16_t next)
{
	uint64_t place = table + 16ull * n;

	put(ring, place, buffer->gpa, 8);
	put(ring, place + 8, buffer->size, 4);
	put(ring, place + 12, flags | (buffer->writable ? RING_WRITE : 0), 2);
	put(ring, place + 14, next, 2);
}

void virtio_ring_set_index(struct virtio_ring *ring, uint16_t index)
{
	ring->next_available = index;
	virtio_ring_store(ring, ring->available + 2, index);
}

void virtio_ring_offer(struct virtio_ring *ring, uint16_t head)
{
	virtio_ring_store(ring, ring->available + 4 + 2ull * (ring->next_available % ring->size), head);
	virtio_ring_set_index(ring, (uint16_t)(ring->next_available + 1));
}

static uint16_t ring_alloc(struct virtio_ring *ring)
{
	return ring->free[--ring->free_count];
}

static uint16_t add_direct(struct virtio_ring *ring, const struct ring_buffer *buffers, uint32_t count)
{
	uint16_t head = ring_alloc(ring), here = head;

	for (uint32_t n = 0; n < count; n++) {
		bool last = n == count - 1;
		uint16_t next = last ? here : ring_alloc(ring);

		virtio_ring_describe(ring, ring->descriptors, here, &buffers[n], last ? 0 : RING_NEXT, next);
		ring->behind[here] = next;
		here = next;
	}
	return head;
}

static uint16_t add_indirect(struct virtio_ring *ring, const struct ring_buffer *buffers, uint32_t count)
{
	uint16_t head = ring_alloc(ring);
	const struct ring_buffer table = { ring->tables + (uint64_t)head * RING_TABLE_BYTES, 16 * count, false };

	for (uint32_t n = 0; n < count; n++)
		virtio_ring_describe(ring, table.gpa, n, &buffers[n], n == count - 1 ? 0 : RING_NEXT,
				     (uint16_t)(n + 1));
	virtio_ring_describe(ring, ring->descriptors, head, &table, RING_INDIRECT, 0);
	ring->behind[head] = head;
	return head;
}

int virtio_ring_add(struct virtio_ring *ring, const struct ring_buffer *buffers, uint32_t count, bool indirect)
{
	uint16_t head;

	assert(count && count <= RING_TABLE_MAX);
	if (ring->free_count < (indirect ? 1 : count))
		return -1;
	head = indirect ? add_indirect(ring, buffers, count) : add_direct(ring, buffers, count);
	ring->in_use[head] = true;
	virtio_ring_offer(ring, head);
	return head;
}

static void ring_free(struct virtio_ring *ring, uint16_t head)
{
	for (uint16_t here = head;; here = ring->behind[here]) {
		ring->free[ring->free_count++] = here;
		if (ring->behind[here] == here)
			break;
	}
	ring->in_use[head] = false;
}

bool virtio_ring_collect(struct virtio_ring *ring, uint16_t *head, uint32_t *written)
{
	uint64_t place = ring->used + 4 + 8ull * (ring->next_used % ring->size);

	if (virtio_ring_load(ring, ring->used + 2) == ring->next_used)
		return false;
	*head = (uint16_t)get(ring, place);
	*written = get(ring, place + 4);
	if (*head < ring->size && ring->in_use[*head])
		ring_free(ring, *head);
	ring->next_used++;
	return true;
}

bool virtio_ring_wants_kick(struct virtio_ring *ring)
{
	uint16_t added = (uint16_t)(ring->next_available - ring->told), event;

	ring->told = ring->next_available;
	if (!ring->event_index)
		return added && !(virtio_ring_load(ring, ring->used) & 1);
	event = virtio_ring_load(ring, ring->used + 4 + 8ull * ring->size);
	return (uint16_t)(ring->next_available - event - 1) < added;
}

/* With event indices, none is asked for by an event that has just passed. */
void virtio_ring_ask(struct virtio_ring *ring, bool wanted)
{
	if (ring->event_index)
		virtio_ring_store(ring, ring->available + 4 + 2ull * ring->size,
				  (uint16_t)(ring->next_used - (wanted ? 0 : 1)));
	else
		virtio_ring_store(ring, ring->available, wanted ? 0 : 1);
}

/* ---- The registers ---- */

uint32_t virtio_driver_read(struct device *device, uint32_t offset)
{
	const struct virtio_window *window = device->line.window;
	uint32_t value;

	if (window) {
		const uint8_t *place = window->memory + (device->base - LAYOUT_VIRTIO_BASE) + offset;

		return le32toh(__atomic_load_n((const uint32_t *)place, __ATOMIC_ACQUIRE));
	}
	lock_take(&device->lock);
	value = (uint32_t)device->ops->read(device, offset, 4);
	lock_drop(&device->lock);
	return value;
}

void virtio_driver_write(struct device *device, uint32_t offset, uint32_t value)
{
	lock_take(&device->lock);
	device->ops->write(device, offset, 4, value);
	lock_drop(&device->lock);
}

uint64_t virtio_driver_offered(struct device *device)
{
	uint64_t features;

	virtio_driver_write(device, 0x014, 1);
	features = (uint64_t)virtio_driver_read(device, 0x010) << 32;
	virtio_driver_write(device, 0x014, 0);
	return features | virtio_driver_read(device, 0x010);
}

bool virtio_driver_begin(struct device *device, uint64_t features)
{
	virtio_driver_write(device, 0x070, 0);
	virtio_driver_write(device, 0x070, 1);
	virtio_driver_write(device, 0x070, 3);
	for (uint32_t n = 0; n < 2; n++) {
		virtio_driver_write(device, 0x024, n);
		virtio_driver_write(device, 0x020, (uint32_t)(features >> 32 * n));
	}
	virtio_driver_write(device, 0x070, 11);
	return virtio_driver_read(device, 0x070) == 11;
}

bool virtio_driver_set_queue(struct device *device, uint32_t n, const struct virtio_ring *ring)
{
	const uint64_t places[] = { ring->descriptors, ring->available, ring->used };

	virtio_driver_write(device, 0x030, n);
	virtio_driver_write(device, 0x038, ring->size);
	for (uint32_t part = 0; part < 3; part++) {
		virtio_driver_write(device, 0x080 + 16 * part, (uint32_t)places[part]);
		virtio_driver_write(device, 0x084 + 16 * part, (uint32_t)(places[part] >> 32));
	}
	virtio_driver_write(device, 0x044, 1);
	return virtio_driver_read(device, 0x044) == 1;
}

bool virtio_driver_go(struct device *device)
{
	virtio_driver_write(device, 0x070, 15);
	return virtio_driver_read(device, 0x070) == 15;
}

void virtio_driver_kick(struct device *device, uint32_t n, struct virtio_ring *ring)
{
	if (virtio_ring_wants_kick(ring))
		virtio_driver_write(device, 0x050, n);
}

uint32_t virtio_driver_take_interrupt(struct device *device)
{
	uint32_t why = virtio_driver_read(device, 0x060);

	virtio_driver_write(device, 0x064, why);
	return why;
}
