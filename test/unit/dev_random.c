/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's random numbers: what a request gets, and requests that are none. */
#include "virtio_fixture.h"

#include "dev/virtio/random.h"

#include <errno.h>

static struct virtio_random source;
static struct device *const device = &source.virtio.device;

static int set_up(void **state)
{
	int result = fixture_begin();

	(void)state;
	virtio_random_init(&source, SLOT, &memory, "m", &to_line);
	device->ops->reset(device);
	return result;
}

static int tear_down(void **state)
{
	(void)state;
	return fixture_end(device);
}

static void go(void)
{
	assert_true(virtio_driver_offered(device) == COMMON);
	assert_true(virtio_driver_begin(device, COMMON));
	ring.event_index = true;
	assert_true(virtio_driver_set_queue(device, 0, &ring));
	assert_true(virtio_driver_go(device));
	virtio_ring_ask(&ring, true);
}

static uint32_t draw(const struct ring_buffer *buffers, uint32_t count)
{
	uint16_t head;
	uint32_t written;
	int added = virtio_ring_add(&ring, buffers, count, count > 1);

	assert_true(added >= 0);
	virtio_driver_kick(device, 0, &ring);
	assert_true(line);
	assert_int_equal(virtio_driver_take_interrupt(device), 1);
	assert_true(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(head, added);
	virtio_ring_ask(&ring, true);
	return written;
}

/* drivers/char/hw_random/virtio-rng.c: one buffer after the other. */
static void test_draw(void **state)
{
	const struct ring_buffer one = { DATA, 64, true };
	uint8_t before[64] = { 0 };

	(void)state;
	assert_int_equal(virtio_driver_read(device, 0x008), 4);
	go();
	for (uint32_t n = 0; n < 300; n++) {
		const uint8_t *now = memory_span(&memory, DATA, 65);

		assert_int_equal(draw(&one, 1), 64);
		assert_memory_not_equal(now, before, 64);
		assert_int_equal(now[64], 0);
		memcpy(before, now, 64);
	}
}

/* All buffers of a request, but only so many bytes of them. */
static void test_most(void **state)
{
	const struct ring_buffer buffers[] = { { DATA, 1000, true }, { DATA + 2000, 1000, true }, { DATA, 9, true } };

	(void)state;
	go();
	assert_int_equal(draw(buffers, 3), VIRTIO_RANDOM_MAX);
	assert_int_not_equal(((uint8_t *)memory_span(&memory, DATA, 1000))[999], 0);
	assert_int_not_equal(((uint8_t *)memory_span(&memory, DATA + 2000, 24))[23], 0);
	assert_int_equal(((uint8_t *)memory_span(&memory, DATA + 2024, 1))[0], 0);
}

static void test_dirty(void **state)
{
	const struct ring_buffer one = { DATA + 0xfff, 2, true };
	uint64_t bitmap[SIZE / MEMORY_PAGE_SIZE / 64] = { 0 };

	(void)state;
	go();
	draw(&one, 1);
	memory_take_dirty(&memory, bitmap);
	assert_true(bitmap[1] == 3);
}

static void test_many_at_once(void **state)
{
	const struct ring_buffer one = { DATA, 64, true };
	uint16_t head;
	uint32_t written;

	(void)state;
	go();
	for (uint32_t n = 0; n < 8; n++)
		assert_true(virtio_ring_add(&ring, &one, 1, false) >= 0);
	virtio_driver_kick(device, 0, &ring);
	for (uint32_t n = 0; n < 8; n++)
		assert_true(virtio_ring_collect(&ring, &head, &written));
}

static void test_bad_requests(void **state)
{
	static const struct ring_buffer cases[][2] = { { { DATA, 1, false }, { DATA, 1, true } },
						       { { DATA, 1, false }, { DATA, 1, false } } };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		virtio_ring_init(&ring, &memory, RING, 8);
		go();
		virtio_ring_add(&ring, cases[n], 2, false);
		virtio_driver_kick(device, 0, &ring);
		assert_int_equal(virtio_driver_read(device, 0x70), 0x4f);
	}
}

static void test_state(void **state)
{
	const struct ring_buffer one = { DATA, 64, true };
	struct buffer saved = { 0 };

	(void)state;
	go();
	draw(&one, 1);
	fixture_save(device, &saved);
	assert_int_equal(fixture_load(device, &saved, 1), 0);
	device->ops->start(device);
	assert_int_equal(draw(&one, 1), 64);
	buffer_put_u8(&saved, 0);
	assert_int_equal(fixture_load(device, &saved, 1), -EPROTO);
	buffer_free(&saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_draw),	 TEST(test_most),	  TEST(test_dirty),
		TEST(test_many_at_once), TEST(test_bad_requests), TEST(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
