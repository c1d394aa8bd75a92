/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue, as sections 2.7 and following have it: honest drivers, those that break the rules, saved states. */
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

/* Two regions without a gap between them. */
static void add_region(void)
{
	memory.region[memory.regions++] = (struct memory_region){
		.gpa = BASE + SIZE,
		.size = SECOND_SIZE,
		.host = host_memory_allocate(SECOND_SIZE),
	};
	free(memory.dirty);
	memory.dirty = calloc(memory_bitmap_words(&memory), sizeof(uint64_t));
}

static void begin(uint16_t size, bool event_index)
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

static int set_up(void **state)
{
	struct error error;
	int result;

	(void)state;
	fake_reset();
	result = memory_create(&memory, SIZE, &error);
	if (result)
		return result;
	add_region();
	begin(ENTRIES, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_destroy(&memory);
	return 0;
}

static int take(void)
{
	return virtqueue_take(&queue, &memory, &chain);
}

static struct ring_buffer buffer(uint64_t gpa, uint32_t size, bool writable)
{
	return (struct ring_buffer){ gpa, size, writable };
}

static void expect_buffer(uint32_t n, uint64_t gpa, size_t size)
{
	assert_ptr_equal(chain.buffer[n].iov_base, memory_span(&memory, gpa, size));
	assert_int_equal(chain.buffer[n].iov_len, size);
}

/* ---- Honest drivers ---- */

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(take(), 0);
	queue.ready = false;
	virtio_ring_offer(&ring, 0);
	assert_int_equal(take(), 0);
}

static void expect_three(int head)
{
	assert_int_equal(take(), 1);
	assert_int_equal(chain.head, head);
	assert_int_equal(chain.readable, 2);
	assert_int_equal(chain.writable, 1);
	assert_int_equal(chain.readable_size, 16 + 100);
	assert_int_equal(chain.writable_size, 0x2000);
	expect_buffer(0, DATA, 16);
	expect_buffer(1, DATA + 0x1001, 100);
	expect_buffer(2, BASE + SIZE - 0x2000, 0x2000);
	assert_int_equal(take(), 0);
}

static void test_chain(void **state)
{
	const struct ring_buffer buffers[] = { buffer(DATA, 16, false), buffer(DATA + 0x1001, 100, false),
					       buffer(BASE + SIZE - 0x2000, 0x2000, true) };
	uint16_t head;
	uint32_t written;

	(void)state;
	for (uint32_t n = 0; n < 70000; n++) {
		int added = virtio_ring_add(&ring, buffers, 3, n & 1);

		expect_three(added);
		assert_int_equal(virtqueue_in_flight(&queue), 1);
		assert_true(virtqueue_has_taken(&queue, (uint16_t)added));
		assert_false(virtio_ring_collect(&ring, &head, &written));
		virtqueue_give(&queue, &memory, (uint16_t)added, n);
		assert_int_equal(virtqueue_in_flight(&queue), 0);
		assert_true(virtio_ring_collect(&ring, &head, &written));
		assert_int_equal(head, added);
		assert_int_equal(written, n);
	}
}

/* The last descriptor of a chain may be an indirect one. */
static void test_direct_then_indirect(void **state)
{
	const struct ring_buffer first = buffer(DATA, 8, false), inner = buffer(DATA + 8, 8, true),
				 table = buffer(ring.tables, 16, true);

	(void)state;
	virtio_ring_describe(&ring, ring.descriptors, 5, &first, RING_NEXT, 2);
	virtio_ring_describe(&ring, ring.descriptors, 2, &table, RING_INDIRECT, 0);
	virtio_ring_describe(&ring, ring.tables, 0, &inner, 0, 77);
	virtio_ring_offer(&ring, 5);
	assert_int_equal(take(), 1);
	assert_int_equal(chain.readable, 1);
	assert_int_equal(chain.writable, 1);
	expect_buffer(1, DATA + 8, 8);
}

/* Linux makes indirect chains that are longer than a small queue. */
static void test_long_indirect(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true), table = buffer(DATA + 0x1001, 16 * 257, false);

	(void)state;
	virtio_ring_describe(&ring, ring.descriptors, 0, &table, RING_INDIRECT, 0);
	for (uint16_t n = 0; n < 256; n++)
		virtio_ring_describe(&ring, table.gpa, n, &one, n < 255 ? RING_NEXT : 0, (uint16_t)(n + 1));
	virtio_ring_offer(&ring, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(chain.writable, VIRTQUEUE_CHAIN_MAX);
	virtqueue_give(&queue, &memory, 0, 0);
	virtio_ring_describe(&ring, table.gpa, 255, &one, RING_NEXT, 256);
	virtio_ring_describe(&ring, table.gpa, 256, &one, 0, 0);
	virtio_ring_offer(&ring, 0);
	assert_int_equal(take(), -EPROTO);
	assert_string_equal(queue.broken, "a chain has too many buffers");
}

/* Chains come back in any order; all of the queue may be in flight. */
static void test_order(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true);
	uint16_t heads[ENTRIES], head;
	uint32_t written;

	(void)state;
	for (uint32_t n = 0; n < ENTRIES; n++)
		assert_true(virtio_ring_add(&ring, &one, 1, false) >= 0);
	for (uint32_t n = 0; n < ENTRIES; n++) {
		assert_int_equal(take(), 1);
		heads[n] = chain.head;
	}
	assert_int_equal(take(), 0);
	for (uint32_t n = ENTRIES; n-- > 0;)
		virtqueue_give(&queue, &memory, heads[n], n);
	for (uint32_t n = ENTRIES; n-- > 0;) {
		assert_true(virtio_ring_collect(&ring, &head, &written));
		assert_int_equal(head, heads[n]);
		assert_int_equal(written, n);
	}
}

static void take_dirty(uint64_t *bitmap)
{
	memset(bitmap, 0, memory_bitmap_words(&memory) * sizeof(*bitmap));
	memory_take_dirty(&memory, bitmap);
}

/* What the device writes is in the next round of pre-copy: the used ring, and as much of the buffers as was said. */
static void test_dirty(void **state)
{
	const struct ring_buffer buffers[] = { buffer(DATA, 1, false), buffer(DATA + 0x1000, 0x1000, true),
					       buffer(BASE + SIZE + 0x1800, 0x2000, true) };
	uint64_t bitmap[SIZE / MEMORY_PAGE_SIZE / 64 + 1];

	(void)state;
	virtio_ring_add(&ring, buffers, 3, false);
	assert_int_equal(take(), 1);
	take_dirty(bitmap);
	virtqueue_mark_written(&memory, &chain, 0x1000 + 0x801);
	take_dirty(bitmap);
	assert_int_equal(bitmap[1], 1 << 1);
	assert_int_equal(bitmap[4], 3 << 1);
	assert_int_equal(bitmap[0], 0);
	virtqueue_mark_written(&memory, &chain, 1);
	virtqueue_mark_written(&memory, &chain, 0);
	take_dirty(bitmap);
	assert_int_equal(bitmap[1], 1 << 1);
	assert_int_equal(bitmap[4], 0);
	virtqueue_give(&queue, &memory, chain.head, 1);
	take_dirty(bitmap);
	assert_int_equal(bitmap[0], 1 << 1);
}

/* ---- Interrupts and notifications ---- */

static void round_trip(void)
{
	const struct ring_buffer one = buffer(DATA, 1, true);

	assert_true(virtio_ring_add(&ring, &one, 1, true) >= 0);
	assert_int_equal(take(), 1);
	virtqueue_give(&queue, &memory, chain.head, 0);
}

static void collect_all(void)
{
	uint16_t head;
	uint32_t written;

	while (virtio_ring_collect(&ring, &head, &written))
		continue;
}

static void test_interrupts(void **state)
{
	(void)state;
	for (uint32_t event_index = 0; event_index < 2; event_index++) {
		begin(ENTRIES, event_index);
		assert_false(virtqueue_wants_interrupt(&queue, &memory));
		for (uint32_t n = 0; n < 70000; n++) {
			virtio_ring_ask(&ring, n % 3);
			round_trip();
			if (n & 1)
				round_trip();
			assert_int_equal(virtqueue_wants_interrupt(&queue, &memory), n % 3 != 0);
			assert_false(virtqueue_wants_interrupt(&queue, &memory));
			collect_all();
		}
	}
}

/* A driver that wants to hear of the third chain from now on. */
static void test_event_ahead(void **state)
{
	(void)state;
	begin(ENTRIES, true);
	virtio_ring_store(&ring, ring.available + 4 + 2 * ENTRIES, 2);
	for (uint32_t n = 0; n < 5; n++) {
		round_trip();
		assert_int_equal(virtqueue_wants_interrupt(&queue, &memory), n == 2);
	}
}

static void test_notifications(void **state)
{
	(void)state;
	for (uint32_t event_index = 0; event_index < 2; event_index++) {
		begin(ENTRIES, event_index);
		for (uint32_t n = 0; n < 70000; n++) {
			virtqueue_ask_notification(&queue, &memory, n % 3);
			if (!event_index)
				assert_int_equal(virtio_ring_load(&ring, ring.used), n % 3 == 0);
			round_trip();
			/* Without being asked again, the device may be told once in 65536 chains. */
			if (n > 1)
				assert_int_equal(virtio_ring_wants_kick(&ring), n % 3 != 0);
			else
				virtio_ring_wants_kick(&ring);
			collect_all();
		}
	}
}

/* ---- Drivers that break the rules ---- */

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

/* ---- State ---- */

/* In another process: what was in flight is taken again, and everything goes on. */
static void test_save_and_load(void **state)
{
	const struct ring_buffer one = buffer(DATA, 1, true);
	struct buffer saved = { 0 }, again = { 0 };
	uint16_t head, second;
	uint32_t written;
	struct cursor cursor;

	(void)state;
	begin(ENTRIES, true);
	round_trip();
	virtio_ring_add(&ring, &one, 1, false);
	second = (uint16_t)virtio_ring_add(&ring, &one, 1, false);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 1);
	virtqueue_save(&queue, &saved);
	memset(&queue, 0xee, sizeof(queue));
	cursor = cursor_make(saved.data, saved.size);
	assert_int_equal(virtqueue_load(&queue, &cursor), 0);
	assert_true(cursor_finish(&cursor));
	virtqueue_save(&queue, &again);
	assert_int_equal(saved.size, again.size);
	assert_memory_equal(saved.data, again.data, saved.size);
	assert_int_equal(virtqueue_take_again(&queue, &memory, second, &chain), 1);
	expect_buffer(0, DATA, 1);
	assert_int_equal(virtqueue_in_flight(&queue), 2);
	virtqueue_give(&queue, &memory, second, 9);
	assert_int_equal(virtqueue_take_again(&queue, &memory, second, &chain), -EPROTO);
	assert_true(virtio_ring_collect(&ring, &head, &written)); /* of the round trip */
	assert_true(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(head, second);
	buffer_free(&saved);
	buffer_free(&again);
}

/* The layout is part of the migration format. */
static void test_saved_bytes(void **state)
{
	static const uint8_t expected[73] = {
		[0] = 1 | 8, [1] = 8,	  [6] = 0x10,  [8] = 0x40, [13] = 0x80, [14] = 0x10, [16] = 0x40,
		[21] = 0x98, [22] = 0x10, [24] = 0x40, [29] = 2,   [33] = 1,	[37] = 0,    [41] = 2
	};
	const struct ring_buffer one = buffer(DATA, 1, true);
	struct buffer saved = { 0 };

	(void)state;
	round_trip();
	virtio_ring_add(&ring, &one, 1, false);
	assert_int_equal(take(), 1);
	virtqueue_save(&queue, &saved);
	assert_int_equal(saved.size, sizeof(expected));
	for (size_t n = 0; n < sizeof(expected); n++)
		if (saved.data[n] != expected[n])
			fail_msg("byte %zu is %#x", n, saved.data[n]);
	buffer_free(&saved);
}

static void test_refused_states(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} changes[] = {
		{ 0, 0x10 | 9 },		       /* flags that there are not */
		{ 1, 7 },			       /* a queue that is ready, with a size, */
		{ 1, 0 },	 { 2, 2 },  { 3, 1 },  /* ... */
		{ 5, 8 },	 { 13, 1 }, { 21, 2 }, /* or a place that it cannot have */
		{ 31, 1 },	 { 35, 1 }, { 39, 1 }, /* indices of more than 16 bits */
		{ 29, 2 },	 { 33, 9 },	       /* in flight, what was not taken */
		{ 41, 1 },	 { 42, 1 }, { 72, 0x80 },
	};
	struct buffer saved = { 0 };
	struct cursor cursor;

	(void)state;
	virtqueue_save(&queue, &saved);
	for (size_t n = 0; n < ARRAY_SIZE(changes); n++) {
		uint8_t before = saved.data[changes[n].offset];

		saved.data[changes[n].offset] = changes[n].value;
		cursor = cursor_make(saved.data, saved.size);
		if (virtqueue_load(&queue, &cursor) != -EPROTO)
			fail_msg("change %zu is taken", n);
		saved.data[changes[n].offset] = before;
	}
	for (size_t size = 0; size < saved.size; size++) {
		cursor = cursor_make(saved.data, size);
		assert_int_equal(virtqueue_load(&queue, &cursor), -EPROTO);
	}
	buffer_free(&saved);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),	     TEST(test_chain),		TEST(test_direct_then_indirect),
		TEST(test_long_indirect),    TEST(test_order),		TEST(test_dirty),
		TEST(test_interrupts),	     TEST(test_event_ahead),	TEST(test_notifications),
		TEST(test_indices),	     TEST(test_heads),		TEST(test_buffers),
		TEST(test_order_of_buffers), TEST(test_loops),		TEST(test_tables),
		TEST(test_give_broken),	     TEST(test_places),		TEST(test_save_and_load),
		TEST(test_saved_bytes),	     TEST(test_refused_states), TEST(test_loaded_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
