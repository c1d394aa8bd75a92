/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block device: any rings, tables and requests in guest memory, and saved states of any bytes. The fake disk takes
 * no request that it cannot do; what the device marks is in memory; when it is quiesced nothing is under way, and what
 * it saves loads again. And any one chain: what becomes of it is inside the disk and inside its buffers.
 */
#include "device.h"
#include "input.h"

#include "../fake/block_driver.h"
#include "../fake/host_fake.h"

#include <string.h>

#define SECTORS 64u
#define FEATURES (1ull << 32 | 1 << VIRTIO_BLK_F_DISCARD | 1 << VIRTIO_BLK_F_WRITE_ZEROES)
#define FEATURES_ANY (1ull << 29 | 1ull << 28 | 1 << VIRTIO_BLK_F_FLUSH)
#define RING 16u
/* What the input reaches of guest memory: a ring, its tables, and requests behind them. */
#define REACH 6144u

enum {
	MODE_AWAY = 1,
	MODE_LOAD = 2,
	MODE_CHAIN = 4,
};

static struct fake_disk disk;
static struct block_guest guest;

/* ---- One chain ---- */

static bool is_inside(const struct iovec *piece, const struct iovec *buffer, uint32_t buffers)
{
	const uint8_t *begin = piece->iov_base;

	for (uint32_t n = 0; n < buffers; n++) {
		const uint8_t *place = buffer[n].iov_base;

		if (begin >= place && begin + piece->iov_len <= place + buffer[n].iov_len)
			return true;
	}
	return false;
}

static void check_request(const struct block_request *request, const struct virtqueue_chain *chain)
{
	const struct disk_request *asked = &request->disk;
	bool reads = asked->operation == DISK_READ;
	uint64_t size = 0;

	for (uint32_t n = 0; n < asked->buffers; n++) {
		FUZZ_MUST(is_inside(&asked->buffer[n], chain->buffer + (reads ? chain->readable : 0),
				    reads ? chain->writable : chain->readable));
		size += asked->buffer[n].iov_len;
	}
	FUZZ_MUST(asked->operation == DISK_DISCARD || asked->operation == DISK_WRITE_ZEROES || size == asked->length);
	FUZZ_MUST(asked->offset <= SECTORS * 512 && asked->length <= SECTORS * 512 - asked->offset);
	FUZZ_MUST(asked->length || asked->operation == DISK_FLUSH);
}

/* Buffers of the sizes that the input says, in memory of exactly those sizes. */
static void play_chain(struct input *input)
{
	struct block_facts facts = { .sectors = SECTORS };
	static struct virtqueue_chain chain;
	static struct block_request request;
	enum block_verdict verdict;
	uint8_t status;

	facts.features = input_take(input, 3);
	facts.readonly = input_take(input, 1) & 1;
	chain = (struct virtqueue_chain){ .readable = (uint16_t)(input_take(input, 1) % 129) };
	chain.writable = (uint16_t)(input_take(input, 1) % 129);
	for (uint32_t n = 0; n < (uint32_t)chain.readable + chain.writable; n++) {
		size_t size = 1 + input_take(input, 1) * (input_take(input, 1) % 8);
		uint8_t *bytes = calloc(1, size);

		for (size_t at = 0; at < size && at < 32 && n < chain.readable; at++)
			bytes[at] = (uint8_t)input_take(input, 1);
		*(n < chain.readable ? &chain.readable_size : &chain.writable_size) += size;
		chain.buffer[n] = (struct iovec){ bytes, size };
	}
	verdict = block_request_parse(&request, &chain, &facts, &status);
	FUZZ_MUST((verdict == BLOCK_BROKEN) == !chain.writable);
	if (verdict == BLOCK_SUBMIT)
		check_request(&request, &chain);
	for (uint32_t n = 0; n < request.places && verdict != BLOCK_BROKEN; n++)
		FUZZ_MUST(is_inside(&request.place[n], chain.buffer + chain.readable, chain.writable));
	if (verdict != BLOCK_BROKEN)
		FUZZ_MUST(block_request_answer(&request, VIRTIO_BLK_S_OK) <= chain.writable_size);
	for (uint32_t n = 0; n < (uint32_t)chain.readable + chain.writable; n++)
		free(chain.buffer[n].iov_base);
}

/* ---- The device ---- */

static struct device *device(void)
{
	return &guest.block.virtio.device;
}

static void reset(void)
{
	lock_take(&device()->lock);
	device()->ops->reset(device());
	lock_drop(&device()->lock);
}

static void play_ring(struct input *input)
{
	uint64_t features = FEATURES | (input_take(input, 4) & FEATURES_ANY);
	uint16_t heads = (uint16_t)(input_take(input, 1) % (RING + 2));
	uint8_t *reach = memory_span(&guest.memory, BLOCK_RING_GPA, REACH);
	size_t size;

	device()->ops->start(device());
	if (!block_guest_begin(&guest, features, RING))
		return;
	size = input->left < REACH ? input->left : REACH;
	memcpy(reach, input->bytes, size);
	virtio_ring_set_index(&guest.ring, heads);
	virtio_driver_write(device(), 0x050, 0);
}

static void play_state(struct input *input)
{
	device_load(device(), input->bytes, input->left, false);
	device()->ops->start(device());
}

/* What it leaves is either back or still taken, and it can be saved. */
static void finish(void)
{
	uint64_t dirty[BLOCK_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };
	struct buffer state = { 0 };

	device()->ops->quiesce(device());
	FUZZ_MUST(!fake_disk_pending(&disk));
	lock_take(&device()->lock);
	device()->ops->save(device(), &state);
	lock_drop(&device()->lock);
	device_load(device(), state.data, state.size, true);
	fake_disk_set_away(&disk, false);
	device()->ops->start(device());
	device()->ops->quiesce(device());
	buffer_free(&state);
	reset();
	memory_take_dirty(&guest.memory, dirty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	uint64_t mode = input_take(&input, 1);

	if (!disk.content) {
		fake_reset();
		fake_disk_init(&disk, SECTORS * 512, SECTORS * 512, (struct random){ 1 });
		block_guest_init(&guest, &disk, "serial");
	}
	if (mode & MODE_CHAIN) {
		play_chain(&input);
		return 0;
	}
	fake_disk_set_away(&disk, mode & MODE_AWAY);
	if (mode & MODE_LOAD)
		play_state(&input);
	else
		play_ring(&input);
	finish();
	return 0;
}
