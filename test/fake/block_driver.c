/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with one disk: see the header. */
#include "block_driver.h"

#include "../wait_scale.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define LIMIT_MS 60000u
#define GAP_MAX 7u
#define PIECES_MAX 7u

_Static_assert(2 * PIECES_MAX <= RING_TABLE_MAX, "a chain has room for both directions");
_Static_assert(BLOCK_SLOT_BYTES + 2 * PIECES_MAX * GAP_MAX <= BLOCK_SLOT_SIZE, "a slot has room for the gaps");

/* ---- The machine ---- */

static void set_line(void *context, uint32_t intid, bool level)
{
	struct block_guest *guest = context;

	(void)intid;
	pthread_mutex_lock(&guest->mutex);
	guest->level = level;
	if (level)
		pthread_cond_signal(&guest->risen);
	pthread_mutex_unlock(&guest->mutex);
}

void block_guest_attach(struct block_guest *guest)
{
	const struct device_line line = { .set = set_line, .context = guest };
	const struct block_options options = {
		.disk = &guest->disk->disk,
		.serial = guest->serial,
		.memory = &guest->memory,
		.machine = "m",
		.line = &line,
	};
	struct device *device = &guest->block.virtio.device;
	struct error error;
	int result = block_create(&guest->block, &options, &error);

	assert(!result);
	lock_take(&device->lock);
	device->ops->reset(device);
	lock_drop(&device->lock);
}

void block_guest_detach(struct block_guest *guest)
{
	struct device *device = &guest->block.virtio.device;

	device->ops->quiesce(device);
	device->ops->destroy(device);
}

void block_guest_init(struct block_guest *guest, struct fake_disk *disk, const char *serial)
{
	struct error error;
	int result;

	*guest = (struct block_guest){ .disk = disk, .serial = serial };
	result = memory_create(&guest->memory, BLOCK_MEMORY, &error);
	assert(!result);
	guest->image = calloc(1, BLOCK_MEMORY);
	guest->allowed = calloc(1, BLOCK_MEMORY);
	assert(guest->image && guest->allowed);
	pthread_mutex_init(&guest->mutex, NULL);
	pthread_cond_init(&guest->risen, NULL);
	block_guest_attach(guest);
}

void block_guest_destroy(struct block_guest *guest)
{
	block_guest_detach(guest);
	pthread_cond_destroy(&guest->risen);
	pthread_mutex_destroy(&guest->mutex);
	free(guest->allowed);
	free(guest->image);
	memory_destroy(&guest->memory);
}

bool block_guest_begin(struct block_guest *guest, uint64_t features, uint16_t ring_size)
{
	struct device *device = &guest->block.virtio.device;

	if (!virtio_driver_begin(device, features))
		return false;
	virtio_ring_init(&guest->ring, &guest->memory, BLOCK_RING_GPA, ring_size);
	guest->ring.event_index = features & 1ull << 29;
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
		guest->slot[n].busy = false;
	return virtio_driver_set_queue(device, 0, &guest->ring) && virtio_driver_go(device);
}

/* ---- Sending ---- */

static uint8_t *place_of(const struct block_guest *guest, uint64_t gpa, uint32_t size)
{
	uint8_t *place = memory_span(&guest->memory, gpa, size);

	assert(place);
	return place;
}

/* Cuts so many bytes from *gpa on into buffers, and moves on: how many. */
static uint32_t cut(struct ring_buffer *piece, uint64_t *gpa, uint32_t size, bool writable, struct random *cuts)
{
	uint32_t pieces = 0;

	while (size) {
		uint32_t part = cuts && pieces < PIECES_MAX - 1 ? (uint32_t)random_between(cuts, 1, size) : size;

		piece[pieces++] = (struct ring_buffer){ *gpa, part, writable };
		*gpa += part + (cuts ? random_between(cuts, 0, GAP_MAX) : 0);
		size -= part;
	}
	return pieces;
}

static void put(struct block_guest *guest, const struct ring_buffer *piece, const uint8_t *data)
{
	memcpy(place_of(guest, piece->gpa, piece->size), data, piece->size);
	memcpy(guest->image + (piece->gpa - LAYOUT_RAM_BASE), data, piece->size);
}

bool block_guest_send(struct block_guest *guest, uint32_t n, const void *readable, uint32_t size, uint32_t writable,
		      struct random *cuts)
{
	struct block_slot *slot = &guest->slot[n];
	uint64_t gpa = BLOCK_SLOTS_GPA + (uint64_t)n * BLOCK_SLOT_SIZE;
	const uint8_t *data = readable;
	int head;

	assert(!slot->busy && size + writable && size + writable <= BLOCK_SLOT_BYTES);
	slot->readable = cut(slot->piece, &gpa, size, false, cuts);
	slot->writable = cut(slot->piece + slot->readable, &gpa, writable, true, cuts);
	for (uint32_t i = 0; i < slot->readable; data += slot->piece[i++].size)
		put(guest, &slot->piece[i], data);
	for (uint32_t i = slot->readable; i < slot->readable + slot->writable; i++)
		memset(guest->allowed + (slot->piece[i].gpa - LAYOUT_RAM_BASE), 1, slot->piece[i].size);
	head = virtio_ring_add(&guest->ring, slot->piece, slot->readable + slot->writable,
			       cuts && random_chance(cuts, 2));
	if (head < 0)
		return false;
	slot->busy = true;
	slot->head = (uint16_t)head;
	return true;
}

void block_guest_kick(struct block_guest *guest)
{
	virtio_driver_kick(&guest->block.virtio.device, 0, &guest->ring);
}

/* ---- Coming back ---- */

int block_guest_collect(struct block_guest *guest)
{
	uint32_t written;
	uint16_t head;

	if (!virtio_ring_collect(&guest->ring, &head, &written))
		return -1;
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++) {
		if (guest->slot[n].busy && guest->slot[n].head == head) {
			guest->slot[n].busy = false;
			guest->slot[n].written = written;
			return (int)n;
		}
	}
	assert(!"a chain that was sent is in a slot");
	return -1;
}

/* Until the line is up; false at the limit. */
static bool wait_line(struct block_guest *guest, uint32_t ms)
{
	struct timespec limit;
	bool level;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_nsec += ms % 1000 * 1000000l;
	limit.tv_sec += ms / 1000 + limit.tv_nsec / 1000000000;
	limit.tv_nsec %= 1000000000;
	pthread_mutex_lock(&guest->mutex);
	while (!guest->level && pthread_cond_timedwait(&guest->risen, &guest->mutex, &limit) != ETIMEDOUT)
		;
	level = guest->level;
	pthread_mutex_unlock(&guest->mutex);
	return level;
}

/* As an interrupt handler does: asks for the next, and looks once more. */
int block_guest_wait_ms(struct block_guest *guest, uint32_t ms)
{
	for (;;) {
		int slot = block_guest_collect(guest);

		if (slot >= 0)
			return slot;
		virtio_ring_ask(&guest->ring, true);
		slot = block_guest_collect(guest);
		if (slot >= 0 || !wait_line(guest, ms))
			return slot;
		virtio_driver_take_interrupt(&guest->block.virtio.device);
	}
}

int block_guest_wait(struct block_guest *guest)
{
	int slot = block_guest_wait_ms(guest, wait_scaled(LIMIT_MS));

	if (slot < 0) {
		fprintf(stderr, "a request does not come back\n");
		abort();
	}
	return slot;
}

void block_guest_read(const struct block_guest *guest, uint32_t n, uint32_t offset, void *data, uint32_t size)
{
	const struct block_slot *slot = &guest->slot[n];
	uint8_t *to = data;

	for (uint32_t i = slot->readable; i < slot->readable + slot->writable && size; i++) {
		const struct ring_buffer *piece = &slot->piece[i];
		uint32_t skip = offset < piece->size ? offset : piece->size, part = piece->size - skip;

		part = part < size ? part : size;
		memcpy(to, place_of(guest, piece->gpa + skip, part), part);
		to += part;
		size -= part;
		offset -= skip;
	}
	assert(!size);
}

/* ---- What it wrote ---- */

static const char *audit_page(const struct block_guest *guest, uint64_t page, bool dirty)
{
	const uint8_t *now = guest->memory.region[0].host + page * MEMORY_PAGE_SIZE;
	uint8_t *before = guest->image + page * MEMORY_PAGE_SIZE;
	const uint8_t *allowed = guest->allowed + page * MEMORY_PAGE_SIZE;

	if (!memcmp(now, before, MEMORY_PAGE_SIZE))
		return NULL;
	if (!dirty)
		return "a page was written that was not marked";
	for (uint32_t n = 0; n < MEMORY_PAGE_SIZE; n++)
		if (now[n] != before[n] && !allowed[n])
			return "a byte was written that is no part of a writable buffer";
	memcpy(before, now, MEMORY_PAGE_SIZE);
	return NULL;
}

const char *block_guest_audit(struct block_guest *guest)
{
	const uint64_t ring = (BLOCK_RING_GPA - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;
	const uint64_t behind_ring = (BLOCK_SLOTS_GPA - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;
	uint64_t dirty[BLOCK_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };
	const char *wrong = NULL;

	memory_take_dirty(&guest->memory, dirty);
	for (uint64_t page = 0; page < BLOCK_MEMORY / MEMORY_PAGE_SIZE && !wrong; page++)
		if (page < ring || page >= behind_ring)
			wrong = audit_page(guest, page, dirty[page / 64] >> page % 64 & 1);
	memset(guest->allowed, 0, BLOCK_MEMORY);
	return wrong;
}
