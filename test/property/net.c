/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guests against the network device, in front of an uplink that refuses frames for the moment; some of the
 * guests send anything. At random points the device is quiesced, saved, made anew, loaded and started; or the driver
 * resets it.
 *
 * What must hold: frames arrive whole, in their order and at most once, both ways, and none is lost but where a network
 * may lose it, when a device is quiesced or reset; what the driver has sent outlives a move. Each chain comes back
 * exactly once. Nothing in guest memory changes but room for frames, all of it marked. No header leaves the device that
 * contradicts its frame.
 */
#include "random.h"
#include "../fake/host_fake.h"
#include "../fake/net_driver.h"

#include "base/buffer.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#define GUESTS 2000u
#define STEPS 60u
#define BURST_MAX 12u
#define LIMIT_S 900
#define LOOK_MS 20

#define VERSION_1 (1ull << 32)
#define INDIRECT (1ull << 28)
#define HEADER ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define FRAME_MIN 14u
#define FRAME_MAX 3000u
/* Without chains that are merged a frame is smaller, and room larger. */
#define FRAME_SINGLE_MAX 1400u

/* Of chains that are merged: a full ring of RING_MIN, in which each takes up to 7 descriptors, has room for a frame. */
#define ROOM_MIN 400u
#define RING_MIN 64u
_Static_assert(RING_MIN / 7 * ROOM_MIN >= HEADER + FRAME_MAX, "there is room for the largest");

/* One direction: frames are numbered, and their content follows from the number. */
struct stream {
	uint32_t begun;	   /* the number of the next frame that is sent */
	uint32_t next;	   /* the lowest that may still arrive */
	uint32_t may_lose; /* those below it may be lost */
};

struct walk {
	struct random random;
	struct fake_uplink fake;
	struct net_guest guest;
	uint64_t features;
	bool hostile;
	struct stream out, in;
	uint32_t frames;
	uint32_t moves;
	uint32_t resets;
};

static bool chance(struct walk *walk, uint32_t one_in)
{
	return random_chance(&walk->random, one_in);
}

static uint64_t between(struct walk *walk, uint64_t low, uint64_t high)
{
	return random_between(&walk->random, low, high);
}

static struct device *device_of(struct walk *walk)
{
	return &walk->guest.net.virtio.device;
}

static bool merges(const struct walk *walk)
{
	return walk->features >> VIRTIO_NET_F_MRG_RXBUF & 1;
}

/* ---- Frames ---- */

/* The number, and bytes that follow from it. */
static void frame_fill(uint32_t number, uint8_t *data, uint32_t size)
{
	struct random bytes = { number };

	memcpy(data, &number, sizeof(number));
	for (uint32_t n = sizeof(number); n < size; n++)
		data[n] = (uint8_t)random_next(&bytes);
}

static void stream_arrive(struct stream *stream, const uint8_t *data, uint32_t size, const char *way)
{
	uint8_t expected[FRAME_MAX];
	uint32_t number;

	PROPERTY(size >= FRAME_MIN && size <= FRAME_MAX, "a frame of %" PRIu32 " bytes comes %s", size, way);
	memcpy(&number, data, sizeof(number));
	PROPERTY(number >= stream->next && number < stream->begun, "frame %" PRIu32 " comes %s, after %" PRIu32, number,
		 way, stream->next);
	PROPERTY(number == stream->next || number <= stream->may_lose,
		 "frames from %" PRIu32 " to %" PRIu32 " are lost on their way %s", stream->next, number, way);
	frame_fill(number, expected, size);
	PROPERTY(!memcmp(data, expected, size), "frame %" PRIu32 " is another one %s", number, way);
	stream->next = number + 1;
}

/* ---- From the guest ---- */

static void send_honest(struct walk *walk)
{
	uint32_t size = (uint32_t)between(walk, FRAME_MIN, FRAME_MAX);
	uint8_t bytes[NET_SLOT_BYTES] = { 0 };

	frame_fill(walk->out.begun, bytes + HEADER, size);
	if (net_guest_send(&walk->guest, bytes, HEADER + size, &walk->random))
		walk->out.begun++;
}

static void send_hostile(struct walk *walk)
{
	uint32_t size = (uint32_t)between(walk, chance(walk, 50) ? 1 : HEADER, chance(walk, 2) ? 80 : NET_SLOT_BYTES);
	struct virtio_net_hdr_v1 header = { .flags = (uint8_t)between(walk, 0, 3),
					    .gso_type = (uint8_t)between(walk, 0, 5),
					    .hdr_len = (uint16_t)random_wide(&walk->random),
					    .gso_size = (uint16_t)random_wide(&walk->random),
					    .csum_start = (uint16_t)random_wide(&walk->random),
					    .csum_offset = (uint16_t)between(walk, 0, 20) };
	uint8_t bytes[NET_SLOT_BYTES];

	for (uint32_t n = 0; n < size; n++)
		bytes[n] = (uint8_t)random_next(&walk->random);
	memcpy(bytes, &header, size < HEADER ? size : HEADER);
	net_guest_send(&walk->guest, bytes, size, &walk->random);
}

static void send_some(struct walk *walk)
{
	for (uint64_t n = between(walk, 1, BURST_MAX); n; n--)
		if (walk->hostile)
			send_hostile(walk);
		else
			send_honest(walk);
	if (!chance(walk, 4))
		net_guest_kick(&walk->guest, NET_QUEUE_SEND);
}

/* By the rules of the specification, as this test reads them. */
static void expect_header(const struct walk *walk, const struct virtio_net_hdr_v1 *header, uint32_t size)
{
	bool sum = header->flags & 1;

	PROPERTY(size >= FRAME_MIN && header->flags <= 1 && header->hdr_len <= size, "a header is not valid");
	PROPERTY(!sum || (walk->features & 1 && header->csum_start + header->csum_offset + 2u <= size),
		 "a checksum is not in its frame");
	PROPERTY(!header->gso_type || (sum && header->gso_size), "segments without a size, or a checksum");
	PROPERTY(header->gso_type == 0 || (header->gso_type == 1 && walk->features & 1 << VIRTIO_NET_F_HOST_TSO4) ||
			 (header->gso_type == 4 && walk->features & 1 << VIRTIO_NET_F_HOST_TSO6),
		 "segments of type %u were not negotiated", header->gso_type);
}

static void look_at_uplink(struct walk *walk)
{
	uint8_t data[NET_SLOT_BYTES];
	struct virtio_net_hdr_v1 header;
	int size;

	while ((size = fake_uplink_get(&walk->fake, &header, data, sizeof(data), 0)) >= 0) {
		expect_header(walk, &header, (uint32_t)size);
		if (!walk->hostile)
			stream_arrive(&walk->out, data, (uint32_t)size, "out");
		walk->frames++;
	}
}

/* ---- To the guest ---- */

static void give_some(struct walk *walk)
{
	for (uint64_t n = between(walk, 1, BURST_MAX); n; n--) {
		bool small = walk->hostile && chance(walk, 100);
		uint64_t low = merges(walk) ? ROOM_MIN : HEADER + FRAME_SINGLE_MAX;
		uint64_t size = small ? between(walk, 1, HEADER - 1) : between(walk, low, NET_SLOT_BYTES);

		net_guest_give_room(&walk->guest, (uint32_t)size, &walk->random);
	}
	if (!chance(walk, 4))
		net_guest_kick(&walk->guest, NET_QUEUE_RECEIVE);
}

static bool put(struct walk *walk)
{
	const struct virtio_net_hdr_v1 plain = { .flags = 0 };
	uint32_t size = (uint32_t)between(walk, FRAME_MIN, merges(walk) ? FRAME_MAX : FRAME_SINGLE_MAX);
	uint8_t data[FRAME_MAX];

	frame_fill(walk->in.begun, data, size);
	if (!fake_uplink_put(&walk->fake, &plain, data, size))
		return false;
	walk->in.begun++;
	return true;
}

static void put_some(struct walk *walk)
{
	for (uint64_t n = between(walk, 1, BURST_MAX); n; n--)
		put(walk);
}

static void collect(struct walk *walk)
{
	uint8_t frame[HEADER + FRAME_MAX + NET_SLOT_BYTES];
	int size;

	while ((size = net_guest_receive(&walk->guest, frame, sizeof(frame))) != 0) {
		PROPERTY(size >= (int)(HEADER + FRAME_MIN), "what comes is no frame");
		/* After a hostile send nothing of it is left here: these frames are the uplink's. */
		stream_arrive(&walk->in, frame + HEADER, (uint32_t)size - HEADER, "in");
		walk->frames++;
	}
	while ((size = net_guest_collect(&walk->guest, NET_QUEUE_SEND)) != -1)
		PROPERTY(size >= 0, "a chain comes back twice");
}

/* ---- What happens to it ---- */

static void audit(struct walk *walk)
{
	const char *wrong = net_guest_audit(&walk->guest);

	PROPERTY(!wrong, "%s", wrong);
}

static void begin(struct walk *walk)
{
	uint16_t size = (uint16_t)(RING_MIN << between(walk, 0, 2));

	PROPERTY(net_guest_begin(&walk->guest, walk->features, size), "the device takes its own features");
	net_guest_settle(&walk->guest);
}

static void reset(struct walk *walk)
{
	virtio_driver_write(device_of(walk), 0x070, 0);
	audit(walk);
	collect(walk);
	walk->out.may_lose = walk->out.begun;
	walk->in.may_lose = walk->in.begun;
	begin(walk);
	walk->resets++;
}

static uint16_t in_flight(struct walk *walk, uint32_t queue)
{
	return virtqueue_in_flight(&walk->guest.net.virtio.queue[queue]);
}

static void reload(struct walk *walk)
{
	struct device *device = device_of(walk);
	struct buffer state = { 0 };
	struct cursor cursor;
	int result;

	lock_take(&device->lock);
	device->ops->save(device, &state);
	lock_drop(&device->lock);
	net_guest_detach(&walk->guest);
	net_guest_attach(&walk->guest);
	cursor = cursor_make(state.data, state.size);
	lock_take(&device->lock);
	result = device->ops->load(device, &cursor, 1);
	lock_drop(&device->lock);
	PROPERTY(!result && cursor_finish(&cursor), "a saved state is loaded");
	buffer_free(&state);
}

/* On another host, or on the same one after a failed migration. */
static void move(struct walk *walk)
{
	struct device *device = device_of(walk);

	device->ops->quiesce(device);
	PROPERTY(!in_flight(walk, NET_QUEUE_SEND) && !in_flight(walk, NET_QUEUE_RECEIVE),
		 "nothing is in flight while it stands");
	audit(walk);
	walk->in.may_lose = walk->in.begun;
	if (chance(walk, 2))
		reload(walk);
	device->ops->start(device);
	walk->moves++;
}

static bool is_broken(struct walk *walk)
{
	return virtio_driver_read(device_of(walk), 0x070) & 0x40;
}

/* The last frame of each direction arrives, and all chains of frames that were sent come back. */
static void finish(struct walk *walk)
{
	uint32_t last;

	__atomic_store_n(&walk->fake.refuse, 0, __ATOMIC_SEQ_CST);
	while (!put(walk))
		give_some(walk);
	last = walk->in.begun;
	net_guest_kick(&walk->guest, NET_QUEUE_SEND);
	while (!is_broken(walk) && (walk->in.next < last || net_guest_under_way(&walk->guest, NET_QUEUE_SEND))) {
		give_some(walk);
		net_guest_kick(&walk->guest, NET_QUEUE_RECEIVE);
		look_at_uplink(walk);
		collect(walk);
		virtio_ring_ask(&walk->guest.ring[NET_QUEUE_RECEIVE], true);
		virtio_ring_ask(&walk->guest.ring[NET_QUEUE_SEND], true);
		collect(walk);
		if (walk->in.next < last)
			net_guest_wait(&walk->guest, LOOK_MS);
	}
	PROPERTY(walk->hostile || !is_broken(walk), "the device fails for a driver that keeps the rules");
	look_at_uplink(walk);
	if (is_broken(walk))
		reset(walk);
	else
		PROPERTY(walk->hostile || walk->out.next == walk->out.begun || walk->out.begun == walk->out.may_lose,
			 "frames after %" PRIu32 " were not sent", walk->out.next);
}

static void step(struct walk *walk)
{
	uint64_t what = between(walk, 0, 99);

	if (what < 30)
		send_some(walk);
	else if (what < 50)
		give_some(walk);
	else if (what < 65)
		put_some(walk);
	else if (what < 75)
		collect(walk);
	else if (what < 85)
		look_at_uplink(walk);
	else if (what < 88)
		__atomic_store_n(&walk->fake.refuse, (uint32_t)between(walk, 0, 5), __ATOMIC_SEQ_CST);
	else if (what < 94)
		move(walk);
	else if (what < 96)
		reset(walk);
	else
		finish(walk);
}

/* ---- A guest ---- */

static void guest_live(struct walk *walk)
{
	uint64_t steps = between(walk, 0, STEPS), kept = random_next(&walk->random);

	walk->hostile = chance(walk, 3);
	net_guest_init(&walk->guest, &walk->fake);
	walk->features = (virtio_driver_offered(device_of(walk)) & kept) | VERSION_1 | INDIRECT;
	device_of(walk)->ops->start(device_of(walk));
	begin(walk);
	audit(walk);
	for (uint64_t n = 0; n < steps; n++)
		step(walk);
	finish(walk);
	net_guest_destroy(&walk->guest);
}

int main(void)
{
	static struct walk walk;
	struct random random = random_start();
	uint32_t moves = 0, resets = 0, frames = 0;

	alarm(LIMIT_S);
	fake_reset();
	for (uint32_t n = 0; n < GUESTS; n++) {
		walk = (struct walk){ .random = { random_next(&random) } };
		fake_uplink_init(&walk.fake);
		guest_live(&walk);
		fake_uplink_destroy(&walk.fake);
		moves += walk.moves;
		resets += walk.resets;
		frames += walk.frames;
	}
	printf("%u guests, %" PRIu32 " frames, %" PRIu32 " moves, %" PRIu32 " resets\n", GUESTS, frames, moves, resets);
	return 0;
}
