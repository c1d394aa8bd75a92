/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory, an interrupt line and a ring, for the tests of a virtio device. */
#ifndef UNIT_VIRTIO_FIXTURE_H
#define UNIT_VIRTIO_FIXTURE_H

#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"

#include "base/layout.h"
#include "dev/virtio/virtio.h"

#include <string.h>

#define SIZE (1ull << 20)
#define RING (LAYOUT_RAM_BASE + 0x1000)
#define DATA (LAYOUT_RAM_BASE + 0x40000)
#define SLOT 3u
#define VERSION_1 (1ull << 32)
#define COMMON (VERSION_1 | 3ull << 28) /* and event indices, and indirect descriptors */

static struct memory memory;
static struct virtio_ring ring;
static bool line;
static uint32_t line_calls;

static inline void set_line(void *context, uint32_t intid, bool level)
{
	assert_ptr_equal(context, &line);
	assert_int_equal(intid, LAYOUT_VIRTIO_INTID + SLOT);
	line = level;
	line_calls++;
}

static const struct device_line to_line = { .set = set_line, .context = &line };

static inline int fixture_begin(void)
{
	struct error error;
	int result;

	fake_reset();
	line = false;
	line_calls = 0;
	result = memory_create(&memory, SIZE, &error);
	if (!result)
		virtio_ring_init(&ring, &memory, RING, 8);
	return result;
}

static inline int fixture_end(struct device *device)
{
	device->ops->destroy(device);
	memory_destroy(&memory);
	return 0;
}

static inline void fixture_save(struct device *device, struct buffer *state)
{
	buffer_clear(state);
	device->ops->save(device, state);
	assert_false(buffer_failed(state));
}

/* As on another host: the device is reset before. */
static inline int fixture_load(struct device *device, const struct buffer *state, uint32_t version)
{
	struct cursor cursor = cursor_make(state->data, state->size);

	device->ops->reset(device);
	return device->ops->load(device, &cursor, version);
}

#endif
