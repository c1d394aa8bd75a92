/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network device: any rings, tables and frames in guest memory, frames of any bytes from the uplink, and saved
 * states of any bytes. No header leaves it that contradicts its frame; what it marks is in memory; when it stands
 * nothing is in flight, and what it saves loads again.
 */
#include "device.h"
#include "input.h"

#include "../fake/host_fake.h"
#include "../fake/net_driver.h"

#include <endian.h>
#include <string.h>

#define VERSION_1 (1ull << 32)
#define RING 16u
/* What the input reaches of each ring: the ring, its tables, and frames behind them. */
#define REACH 4096u

enum {
	MODE_LOAD = 1,
};

static struct fake_uplink fake;
static struct net_guest guest;

static struct device *device(void)
{
	return &guest.net.virtio.device;
}

/* ---- The uplink ---- */

static void check_sent(uint64_t features)
{
	static uint8_t data[FAKE_FRAME_MAX];
	struct virtio_net_hdr_v1 header;
	int size;

	while ((size = fake_uplink_get(&fake, &header, data, sizeof(data), 0)) >= 0) {
		FUZZ_MUST(size >= 14 && le16toh(header.hdr_len) <= size);
		FUZZ_MUST(!(header.flags & ~1u) && (!header.flags || features & 1));
		FUZZ_MUST(!header.flags || le16toh(header.csum_start) + le16toh(header.csum_offset) + 2 <= size);
		FUZZ_MUST(!header.gso_type || (header.flags && header.gso_size));
	}
}

static void put(struct input *input)
{
	uint8_t bytes[sizeof(struct virtio_net_hdr_v1) + 256];
	struct virtio_net_hdr_v1 header;
	size_t size = input_take(input, 1);

	memset(bytes, 0, sizeof(bytes));
	for (size_t n = 0; n < 16 && input->left; n++)
		bytes[n] = (uint8_t)input_take(input, 1);
	memcpy(&header, bytes, sizeof(header));
	fake_uplink_put(&fake, &header, bytes + sizeof(header), size);
}

/* ---- The device ---- */

static void play_rings(struct input *input, uint64_t features)
{
	device()->ops->start(device());
	if (!net_guest_begin(&guest, features, RING))
		return;
	net_guest_settle(&guest);
	for (uint64_t frames = input_take(input, 1) % 4; frames; frames--)
		put(input);
	for (uint32_t queue = 0; queue < NET_QUEUES; queue++) {
		uint16_t heads = (uint16_t)(input_take(input, 1) % (RING + 2));
		size_t size = input_take(input, 2) % REACH;

		size = size < input->left ? size : input->left;
		memcpy(memory_span(&guest.memory, NET_RING_GPA + queue * NET_RING_SPACING, REACH), input->bytes, size);
		input->bytes += size;
		input->left -= size;
		virtio_ring_set_index(&guest.ring[queue], heads);
		virtio_driver_write(device(), 0x050, queue);
	}
	net_guest_settle(&guest);
}

static void finish(void)
{
	uint64_t dirty[NET_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };
	struct buffer state = { 0 };

	device()->ops->quiesce(device());
	FUZZ_MUST(!guest.net.traffic->room.places && !guest.net.traffic->sends.count);
	for (uint32_t queue = NET_QUEUE_RECEIVE; queue <= NET_QUEUE_SEND; queue++)
		FUZZ_MUST(guest.net.virtio.queue[queue].broken || !virtqueue_in_flight(&guest.net.virtio.queue[queue]));
	lock_take(&device()->lock);
	device()->ops->save(device(), &state);
	lock_drop(&device()->lock);
	device_load(device(), state.data, state.size, true);
	device()->ops->start(device());
	device()->ops->quiesce(device());
	buffer_free(&state);
	lock_take(&device()->lock);
	device()->ops->reset(device());
	lock_drop(&device()->lock);
	memory_take_dirty(&guest.memory, dirty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint64_t mode = input_take(&input, 1), features = VERSION_1 | input_take(&input, 4);

	if (!guest.image) {
		fake_reset();
		fake_uplink_init(&fake);
		net_guest_init(&guest, &fake);
	}
	features &= virtio_driver_offered(device());
	if (mode & MODE_LOAD) {
		device_load(device(), input.bytes, input.left, false);
		device()->ops->start(device());
	} else {
		play_rings(&input, features);
	}
	finish();
	check_sent(mode & MODE_LOAD ? ~0ull : features);
	return 0;
}
