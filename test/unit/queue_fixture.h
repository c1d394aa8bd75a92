/* SPDX-License-Identifier: BSD-2-Clause */
/* A queue and its driver's ring in guest memory of two regions, for the tests of virtqueues. */
#ifndef UNIT_QUEUE_FIXTURE_H
#define UNIT_QUEUE_FIXTURE_H

#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"

#include "base/layout.h"
#include "dev/virtio/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (1ull << 20)
#define SECOND_SIZE (64ull * MEMORY_PAGE_SIZE)
#define BASE LAYOUT_RAM_BASE
#define RING (BASE + 0x1000)
#define DATA (BASE + 0x40000)
#define ENTRIES 8u

static struct memory memory;
static struct virtio_ring ring;
static struct virtqueue queue;
static struct virtqueue_chain chain;

static inline void begin(uint16_t size, bool event_index)
{
	virtio_ring_init(&ring, &memory, RING, size);
	ring.event_index = event_index;
	queue = (struct virtqueue){
		.size = size,
		.event_index = event_index,
		.indirect = true,
		.descriptors = ring.descriptors,
		.driver = ring.available,
		.device = ring.used,
	};
	assert_int_equal(virtqueue_start(&queue, &memory), 0);
}

static inline int set_up(void **state)
{
	struct error error;
	int result;

	(void)state;
	fake_reset();
	result = memory_create(&memory, SIZE, &error);
	/* Without a gap between them. */
	if (!result)
		result = memory_add(&memory, BASE + SIZE, SECOND_SIZE, &error);
	if (result)
		return result;
	begin(ENTRIES, false);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	memory_destroy(&memory);
	return 0;
}

static inline int take(void)
{
	return virtqueue_take(&queue, &memory, &chain);
}

static inline struct ring_buffer buffer(uint64_t gpa, uint32_t size, bool writable)
{
	return (struct ring_buffer){ gpa, size, writable };
}

static inline void expect_buffer(uint32_t n, uint64_t gpa, size_t size)
{
	assert_ptr_equal(chain.buffer[n].iov_base, memory_span(&memory, gpa, size));
	assert_int_equal(chain.buffer[n].iov_len, size);
}

/* A chain comes and goes back. */
static inline void round_trip(void)
{
	const struct ring_buffer one = buffer(DATA, 1, true);

	assert_true(virtio_ring_add(&ring, &one, 1, true) >= 0);
	assert_int_equal(take(), 1);
	virtqueue_give(&queue, &memory, chain.head, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
