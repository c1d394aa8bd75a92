/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with one network device: see the header. */
#include "net_driver.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define GAP_MAX 7u
#define PIECES_MAX 7u

_Static_assert(NET_SLOT_BYTES + PIECES_MAX * GAP_MAX <= NET_SLOT_SIZE, "a slot has room for the gaps");
_Static_assert(RING_ALL_BYTES(RING_SIZE_MAX) <= NET_RING_SPACING, "a ring has its place");
_Static_assert(NET_SLOTS_GPA + 2 * NET_SLOTS * NET_SLOT_SIZE <= LAYOUT_RAM_BASE + NET_MEMORY, "memory has room");

/* ---- The machine ---- */

static void set_line(void *context, uint32_t intid, bool level)
{
	struct net_guest *guest = context;

	(void)intid;
	pthread_mutex_lock(&guest->mutex);
	guest->level = level;
	if (level)
		pthread_cond_signal(&guest->risen);
	pthread_mutex_unlock(&guest->mutex);
}

static int set_call(void *context, uint32_t intid, int event, bool on)
{
	struct net_guest *guest = context;

	(void)intid;
	pthread_mutex_lock(&guest->mutex);
	assert(guest->call == (on ? -1 : event));
	guest->call = on ? event : -1;
	pthread_mutex_unlock(&guest->mutex);
	return 0;
}

void net_guest_attach(struct net_guest *guest)
{
	static const uint8_t mac[] = { 2, 1, 2, 3, 4, 5 };
	const struct device_line line = { .set = set_line, .set_call = set_call, .context = guest };
	const struct net_options options = {
		.uplink = guest->uplink,
		.mac = mac,
		.mtu = guest->mtu,
		.memory = &guest->memory,
		.machine = "m",
		.line = &line,
	};
	struct device *device = &guest->net.virtio.device;
	struct error error;
	int result = net_create(&guest->net, &options, &error);

	assert(!result);
	lock_take(&device->lock);
	device->ops->reset(device);
	lock_drop(&device->lock);
}

void net_guest_detach(struct net_guest *guest)
{
	struct device *device = &guest->net.virtio.device;

	device->ops->quiesce(device);
	device->ops->destroy(device);
}

void net_guest_init(struct net_guest *guest, struct fake_uplink *fake)
{
	struct error error;
	int result;

	*guest = (struct net_guest){ .uplink = &fake->uplink, .fake = fake, .mtu = fake->uplink.mtu, .call = -1 };
	result = memory_create(&guest->memory, NET_MEMORY, &error);
	assert(!result);
	guest->image = calloc(1, NET_MEMORY);
	guest->allowed = calloc(1, NET_MEMORY);
	assert(guest->image && guest->allowed);
	pthread_mutex_init(&guest->mutex, NULL);
	pthread_cond_init(&guest->risen, NULL);
	net_guest_attach(guest);
}

void net_guest_destroy(struct net_guest *guest)
{
	net_guest_detach(guest);
	pthread_cond_destroy(&guest->risen);
	pthread_mutex_destroy(&guest->mutex);
	free(guest->allowed);
	free(guest->image);
	memory_destroy(&guest->memory);
}

bool net_guest_begin(struct net_guest *guest, uint64_t features, uint16_t ring_size)
{
	struct device *device = &guest->net.virtio.device;
	bool ready = virtio_driver_begin(device, features);

	for (uint32_t n = 0; n < NET_QUEUES && ready; n++) {
		virtio_ring_init(&guest->ring[n], &guest->memory, NET_RING_GPA + n * NET_RING_SPACING, ring_size);
		guest->ring[n].event_index = features & 1ull << 29;
		ready = virtio_driver_set_queue(device, n, &guest->ring[n]);
	}
	for (uint32_t n = 0; n < NET_SLOTS; n++)
		guest->slot[0][n].busy = guest->slot[1][n].busy = false;
	return ready && virtio_driver_go(device);
}

/* The thread looks at its queues, and goes to sleep. */
static void turn(struct net_guest *guest)
{
	struct lock *lock = &guest->net.virtio.device.lock;
	bool pending = true;

	lock_take(lock);
	guest->net.begins = true;
	lock_drop(lock);
	while (pending) {
		eventfd_write(guest->net.wake, 1);
		sched_yield();
		lock_take(lock);
		pending = guest->net.begins;
		lock_drop(lock);
	}
}

/* A turn for the chains, one for what they take to the uplink, one for what that has, and one for what comes of it. */
void net_guest_settle(struct net_guest *guest)
{
	for (int n = 0; n < 4; n++)
		turn(guest);
}

/* ---- Sending ---- */

static uint8_t *place_of(const struct net_guest *guest, uint64_t gpa, uint32_t size)
{
	uint8_t *place = memory_span(&guest->memory, gpa, size);

	assert(place);
	return place;
}

static void put(struct net_guest *guest, uint64_t gpa, const void *data, uint32_t size)
{
	memcpy(place_of(guest, gpa, size), data, size);
	memcpy(guest->image + (gpa - LAYOUT_RAM_BASE), data, size);
}

/* Cuts so many bytes from gpa on into buffers: how many. */
static uint32_t cut(struct ring_buffer *piece, uint64_t gpa, uint32_t size, bool writable, struct random *cuts)
{
	uint32_t pieces = 0;

	while (size) {
		uint32_t part = cuts && pieces < PIECES_MAX - 1 ? (uint32_t)random_between(cuts, 1, size) : size;

		piece[pieces++] = (struct ring_buffer){ gpa, part, writable };
		gpa += part + (cuts ? random_between(cuts, 0, GAP_MAX) : 0);
		size -= part;
	}
	return pieces;
}

static bool slot_add(struct net_guest *guest, uint32_t queue, const uint8_t *bytes, uint32_t size, struct random *cuts)
{
	uint32_t n = 0;
	struct net_slot *slot;
	int head;

	assert(size && size <= NET_SLOT_BYTES);
	while (n < NET_SLOTS && guest->slot[queue][n].busy)
		n++;
	if (n == NET_SLOTS)
		return false;
	slot = &guest->slot[queue][n];
	slot->pieces =
		cut(slot->piece, NET_SLOTS_GPA + (queue * NET_SLOTS + n) * (uint64_t)NET_SLOT_SIZE, size, !bytes, cuts);
	for (uint32_t i = 0; i < slot->pieces; i++) {
		if (bytes)
			put(guest, slot->piece[i].gpa, bytes, slot->piece[i].size);
		else
			memset(guest->allowed + (slot->piece[i].gpa - LAYOUT_RAM_BASE), 1, slot->piece[i].size);
		bytes += bytes ? slot->piece[i].size : 0;
	}
	head = virtio_ring_add(&guest->ring[queue], slot->piece, slot->pieces, cuts && random_chance(cuts, 2));
	if (head < 0)
		return false;
	slot->busy = true;
	slot->head = (uint16_t)head;
	return true;
}

bool net_guest_give_room(struct net_guest *guest, uint32_t size, struct random *cuts)
{
	return slot_add(guest, NET_QUEUE_RECEIVE, NULL, size, cuts);
}

bool net_guest_send(struct net_guest *guest, const void *bytes, uint32_t size, struct random *cuts)
{
	return slot_add(guest, NET_QUEUE_SEND, bytes, size, cuts);
}

void net_guest_kick(struct net_guest *guest, uint32_t queue)
{
	virtio_driver_kick(&guest->net.virtio.device, queue, &guest->ring[queue]);
}

/* ---- Coming back ---- */

int net_guest_collect(struct net_guest *guest, uint32_t queue)
{
	uint32_t written;
	uint16_t head;

	if (!virtio_ring_collect(&guest->ring[queue], &head, &written))
		return -1;
	for (uint32_t n = 0; n < NET_SLOTS; n++) {
		struct net_slot *slot = &guest->slot[queue][n];

		if (!slot->busy || slot->head != head)
			continue;
		slot->busy = false;
		slot->written = written;
		return (int)n;
	}
	return -2;
}

static struct timespec time_after(uint32_t ms)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_nsec += ms % 1000 * 1000000l;
	time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

/* With the mutex: whether the line is up. */
static bool line_is_up(struct net_guest *guest)
{
	eventfd_t ignored;

	guest->level |= guest->call >= 0 && !eventfd_read(guest->call, &ignored);
	return guest->level;
}

bool net_guest_line(struct net_guest *guest)
{
	bool level;

	pthread_mutex_lock(&guest->mutex);
	level = line_is_up(guest);
	pthread_mutex_unlock(&guest->mutex);
	return level;
}

/* With the mutex, until the line may have risen: false once the time has come. */
static bool line_wait(struct net_guest *guest, const struct timespec *limit)
{
	const struct timespec soon = time_after(1);
	bool near = guest->call >= 0 &&
		    (soon.tv_sec < limit->tv_sec || (soon.tv_sec == limit->tv_sec && soon.tv_nsec < limit->tv_nsec));

	return pthread_cond_timedwait(&guest->risen, &guest->mutex, near ? &soon : limit) != ETIMEDOUT || near;
}

bool net_guest_wait(struct net_guest *guest, uint32_t ms)
{
	const struct timespec limit = time_after(ms);
	bool level;

	pthread_mutex_lock(&guest->mutex);
	while (!line_is_up(guest) && line_wait(guest, &limit))
		;
	level = guest->level;
	pthread_mutex_unlock(&guest->mutex);
	if (level)
		virtio_driver_take_interrupt(&guest->net.virtio.device);
	return level;
}

/* The bytes that the device says are written: how many; 0 if they are more than there is room for. */
static uint32_t slot_read(const struct net_guest *guest, const struct net_slot *slot, uint8_t *bytes, uint32_t room)
{
	uint32_t left = slot->written;

	if (left > room)
		return 0;
	for (uint32_t n = 0; n < slot->pieces && left; n++) {
		uint32_t part = slot->piece[n].size < left ? slot->piece[n].size : left;

		memcpy(bytes, place_of(guest, slot->piece[n].gpa, part), part);
		bytes += part;
		left -= part;
	}
	return left ? 0 : slot->written;
}

/* The chains of one frame come back together. */
int net_guest_receive(struct net_guest *guest, void *bytes, uint32_t room)
{
	struct virtio_net_hdr_v1 header = { .num_buffers = htole16(1) };
	uint32_t size = 0;

	for (uint32_t n = 0; n < le16toh(header.num_buffers); n++) {
		int slot = net_guest_collect(guest, NET_QUEUE_RECEIVE);
		uint32_t part;

		if (slot < 0)
			return slot == -1 && !n ? 0 : -1;
		part = slot_read(guest, &guest->slot[NET_QUEUE_RECEIVE][slot], (uint8_t *)bytes + size, room - size);
		if (!part || (!n && part < sizeof(header)))
			return -1;
		if (!n)
			memcpy(&header, bytes, sizeof(header));
		size += part;
	}
	return size ? (int)size : -1;
}

uint32_t net_guest_under_way(const struct net_guest *guest, uint32_t queue)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < NET_SLOTS; n++)
		count += guest->slot[queue][n].busy;
	return count;
}

/* The device answers before the notification has returned. */
int net_guest_command(struct net_guest *guest, uint8_t class, uint8_t command)
{
	const uint64_t gpa = LAYOUT_RAM_BASE;
	const uint8_t bytes[] = { class, command, 0x55 };
	const struct ring_buffer buffers[] = { { gpa, 1, false }, { gpa + 1, 1, false }, { gpa + 2, 1, true } };
	uint32_t written;
	uint16_t head;

	put(guest, gpa, bytes, sizeof(bytes));
	guest->allowed[2] = 1;
	if (virtio_ring_add(&guest->ring[NET_QUEUE_CONTROL], buffers, 3, false) < 0)
		return -1;
	net_guest_kick(guest, NET_QUEUE_CONTROL);
	if (!virtio_ring_collect(&guest->ring[NET_QUEUE_CONTROL], &head, &written) || written != 1)
		return -1;
	return *place_of(guest, gpa + 2, 1);
}

/* ---- What it wrote ---- */

static const char *audit_page(const struct net_guest *guest, uint64_t page, bool dirty)
{
	const uint8_t *now = guest->memory.region[0].host + page * MEMORY_PAGE_SIZE;
	uint8_t *before = guest->image + page * MEMORY_PAGE_SIZE;
	const uint8_t *allowed = guest->allowed + page * MEMORY_PAGE_SIZE;

	if (!memcmp(now, before, MEMORY_PAGE_SIZE))
		return NULL;
	if (!dirty)
		return "a page was written that was not marked";
	for (uint32_t n = 0; n < MEMORY_PAGE_SIZE; n++)
		if (now[n] != before[n] && !allowed[n])
			return "a byte was written that is no part of a writable buffer";
	memcpy(before, now, MEMORY_PAGE_SIZE);
	return NULL;
}

static void allow_again(struct net_guest *guest)
{
	memset(guest->allowed, 0, NET_MEMORY);
	for (uint32_t n = 0; n < NET_SLOTS; n++) {
		const struct net_slot *slot = &guest->slot[NET_QUEUE_RECEIVE][n];

		for (uint32_t i = 0; i < slot->pieces && slot->busy; i++)
			memset(guest->allowed + (slot->piece[i].gpa - LAYOUT_RAM_BASE), 1, slot->piece[i].size);
	}
}

const char *net_guest_audit(struct net_guest *guest)
{
	const uint64_t rings = (NET_RING_GPA - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;
	const uint64_t behind_rings = (NET_SLOTS_GPA - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;
	uint64_t dirty[NET_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };
	const char *wrong = NULL;

	memory_take_dirty(&guest->memory, dirty);
	for (uint64_t page = 0; page < NET_MEMORY / MEMORY_PAGE_SIZE && !wrong; page++)
		if (page < rings || page >= behind_rings)
			wrong = audit_page(guest, page, dirty[page / 64] >> page % 64 & 1);
	allow_again(guest);
	return wrong;
}
