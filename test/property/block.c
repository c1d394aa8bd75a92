/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guests against the block device, in front of a disk that is late, fails and goes away; some of the guests send
 * anything. At random points the device is quiesced, saved, made anew, loaded and started; or the driver resets it.
 *
 * What must hold: each request comes back exactly once, with the status and the bytes that a model of the disk says;
 * the disk has what was written, and its medium what was flushed; and nothing in guest memory changes but writable
 * buffers of requests that were under way, all of it marked.
 */
#include "random.h"
#include "../fake/block_driver.h"
#include "../fake/host_fake.h"

#include "base/buffer.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define GUESTS 2000u
#define STEPS 60u
#define BURST_MAX 12u
#define LIMIT_S 900

#define SECTOR 512u
#define SECTORS 64u
#define SIZE (SECTORS * (uint64_t)SECTOR)
#define REQUEST_SECTORS_MAX 6u
#define VERSION_1 (1ull << 32)
#define EVENT_INDEX (1ull << 29)
#define INDIRECT (1ull << 28)

#define ANY_STATUS 0xff
/* How often to look whether a device that does not answer has failed. */
#define BROKEN_MS 20

/* What a request of an honest driver asks for, and what must come of it. */
struct sent {
	uint32_t type;
	uint64_t sector;
	uint32_t sectors;
	uint8_t status; /* ANY_STATUS: that of a disk with errors */
	bool fails;	/* the disk may have had errors while it was under way */
	uint8_t data[REQUEST_SECTORS_MAX * SECTOR];
};

struct walk {
	struct random random;
	struct fake_disk disk;
	struct block_guest guest;
	uint64_t features;
	bool hostile;
	bool errors;
	bool away;
	uint32_t untold; /* flushes of the device's own that may have failed: each fails one of the driver's at most */
	uint8_t model[SECTORS * SECTOR];
	bool unknown[SECTORS]; /* what it has there is not known: a change of it failed */
	struct sent sent[BLOCK_SLOTS];
	uint32_t moves;
	uint32_t resets;
	uint32_t requests;
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
	return &walk->guest.block.virtio.device;
}

static bool has(const struct walk *walk, uint32_t feature)
{
	return walk->features >> feature & 1;
}

/* ---- The driver ---- */

static void begin(struct walk *walk)
{
	uint16_t size = (uint16_t)(1u << between(walk, 4, 8));

	PROPERTY(block_guest_begin(&walk->guest, walk->features, size), "the device takes its own features");
}

static bool overlap(const struct sent *a, const struct sent *b)
{
	return a->sector < b->sector + b->sectors && b->sector < a->sector + a->sectors;
}

static bool is_change(const struct sent *sent)
{
	return sent->type == VIRTIO_BLK_T_OUT || sent->type == VIRTIO_BLK_T_DISCARD ||
	       sent->type == VIRTIO_BLK_T_WRITE_ZEROES;
}

/* Drivers do not have the same sectors read and changed at once: nobody could say what comes of it. */
static bool may_send(const struct walk *walk, const struct sent *sent)
{
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++) {
		const struct sent *other = &walk->sent[n];

		if (walk->guest.slot[n].busy && (is_change(sent) || is_change(other)) && overlap(sent, other))
			return false;
	}
	return true;
}

static uint32_t choose_type(struct walk *walk)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN,	VIRTIO_BLK_T_IN,	   VIRTIO_BLK_T_OUT,
					  VIRTIO_BLK_T_OUT,	VIRTIO_BLK_T_FLUSH,	   VIRTIO_BLK_T_GET_ID,
					  VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_SECURE_ERASE };

	return types[between(walk, 0, sizeof(types) / sizeof(types[0]) - 1)];
}

/* The status that a request gets if the disk has no errors. */
static uint8_t expect_status(const struct walk *walk, const struct sent *sent)
{
	if (sent->type == VIRTIO_BLK_T_SECURE_ERASE ||
	    (sent->type == VIRTIO_BLK_T_DISCARD && !has(walk, VIRTIO_BLK_F_DISCARD)) ||
	    (sent->type == VIRTIO_BLK_T_WRITE_ZEROES && !has(walk, VIRTIO_BLK_F_WRITE_ZEROES)))
		return VIRTIO_BLK_S_UNSUPP;
	if (sent->type == VIRTIO_BLK_T_FLUSH || sent->type == VIRTIO_BLK_T_GET_ID)
		return VIRTIO_BLK_S_OK;
	if (sent->sector + sent->sectors > SECTORS || (walk->disk.disk.readonly && is_change(sent)))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* The bytes that the device reads; how many. */
static uint32_t put_request(struct walk *walk, struct sent *sent, uint8_t *bytes)
{
	bool erases = is_change(sent) && sent->type != VIRTIO_BLK_T_OUT;
	struct virtio_blk_outhdr header = { htole32(sent->type), htole32((uint32_t)random_next(&walk->random)),
					    htole64(erases ? 0 : sent->sector) };
	struct virtio_blk_discard_write_zeroes segment = { htole64(sent->sector), htole32(sent->sectors), 0 };
	uint32_t size = sent->sectors * SECTOR;

	memcpy(bytes, &header, sizeof(header));
	if (erases) {
		if (sent->type == VIRTIO_BLK_T_WRITE_ZEROES)
			segment.flags = htole32(chance(walk, 2));
		memcpy(bytes + sizeof(header), &segment, sizeof(segment));
		return sizeof(header) + sizeof(segment);
	}
	if (sent->type != VIRTIO_BLK_T_OUT)
		return sizeof(header);
	for (uint32_t n = 0; n < size; n += 8) {
		uint64_t word = random_next(&walk->random);

		memcpy(sent->data + n, &word, 8);
	}
	memcpy(bytes + sizeof(header), sent->data, size);
	return sizeof(header) + size;
}

static uint32_t room_for(const struct sent *sent)
{
	if (sent->type == VIRTIO_BLK_T_IN)
		return sent->sectors * SECTOR + 1;
	return sent->type == VIRTIO_BLK_T_GET_ID ? VIRTIO_BLK_ID_BYTES + 1 : 1;
}

static void send_honest(struct walk *walk, uint32_t slot)
{
	struct sent *sent = &walk->sent[slot];
	uint8_t bytes[BLOCK_SLOT_BYTES];
	uint32_t size;

	sent->type = choose_type(walk);
	sent->sectors = (uint32_t)between(walk, 1, REQUEST_SECTORS_MAX);
	sent->sector = between(walk, 0, SECTORS - (chance(walk, 10) ? 0 : sent->sectors));
	if (!may_send(walk, sent))
		return;
	sent->status = expect_status(walk, sent);
	sent->fails = walk->errors;
	size = put_request(walk, sent, bytes);
	walk->requests += block_guest_send(&walk->guest, slot, bytes, size, room_for(sent), &walk->random);
}

/* Anything, often with a header that means something; nearly always with room for a status. */
static void send_hostile(struct walk *walk, uint32_t slot)
{
	uint32_t size = (uint32_t)between(walk, 0, chance(walk, 2) ? 40 : 2000);
	uint32_t writable = (uint32_t)between(walk, chance(walk, 100) ? 0 : 1, chance(walk, 2) ? 2 : 1100);
	uint8_t bytes[BLOCK_SLOT_BYTES];
	struct virtio_blk_outhdr header = { htole32(choose_type(walk)), 0, htole64(random_wide(&walk->random)) };

	for (uint32_t n = 0; n < size; n++)
		bytes[n] = (uint8_t)random_next(&walk->random);
	if (size >= sizeof(header) && !chance(walk, 8))
		memcpy(bytes, &header, sizeof(header));
	walk->sent[slot].status = ANY_STATUS;
	if (size + writable)
		walk->requests += block_guest_send(&walk->guest, slot, bytes, size, writable, &walk->random);
}

static void send(struct walk *walk)
{
	uint32_t slot = (uint32_t)between(walk, 0, BLOCK_SLOTS - 1);

	if (walk->guest.slot[slot].busy)
		return;
	if (walk->hostile)
		send_hostile(walk, slot);
	else
		send_honest(walk, slot);
	if (!chance(walk, 4))
		block_guest_kick(&walk->guest);
}

static void send_some(struct walk *walk)
{
	for (uint64_t n = between(walk, 1, BURST_MAX); n; n--)
		send(walk);
}

/* ---- What came back ---- */

static void model_change(struct walk *walk, const struct sent *sent, uint8_t status)
{
	for (uint32_t n = 0; n < sent->sectors && sent->sector + n < SECTORS; n++) {
		uint8_t *sector = walk->model + (sent->sector + n) * SECTOR;

		walk->unknown[sent->sector + n] = status != VIRTIO_BLK_S_OK;
		if (sent->type == VIRTIO_BLK_T_OUT)
			memcpy(sector, sent->data + (size_t)n * SECTOR, SECTOR);
		else
			memset(sector, 0, SECTOR);
	}
}

static void expect_read(const struct walk *walk, uint32_t slot)
{
	const struct sent *sent = &walk->sent[slot];
	uint8_t data[SECTOR];

	for (uint32_t n = 0; n < sent->sectors; n++) {
		uint64_t sector = sent->sector + n;

		block_guest_read(&walk->guest, slot, n * SECTOR, data, SECTOR);
		PROPERTY(walk->unknown[sector] || !memcmp(data, walk->model + sector * SECTOR, SECTOR),
			 "sector %" PRIu64 " reads as something else than was written", sector);
	}
}

static void expect_id(const struct walk *walk, uint32_t slot)
{
	char id[VIRTIO_BLK_ID_BYTES + 1] = "";

	block_guest_read(&walk->guest, slot, 0, id, VIRTIO_BLK_ID_BYTES);
	PROPERTY(!strcmp(id, walk->guest.serial), "the serial number is %s", id);
}

/* Whether the device may tell of an error of its own flush by this. */
static bool may_tell(const struct walk *walk, const struct sent *sent)
{
	return walk->untold &&
	       (sent->type == VIRTIO_BLK_T_FLUSH || (is_change(sent) && !has(walk, VIRTIO_BLK_F_FLUSH)));
}

static void look_honest(struct walk *walk, uint32_t slot)
{
	const struct sent *sent = &walk->sent[slot];
	uint8_t status, expected = sent->status;
	bool tells = may_tell(walk, sent), failed;

	block_guest_read(&walk->guest, slot, room_for(sent) - 1, &status, 1);
	failed = (sent->fails || tells) && expected == VIRTIO_BLK_S_OK && status == VIRTIO_BLK_S_IOERR &&
		 sent->type != VIRTIO_BLK_T_GET_ID;
	if (failed && tells && !sent->fails)
		walk->untold--;
	PROPERTY(failed || status == expected, "a request of type %" PRIu32 " has status %u, not %u", sent->type,
		 status, expected);
	PROPERTY(walk->guest.slot[slot].written == (status ? room_for(sent) == 1 : room_for(sent)),
		 "%" PRIu32 " bytes are said to be written", walk->guest.slot[slot].written);
	if (is_change(sent) && expected == VIRTIO_BLK_S_OK)
		model_change(walk, sent, status);
	else if (sent->type == VIRTIO_BLK_T_IN && status == VIRTIO_BLK_S_OK)
		expect_read(walk, slot);
	else if (sent->type == VIRTIO_BLK_T_GET_ID)
		expect_id(walk, slot);
}

static void look(struct walk *walk, int slot)
{
	if (!walk->hostile)
		look_honest(walk, (uint32_t)slot);
}

static void collect(struct walk *walk)
{
	for (int slot; (slot = block_guest_collect(&walk->guest)) >= 0;)
		look(walk, slot);
}

static uint32_t under_way(const struct walk *walk)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
		count += walk->guest.slot[n].busy;
	return count;
}

static void audit(struct walk *walk)
{
	const char *wrong = block_guest_audit(&walk->guest);

	PROPERTY(!wrong, "%s", wrong);
}

/* ---- What happens to it ---- */

/* What was under way is dropped. It may have been done, or not, but it touches memory no more. */
static void reset(struct walk *walk)
{
	collect(walk);
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
		if (walk->guest.slot[n].busy && !walk->hostile && is_change(&walk->sent[n]) &&
		    walk->sent[n].status == VIRTIO_BLK_S_OK)
			model_change(walk, &walk->sent[n], VIRTIO_BLK_S_IOERR);
	virtio_driver_write(device_of(walk), 0x070, 0);
	audit(walk);
	begin(walk);
	walk->resets++;
}

/* Only a change wakes the device, which could hide that it sleeps. */
static void set_away(struct walk *walk, bool away)
{
	if (walk->away != away)
		fake_disk_set_away(&walk->disk, away);
	walk->away = away;
}

/* On another host, or on the same one after a failed migration. */
static void move(struct walk *walk)
{
	struct device *device = device_of(walk);
	struct buffer state = { 0 };
	struct cursor cursor;
	struct error error;
	int result;

	device->ops->quiesce(device);
	if (!walk->away && !walk->errors && !walk->disk.disk.readonly)
		PROPERTY(!memcmp(walk->disk.medium, walk->disk.content, SIZE), "the medium has all of it");
	walk->untold += walk->errors;
	result = block_settled(&walk->guest.block, &error);
	PROPERTY(!result || walk->away || walk->untold, "%s", error.text);
	if (!result && chance(walk, 2)) {
		lock_take(&device->lock);
		device->ops->save(device, &state);
		lock_drop(&device->lock);
		block_guest_detach(&walk->guest);
		if (chance(walk, 2))
			set_away(walk, false);
		block_guest_attach(&walk->guest);
		cursor = cursor_make(state.data, state.size);
		lock_take(&device->lock);
		result = device->ops->load(device, &cursor, 1);
		lock_drop(&device->lock);
		PROPERTY(!result && cursor_finish(&cursor), "a saved state is loaded");
		buffer_free(&state);
		collect(walk);
		walk->untold = 0;
	}
	device->ops->start(device);
	walk->moves++;
}

static void change_disk(struct walk *walk)
{
	switch (between(walk, 0, 3)) {
	case 0:
		set_away(walk, true);
		break;
	case 1:
		walk->errors = chance(walk, 2);
		fake_disk_set_errors(&walk->disk, walk->errors ? 3 : 0, EIO);
		for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
			walk->sent[n].fails |= walk->errors;
		break;
	case 2:
		fake_disk_set_late(&walk->disk, (uint32_t)between(walk, 0, 20));
		break;
	default:
		set_away(walk, false);
	}
}

/* While other requests come and go. */
static void flush_ahead(struct walk *walk)
{
	if (walk->away)
		return;
	walk->untold += walk->errors;
	block_flush_ahead(&walk->guest.block);
	while (!block_has_flushed_ahead(&walk->guest.block))
		send_some(walk);
}

static bool is_broken(struct walk *walk)
{
	return virtio_driver_read(device_of(walk), 0x070) & 0x40;
}

/* A status of all requests, without errors of the disk from now on; a device that needs a reset gets one. */
static void finish(struct walk *walk)
{
	set_away(walk, false);
	fake_disk_set_errors(&walk->disk, 0, 0);
	walk->errors = false;
	block_guest_kick(&walk->guest);
	while (under_way(walk) && !is_broken(walk)) {
		int slot = block_guest_wait_ms(&walk->guest, BROKEN_MS);

		if (slot >= 0)
			look(walk, slot);
	}
	PROPERTY(walk->hostile || !is_broken(walk), "the device fails for a driver that keeps the rules");
	if (is_broken(walk))
		reset(walk);
	PROPERTY(block_guest_collect(&walk->guest) < 0, "a request comes back twice");
	audit(walk);
}

static void expect_content(const struct walk *walk, const uint8_t *content, const char *what)
{
	for (uint32_t n = 0; n < SECTORS && !walk->hostile; n++)
		PROPERTY(walk->unknown[n] ||
				 !memcmp(content + (size_t)n * SECTOR, walk->model + (size_t)n * SECTOR, SECTOR),
			 "sector %" PRIu32 " of the %s is not what was written", n, what);
}

/* With nothing under way: the disk has what it should, and after a flush, or without the need of one, its medium. */
static void check_content(struct walk *walk)
{
	const struct virtio_blk_outhdr header = { .type = htole32(VIRTIO_BLK_T_FLUSH) };

	finish(walk);
	expect_content(walk, walk->disk.content, "disk");
	if (has(walk, VIRTIO_BLK_F_FLUSH)) {
		walk->sent[0] = (struct sent){ .type = VIRTIO_BLK_T_FLUSH };
		PROPERTY(block_guest_send(&walk->guest, 0, &header, sizeof(header), 1, NULL), "there is room");
		finish(walk);
	}
	if (!walk->disk.disk.readonly)
		expect_content(walk, walk->disk.medium, "medium");
}

static void step(struct walk *walk)
{
	uint64_t what = between(walk, 0, 99);

	if (what < 60)
		send_some(walk);
	else if (what < 80)
		collect(walk);
	else if (what < 86)
		change_disk(walk);
	else if (what < 88)
		flush_ahead(walk);
	else if (what < 94)
		move(walk);
	else if (what < 96)
		reset(walk);
	else
		check_content(walk);
}

/* ---- A guest ---- */

static void choose(struct walk *walk)
{
	uint64_t offered, kept = random_next(&walk->random);

	walk->hostile = chance(walk, 3);
	walk->disk.disk.readonly = chance(walk, 8);
	fake_disk_set_late(&walk->disk, (uint32_t)between(walk, 0, 20));
	for (uint32_t n = 0; n < SIZE; n++)
		walk->disk.content[n] = walk->model[n] = (uint8_t)random_next(&walk->random);
	memcpy(walk->disk.medium, walk->model, SIZE);
	block_guest_init(&walk->guest, &walk->disk, "seaclock-0123456789a");
	offered = virtio_driver_offered(device_of(walk));
	walk->features = (offered & kept) | VERSION_1 | INDIRECT | (offered & 1u << VIRTIO_BLK_F_RO);
}

static void guest_live(struct walk *walk)
{
	uint64_t steps = between(walk, 0, STEPS);

	choose(walk);
	device_of(walk)->ops->start(device_of(walk));
	begin(walk);
	audit(walk);
	for (uint64_t n = 0; n < steps; n++)
		step(walk);
	check_content(walk);
	block_guest_destroy(&walk->guest);
}

int main(void)
{
	static struct walk walk;
	struct random random = random_start();
	uint32_t moves = 0, resets = 0, requests = 0;

	alarm(LIMIT_S);
	fake_reset();
	for (uint32_t n = 0; n < GUESTS; n++) {
		uint64_t seed = random_next(&random);

		walk = (struct walk){ .random = { seed } };
		fake_disk_init(&walk.disk, SIZE, SIZE, (struct random){ seed });
		guest_live(&walk);
		fake_disk_destroy(&walk.disk);
		moves += walk.moves;
		resets += walk.resets;
		requests += walk.requests;
	}
	printf("%u guests, %" PRIu32 " requests, %" PRIu32 " moves, %" PRIu32 " resets\n", GUESTS, requests, moves,
	       resets);
	return 0;
}
