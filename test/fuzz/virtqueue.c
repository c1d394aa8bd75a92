/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtqueue: any contents of rings and tables, chains that are taken and given back, and saved states of any bytes.
 * What is taken lies in guest memory; no head is taken twice; what is saved loads again.
 */
#include "fuzz.h"
#include "input.h"

#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"
#include "base/layout.h"
#include "dev/virtio/queue.h"

#include <stdbool.h>
#include <string.h>

#define BASE LAYOUT_RAM_BASE
#define MEMORY_SIZE (64ull * MEMORY_PAGE_SIZE)
/* What the input reaches: rings at the beginning, tables behind them. */
#define REACH 8192u

struct world {
	struct input input;
	struct virtqueue queue;
	struct virtqueue_chain chain;
};

static struct memory memory;

static void check_chain(const struct world *world)
{
	const struct virtqueue_chain *chain = &world->chain;
	const uint8_t *begin = memory.region[0].host;
	uint64_t sum = 0;

	FUZZ_MUST(chain->readable + chain->writable <= VIRTQUEUE_CHAIN_MAX);
	for (uint32_t n = 0; n < (uint32_t)chain->readable + chain->writable; n++) {
		const uint8_t *place = chain->buffer[n].iov_base;

		FUZZ_MUST(chain->buffer[n].iov_len && place >= begin && place < begin + MEMORY_SIZE);
		FUZZ_MUST(chain->buffer[n].iov_len <= (size_t)(begin + MEMORY_SIZE - place));
		sum += chain->buffer[n].iov_len;
	}
	FUZZ_MUST(sum == chain->readable_size + chain->writable_size);
	virtqueue_mark_written(&memory, chain, chain->writable_size);
}

static void step_take(struct world *world)
{
	uint16_t before = virtqueue_in_flight(&world->queue);
	int result = virtqueue_take(&world->queue, &memory, &world->chain);

	FUZZ_MUST(result == 0 || result == 1 || world->queue.broken);
	FUZZ_MUST(virtqueue_in_flight(&world->queue) == before + (result == 1));
	FUZZ_MUST(virtqueue_in_flight(&world->queue) <= world->queue.size || world->queue.broken);
	if (result != 1)
		return;
	FUZZ_MUST(virtqueue_has_taken(&world->queue, world->chain.head));
	check_chain(world);
}

static void step_give(struct world *world)
{
	uint16_t head = (uint16_t)(input_take(&world->input, 1) % VIRTQUEUE_SIZE_MAX);

	if (!virtqueue_has_taken(&world->queue, head))
		return;
	if (virtqueue_take_again(&world->queue, &memory, head, &world->chain) == 1)
		check_chain(world);
	virtqueue_give(&world->queue, &memory, head, (uint32_t)input_take(&world->input, 2));
	FUZZ_MUST(!virtqueue_has_taken(&world->queue, head) || world->queue.broken);
}

static void step_look(struct world *world)
{
	virtqueue_wants_interrupt(&world->queue, &memory);
	FUZZ_MUST(!virtqueue_wants_interrupt(&world->queue, &memory));
	virtqueue_ask_notification(&world->queue, &memory, input_take(&world->input, 1) & 1);
}

static void step_store(struct world *world)
{
	input_store(&world->input, memory_span(&memory, BASE, MEMORY_SIZE), REACH);
}

/* A descriptor, and that it is available, which are hard to guess. */
static void step_offer(struct world *world)
{
	const struct virtqueue *queue = &world->queue;
	uint32_t kind = (uint32_t)input_take(&world->input, 1), head = (uint32_t)input_take(&world->input, 1);
	struct ring_buffer buffer = { BASE + input_take(&world->input, 3), (uint32_t)input_take(&world->input, 2),
				      kind & 1 };
	struct virtio_ring ring = { .memory = &memory, .size = queue->size, .available = queue->driver };

	if (!queue->ready || !memory_span(&memory, queue->descriptors + 16ull * head, 16) ||
	    !memory_span(&memory, queue->driver, 6 + 2ull * queue->size))
		return;
	virtio_ring_describe(&ring, queue->descriptors, head, &buffer, kind >> 1 & 5, (uint16_t)(head + 1));
	ring.next_available = virtio_ring_load(&ring, ring.available + 2);
	if (kind & 0x80)
		virtio_ring_offer(&ring, (uint16_t)(kind & 0x40 ? head : 0));
}

static void step_move(struct world *world)
{
	struct buffer saved = { 0 }, again = { 0 };
	struct cursor cursor;

	virtqueue_save(&world->queue, &saved);
	cursor = cursor_make(saved.data, saved.size);
	FUZZ_MUST(!virtqueue_load(&world->queue, &cursor) && cursor_finish(&cursor));
	virtqueue_save(&world->queue, &again);
	FUZZ_MUST(saved.size == again.size && !memcmp(saved.data, again.data, saved.size));
	buffer_free(&saved);
	buffer_free(&again);
}

/* A queue that a peer has sent. */
static void step_load(struct world *world)
{
	struct cursor cursor = cursor_make(world->input.bytes, world->input.left);

	if (virtqueue_load(&world->queue, &cursor))
		virtqueue_reset(&world->queue);
	world->input.bytes = cursor.data;
	world->input.left = cursor.left;
}

static void step_start(struct world *world)
{
	uint32_t kind = (uint32_t)input_take(&world->input, 1);

	virtqueue_reset(&world->queue);
	world->queue.size = (uint16_t)(kind & 8 ? input_take(&world->input, 2) : 1u << (kind & 7));
	world->queue.event_index = kind & 16;
	world->queue.indirect = kind & 32;
	world->queue.descriptors = BASE + (kind & 64 ? input_take(&world->input, 2) : 0);
	world->queue.driver = BASE + 16ull * world->queue.size + (kind & 128 ? input_take(&world->input, 3) : 0);
	world->queue.device = (world->queue.driver + 6 + 2ull * world->queue.size + 3) & ~3ull;
	if (virtqueue_start(&world->queue, &memory))
		virtqueue_reset(&world->queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct world *) = { step_store, step_offer, step_take,  step_give,
							 step_look,  step_move,	 step_start, step_load };
	static struct world world;
	static bool begun;
	struct error error;

	if (!begun)
		FUZZ_MUST(!memory_create(&memory, MEMORY_SIZE, &error));
	begun = true;
	memset(memory_span(&memory, BASE, REACH + 64), 0, REACH + 64);
	memset(&world, 0, sizeof(world));
	world.input.bytes = data;
	world.input.left = size;
	step_start(&world);
	while (world.input.left)
		steps[input_take(&world.input, 1) % 8](&world);
	return 0;
}
