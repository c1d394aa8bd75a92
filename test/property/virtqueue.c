/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: an honest driver gets every chain back once, with its buffers as it made them, though each side is told of
 * news only when it asked for that; what a hostile driver makes available is taken exactly if a plain reading of the
 * specification allows it, and the device writes nothing but its ring. The queue is saved and loaded at any point.
 *
 * Policy: the model reads guest memory by itself, from the text of sections 2.7.5 to 2.7.10, and marks what it has seen
 * instead of counting steps. Device and driver are actors that a random walk interleaves.
 */
#include "../fake/host_fake.h"
#include "../fake/virtio_driver.h"
#include "random.h"

#include "base/layout.h"
#include "dev/virtio/queue.h"

#include <errno.h>
#include <string.h>

#define GUESTS 2000
#define STEPS 600
#define BASE LAYOUT_RAM_BASE
#define SIZE (256u << 10)
#define END (BASE + 2 * SIZE)	/* of two regions without a gap */
#define RINGS (BASE + 0x1000)	/* what the driver writes descriptors, rings and tables to, ... */
#define RINGS_END (BASE + SIZE) /* ... and nothing else */
#define RING_SIZES 7u		/* 1 to 64 */

enum outcome {
	NOTHING,
	CHAIN,
	BROKEN,
};

/* An actor that is told of news only if it asked for that. */
enum actor {
	WAITS,
	WORKS, /* until there is nothing more, ... */
	ASKED, /* ... then asks to be told, and looks once more */
};

struct model_chain {
	uint32_t readable, writable;
	struct ring_buffer buffer[VIRTQUEUE_CHAIN_MAX];
};

struct world {
	struct random *random;
	struct virtio_ring ring;
	struct virtqueue queue;
	struct virtqueue_chain chain;
	struct model_chain expected;
	uint16_t next_available, next_used, looked;
	bool taken[RING_SIZE_MAX];
	uint32_t in_flight;

	/* The honest driver. */
	enum actor device, driver;
	bool kicked, interrupted;
	struct model_chain added[RING_SIZE_MAX]; /* by head */
	uint16_t given_head[RING_SIZE_MAX];
	uint32_t given_size[RING_SIZE_MAX];
	uint64_t adds, gives, collects, takes;
	uint32_t patience; /* of a hostile one, in steps */
};

static struct memory memory;

/* ---- The model ---- */

static bool model_has(uint64_t gpa, uint64_t size)
{
	return (gpa >= BASE && gpa < BASE + SIZE && size <= BASE + SIZE - gpa) ||
	       (gpa >= BASE + SIZE && gpa < END && size <= END - gpa);
}

static uint64_t model_get(uint64_t gpa, uint32_t width)
{
	const uint8_t *host = memory.region[gpa >= BASE + SIZE].host + (gpa - BASE) % SIZE;
	uint64_t value = 0;

	for (uint32_t n = 0; n < width; n++)
		value |= (uint64_t)host[n] << 8 * n;
	return value;
}

static bool model_add(struct model_chain *chain, uint64_t gpa, uint32_t size, bool writable)
{
	if (!size || !model_has(gpa, size) || (chain->writable && !writable) ||
	    chain->readable + chain->writable == VIRTQUEUE_CHAIN_MAX)
		return false;
	chain->buffer[chain->readable + chain->writable] = (struct ring_buffer){ gpa, size, writable };
	*(writable ? &chain->writable : &chain->readable) += 1;
	return true;
}

/* The chain that begins at entry `next` of a table; whether it is allowed. */
static bool model_walk(const struct world *world, struct model_chain *chain, uint64_t table, uint64_t count,
		       uint16_t next, bool inside)
{
	static bool seen[2][1 << 16];
	bool allowed = true;

	memset(seen[inside], 0, sizeof(seen[inside]));
	for (bool more = true; more && allowed;) {
		uint64_t place = table + 16 * next, gpa;
		uint32_t size, flags;

		if (next >= count || seen[inside][next])
			return false;
		seen[inside][next] = true;
		gpa = model_get(place, 8);
		size = (uint32_t)model_get(place + 8, 4);
		flags = (uint32_t)model_get(place + 12, 2);
		next = (uint16_t)model_get(place + 14, 2);
		more = flags & 1;
		if (!(flags & 4))
			allowed = model_add(chain, gpa, size, flags & 2);
		else
			allowed = !inside && !more && world->queue.indirect && size && size % 16 == 0 &&
				  model_has(gpa, size) && model_walk(world, chain, gpa, size / 16, 0, true);
	}
	return allowed;
}

static bool model_chain(struct world *world, uint16_t head)
{
	world->expected.readable = world->expected.writable = 0;
	return model_walk(world, &world->expected, world->ring.descriptors, world->ring.size, head, false);
}

static enum outcome model_take(struct world *world, uint16_t *head)
{
	const struct virtio_ring *ring = &world->ring;
	uint16_t waiting = (uint16_t)(model_get(ring->available + 2, 2) - world->next_available);

	if (!waiting)
		return NOTHING;
	*head = (uint16_t)model_get(ring->available + 4 + 2ull * (world->next_available % ring->size), 2);
	if (waiting + world->in_flight > ring->size || *head >= ring->size || world->taken[*head] ||
	    !model_chain(world, *head))
		return BROKEN;
	return CHAIN;
}

/* ---- What the queue does ---- */

static void expect_chain(const struct world *world, uint16_t head)
{
	const struct virtqueue_chain *chain = &world->chain;
	const struct model_chain *model = &world->expected;
	uint64_t sums[2] = { 0 };

	PROPERTY(chain->head == head && chain->readable == model->readable && chain->writable == model->writable,
		 "%u+%u buffers, expected %u+%u", chain->readable, chain->writable, model->readable, model->writable);
	for (uint32_t n = 0; n < model->readable + model->writable; n++) {
		const struct ring_buffer *buffer = &model->buffer[n];

		sums[buffer->writable] += buffer->size;
		PROPERTY(chain->buffer[n].iov_len == buffer->size &&
				 chain->buffer[n].iov_base == memory_span(&memory, buffer->gpa, buffer->size),
			 "buffer %u at %#" PRIx64, n, buffer->gpa);
	}
	PROPERTY(chain->readable_size == sums[0] && chain->writable_size == sums[1], "the sums are wrong");
}

/* NOTHING, CHAIN or BROKEN: as the model. */
static enum outcome device_take(struct world *world)
{
	uint16_t head = 0;
	enum outcome expected = model_take(world, &head);
	int result = virtqueue_take(&world->queue, &memory, &world->chain);

	PROPERTY(result == (expected == BROKEN ? -EPROTO : expected == CHAIN), "%d, expected outcome %d (%s)", result,
		 expected, world->queue.broken ? world->queue.broken : "");
	PROPERTY(!world->queue.broken == (expected != BROKEN), "broken in silence");
	if (expected != CHAIN)
		return expected;
	expect_chain(world, head);
	world->taken[head] = true;
	world->in_flight++;
	world->takes++;
	world->next_available++;
	return expected;
}

/* The ring has the element and the index, and nothing else has changed. */
static void expect_given(struct world *world, const uint8_t *before, uint16_t head, uint32_t written)
{
	static uint8_t now[RINGS_END - RINGS];
	uint64_t element = world->ring.used + 4 + 8ull * (world->next_used % world->ring.size);
	const uint32_t content[2] = { head, written };
	uint64_t dirty[2 * SIZE / MEMORY_PAGE_SIZE / 64] = { 0 };

	world->next_used++;
	memcpy(now, before, sizeof(now));
	memcpy(now + (element - RINGS), content, 8);
	memcpy(now + (world->ring.used + 2 - RINGS), &world->next_used, 2);
	PROPERTY(!memcmp(now, memory_span(&memory, RINGS, sizeof(now)), sizeof(now)), "head %u, index %u", head,
		 world->next_used);
	memory_take_dirty(&memory, dirty);
	PROPERTY(dirty[0] >> (element - BASE) / MEMORY_PAGE_SIZE & 1 &&
			 dirty[0] >> (world->ring.used + 2 - BASE) / MEMORY_PAGE_SIZE & 1,
		 "a page is not marked");
}

static void device_give(struct world *world)
{
	static uint8_t before[RINGS_END - RINGS];
	uint16_t head = (uint16_t)random_between(world->random, 0, world->ring.size - 1u);
	uint32_t written = (uint32_t)random_wide(world->random);

	if (!world->in_flight)
		return;
	while (!world->taken[head])
		head = (uint16_t)((head + 1) % world->ring.size);
	memcpy(before, memory_span(&memory, RINGS, sizeof(before)), sizeof(before));
	virtqueue_give(&world->queue, &memory, head, written);
	world->given_head[world->gives % RING_SIZE_MAX] = head;
	world->given_size[world->gives++ % RING_SIZE_MAX] = written;
	world->taken[head] = false;
	world->in_flight--;
	expect_given(world, before, head, written);
}

/* Section 2.7.7: whether the place of anything that was given since the last look is the one that was asked for. */
static bool device_look(struct world *world)
{
	const struct virtio_ring *ring = &world->ring;
	uint16_t event = (uint16_t)model_get(ring->available + 4 + 2ull * ring->size, 2);
	bool wants = false, result = virtqueue_wants_interrupt(&world->queue, &memory);

	for (; world->looked != world->next_used; world->looked++)
		wants |= ring->event_index ? world->looked == event : !(model_get(ring->available, 2) & 1);
	PROPERTY(result == wants, "event %u, used %u", event, world->next_used);
	return result;
}

static void device_ask(struct world *world, bool wanted)
{
	const struct virtio_ring *ring = &world->ring;
	uint64_t event = ring->used + 4 + 8ull * ring->size, before = model_get(event, 2);

	virtqueue_ask_notification(&world->queue, &memory, wanted);
	if (ring->event_index)
		PROPERTY(model_get(event, 2) == (wanted ? world->next_available : before), "wanted %d", wanted);
	else
		PROPERTY(model_get(ring->used, 2) == !wanted, "wanted %d", wanted);
}

/* What was in flight can be taken again, as it is in memory now. False if that broke the queue. */
static bool device_move(struct world *world)
{
	struct buffer saved = { 0 }, again = { 0 };
	struct cursor cursor;

	virtqueue_save(&world->queue, &saved);
	memset(&world->queue, 0xee, sizeof(world->queue));
	cursor = cursor_make(saved.data, saved.size);
	PROPERTY(!virtqueue_load(&world->queue, &cursor) && cursor_finish(&cursor), "what was saved does not load");
	virtqueue_save(&world->queue, &again);
	PROPERTY(saved.size == again.size && !memcmp(saved.data, again.data, saved.size), "another state");
	buffer_free(&saved);
	buffer_free(&again);
	for (uint16_t head = 0; head < world->ring.size; head++) {
		bool allowed = world->taken[head] && model_chain(world, head);

		PROPERTY(virtqueue_has_taken(&world->queue, head) == world->taken[head], "head %u", head);
		PROPERTY(virtqueue_take_again(&world->queue, &memory, head, &world->chain) == (allowed ? 1 : -EPROTO),
			 "head %u", head);
		if (allowed)
			expect_chain(world, head);
		else if (world->taken[head])
			return false;
	}
	return true;
}

/* ---- An honest driver ---- */

static struct ring_buffer any_buffer(struct random *random, bool writable)
{
	uint32_t size = (uint32_t)random_between(random, 1, 20000);

	return (struct ring_buffer){ random_between(random, BASE + SIZE, END - size), size, writable };
}

static void driver_add(struct world *world)
{
	struct model_chain chain;
	uint32_t readable = (uint32_t)random_between(world->random, 0, RING_TABLE_MAX - 1);
	uint32_t count = (uint32_t)random_between(world->random, readable ? readable : 1, RING_TABLE_MAX);
	int head;

	if (random_chance(world->random, 2))
		count = 1 + count % 3;
	chain = (struct model_chain){ .readable = readable < count ? readable : count };
	chain.writable = count - chain.readable;
	for (uint32_t n = 0; n < count; n++)
		chain.buffer[n] = any_buffer(world->random, n >= chain.readable);
	head = virtio_ring_add(&world->ring, chain.buffer, count, random_chance(world->random, 2));
	if (head < 0)
		return;
	world->added[head] = chain;
	world->adds++;
}

/* Often later, for several at once. */
static void driver_kick(struct world *world)
{
	world->kicked |= virtio_ring_wants_kick(&world->ring);
}

/* Whether there was one; they come back in the order in which they were given. */
static bool driver_collect(struct world *world)
{
	uint16_t head;
	uint32_t written;

	if (!virtio_ring_collect(&world->ring, &head, &written))
		return false;
	PROPERTY(head == world->given_head[world->collects % RING_SIZE_MAX] &&
			 written == world->given_size[world->collects % RING_SIZE_MAX],
		 "head %u", head);
	world->collects++;
	return true;
}

static void driver_ask(struct world *world, bool wanted)
{
	virtio_ring_ask(&world->ring, wanted);
}

static bool device_take_honest(struct world *world)
{
	if (device_take(world) == NOTHING)
		return false;
	/* What is in memory, and what the driver meant. */
	world->expected = world->added[world->chain.head];
	expect_chain(world, world->chain.head);
	return true;
}

/* One step of an actor: it works when it was told to, and waits only after it asked and looked once more. */
static void act(struct world *world, enum actor *actor, bool *told, bool (*work)(struct world *world),
		void (*ask)(struct world *world, bool wanted))
{
	if (*actor == WAITS) {
		if (!*told)
			return;
		*told = false;
		ask(world, false);
		*actor = WORKS;
	} else if (work(world)) {
		if (*actor == ASKED)
			ask(world, false);
		*actor = WORKS;
	} else if (*actor == WORKS) {
		ask(world, true);
		*actor = ASKED;
	} else {
		*actor = WAITS;
	}
}

static void honest_step(struct world *world)
{
	switch (random_between(world->random, 0, 15)) {
	case 0:
	case 1:
	case 2:
		driver_add(world);
		break;
	case 3:
		driver_kick(world);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		act(world, &world->device, &world->kicked, device_take_honest, device_ask);
		break;
	case 8:
	case 9:
		device_give(world);
		break;
	case 10:
		world->interrupted |= device_look(world);
		break;
	case 11:
		PROPERTY(device_move(world), "a chain of an honest driver is refused");
		break;
	default:
		act(world, &world->driver, &world->interrupted, driver_collect, driver_ask);
		break;
	}
}

/* Nobody adds anything more, and both sides do what they were told: then nothing is left. */
static void honest_end(struct world *world)
{
	for (uint32_t n = 0; n < 20u * RING_SIZE_MAX; n++) {
		driver_kick(world);
		act(world, &world->device, &world->kicked, device_take_honest, device_ask);
		device_give(world);
		world->interrupted |= device_look(world);
		act(world, &world->driver, &world->interrupted, driver_collect, driver_ask);
	}
	PROPERTY(world->adds == world->gives && world->gives == world->collects && !world->in_flight,
		 "%" PRIu64 " chains added, %" PRIu64 " given back, %" PRIu64 " collected", world->adds, world->gives,
		 world->collects);
}

/* ---- A hostile driver ---- */

static uint64_t any_place(struct world *world)
{
	struct random *random = world->random;

	switch (random_between(random, 0, 9)) {
	case 0:
		return random_wide(random);
	case 1:
		return BASE + SIZE - random_between(random, 0, 40);
	case 2:
		return END - random_between(random, 0, 40);
	case 3: /* a table of its own descriptors */
		return world->ring.descriptors + 8 * random_between(random, 0, world->ring.size);
	default:
		return world->ring.tables + 16 * random_between(random, 0, 40);
	}
}

static void hostile_describe(struct world *world)
{
	struct random *random = world->random;
	uint64_t table = random_chance(random, 2) ? world->ring.descriptors : world->ring.tables;
	struct ring_buffer buffer = { any_place(world), (uint32_t)random_wide(random), random_chance(random, 2) };
	uint16_t flags = (uint16_t)(random_chance(random, 2) ? RING_NEXT : 0);

	if (random_chance(random, 4))
		flags |= RING_INDIRECT;
	if (!random_chance(random, 4))
		buffer.size = 16 * (uint32_t)random_between(random, 1, 20);
	if (random_chance(random, 40))
		flags = (uint16_t)random_next(random);
	virtio_ring_describe(&world->ring, table, (uint32_t)random_between(random, 0, world->ring.size - 1u), &buffer,
			     flags, (uint16_t)random_between(random, 0, world->ring.size - !random_chance(random, 9)));
}

/* A head or an index that is none of the driver's, or any byte of its memory. */
static void hostile_store(struct world *world)
{
	uint64_t place = random_between(world->random, world->ring.descriptors, world->ring.tables + 400);
	uint16_t value = (uint16_t)random_next(world->random);

	if (random_chance(world->random, 8))
		virtio_ring_set_index(&world->ring, value);
	else if (random_chance(world->random, 4))
		virtio_ring_offer(&world->ring, value % (world->ring.size + 1u));
	else
		*(uint8_t *)memory_span(&memory, place, 1) = (uint8_t)value;
}

/* Behind the back of a driver that is honest otherwise. */
static void hostile_act(struct world *world)
{
	if (!random_chance(world->random, world->patience))
		return;
	if (random_chance(world->random, 2))
		hostile_describe(world);
	else
		hostile_store(world);
}

/* False once the queue is broken. */
static bool hostile_step(struct world *world)
{
	uint16_t head;
	uint32_t written;

	hostile_act(world);
	switch (random_between(world->random, 0, 9)) {
	case 0:
	case 1:
	case 2:
		driver_add(world);
		return true;
	case 3:
	case 4:
	case 5:
		return device_take(world) != BROKEN;
	case 6:
		device_give(world);
		return true;
	case 7:
		virtio_ring_collect(&world->ring, &head, &written);
		return true;
	case 8:
		device_look(world);
		device_ask(world, random_chance(world->random, 2));
		return true;
	default:
		return device_move(world);
	}
}

/* Nothing is taken any more, and what is in flight stays so. */
static void hostile_end(struct world *world)
{
	uint16_t index = (uint16_t)model_get(world->ring.used + 2, 2);

	PROPERTY(world->queue.broken, "the queue is not broken");
	PROPERTY(virtqueue_take(&world->queue, &memory, &world->chain) == -EPROTO, "a broken queue gives");
	for (uint16_t head = 0; head < world->ring.size; head++)
		if (world->taken[head])
			virtqueue_give(&world->queue, &memory, head, 0);
	PROPERTY(model_get(world->ring.used + 2, 2) == index, "a broken queue takes back");
	PROPERTY(!virtqueue_wants_interrupt(&world->queue, &memory), "a broken queue interrupts");
}

/* ---- Guests ---- */

static void guest_begin(struct world *world, struct random *random)
{
	uint16_t size = (uint16_t)(1u << random_between(random, 0, RING_SIZES - 1));

	memset(world, 0, sizeof(*world));
	world->random = random;
	world->patience = (uint32_t)random_between(random, 2, 300);
	virtio_ring_init(&world->ring, &memory, RINGS + 16 * random_between(random, 0, 256), size);
	world->ring.event_index = random_chance(random, 2);
	world->queue = (struct virtqueue){ .size = size,
					   .event_index = world->ring.event_index,
					   .indirect = true,
					   .descriptors = world->ring.descriptors,
					   .driver = world->ring.available,
					   .device = world->ring.used };
	PROPERTY(!virtqueue_start(&world->queue, &memory), "size %u", size);
}

static void guest_run(struct world *world, bool hostile)
{
	for (uint32_t n = 0; n < STEPS; n++) {
		if (!hostile) {
			honest_step(world);
		} else if (!hostile_step(world)) {
			hostile_end(world);
			return;
		}
	}
	if (!hostile)
		honest_end(world);
}

static void memory_begin(void)
{
	struct error error;

	fake_reset();
	PROPERTY(!memory_create(&memory, SIZE, &error), "%s", error.text);
	PROPERTY(!memory_add(&memory, BASE + SIZE, SIZE, &error), "%s", error.text);
}

int main(void)
{
	static struct world world;
	struct random random = random_start();
	uint64_t takes[2] = { 0 }, broken = 0;

	memory_begin();
	for (uint32_t n = 0; n < GUESTS; n++) {
		guest_begin(&world, &random);
		guest_run(&world, n & 1);
		takes[n & 1] += world.takes;
		broken += !!world.queue.broken;
	}
	memory_destroy(&memory);
	printf("%" PRIu64 " chains of honest guests, %" PRIu64 " of hostile ones, of whose queues %" PRIu64 " broke\n",
	       takes[0], takes[1], broken);
	/* Hostile guests that break a queue at once, or never, show nothing. */
	PROPERTY(takes[1] > GUESTS && broken > GUESTS / 8, "hostile guests are of no use");
	return 0;
}
