/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with a disk of 64 sectors that misbehaves as it is told, for the tests of the block device. */
#ifndef UNIT_BLOCK_FIXTURE_H
#define UNIT_BLOCK_FIXTURE_H

#include "unit.h"
#include "../fake/block_driver.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 60
#define SECTORS 64u
#define SIZE (SECTORS * 512ull)
#define VERSION_1 (1ull << 32)
#define FEATURES (VERSION_1 | 1 << VIRTIO_BLK_F_FLUSH | 1 << VIRTIO_BLK_F_DISCARD | 1 << VIRTIO_BLK_F_WRITE_ZEROES)
#define RING 128u

/* Long enough to see that nothing comes back. */
#define NOTHING_MS 20

static struct fake_disk disk;
static struct block_guest guest;

static inline int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	fake_disk_init(&disk, SIZE, 2 * SIZE, (struct random){ 1 });
	block_guest_init(&guest, &disk, "serial-7");
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	block_guest_destroy(&guest);
	fake_disk_destroy(&disk);
	alarm(0);
	return 0;
}

static inline struct device *device(void)
{
	return &guest.block.virtio.device;
}

static inline void begin(uint64_t features)
{
	device()->ops->start(device());
	assert_true(block_guest_begin(&guest, features, RING));
}

static inline void quiesce(void)
{
	device()->ops->quiesce(device());
}

static inline void start(void)
{
	device()->ops->start(device());
}

/* A request with its header, and room for `writable` bytes of answer. */
static inline void send(uint32_t slot, uint32_t type, uint64_t sector, const void *data, uint32_t size,
			uint32_t writable)
{
	struct virtio_blk_outhdr header = { .type = htole32(type), .sector = htole64(sector) };
	uint8_t readable[BLOCK_SLOT_BYTES];

	memcpy(readable, &header, sizeof(header));
	if (size)
		memcpy(readable + sizeof(header), data, size);
	assert_true(block_guest_send(&guest, slot, readable, (uint32_t)sizeof(header) + size, writable, NULL));
	block_guest_kick(&guest);
}

static inline uint8_t status_of(uint32_t slot)
{
	const struct block_slot *sent = &guest.slot[slot];
	uint32_t size = 0;
	uint8_t status;

	for (uint32_t n = sent->readable; n < sent->readable + sent->writable; n++)
		size += sent->piece[n].size;
	block_guest_read(&guest, slot, size - 1, &status, 1);
	return status;
}

/* The same, and waits for it. */
static inline uint8_t ask(uint32_t type, uint64_t sector, const void *data, uint32_t size, uint32_t writable)
{
	send(0, type, sector, data, size, writable);
	assert_int_equal(block_guest_wait(&guest), 0);
	return status_of(0);
}

static inline uint8_t write_sector(uint64_t sector, uint8_t byte)
{
	uint8_t data[512];

	memset(data, byte, sizeof(data));
	return ask(VIRTIO_BLK_T_OUT, sector, data, sizeof(data), 1);
}

static inline uint8_t erase(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes segment = { htole64(sector), htole32(sectors), htole32(flags) };

	return ask(type, 0, &segment, sizeof(segment), 1);
}

static inline uint32_t config_u32(uint32_t offset)
{
	return virtio_driver_read(device(), 0x100 + offset);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
