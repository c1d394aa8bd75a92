/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with two disks in files of their own, for each test, and a driver of them. */
#ifndef UNIT_MACHINE_DISKS_FIXTURE_H
#define UNIT_MACHINE_DISKS_FIXTURE_H

#include "machine_fixture.h"
#include "../fake/virtio_driver.h"

#include "machine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define DISK_SIZE 65536u
#define VERSION_1 (1ull << 32)
#define RING_GPA LAYOUT_RAM_BASE
#define BUFFER_GPA (LAYOUT_RAM_BASE + 0x100000)

static char folder[] = "/tmp/seaclock-disks-XXXXXX";
static struct machine_config described;
static struct disks disks, others;

static inline int set_up_group(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static inline int tear_down_group(void **state)
{
	(void)state;
	unlink("a");
	unlink("b");
	return chdir("/") || rmdir(folder);
}

static inline void file_make(const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	close(fd);
}

static inline void describe(const char *first, const char *second)
{
	described = config;
	described.model = CONFIG_MODEL_NEW;
	described.disks = 2;
	described.disk[0] = described.disk[1] = config_disk_default();
	snprintf(described.disk[0].where, sizeof(described.disk[0].where), "%s", first);
	snprintf(described.disk[1].where, sizeof(described.disk[1].where), "%s", second);
	snprintf(described.disk[1].serial, sizeof(described.disk[1].serial), "second");
}

static inline int set_up_disks(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	file_make("a");
	file_make("b");
	console = (struct console){ .in = -1, .out = -1 };
	describe("a", "b");
	return 0;
}

static inline int tear_down_disks(void **state)
{
	(void)state;
	disks_close(&disks);
	disks_close(&others);
	alarm(0);
	return 0;
}

static inline struct device *disk_device(uint32_t n)
{
	return devices_find(&machine.devices, SECTION_ID('V', 'B', 'L', 'K'), n);
}

static struct virtio_ring ring;

/* Begins to write a byte to the first sector, as a driver does: where the status will be. */
static inline const uint8_t *send_byte(struct device *device, uint8_t byte)
{
	const struct ring_buffer buffers[] = { { BUFFER_GPA, 16 + 512, false }, { BUFFER_GPA + 1024, 1, true } };
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT };
	uint8_t *place = memory_span(&machine.memory, BUFFER_GPA, 2048);

	assert_true(virtio_driver_begin(device, VERSION_1 | 1 << VIRTIO_BLK_F_FLUSH));
	virtio_ring_init(&ring, &machine.memory, RING_GPA, 16);
	assert_true(virtio_driver_set_queue(device, 0, &ring) && virtio_driver_go(device));
	memcpy(place, &header, sizeof(header));
	memset(place + sizeof(header), byte, 512);
	assert_true(virtio_ring_add(&ring, buffers, 2, false) >= 0);
	/* No exit tells the device, which asks for a notification once it has nothing to do. */
	while (!virtio_ring_wants_kick(&ring))
		usleep(100);
	assert_false(fake_vm_ring(&machine.vm, device->base + 0x050, 1));
	assert_true(fake_vm_ring(&machine.vm, device->base + 0x050, 0));
	return place + 1024;
}

#define DISKS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_disks, tear_down_disks)

#endif
