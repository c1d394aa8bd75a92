/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's second console: output, input that waits, and what moves with the machine. */
#include "virtio_fixture.h"

#include "dev/virtio/console.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#define OUTPUT_RING (LAYOUT_RAM_BASE + 0x10000)

static struct virtio_console console;
static struct device *const device = &console.virtio.device;
static struct virtio_ring output; /* `ring` is the input's */

static int set_up(void **state)
{
	int result = fixture_begin();

	(void)state;
	virtio_console_init(&console, SLOT, &memory, "m", &to_line);
	device->ops->reset(device);
	device->ops->start(device);
	return result;
}

static int tear_down(void **state)
{
	(void)state;
	return fixture_end(device);
}

static void go(void)
{
	virtio_ring_init(&ring, &memory, RING, 8);
	virtio_ring_init(&output, &memory, OUTPUT_RING, 8);
	assert_true(virtio_driver_offered(device) == COMMON);
	assert_true(virtio_driver_begin(device, COMMON));
	ring.event_index = output.event_index = true;
	assert_true(virtio_driver_set_queue(device, 0, &ring));
	assert_true(virtio_driver_set_queue(device, 1, &output));
	assert_true(virtio_driver_go(device));
	virtio_ring_ask(&ring, true);
	virtio_ring_ask(&output, false);
}

static void say(const char *text)
{
	const struct ring_buffer buffers[] = { { DATA, 1, false }, { DATA + 1, (uint32_t)strlen(text) - 1, false } };
	uint16_t head;
	uint32_t written;

	assert_true(memory_write(&memory, DATA, text, strlen(text)));
	assert_true(virtio_ring_add(&output, buffers, 2, true) >= 0);
	virtio_driver_kick(device, 1, &output);
	/* Linux waits for this without an interrupt. */
	assert_true(virtio_ring_collect(&output, &head, &written));
	assert_int_equal(written, 0);
	assert_false(line);
}

static void wake(void *context)
{
	(void)context;
}

static void expect_said(const char *text)
{
	char said[64];
	uint64_t missed;
	size_t size = backlog_read(&console.backlog, said, sizeof(said), &missed);

	assert_int_equal(size, strlen(text));
	assert_memory_equal(said, text, size);
	assert_int_equal(missed, 0);
}

static void test_output(void **state)
{
	(void)state;
	assert_int_equal(virtio_driver_read(device, 0x008), 3);
	assert_int_equal(device->ops->read(device, 0x100, 8), 0); /* nobody knows the size of the terminal */
	go();
	say("hello ");
	assert_int_equal(backlog_attach(&console.backlog, wake, NULL), 0);
	for (uint32_t n = 0; n < 20; n++)
		say("world");
	expect_said("hello worldworldworldworldworldworldworldworldworldworldworldwor");
	expect_said("ldworldworldworldworldworldworldworldworld");
}

static void type(const char *text)
{
	assert_int_equal(virtio_console_receive(&console, text, strlen(text)), strlen(text));
}

/* The driver's buffer for input. */
static void want(uint32_t size)
{
	const struct ring_buffer one = { DATA + 0x1000, size, true };

	assert_true(virtio_ring_add(&ring, &one, 1, false) >= 0);
	virtio_driver_kick(device, 0, &ring);
}

static void expect_typed(const char *text)
{
	uint16_t head;
	uint32_t written;

	assert_true(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(written, strlen(text));
	assert_memory_equal(memory_span(&memory, DATA + 0x1000, written), text, written);
	virtio_ring_ask(&ring, true);
}

static void expect_interrupt(void)
{
	assert_true(line);
	assert_int_equal(virtio_driver_take_interrupt(device), 1);
}

/* The driver's own reset forgets what was typed before it. */
static void test_early_input(void **state)
{
	(void)state;
	type("early");
	go();
	want(64);
	assert_false(line);
	type("late");
	expect_interrupt();
	expect_typed("late");
}

static void test_input_waits(void **state)
{
	(void)state;
	go();
	type("abc");
	assert_false(line);
	want(2);
	expect_interrupt();
	expect_typed("ab");
	want(2);
	expect_interrupt();
	expect_typed("c");
	want(64);
	want(64);
	assert_false(line);
	type("de");
	expect_interrupt();
	expect_typed("de");
	type("f");
	expect_interrupt();
	expect_typed("f");
}

static void test_room(void **state)
{
	static const char much[VIRTIO_CONSOLE_INPUT_MAX] = "much";

	(void)state;
	assert_int_equal(virtio_console_room(&console), VIRTIO_CONSOLE_INPUT_MAX);
	type("x");
	assert_int_equal(virtio_console_room(&console), VIRTIO_CONSOLE_INPUT_MAX - 1);
	assert_int_equal(virtio_console_receive(&console, much, sizeof(much)), sizeof(much) - 1);
	assert_int_equal(virtio_console_receive(&console, much, sizeof(much)), 0);
	device->ops->reset(device);
	assert_int_equal(virtio_console_room(&console), VIRTIO_CONSOLE_INPUT_MAX);
	device->ops->quiesce(device);
	assert_int_equal(virtio_console_room(&console), 0);
	assert_int_equal(virtio_console_receive(&console, much, 1), 0);
	device->ops->start(device);
	type("x");
}

static void test_bad_chains(void **state)
{
	static const struct {
		bool to_output;
		struct ring_buffer buffers[2];
	} cases[] = {
		{ true, { { DATA, 1, false }, { DATA, 1, true } } },
		{ true, { { LAYOUT_RAM_BASE, SIZE, false }, { DATA, 1, false } } },
		{ false, { { DATA, 1, false }, { DATA, 1, true } } },
		{ false, { { DATA, 1, false }, { DATA, 1, false } } },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		go();
		type("typed");
		virtio_ring_add(cases[n].to_output ? &output : &ring, cases[n].buffers, 2, false);
		virtio_driver_kick(device, cases[n].to_output, cases[n].to_output ? &output : &ring);
		assert_int_equal(virtio_driver_read(device, 0x70), 0x4f);
	}
}

static void test_state(void **state)
{
	struct buffer saved = { 0 };

	(void)state;
	go();
	type("moves");
	device->ops->quiesce(device);
	fixture_save(device, &saved);
	assert_int_equal(fixture_load(device, &saved, 1), 0);
	device->ops->start(device);
	want(64);
	expect_interrupt();
	expect_typed("moves");
	say("and goes on");
	while (saved.size--)
		assert_int_equal(fixture_load(device, &saved, 1), -EPROTO);
	buffer_free(&saved);
}

/* More input than fits cannot have been saved. */
static void test_refused_input(void **state)
{
	static const uint8_t much[VIRTIO_CONSOLE_INPUT_MAX + 1];
	struct buffer saved = { 0 };

	(void)state;
	fixture_save(device, &saved);
	saved.size -= 4;
	buffer_put_block(&saved, much, sizeof(much));
	assert_int_equal(fixture_load(device, &saved, 1), -EPROTO);
	buffer_free(&saved);
}

#define STREAM 20000u

/* Bytes of the stream of input, and of the one of output. */
static uint8_t byte_at(uint64_t n)
{
	return (uint8_t)(n * 7 + (n >> 8));
}

/* As the monitor: types, and hears, until it has had all. */
static void *client(void *context)
{
	uint64_t typed = 0, heard = 0, missed;

	(void)context;
	while (typed < STREAM || heard < STREAM) {
		uint8_t bytes[100];
		size_t size = 0;

		for (; size < sizeof(bytes) && typed + size < STREAM; size++)
			bytes[size] = byte_at(typed + size);
		typed += virtio_console_receive(&console, bytes, size);
		size = backlog_read(&console.backlog, bytes, sizeof(bytes), &missed);
		for (size_t n = 0; n < size; n++, heard++)
			if (missed || bytes[n] != byte_at(heard))
				return "another byte was said";
		sched_yield();
	}
	return NULL;
}

/* A guest on one thread and its client on another; the backlog has room for all that is said. */
static void test_threads(void **state)
{
	uint64_t said = 0, got = 0;
	const char *result;
	pthread_t thread;

	(void)state;
	go();
	assert_int_equal(backlog_attach(&console.backlog, wake, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, client, NULL), 0);
	while (said < STREAM || got < STREAM) {
		uint16_t head;
		uint32_t written;

		if (said < STREAM) {
			uint8_t *place = memory_span(&memory, DATA, 1);

			*place = byte_at(said++);
			virtio_ring_add(&output, &(struct ring_buffer){ DATA, 1, false }, 1, false);
			virtio_driver_kick(device, 1, &output);
			assert_true(virtio_ring_collect(&output, &head, &written));
		}
		if (ring.free_count == ring.size)
			want(64);
		if (!virtio_ring_collect(&ring, &head, &written))
			continue;
		for (uint32_t n = 0; n < written; n++, got++)
			assert_int_equal(*(uint8_t *)memory_span(&memory, DATA + 0x1000 + n, 1), byte_at(got));
	}
	assert_int_equal(pthread_join(thread, (void **)&result), 0);
	assert_null(result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output),     TEST(test_early_input), TEST(test_input_waits), TEST(test_room),
		TEST(test_bad_chains), TEST(test_state),       TEST(test_threads),     TEST(test_refused_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
