/* SPDX-License-Identifier: BSD-2-Clause */
/* The transport of virtio devices, as section 4.2.2 has it, with a front end that copies what it is sent. */
#include "virtio_fixture.h"

#include "base/log.h"
#include "base/section.h"

#include <errno.h>

#define OFFERED (COMMON | 5 | 1ull << 50)

/* ---- The front end ---- */

static struct {
	uint32_t activated, notified, resets, destroyed;
	uint8_t config[12];
	bool keeps; /* chains, instead of giving them back */
	uint32_t value;
} echo;

static uint64_t echo_features(struct virtio *virtio)
{
	(void)virtio;
	return 5 | 1ull << 50;
}

static void echo_config_read(struct virtio *virtio, uint32_t offset, void *data, uint32_t length)
{
	(void)virtio;
	for (uint32_t n = 0; n < length && offset + n < sizeof(echo.config); n++)
		((uint8_t *)data)[n] = echo.config[offset + n];
}

static void echo_config_write(struct virtio *virtio, uint32_t offset, const void *data, uint32_t length)
{
	(void)virtio;
	for (uint32_t n = 0; n < length && offset + n < sizeof(echo.config); n++)
		echo.config[offset + n] = ((const uint8_t *)data)[n];
}

static void echo_activate(struct virtio *virtio)
{
	(void)virtio;
	echo.activated++;
}

/* The first buffer to read from goes into the first to write to. */
static void echo_notify(struct virtio *virtio, uint32_t n)
{
	static struct virtqueue_chain chain;

	echo.notified++;
	while (virtio_take(virtio, &virtio->queue[n], &chain)) {
		const struct iovec *from = &chain.buffer[0], *to = &chain.buffer[chain.readable];

		if (echo.keeps)
			continue;
		assert_int_equal(chain.readable, 1);
		assert_int_equal(chain.writable, 1);
		memcpy(to->iov_base, from->iov_base, from->iov_len);
		virtio_give(virtio, &virtio->queue[n], &chain, (uint32_t)from->iov_len);
	}
	virtio_used(virtio, &virtio->queue[n]);
}

static void echo_reset(struct virtio *virtio)
{
	(void)virtio;
	echo.resets++;
}

static void echo_nothing(struct virtio *virtio)
{
	(void)virtio;
}

static void echo_save(struct virtio *virtio, struct buffer *state)
{
	(void)virtio;
	buffer_put_u32(state, echo.value);
}

static int echo_load(struct virtio *virtio, struct cursor *state, uint32_t version)
{
	(void)virtio;
	echo.value = cursor_u32(state);
	return version == 7 && cursor_finish(state) ? 0 : -EPROTO;
}

static void echo_destroy(struct virtio *virtio)
{
	(void)virtio;
	echo.destroyed++;
}

static const struct virtio_ops echo_ops = {
	.name = "echo",
	.id = 77,
	.section = SECTION_ID('E', 'C', 'H', 'O'),
	.version = 7,
	.queues = 2,
	.features = echo_features,
	.config_read = echo_config_read,
	.config_write = echo_config_write,
	.activate = echo_activate,
	.notify = echo_notify,
	.reset = echo_reset,
	.start = echo_nothing,
	.quiesce = echo_nothing,
	.save = echo_save,
	.load = echo_load,
	.destroy = echo_destroy,
};

/* ---- The machine around it ---- */

static struct virtio virtio;
static struct device *const device = &virtio.device;

static int set_up(void **state)
{
	int result = fixture_begin();

	(void)state;
	memset(&echo, 0, sizeof(echo));
	for (size_t n = 0; n < sizeof(echo.config); n++)
		echo.config[n] = (uint8_t)(0x10 + n);
	virtio_init(&virtio, &echo_ops, SLOT, 2, &memory, "m", &to_line);
	device->ops->reset(device);
	echo.resets = 0;
	return result;
}

static int tear_down(void **state)
{
	int result = fixture_end(device);

	(void)state;
	assert_int_equal(echo.destroyed, 1);
	return result;
}

static uint32_t get(uint32_t offset)
{
	return virtio_driver_read(device, offset);
}

static void put(uint32_t offset, uint32_t value)
{
	virtio_driver_write(device, offset, value);
}

static void go(uint64_t features)
{
	assert_true(virtio_driver_begin(device, features));
	ring.event_index = features & 1ull << 29;
	assert_true(virtio_driver_set_queue(device, 1, &ring));
	assert_true(virtio_driver_go(device));
	assert_int_equal(echo.activated, 1);
	echo.resets = 0;
}

static void expect_failed(void)
{
	assert_int_equal(get(0x70) & 0x40, 0x40);
	assert_int_equal(virtio.failures_logged, 1);
	assert_false(virtio_is_live(&virtio));
}

/* ---- Registers ---- */

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(get(0x000), 0x74726976);
	assert_int_equal(get(0x004), 2);
	assert_int_equal(get(0x008), 77);
	assert_int_equal(get(0x00c), 0x43414553);
	assert_int_equal(device->base, LAYOUT_VIRTIO_BASE + SLOT * 0x200);
	assert_int_equal(device->size, 0x200);
	assert_int_equal(device->intid, LAYOUT_VIRTIO_INTID + SLOT);
	assert_int_equal(device->uid, SLOT);
	assert_int_equal(device->instance, 2);
	assert_int_equal(device->ops->section, SECTION_ID('E', 'C', 'H', 'O'));
	assert_int_equal(device->ops->version, 7);
	assert_string_equal(device->ops->acpi_id, "LNRO0005");
	assert_true(device->ops->coherent);
}

/* Registers are 32 bits wide; regions of shared memory are not there; the rest of the offsets is empty. */
static void test_accesses(void **state)
{
	static const unsigned int widths[] = { 1, 2, 8 };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(widths); n++) {
		assert_int_equal(device->ops->read(device, 0, widths[n]), 0);
		device->ops->write(device, 0x70, widths[n], 1);
		assert_int_equal(get(0x70), 0);
	}
	for (uint32_t offset = 0xb0; offset < 0xc0; offset += 4)
		assert_int_equal(get(offset), UINT32_MAX);
	for (uint32_t offset = 0x10; offset < 0xfc; offset += 4) {
		if (offset == 0x10 || offset == 0x34 || (offset >= 0xb0 && offset < 0xc0))
			continue;
		assert_int_equal(get(offset), 0);
	}
}

static void test_config(void **state)
{
	(void)state;
	assert_int_equal(device->ops->read(device, 0x100, 1), 0x10);
	assert_int_equal(device->ops->read(device, 0x102, 2), 0x1312);
	assert_int_equal(device->ops->read(device, 0x104, 4), 0x17161514);
	assert_true(device->ops->read(device, 0x100, 8) == 0x1716151413121110ull);
	assert_int_equal(device->ops->read(device, 0x108, 8), 0x1b1a1918);
	assert_int_equal(device->ops->read(device, 0x1f8, 8), 0);
	device->ops->write(device, 0x101, 1, 0xaa);
	device->ops->write(device, 0x108, 8, 0x1122334455667788);
	assert_int_equal(device->ops->read(device, 0x100, 4), 0x1312aa10);
	assert_int_equal(device->ops->read(device, 0x108, 4), 0x55667788);
}

static void test_features(void **state)
{
	static const struct {
		uint64_t features;
		bool taken;
	} cases[] = {
		{ VERSION_1, true },
		{ OFFERED, true },
		{ VERSION_1 | 4, true },
		{ 0, false },
		{ 5, false },
		{ VERSION_1 | 2, false },
		{ OFFERED | 1ull << 34, false },
		{ OFFERED | 1ull << 40, false }, /* resetting queues, which is not offered */
		{ UINT64_MAX, false },
	};

	(void)state;
	assert_true(virtio_driver_offered(device) == OFFERED);
	put(0x14, 2);
	assert_int_equal(get(0x10), 0);
	put(0x14, 1u << 27);
	assert_int_equal(get(0x10), 0);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(virtio_driver_begin(device, cases[n].features), cases[n].taken);
		assert_int_equal(get(0x70), cases[n].taken ? 11 : 3);
	}
	assert_int_equal(virtio.failures_logged, 0);
}

/* Words beyond 64 bits, and what comes after FEATURES_OK, change nothing. */
static void test_late_features(void **state)
{
	(void)state;
	put(0x70, 3);
	put(0x24, 1);
	put(0x20, 1);
	put(0x24, 1u << 27);
	put(0x20, 2);
	put(0x24, 2);
	put(0x20, 2);
	put(0x70, 11);
	assert_int_equal(get(0x70), 11);
	put(0x24, 0);
	put(0x20, 5);
	assert_true(virtio.features == VERSION_1);
}

static void test_status(void **state)
{
	(void)state;
	go(OFFERED);
	put(0x70, 11);
	expect_failed();
	assert_true(line);
	assert_int_equal(virtio_driver_take_interrupt(device), 2);
	assert_false(line);
	put(0x70, 0);
	assert_int_equal(get(0x70), 0);
	assert_int_equal(echo.resets, 1);
	assert_int_equal(get(0x44), 0);
	put(0x70, 7); /* as drivers of old did it */
	assert_int_equal(get(0x70), 0x43);
	assert_false(line);
	assert_int_equal(echo.activated, 1);
	put(0x70, 0);
	put(0x70, 0x83); /* the driver has given up */
	assert_int_equal(get(0x70), 0x83);
}

/* A guest can fill no log. */
static void test_failures_are_counted(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		put(0x70, 0);
		put(0x50, 9);
		assert_int_equal(get(0x70), 0x40);
	}
	assert_int_equal(virtio.failures_logged, LOG_GUEST_LINES);
}

/* ---- Queues ---- */

static void test_queue(void **state)
{
	(void)state;
	assert_true(virtio_driver_begin(device, VERSION_1));
	put(0x30, 2);
	assert_int_equal(get(0x34), 0);
	assert_int_equal(get(0x44), 0);
	put(0x38, 8);
	put(0x80, 8);
	put(0x30, UINT32_MAX);
	assert_int_equal(get(0x34), 0);
	put(0x30, 1);
	assert_int_equal(get(0x34), 256);
	assert_true(virtio_driver_set_queue(device, 1, &ring));
	put(0x38, 4);
	put(0x80, 4);
	put(0x94, 4);
	put(0xa0, 4);
	assert_int_equal(virtio.queue[1].size, 8);
	assert_true(virtio.queue[1].descriptors == ring.descriptors);
	assert_true(virtio.queue[1].driver == ring.available);
	assert_true(virtio.queue[1].device == ring.used);
	put(0x44, 1);
	put(0x44, 0);
	assert_int_equal(get(0x44), 0);
	assert_int_equal(get(0x70), 11);
}

static void test_bad_queues(void **state)
{
	static const uint16_t sizes[] = { 0, 7 };

	(void)state;
	assert_false(virtio_driver_set_queue(device, 0, &ring)); /* before the features */
	expect_failed();
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		assert_true(virtio_driver_begin(device, VERSION_1));
		ring.size = sizes[n];
		assert_false(virtio_driver_set_queue(device, 1, &ring));
		assert_int_equal(get(0x70), 0x4b);
	}
	ring.size = 8;
	assert_true(virtio_driver_begin(device, VERSION_1));
	put(0x38, 0x10008);
	assert_false(virtio_driver_set_queue(device, 2, &ring));
	assert_int_equal(get(0x70), 0x4b);
	assert_true(virtio_driver_begin(device, VERSION_1));
	put(0x30, 1);
	put(0x38, 0x10008); /* is not 8 */
	put(0x44, 1);
	assert_int_equal(get(0x44), 0);
	assert_int_equal(get(0x70), 0x4b);
}

static void test_notify(void **state)
{
	(void)state;
	assert_true(virtio_driver_begin(device, VERSION_1));
	assert_true(virtio_driver_set_queue(device, 1, &ring));
	put(0x50, 1);
	assert_int_equal(echo.notified, 0);
	assert_true(virtio_driver_go(device));
	put(0x50, 1);
	assert_int_equal(echo.notified, 1);
	put(0x50, 0); /* is not ready */
	expect_failed();
	put(0x50, 1);
	assert_int_equal(echo.notified, 1);
}

static void send(const char *text, bool indirect)
{
	const struct ring_buffer buffers[] = { { DATA, (uint32_t)strlen(text), false }, { DATA + 0x1000, 64, true } };

	assert_true(memory_write(&memory, DATA, text, strlen(text)));
	assert_true(virtio_ring_add(&ring, buffers, 2, indirect) >= 0);
	virtio_driver_kick(device, 1, &ring);
}

static void expect_answer(const char *text)
{
	uint16_t head;
	uint32_t written;

	assert_true(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(written, strlen(text));
	assert_memory_equal(memory_span(&memory, DATA + 0x1000, written), text, written);
}

static void test_requests(void **state)
{
	(void)state;
	go(OFFERED);
	virtio_ring_ask(&ring, true);
	send("hello", false);
	assert_true(line);
	assert_int_equal(get(0x60), 1);
	put(0x64, 2);
	assert_true(line);
	assert_int_equal(virtio_driver_take_interrupt(device), 1);
	assert_false(line);
	expect_answer("hello");
	/* Several reasons, one level. */
	line_calls = 0;
	virtio_ring_ask(&ring, true);
	send("one", false);
	virtio_ring_ask(&ring, true);
	send("two", false);
	virtio_config_changed(&virtio);
	put(0x64, 2);
	assert_int_equal(line_calls, 1);
	assert_int_equal(virtio_driver_take_interrupt(device), 1);
	assert_int_equal(line_calls, 2);
	expect_answer("two"); /* in the place of the one */
	expect_answer("two");
	virtio_ring_ask(&ring, false);
	send("silent", true);
	assert_false(line);
	put(0x50, 1);
	expect_answer("silent");
}

static void test_broken_queue(void **state)
{
	(void)state;
	go(VERSION_1);
	virtio_ring_offer(&ring, 8);
	put(0x50, 1);
	expect_failed();
	assert_int_equal(virtio_driver_take_interrupt(device), 2);
	put(0x50, 1);
	put(0x50, 1);
	assert_int_equal(virtio.failures_logged, 1);
	/* After a reset all is as before. */
	echo.activated = 0;
	virtio_ring_init(&ring, &memory, RING, 8);
	go(VERSION_1);
	send("again", false);
	expect_answer("again");
}

/* Requests that are under way end by a reset alone. */
static void test_stop_queue(void **state)
{
	(void)state;
	go(VERSION_1);
	send("one", false);
	expect_answer("one");
	put(0x44, 0);
	assert_int_equal(get(0x44), 0);
	assert_int_equal(get(0x70), 15);
	virtio_ring_init(&ring, &memory, RING, 8);
	assert_true(virtio_driver_set_queue(device, 1, &ring));
	echo.keeps = true;
	send("two", false);
	put(0x44, 0);
	assert_int_equal(get(0x44), 1);
	expect_failed();
}

static void test_config_change(void **state)
{
	(void)state;
	virtio_config_changed(&virtio);
	assert_int_equal(get(0xfc), 1);
	assert_false(line);
	go(VERSION_1);
	virtio_config_changed(&virtio);
	assert_int_equal(get(0xfc), 2);
	assert_true(line);
	assert_int_equal(virtio_driver_take_interrupt(device), 2);
	device->ops->reset(device);
	assert_int_equal(get(0xfc), 0);
}

/* ---- State ---- */

static void test_save_and_load(void **state)
{
	struct buffer saved = { 0 }, again = { 0 };

	(void)state;
	echo.value = 0x12345678;
	go(OFFERED);
	virtio_ring_ask(&ring, true);
	send("before", false);
	virtio_config_changed(&virtio);
	put(0x14, 1);
	fixture_save(device, &saved);
	echo.value = 0;
	assert_int_equal(fixture_load(device, &saved, 7), 0);
	assert_int_equal(echo.value, 0x12345678);
	assert_false(line);
	device->ops->start(device);
	assert_true(line);
	fixture_save(device, &again);
	assert_int_equal(saved.size, again.size);
	assert_memory_equal(saved.data, again.data, saved.size);
	assert_int_equal(get(0x70), 15);
	assert_int_equal(get(0xfc), 1);
	assert_int_equal(virtio_driver_take_interrupt(device), 3);
	expect_answer("before");
	send("after", true);
	expect_answer("after");
	assert_int_equal(echo.activated, 1);
	buffer_free(&saved);
	buffer_free(&again);
}

static void test_refused_states(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} changes[] = {
		{ 0, 2 },    { 4, 0 },	  { 4, 3 },	      /* features that were not offered, or not taken */
		{ 8, 0x1f }, { 9, 1 },	  { 8, 7 }, { 8, 3 }, /* bits of the status, or not in this order */
		{ 12, 4 },				      /* reasons of an interrupt */
		{ 3, 0x10 }, { 3, 0x20 },		      /* the queue has what was not negotiated */
		{ 36, 2 },   { 66, 1 },			      /* a queue that is not ready is broken, or in use */
	};
	struct buffer saved = { 0 };

	(void)state;
	go(OFFERED);
	fixture_save(device, &saved);
	for (size_t n = 0; n < ARRAY_SIZE(changes); n++) {
		uint8_t before = saved.data[changes[n].offset];

		saved.data[changes[n].offset] = changes[n].value;
		if (fixture_load(device, &saved, 7) != -EPROTO)
			fail_msg("change %zu is taken", n);
		assert_int_equal(get(0x70), 0);
		saved.data[changes[n].offset] = before;
	}
	assert_int_equal(fixture_load(device, &saved, 6), -EPROTO);
	while (saved.size--)
		assert_int_equal(fixture_load(device, &saved, 7), -EPROTO);
	buffer_free(&saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_accesses),
		TEST(test_config),
		TEST(test_features),
		TEST(test_late_features),
		TEST(test_status),
		TEST(test_failures_are_counted),
		TEST(test_queue),
		TEST(test_bad_queues),
		TEST(test_notify),
		TEST(test_requests),
		TEST(test_broken_queue),
		TEST(test_stop_queue),
		TEST(test_config_change),
		TEST(test_save_and_load),
		TEST(test_refused_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
