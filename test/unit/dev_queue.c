/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtqueue with a driver that keeps to the rules of section 2.7 and following; saved states. */
#include "queue_fixture.h"

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

static void collect_all(void)
{
	uint16_t head;
	uint32_t written;

	while (virtio_ring_collect(&ring, &head, &written))
		continue;
}

/* Several at once: the driver sees none of them before all. */
static void test_give_all(void **state)
{
	const struct ring_buffer buffers[] = { buffer(DATA, 16, true) };
	struct virtqueue_used used[5];
	uint32_t written;
	uint16_t head;

	(void)state;
	for (uint32_t round = 0; round < 20000; round++) {
		for (uint32_t n = 0; n < ARRAY_SIZE(used); n++) {
			virtio_ring_add(&ring, buffers, 1, false);
			assert_int_equal(take(), 1);
			used[n] = (struct virtqueue_used){ chain.head, 100 + n };
		}
		virtqueue_give_all(&queue, &memory, used, 0);
		assert_false(virtio_ring_collect(&ring, &head, &written));
		virtqueue_give_all(&queue, &memory, used, ARRAY_SIZE(used));
		assert_int_equal(virtqueue_in_flight(&queue), 0);
		for (uint32_t n = 0; n < ARRAY_SIZE(used); n++) {
			assert_true(virtio_ring_collect(&ring, &head, &written));
			assert_int_equal(head, used[n].head);
			assert_int_equal(written, 100 + n);
		}
		assert_false(virtio_ring_collect(&ring, &head, &written));
	}
}

/* As if they had not been taken: they come again, in their order. */
static void test_put_back(void **state)
{
	const struct ring_buffer buffers[] = { buffer(DATA, 16, true) };
	uint16_t head[3];

	(void)state;
	for (uint32_t n = 0; n < ARRAY_SIZE(head); n++)
		head[n] = (uint16_t)virtio_ring_add(&ring, buffers, 1, false);
	for (uint32_t n = 0; n < ARRAY_SIZE(head); n++)
		assert_int_equal(take(), 1);
	virtqueue_put_back(&queue, head[2]);
	virtqueue_put_back(&queue, head[1]);
	assert_int_equal(virtqueue_in_flight(&queue), 1);
	assert_false(virtqueue_has_taken(&queue, head[1]));
	for (uint32_t n = 1; n < ARRAY_SIZE(head); n++) {
		assert_int_equal(take(), 1);
		assert_int_equal(chain.head, head[n]);
	}
	assert_int_equal(take(), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),	  TEST(test_chain),	     TEST(test_direct_then_indirect),
		TEST(test_long_indirect), TEST(test_order),	     TEST(test_dirty),
		TEST(test_give_all),	  TEST(test_put_back),	     TEST(test_interrupts),
		TEST(test_event_ahead),	  TEST(test_notifications),  TEST(test_save_and_load),
		TEST(test_saved_bytes),	  TEST(test_refused_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
