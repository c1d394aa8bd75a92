/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue with drivers that break the rules of section 2.7 and following: nothing more is taken, and it is said
 * why. */
#include "queue_fixture.h"

static void expect_broken(const char *why)
{
	assert_int_equal(take(), -EPROTO);
	assert_non_null(queue.broken);
	assert_string_equal(queue.broken, why);
	assert_int_equal(take(), -EPROTO);
	assert_false(virtqueue_wants_interrupt(&queue, &memory));
	begin(ENTRIES, false);
}

static void test_indices(void **state)
{
	static const uint16_t jumps[] = { ENTRIES + 1, 0x7fff, 0x8000, 0xffff };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(jumps); n++) {
		virtio_ring_set_index(&ring, jumps[n]);
		expect_broken("more chains are available than the queue has descriptors");
	}
	virtio_ring_set_index(&ring, ENTRIES);
	assert_int_equal(take(), -EPROTO); /* the ring's zeroes are chains, but empty ones */
	assert_string_equal(queue.broken, "a buffer is empty");
	begin(ENTRIES, false);
	/* What is in flight counts. */
	for (uint32_t n = 0; n < ENTRIES; n++) {
		const struct ring_buffer one = buffer(DATA, 1, true);

		virtio_ring_add(&ring, &one, 1, false);
		assert_int_equal(take(), 1);
	}
	virtio_ring_set_index(&ring, ENTRIES + 1);
	expect_broken("more chains are available than the queue has descriptors");
}

static void test_heads(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true);

	(void)state;
	virtio_ring_offer(&ring, ENTRIES);
	expect_broken("a chain is available that does not exist, or is in use already");
	virtio_ring_offer(&ring, 0xffff);
	expect_broken("a chain is available that does not exist, or is in use already");
	virtio_ring_offer(&ring, (uint16_t)virtio_ring_add(&ring, &one, 1, false));
	assert_int_equal(take(), 1);
	expect_broken("a chain is available that does not exist, or is in use already");
}

static void test_buffers(void **state)
{
	static const struct {
		struct ring_buffer buffer;
		const char *why;
	} cases[] = {
		{ { DATA, 0, false }, "a buffer is empty" },
		{ { BASE - 1, 1, false }, "a buffer is not in one piece of memory" },
		{ { BASE - 1, 2, false }, "a buffer is not in one piece of memory" },
		{ { BASE + SIZE - 1, 2, true }, "a buffer is not in one piece of memory" },
		{ { BASE + SIZE + SECOND_SIZE, 1, true }, "a buffer is not in one piece of memory" },
		{ { BASE, UINT32_MAX, true }, "a buffer is not in one piece of memory" },
		{ { UINT64_MAX, 2, false }, "a buffer is not in one piece of memory" },
		{ { 0, 1, false }, "a buffer is not in one piece of memory" },
	};

	(void)state;
	for (size_t n = 0; n < 2 * ARRAY_SIZE(cases); n++) {
		virtio_ring_add(&ring, &cases[n / 2].buffer, 1, n & 1);
		expect_broken(cases[n / 2].why);
	}
}

static void test_order_of_buffers(void **state)
{
	const struct ring_buffer buffers[] = { buffer(DATA, 1, false), buffer(DATA, 1, true), buffer(DATA, 1, false) };

	(void)state;
	for (uint32_t indirect = 0; indirect < 2; indirect++) {
		virtio_ring_add(&ring, buffers, 3, indirect);
		expect_broken("a buffer to read from follows one to write to");
	}
}

/* All of the queue's descriptors may be one chain, and then it must end. */
static void test_loops(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true), table = buffer(ring.tables, 16, false);

	(void)state;
	for (uint16_t n = 0; n < ENTRIES; n++)
		virtio_ring_describe(&ring, ring.descriptors, n, &one, n < ENTRIES - 1 ? RING_NEXT : 0,
				     (uint16_t)(n + 1));
	virtio_ring_offer(&ring, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(chain.writable, ENTRIES);
	virtqueue_give(&queue, &memory, 0, 0);
	virtio_ring_describe(&ring, ring.descriptors, ENTRIES - 1, &one, RING_NEXT, 0);
	virtio_ring_offer(&ring, 3);
	expect_broken("a chain is a loop");
	virtio_ring_describe(&ring, ring.descriptors, 0, &table, RING_INDIRECT, 0);
	virtio_ring_describe(&ring, ring.tables, 0, &one, RING_NEXT, 0);
	virtio_ring_offer(&ring, 0);
	expect_broken("a chain is a loop");
	virtio_ring_describe(&ring, ring.descriptors, 0, &one, RING_NEXT, ENTRIES);
	virtio_ring_offer(&ring, 0);
	expect_broken("a chain leads out of its table");
}

static void test_tables(void **state)
{
	static const struct {
		struct ring_buffer buffer;
		uint16_t flags;
		const char *why;
	} cases[] = {
		{ { DATA, 16, false }, RING_NEXT, "a chain goes on behind an indirect descriptor" },
		{ { DATA, 0, false }, 0, "an indirect table has no whole number of descriptors" },
		{ { DATA, 15, false }, 0, "an indirect table has no whole number of descriptors" },
		{ { DATA, 17, false }, 0, "an indirect table has no whole number of descriptors" },
		{ { BASE + SIZE - 16, 32, false }, 0, "an indirect table is not in one piece of memory" },
		{ { 0, 16, false }, 0, "an indirect table is not in one piece of memory" },
		{ { DATA, 16, false }, 0, "an indirect descriptor names another" },
	};
	const struct ring_buffer inner = buffer(DATA + 16, 16, false);

	(void)state;
	virtio_ring_describe(&ring, DATA, 0, &inner, RING_INDIRECT, 0);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		virtio_ring_describe(&ring, ring.descriptors, 0, &cases[n].buffer, RING_INDIRECT | cases[n].flags, 0);
		virtio_ring_offer(&ring, 0);
		expect_broken(cases[n].why);
	}
	queue.indirect = false;
	virtio_ring_describe(&ring, ring.descriptors, 0, &inner, RING_INDIRECT, 0);
	virtio_ring_offer(&ring, 0);
	expect_broken("a descriptor is indirect, which was not negotiated");
}

/* A broken queue keeps what is under way. */
static void test_give_broken(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true);
	uint16_t head;
	uint32_t written;

	(void)state;
	virtio_ring_add(&ring, &one, 1, false);
	assert_int_equal(take(), 1);
	virtio_ring_offer(&ring, ENTRIES);
	assert_int_equal(take(), -EPROTO);
	virtqueue_give(&queue, &memory, chain.head, 1);
	assert_false(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(virtqueue_in_flight(&queue), 1);
}

static void test_places(void **state)
{
	static const struct virtqueue good = {
		.size = 4, .descriptors = BASE, .driver = BASE + 66, .device = DATA + 4
	};
	struct {
		uint16_t size;
		uint64_t descriptors, driver, device;
	} bad[] = {
		{ 0, BASE, BASE + 66, DATA },
		{ 3, BASE, BASE + 66, DATA },
		{ 512, BASE, BASE + 0x2000, DATA },
		{ 4, BASE + 8, BASE + 80, DATA },
		{ 4, BASE, BASE + 65, DATA },
		{ 4, BASE, BASE + 66, DATA + 2 },
		{ 4, 0, BASE + 66, DATA },
		{ 4, BASE + SIZE - 48, BASE + 66, DATA },
		{ 4, BASE, BASE + SIZE - 12, DATA },
		{ 4, BASE, BASE + 66, BASE + SIZE - 36 },
		{ 4, BASE, BASE + 66, UINT64_MAX - 3 },
	};

	(void)state;
	queue = good;
	assert_int_equal(virtqueue_start(&queue, &memory), 0);
	assert_true(queue.ready);
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		queue = (struct virtqueue){ .size = bad[n].size,
					    .descriptors = bad[n].descriptors,
					    .driver = bad[n].driver,
					    .device = bad[n].device };
		assert_int_equal(virtqueue_start(&queue, &memory), -EINVAL);
		assert_false(queue.ready);
	}
}

/* A state whose rings are aligned, but nowhere. */
static void test_loaded_without_memory(void **state)
{
	(void)state;
	queue.driver = 0;
	expect_broken("the available ring is not in memory");
	queue.descriptors = 0;
	virtio_ring_offer(&ring, 0);
	expect_broken("the descriptors are not in memory");
	round_trip();
	virtio_ring_offer(&ring, chain.head);
	assert_int_equal(take(), 1);
	queue.device = 0;
	virtqueue_ask_notification(&queue, &memory, true);
	virtqueue_give(&queue, &memory, chain.head, 0);
	assert_string_equal(queue.broken, "the used ring is not in memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_indices),	     TEST(test_heads),	TEST(test_buffers),
		TEST(test_order_of_buffers), TEST(test_loops),	TEST(test_tables),
		TEST(test_give_broken),	     TEST(test_places), TEST(test_loaded_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
