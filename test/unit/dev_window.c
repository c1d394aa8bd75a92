/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio device whose registers the guest reads as memory, and whose interrupts are edges. */
#include "virtio_fixture.h"

#include "base/section.h"
#include "dev/virtio/interrupt.h"
#include "dev/virtio/window.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>

#define UNHEARD 77
#define CHANGES 20000u

/* ---- The front end ---- */

static uint32_t config[3];

static void config_read(struct virtio *virtio, uint32_t offset, void *data, uint32_t length)
{
	(void)virtio;
	for (uint32_t n = 0; n < length && offset + n < sizeof(config); n++)
		((uint8_t *)data)[n] = ((uint8_t *)config)[offset + n];
}

static void config_write(struct virtio *virtio, uint32_t offset, const void *data, uint32_t length)
{
	(void)virtio;
	for (uint32_t n = 0; n < length && offset + n < sizeof(config); n++)
		((uint8_t *)config)[offset + n] = ((const uint8_t *)data)[n];
}

static uint32_t serve(struct virtio *virtio, const struct virtqueue_chain *chain)
{
	(void)virtio;
	return (uint32_t)chain->writable_size;
}

static void notify(struct virtio *virtio, uint32_t n)
{
	virtio_serve(virtio, &virtio->queue[n], serve);
}

static const struct virtio_ops ops = {
	.name = "echo",
	.id = 77,
	.section = SECTION_ID('E', 'C', 'H', 'O'),
	.version = 1,
	.queues = 1,
	.config_read = config_read,
	.config_write = config_write,
	.notify = notify,
};

/* ---- The machine around it ---- */

static uint8_t bytes[LAYOUT_VIRTIO_WINDOW_SIZE] __attribute__((aligned(8)));
static struct virtio_window window = { .memory = bytes, .unheard = UNHEARD };
static struct virtio virtio;
static struct device *const device = &virtio.device;
static struct {
	uint32_t edges;
	uint32_t status;     /* that the window showed at the last of them */
	uint32_t generation; /* the same */
	uint32_t hidden;     /* how often */
	bool is_hidden;
	uint32_t before[3]; /* the configuration and its generation when it was hidden */
} seen;

static uint32_t shown(uint32_t offset)
{
	const uint32_t *words = (const uint32_t *)(bytes + SLOT * LAYOUT_VIRTIO_SIZE);

	return le32toh(__atomic_load_n(&words[offset / 4], __ATOMIC_ACQUIRE));
}

static void pulse(void *context, uint32_t intid, bool level)
{
	set_line(context, intid, level);
	if (!level)
		return;
	seen.edges++;
	seen.status = shown(0x60);
	seen.generation = shown(0xfc);
}

static void ring_bell(void *context, uint64_t gpa, uint32_t value, int event)
{
	(void)context;
	assert_int_equal(gpa, LAYOUT_VIRTIO_BASE + SLOT * 0x200 + 0x64);
	assert_int_equal(value, 1);
	assert_int_equal(event, UNHEARD);
	line_calls = 100;
}

static void show(void *context, uint64_t gpa, bool is_shown)
{
	assert_ptr_equal(context, &line);
	assert_int_equal(gpa, LAYOUT_VIRTIO_BASE);
	assert_int_equal(is_shown, seen.is_hidden);
	seen.is_hidden = !is_shown;
	seen.hidden += !is_shown;
	if (!is_shown) {
		seen.before[0] = shown(0x100);
		seen.before[1] = shown(0x104);
		seen.before[2] = shown(0xfc);
	}
}

static int set_up(void **state)
{
	const struct device_line to_window = {
		.set = pulse, .set_bell = ring_bell, .show_rom = show, .window = &window, .context = &line
	};
	int result = fixture_begin();

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	memset(&seen, 0, sizeof(seen));
	config[0] = htole32(0x11223344);
	config[1] = config[2] = 0;
	lock_init(&window.lock, LOCK_WINDOW);
	virtio_init(&virtio, &ops, SLOT, 0, &memory, "m", &to_window);
	assert_int_equal(line_calls, 100);
	device->ops->reset(device);
	return result;
}

static int tear_down(void **state)
{
	(void)state;
	assert_false(seen.is_hidden);
	lock_destroy(&window.lock);
	return fixture_end(device);
}

static void put(uint32_t offset, uint32_t value)
{
	virtio_driver_write(device, offset, value);
}

/* All that there is, and nothing elsewhere. */
static void expect_shown(void)
{
	for (uint32_t offset = 0; offset < 0x200; offset += 4)
		assert_int_equal(shown(offset), device->ops->read(device, offset, 4));
	for (uint32_t at = 0; at < sizeof(bytes); at++)
		if (at / LAYOUT_VIRTIO_SIZE != SLOT)
			assert_int_equal(bytes[at], 0);
}

static void go(void)
{
	assert_true(virtio_driver_begin(device, COMMON));
	ring.event_index = true;
	assert_true(virtio_driver_set_queue(device, 0, &ring));
	assert_true(virtio_driver_go(device));
}

static void send(void)
{
	const struct ring_buffer buffer = { DATA, 64, true };

	assert_true(virtio_ring_add(&ring, &buffer, 1, false) >= 0);
	virtio_driver_kick(device, 0, &ring);
}

/* ---- What it shows ---- */

static void test_registers(void **state)
{
	static const uint32_t writes[][2] = {
		{ 0x14, 1 }, { 0x70, 1 }, { 0x70, 3 },	{ 0x24, 1 },	{ 0x20, 1 },	{ 0x70, 11 },
		{ 0x30, 0 }, { 0x38, 8 }, { 0x30, 5 },	{ 0x30, 0 },	{ 0x44, 1 },	{ 0x50, 9 },
		{ 0x70, 0 }, { 0x14, 0 }, { 0x100, 8 }, { 0x108, 0xa }, { 0x1fc, 0xa }, { 0x70, 0x80 },
	};

	(void)state;
	assert_true(device->ops->edge);
	assert_int_equal(shown(0), 0x74726976);
	assert_int_equal(shown(0x100), 0x11223344);
	expect_shown();
	for (size_t n = 0; n < ARRAY_SIZE(writes); n++) {
		put(writes[n][0], writes[n][1]);
		expect_shown();
	}
	go();
	expect_shown();
	virtio_ring_offer(&ring, 8); /* is no head */
	put(0x50, 0);
	assert_int_equal(shown(0x70), 0x4f);
	expect_shown();
	device->ops->reset(device);
	assert_int_equal(shown(0x70), 0);
	expect_shown();
}

/* While the driver is there it always says that there may be used buffers, and an answer to that changes nothing. */
static void test_status(void **state)
{
	(void)state;
	assert_int_equal(shown(0x60), 0);
	go();
	assert_int_equal(shown(0x60), 1);
	put(0x64, 1);
	assert_int_equal(shown(0x60), 1);
	virtio_config_changed(&virtio);
	assert_int_equal(shown(0x60), 3);
	put(0x64, 1);
	assert_int_equal(shown(0x60), 3);
	put(0x64, 3);
	assert_int_equal(shown(0x60), 1);
	put(0x50, 7);
	assert_int_equal(shown(0x60), 3);
	put(0x70, 0);
	assert_int_equal(shown(0x60), 0);
}

/* ---- Interrupts ---- */

static void test_edges(void **state)
{
	(void)state;
	go();
	virtio_ring_ask(&ring, true);
	send();
	assert_int_equal(seen.edges, 1);
	assert_int_equal(seen.status, 1);
	assert_false(line);
	/* Without an answer to the first. */
	ring.next_used++;
	virtio_ring_ask(&ring, true);
	send();
	assert_int_equal(seen.edges, 2);
	virtio_ring_ask(&ring, false);
	send();
	assert_int_equal(seen.edges, 2);
	virtio_config_changed(&virtio);
	assert_int_equal(seen.edges, 3);
	assert_int_equal(seen.status, 3);
	assert_int_equal(seen.generation, 1);
	virtio_config_changed(&virtio);
	assert_int_equal(seen.edges, 4);
	put(0x50, 7); /* a queue that is not there */
	assert_int_equal(seen.edges, 5);
	assert_false(line);
}

/* Nobody knows which edges a move has lost. */
static void test_start(void **state)
{
	struct buffer saved = { 0 };

	(void)state;
	device->ops->start(device);
	assert_int_equal(seen.edges, 0);
	go();
	virtio_config_changed(&virtio);
	fixture_save(device, &saved);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(fixture_load(device, &saved, 1), 0);
	expect_shown();
	assert_int_equal(shown(0x60), 3);
	seen.edges = 0;
	device->ops->start(device);
	assert_int_equal(seen.edges, 1);
	assert_int_equal(seen.status, 3);
	/* No model before this one has saved what it always says. */
	saved.data[12] |= 1;
	assert_int_equal(fixture_load(device, &saved, 1), -EPROTO);
	expect_shown();
	buffer_free(&saved);
}

static int call_event;

static int set_call(void *context, uint32_t intid, int event, bool on)
{
	(void)context;
	assert_int_equal(intid, device->intid);
	call_event = on ? event : -1;
	return 0;
}

/* What the kernel raises needs no answer, and once it does not any more there is one more edge. */
static void test_call(void **state)
{
	(void)state;
	go();
	virtio.device.line.set_call = set_call;
	assert_true(interrupt_lend(&virtio, 5));
	assert_int_equal(call_event, 5);
	line_calls = 0;
	put(0x64, 1);
	put(0x64, 2);
	assert_int_equal(line_calls, 0);
	interrupt_return(&virtio, 5);
	assert_int_equal(call_event, -1);
	assert_int_equal(seen.edges, 1);
	assert_false(line);
	assert_int_equal(virtio.interrupt, 0);
}

/* ---- The configuration while it is read ---- */

/* One word is not hidden; two are, with all of it as it was until then, and the generation with what is new. */
static void test_hidden(void **state)
{
	(void)state;
	go();
	config[1] = htole32(5);
	virtio_config_changed(&virtio);
	assert_int_equal(seen.hidden, 0);
	assert_int_equal(shown(0x104), 5);
	config[0] = htole32(6);
	config[1] = htole32(7);
	virtio_config_changed(&virtio);
	assert_int_equal(seen.hidden, 1);
	assert_int_equal(seen.before[0], 0x11223344);
	assert_int_equal(seen.before[1], 5);
	assert_int_equal(seen.before[2], 1);
	assert_int_equal(shown(0x100), 6);
	assert_int_equal(shown(0x104), 7);
	assert_int_equal(shown(0xfc), 2);
	expect_shown();
}

static void *change(void *context)
{
	(void)context;
	for (uint32_t n = 1; n <= CHANGES; n++) {
		lock_take(&device->lock);
		config[0] = htole32(n);
		virtio_config_changed(&virtio);
		lock_drop(&device->lock);
	}
	return NULL;
}

/* A generation never comes before what it is of. */
static void test_order(void **state)
{
	uint32_t generation;
	pthread_t thread;

	(void)state;
	config[0] = 0;
	window_show(&virtio);
	assert_int_equal(pthread_create(&thread, NULL, change, NULL), 0);
	do {
		generation = shown(0xfc);
		assert_true(shown(0x100) >= generation);
	} while (generation < CHANGES);
	pthread_join(thread, NULL);
	assert_int_equal(seen.hidden, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers), TEST(test_status), TEST(test_edges), TEST(test_start),
		TEST(test_call),      TEST(test_hidden), TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
