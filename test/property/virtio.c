/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: guests of the console and of the random number device lose no byte of input or output and no request, get
 * none twice and in order, and find nothing written but the buffers they gave, of which all pages are marked; with
 * devices that move at any point, and with drivers that sleep until they are interrupted, by a level or by edges, of
 * which a move loses the last. A guest that has done anything whatsoever to the registers and the rings has a device as
 * new after a reset; and where it reads registers in memory, it finds there what the device would answer.
 *
 * Policy: all of the memory for buffers has a pattern, which the driver restores where the device has written, so that
 * any other byte shows at the end.
 */
#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"
#include "random.h"

#include "base/layout.h"
#include "base/log.h"
#include "dev/virtio/console.h"
#include "dev/virtio/random.h"
#include "dev/virtio/window.h"

#include <string.h>

#define GUESTS 2000
#define STEPS 300
#define BASE LAYOUT_RAM_BASE
#define SIZE (256u << 10)
#define RING_OF(n) (BASE + 0x8000ull * (n))
#define DATA                                                                                                           \
	(BASE + 0x10000) /* of two rings, each descriptor with a place of its own, which may begin anywhere in it */
#define PLACE 1400u
#define PATTERN 0xd7u
#define QUEUES 2u

/* A chain of the driver, by its head. */
struct request {
	struct ring_buffer buffer[RING_TABLE_MAX];
	uint32_t count;
	uint32_t size; /* of all buffers */
};

struct world {
	struct random *random;
	bool is_console;
	struct device *device;
	struct virtio_ring ring[QUEUES];
	struct request request[QUEUES][RING_SIZE_MAX];
	uint64_t dirty[SIZE / MEMORY_PAGE_SIZE / 64];
	bool edges;
	bool line; /* or an edge that the driver has not taken */
	bool level;
	bool waits; /* the driver does, for an interrupt */
	bool frozen;
	uint64_t typed, received; /* bytes of input */
	uint64_t said, heard;	  /* bytes of output */
	uint64_t asked, answered; /* requests for random numbers */
};

static struct memory memory;
static uint8_t registers[LAYOUT_VIRTIO_WINDOW_SIZE] __attribute__((aligned(8)));
static struct virtio_window window = { .memory = registers };
static struct virtio_console console;
static struct virtio_random source;

static void set_line(void *context, uint32_t intid, bool level)
{
	struct world *world = context;

	PROPERTY(intid == world->device->intid, "interrupt %u", intid);
	world->level = level;
	world->line = level || (world->edges && world->line);
}

static void wake(void *context)
{
	(void)context;
}

/* The bytes of a stream. */
static uint8_t byte_at(uint64_t n)
{
	return (uint8_t)(n * 7 + (n >> 8));
}

static uint32_t queues(const struct world *world)
{
	return world->is_console ? 2 : 1;
}

/* ---- The driver ---- */

/* Buffers in places of their own, so that they never overlap. */
static bool driver_add(struct world *world, uint32_t n, bool writable)
{
	struct virtio_ring *ring = &world->ring[n];
	struct request request = { .count = (uint32_t)random_between(world->random, 1, 4) };
	bool indirect = random_chance(world->random, 2);
	int head;

	if (ring->free_count < request.count)
		return false;
	for (uint32_t i = 0; i < request.count; i++) {
		uint32_t place = n * 64u + ring->free[ring->free_count - 1 - (indirect ? 0 : i)];
		uint32_t part = indirect ? PLACE / 4 : PLACE;
		uint32_t size = (uint32_t)random_between(world->random, 1, part);

		request.buffer[i] = (struct ring_buffer){ DATA + (uint64_t)place * PLACE + (indirect ? i * part : 0),
							  size, writable };
		request.size += size;
		if (!writable)
			for (uint32_t b = 0; b < size; b++)
				*(uint8_t *)memory_span(&memory, request.buffer[i].gpa + b, 1) = byte_at(world->said++);
	}
	head = virtio_ring_add(ring, request.buffer, request.count, indirect);
	PROPERTY(head >= 0, "no descriptor");
	world->request[n][head] = request;
	return true;
}

/* A byte that the device has written: whether it is the next, and marked. */
static void driver_check_byte(struct world *world, uint64_t gpa)
{
	uint64_t page = (gpa - BASE) / MEMORY_PAGE_SIZE;
	uint8_t *place = memory_span(&memory, gpa, 1);

	PROPERTY(world->dirty[page / 64] >> page % 64 & 1, "page %" PRIu64 " is not marked", page);
	PROPERTY(!world->is_console || *place == byte_at(world->received), "byte %" PRIu64, world->received);
	world->received++;
	*place = PATTERN;
}

static void driver_check_written(struct world *world, const struct request *request, uint32_t written)
{
	for (uint32_t i = 0; i < request->count; i++) {
		const struct ring_buffer *buffer = &request->buffer[i];

		for (uint32_t b = 0; b < buffer->size && written; b++, written--)
			driver_check_byte(world, buffer->gpa + b);
	}
}

static bool driver_collect(struct world *world, uint32_t n)
{
	uint16_t head;
	uint32_t written;
	struct request *request;

	if (!virtio_ring_collect(&world->ring[n], &head, &written))
		return false;
	request = &world->request[n][head];
	if (n) {
		PROPERTY(!written, "%u bytes", written);
		for (uint32_t i = 0; i < request->count; i++)
			memset(memory_span(&memory, request->buffer[i].gpa, request->buffer[i].size), PATTERN,
			       request->buffer[i].size);
		return true;
	}
	memory_take_dirty(&memory, world->dirty);
	if (!world->is_console)
		PROPERTY(written == (request->size < VIRTIO_RANDOM_MAX ? request->size : VIRTIO_RANDOM_MAX), "%u",
			 written);
	PROPERTY(written && written <= request->size, "%u bytes in %u", written, request->size);
	driver_check_written(world, request, written);
	world->answered++;
	return true;
}

/* As Linux: until nothing is left, then it asks, and looks once more. */
static void driver_work(struct world *world)
{
	if (world->waits && !world->line)
		return;
	world->line &= !world->edges;
	virtio_driver_take_interrupt(world->device);
	for (uint32_t n = 0; n < queues(world); n++) {
		virtio_ring_ask(&world->ring[n], false);
		do {
			while (driver_collect(world, n))
				continue;
			virtio_ring_ask(&world->ring[n], true);
		} while (driver_collect(world, n));
	}
	world->waits = true;
}

static void driver_kick(struct world *world, uint32_t n)
{
	virtio_driver_kick(world->device, n, &world->ring[n]);
}

static void driver_begin(struct world *world)
{
	uint64_t features = 1ull << 32 | 1ull << 28 | random_between(world->random, 0, 1) << 29;

	/* What was on its way is forgotten by both. */
	PROPERTY(virtio_driver_begin(world->device, features), "the features are refused");
	memset(memory_span(&memory, DATA, BASE + SIZE - DATA), PATTERN, BASE + SIZE - DATA);
	for (uint32_t n = 0; n < queues(world); n++) {
		virtio_ring_init(&world->ring[n], &memory, RING_OF(n),
				 (uint16_t)(1u << random_between(world->random, 2, 6)));
		world->ring[n].event_index = features & 1ull << 29;
		virtio_ring_ask(&world->ring[n], true);
		PROPERTY(virtio_driver_set_queue(world->device, n, &world->ring[n]), "queue %u", n);
	}
	PROPERTY(virtio_driver_go(world->device), "the device does not begin");
	world->waits = false;
	world->received = world->typed;
	world->asked = world->answered = 0;
}

/* ---- The monitor ---- */

static void monitor_type(struct world *world)
{
	uint8_t bytes[600];
	size_t size = random_between(world->random, 0, sizeof(bytes)), taken;

	if (!world->is_console)
		return;
	for (size_t n = 0; n < size; n++)
		bytes[n] = byte_at(world->typed + n);
	taken = virtio_console_receive(&console, bytes, size);
	PROPERTY(taken == size || taken < size, "more is taken than was typed");
	PROPERTY(!world->frozen || !taken, "input is taken while the state is saved");
	world->typed += taken;
}

static void monitor_listen(struct world *world)
{
	uint8_t bytes[3000];
	uint64_t missed;
	size_t size;

	if (!world->is_console)
		return;
	size = backlog_read(&console.backlog, bytes, random_between(world->random, 0, sizeof(bytes)), &missed);
	world->heard += missed;
	for (size_t n = 0; n < size; n++, world->heard++)
		PROPERTY(bytes[n] == byte_at(world->heard), "byte %" PRIu64 " of the output", world->heard);
}

static void monitor_move(struct world *world)
{
	struct device *device = world->device;
	struct buffer saved = { 0 };
	struct cursor cursor;

	device->ops->quiesce(device);
	world->frozen = true;
	monitor_type(world);
	device->ops->save(device, &saved);
	device->ops->reset(device);
	cursor = cursor_make(saved.data, saved.size);
	PROPERTY(!device->ops->load(device, &cursor, device->ops->version), "what was saved does not load");
	world->line &= !world->edges;
	world->frozen = false;
	device->ops->start(device);
	buffer_free(&saved);
}

/* ---- Guests ---- */

static void honest_step(struct world *world)
{
	switch (random_between(world->random, 0, 9)) {
	case 0:
	case 1:
		world->asked += driver_add(world, 0, true);
		break;
	case 2:
		if (world->is_console)
			driver_add(world, 1, false);
		break;
	case 3:
		driver_kick(world, 0);
		break;
	case 4:
		driver_kick(world, queues(world) - 1);
		break;
	case 5:
		monitor_type(world);
		break;
	case 6:
		monitor_listen(world);
		break;
	case 7:
		if (random_chance(world->random, 4))
			monitor_move(world);
		break;
	default:
		driver_work(world);
		break;
	}
}

/* Nothing is left, and nothing was touched that was nobody's. */
static void honest_end(struct world *world)
{
	const uint8_t *data;

	for (uint32_t n = 0; n < 100; n++) {
		world->asked += driver_add(world, 0, true);
		driver_kick(world, 0);
		driver_kick(world, queues(world) - 1);
		driver_work(world);
		monitor_listen(world);
	}
	PROPERTY(!world->is_console || world->received == world->typed, "%" PRIu64 " bytes of %" PRIu64 " received",
		 world->received, world->typed);
	PROPERTY(!world->is_console || world->heard == world->said, "%" PRIu64 " bytes of %" PRIu64 " heard",
		 world->heard, world->said);
	PROPERTY(world->is_console || world->answered == world->asked, "%" PRIu64 " requests of %" PRIu64 " answered",
		 world->answered, world->asked);
	data = memory_span(&memory, DATA, BASE + SIZE - DATA);
	for (uint64_t n = 0; n < BASE + SIZE - DATA; n++)
		if (data[n] != PATTERN)
			PROPERTY(false, "byte %" PRIu64 " of the data, which is nobody's, has changed", n);
}

static void check_registers(const struct world *world)
{
	struct device *device = world->device;

	if (!world->edges) {
		PROPERTY(world->line == !!virtio_driver_read(device, 0x060), "the line is not what the register says");
		return;
	}
	PROPERTY(!world->level, "the line stays up");
	for (uint32_t offset = 0; offset < device->size; offset += 4)
		PROPERTY(virtio_driver_read(device, offset) == device->ops->read(device, offset, 4), "register 0x%x",
			 offset);
}

/* Registers, rings and whatever else, mostly where something is. */
static void hostile_step(struct world *world)
{
	struct random *random = world->random;
	struct virtio_ring *ring = &world->ring[random_between(random, 0, queues(world) - 1)];
	uint64_t place = ring->descriptors + random_between(random, 0, 2000);
	const struct ring_buffer buffer = { BASE + random_between(random, 0, SIZE + 500),
					    (uint32_t)random_between(random, 0, 6000), random_chance(random, 2) };
	uint16_t n = (uint16_t)random_between(random, 0, ring->size - 1u);

	switch (random_between(random, 0, 9)) {
	case 0:
		if (random_chance(random, 20))
			virtio_driver_write(world->device, (uint32_t)random_between(random, 0, 127) * 4,
					    (uint32_t)random_wide(random));
		break;
	case 1:
		if (random_chance(random, 20))
			*(uint8_t *)memory_span(&memory, place, 1) = (uint8_t)random_next(random);
		break;
	case 2:
		virtio_ring_describe(ring, ring->descriptors, n, &buffer, (uint16_t)random_between(random, 0, 5),
				     (uint16_t)random_between(random, 0, ring->size - 1u));
		break;
	case 3:
	case 4:
		virtio_ring_describe(ring, ring->descriptors, n, &buffer, random_chance(random, 9) ? RING_NEXT : 0, 0);
		virtio_ring_offer(ring, n);
		break;
	case 5:
	case 6:
		virtio_driver_write(world->device, 0x050, (uint32_t)random_between(random, 0, queues(world) - 1));
		break;
	case 7:
		monitor_move(world);
		break;
	default:
		monitor_type(world);
		break;
	}
	check_registers(world);
}

static void guest_run(struct random *random, bool is_console, bool hostile, bool edges)
{
	static struct world world;
	const struct device_line line = { .set = set_line, .window = edges ? &window : NULL, .context = &world };

	memset(&world, 0, sizeof(world));
	world.random = random;
	world.is_console = is_console;
	world.edges = edges;
	world.device = is_console ? &console.virtio.device : &source.virtio.device;
	if (is_console)
		virtio_console_init(&console, 1, &memory, "m", &line);
	else
		virtio_random_init(&source, 1, &memory, "m", &line);
	/* What thousands of guests do wrong is nothing to read. */
	(is_console ? &console.virtio : &source.virtio)->failures_logged = LOG_GUEST_LINES;
	world.device->ops->reset(world.device);
	world.device->ops->start(world.device);
	driver_begin(&world);
	for (uint32_t n = 0; n < STEPS && hostile; n++)
		hostile_step(&world);
	driver_begin(&world);
	/* What hostile guests said is not of this stream. */
	if (is_console) {
		backlog_destroy(&console.backlog);
		backlog_init(&console.backlog);
		backlog_attach(&console.backlog, wake, NULL);
	}
	for (uint32_t n = 0; n < STEPS; n++)
		honest_step(&world);
	honest_end(&world);
	world.device->ops->quiesce(world.device);
	world.device->ops->destroy(world.device);
}

int main(void)
{
	struct random random = random_start();
	struct error error;

	fake_reset();
	PROPERTY(!memory_create(&memory, SIZE, &error), "%s", error.text);
	for (uint32_t n = 0; n < 2 * GUESTS; n++)
		guest_run(&random, n & 1, n & 2, n & 4);
	memory_destroy(&memory);
	printf("%u guests of each device\n", GUESTS);
	return 0;
}
