/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices behind their registers: accesses of any kind, stores into guest memory, input, moves to another host
 * and saved states of any bytes. The line is what the registers say, or has edges alone, and memory shows what
 * registers say; and what is saved loads again.
 */
#include "fuzz.h"
#include "input.h"

#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"
#include "base/layout.h"
#include "dev/virtio/console.h"
#include "dev/virtio/random.h"
#include "dev/virtio/window.h"

#include <string.h>

#define BASE LAYOUT_RAM_BASE
#define MEMORY_SIZE (64ull * MEMORY_PAGE_SIZE)
#define RING_SIZE 8u
/* Where the rings of a driver that begins as it should are; the input reaches a little more. */
#define RING_OF(n) (BASE + 4096ull * (n))
#define REACH (3u * 4096u)

struct world {
	struct input input;
	struct virtio *virtio;
	struct virtio_console *console; /* NULL if it is another device */
	bool line;
};

static struct memory memory;
static uint8_t registers[LAYOUT_VIRTIO_WINDOW_SIZE] __attribute__((aligned(8)));
static struct virtio_window window = { .memory = registers };

static void set_line(void *context, uint32_t intid, bool level)
{
	struct world *world = context;

	FUZZ_MUST(intid == world->virtio->device.intid);
	world->line = level;
}

static void step_access(struct world *world)
{
	struct device *device = &world->virtio->device;
	uint32_t kind = (uint32_t)input_take(&world->input, 1), place = (uint32_t)input_take(&world->input, 1);
	unsigned int length = kind & 0x70 ? 4 : 1u << (kind & 3);
	uint64_t offset = place * 4ull % (device->size - length + 1) / length * length, value = 0;

	if (kind & 0x80)
		value = input_take(&world->input, kind & 0x40 ? length : 1);
	lock_take(&device->lock);
	if (kind & 0x80)
		device->ops->write(device, offset, length, value);
	else
		device->ops->read(device, offset, length);
	lock_drop(&device->lock);
}

/* A driver that does as it should, so far. */
static void step_begin(struct world *world)
{
	struct device *device = &world->virtio->device;
	uint32_t kind = (uint32_t)input_take(&world->input, 1);
	struct virtio_ring ring;

	if (!virtio_driver_begin(device, 1ull << 32 | (uint64_t)(kind & 3) << 28))
		return;
	for (uint32_t n = 0; n < world->virtio->ops->queues; n++) {
		virtio_ring_init(&ring, &memory, RING_OF(n), RING_SIZE);
		FUZZ_MUST(virtio_driver_set_queue(device, n, &ring));
	}
	FUZZ_MUST(virtio_driver_go(device));
}

static void step_store(struct world *world)
{
	input_store(&world->input, memory_span(&memory, BASE, MEMORY_SIZE), REACH);
}

/* A descriptor and its offer at once, which are hard to guess. */
static void step_offer(struct world *world)
{
	uint32_t kind = (uint32_t)input_take(&world->input, 1), n = kind & 1;
	struct ring_buffer buffer = { BASE + input_take(&world->input, 3), (uint32_t)input_take(&world->input, 2),
				      kind & 2 };
	struct virtio_ring ring = { .memory = &memory,
				    .size = RING_SIZE,
				    .descriptors = RING_OF(n),
				    .available = RING_OF(n) + 16ull * RING_SIZE };

	ring.next_available = virtio_ring_load(&ring, ring.available + 2);
	virtio_ring_describe(&ring, ring.descriptors, kind >> 5, &buffer, kind >> 2 & 5,
			     (uint16_t)((kind >> 5) + 1) % RING_SIZE);
	virtio_ring_offer(&ring, (uint16_t)(kind >> 5));
	virtio_driver_write(&world->virtio->device, 0x050, n);
}

static void step_input(struct world *world)
{
	static const uint8_t typed[256];
	size_t size = input_take(&world->input, 1), room;

	if (!world->console)
		return;
	room = virtio_console_room(world->console);
	FUZZ_MUST(virtio_console_receive(world->console, typed, size) == (size < room ? size : room));
}

static void step_move(struct world *world)
{
	struct device *device = &world->virtio->device;
	struct buffer saved = { 0 }, again = { 0 };
	struct cursor cursor;

	device->ops->quiesce(device);
	device->ops->save(device, &saved);
	device->ops->reset(device);
	FUZZ_MUST(!world->line);
	cursor = cursor_make(saved.data, saved.size);
	FUZZ_MUST(!device->ops->load(device, &cursor, device->ops->version));
	device->ops->save(device, &again);
	FUZZ_MUST(saved.size == again.size && !memcmp(saved.data, again.data, saved.size));
	device->ops->start(device);
	buffer_free(&saved);
	buffer_free(&again);
}

/* The state of a device that a peer has sent, up to its end. */
static void step_load(struct world *world)
{
	struct device *device = &world->virtio->device;
	size_t size = input_take(&world->input, 2);
	struct cursor cursor = cursor_make(world->input.bytes, size < world->input.left ? size : world->input.left);

	world->input.bytes += cursor.left;
	world->input.left -= cursor.left;
	device->ops->reset(device);
	if (device->ops->load(device, &cursor, 1 + input_take(&world->input, 1) % device->ops->version))
		device->ops->reset(device);
	device->ops->start(device);
}

static void world_begin(struct world *world)
{
	static struct virtio_console console;
	static struct virtio_random random;
	uint32_t kind = (uint32_t)input_take(&world->input, 1);
	const struct device_line line = { .set = set_line, .window = kind & 2 ? &window : NULL, .context = world };

	if (kind & 1) {
		world->virtio = &random.virtio;
		virtio_random_init(&random, 31, &memory, "fuzz", &line);
	} else {
		world->console = &console;
		world->virtio = &console.virtio;
		virtio_console_init(&console, 0, &memory, "fuzz", &line);
	}
	world->virtio->device.ops->reset(&world->virtio->device);
	world->virtio->device.ops->start(&world->virtio->device);
}

static void check_registers(const struct world *world)
{
	struct device *device = &world->virtio->device;

	if (!device->line.window) {
		FUZZ_MUST(world->line == !!virtio_driver_read(device, 0x060));
		return;
	}
	FUZZ_MUST(!world->line);
	for (uint32_t offset = 0; offset < device->size; offset += 4)
		FUZZ_MUST(virtio_driver_read(device, offset) == device->ops->read(device, offset, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct world *) = { step_access, step_access, step_access, step_begin, step_store,
							 step_offer,  step_offer,  step_input,	step_move,  step_load };
	static bool begun;
	struct world world = { .input = { .bytes = data, .left = size } };
	struct error error;

	if (!begun)
		FUZZ_MUST(!memory_create(&memory, MEMORY_SIZE, &error));
	begun = true;
	memset(memory_span(&memory, BASE, REACH + 64), 0, REACH + 64);
	world_begin(&world);
	while (world.input.left) {
		steps[input_take(&world.input, 1) % (sizeof(steps) / sizeof(steps[0]))](&world);
		check_registers(&world);
	}
	world.virtio->device.ops->destroy(&world.virtio->device);
	return 0;
}
