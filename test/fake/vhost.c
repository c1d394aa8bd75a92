/* SPDX-License-Identifier: BSD-2-Clause */
/* A vhost-net whose kernel is the test: see the header. */
#include "vhost.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER sizeof(struct virtio_net_hdr_v1)
#define FRAME_MAX 70000u

enum {
	RECEIVE,
	SEND
};

/* ---- The rings ---- */

/* What was written since goes into the log, if there is one. */
static void write_log(struct fake_vhost *fake, const struct fake_vhost_ring *ring)
{
	struct memory *memory = &fake->memory;
	uint64_t first = memory->region[0].gpa / VHOST_PAGE_SIZE;

	for (uint64_t page = 0; page < memory_pages(memory); page++) {
		bool written = memory->dirty[page / 64] >> page % 64 & 1;
		uint64_t bit = first + page;

		if (written && ring->logs && fake->features & 1ull << VHOST_F_LOG_ALL)
			__atomic_fetch_or(fake->log + bit / 8, (uint8_t)(1u << bit % 8), __ATOMIC_SEQ_CST);
	}
	memset(memory->dirty, 0, memory_bitmap_words(memory) * sizeof(uint64_t));
}

/* A driver whose ring is empty is asked to tell of its next chain. */
static bool ring_take(struct fake_vhost *fake, struct fake_vhost_ring *ring)
{
	int result = ring->failed ? 0 : virtqueue_take(&ring->queue, &fake->memory, &fake->chain);

	if (!result && !ring->failed) {
		virtqueue_ask_notification(&ring->queue, &fake->memory, true);
		write_log(fake, ring);
		result = virtqueue_take(&ring->queue, &fake->memory, &fake->chain);
	}
	if (result < 0) {
		ring->failed = true;
		eventfd_write(ring->broken, 1);
	}
	return result > 0;
}

static void ring_give(struct fake_vhost *fake, struct fake_vhost_ring *ring, const struct virtqueue_used *used,
		      uint32_t count)
{
	virtqueue_give_all(&ring->queue, &fake->memory, used, count);
	write_log(fake, ring);
	__atomic_fetch_add(&fake->served, count, __ATOMIC_SEQ_CST);
	if (virtqueue_wants_interrupt(&ring->queue, &fake->memory))
		eventfd_write(ring->call, 1);
}

static bool backend_send(const struct fake_vhost *fake)
{
	const struct msghdr message = { .msg_iov = (struct iovec *)fake->chain.buffer,
					.msg_iovlen = fake->chain.readable };

	return sendmsg(fake->ring[SEND].backend, &message, MSG_NOSIGNAL) >= 0;
}

/* As the kernel does, it never gives back what a backend that has gone does not take. */
static void serve_send(struct fake_vhost *fake)
{
	struct fake_vhost_ring *ring = &fake->ring[SEND];

	while (ring_take(fake, ring)) {
		const struct virtqueue_used used = { fake->chain.head, 0 };

		if (backend_send(fake)) {
			ring_give(fake, ring, &used, 1);
		} else if (errno == EAGAIN) {
			virtqueue_put_back(&ring->queue, fake->chain.head);
			return;
		} else {
			eventfd_write(ring->broken, 1);
		}
	}
}

/* Puts a frame into as many chains as it takes; they go back together. */
static void ring_put(struct fake_vhost *fake, struct fake_vhost_ring *ring, const uint8_t *frame, uint64_t size)
{
	struct virtqueue_used used[VIRTQUEUE_SIZE_MAX];
	uint16_t *count_place = NULL;
	uint32_t count = 0;

	while (size && ring_take(fake, ring)) {
		const struct virtqueue_chain *chain = &fake->chain;
		uint64_t part = size < chain->writable_size ? size : chain->writable_size, left = part;

		if (!count)
			count_place = (uint16_t *)(void *)((uint8_t *)chain->buffer[0].iov_base + HEADER - 2);
		for (uint32_t n = 0; n < chain->writable && left; n++) {
			size_t piece = chain->buffer[n].iov_len < left ? chain->buffer[n].iov_len : (size_t)left;

			memcpy(chain->buffer[n].iov_base, frame, piece);
			frame += piece;
			left -= piece;
		}
		virtqueue_mark_written(&fake->memory, chain, part);
		used[count++] = (struct virtqueue_used){ chain->head, (uint32_t)part };
		size -= part;
	}
	assert(!size);
	*count_place = htole16((uint16_t)count);
	ring_give(fake, ring, used, count);
}

/* Tests give enough room for a frame at once. */
static void serve_receive(struct fake_vhost *fake)
{
	struct fake_vhost_ring *ring = &fake->ring[RECEIVE];
	static uint8_t frame[FRAME_MAX];

	while (ring_take(fake, ring)) {
		ssize_t got;

		virtqueue_put_back(&ring->queue, fake->chain.head);
		got = read(ring->backend, frame, sizeof(frame));
		if (got <= 0)
			return;
		ring_put(fake, ring, frame, (uint64_t)got);
	}
}

static void *vhost_thread(void *context)
{
	struct fake_vhost *fake = context;
	struct epoll_event event;
	bool ends = false;

	while (!ends) {
		if (epoll_wait(fake->events, &event, 1, -1) <= 0)
			continue;
		pthread_mutex_lock(&fake->mutex);
		if (fake->ring[RECEIVE].backend >= 0)
			serve_receive(fake);
		if (fake->ring[SEND].backend >= 0)
			serve_send(fake);
		ends = event.data.fd == fake->end;
		pthread_mutex_unlock(&fake->mutex);
	}
	return NULL;
}

/* News of a descriptor, once each. */
static void watch(struct fake_vhost *fake, int fd, bool on)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data = { .fd = fd } };

	epoll_ctl(fake->events, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &event);
}

/* ---- Orders ---- */

static int set_memory(struct fake_vhost *fake, const struct vhost_memory *table)
{
	const struct vhost_memory_region *region = table->regions;

	if (table->nregions != 1)
		return -E2BIG;
	free(fake->memory.dirty);
	fake->memory = (struct memory){
		.region = { { .gpa = region->guest_phys_addr,
			      .size = region->memory_size,
			      .host = (uint8_t *)(uintptr_t)region->userspace_addr } },
		.regions = 1,
		.pagemap = -1,
	};
	fake->memory.dirty = calloc(memory_bitmap_words(&fake->memory), sizeof(uint64_t));
	return fake->memory.dirty ? 0 : -ENOMEM;
}

static uint64_t gpa_of(const struct fake_vhost *fake, uint64_t address)
{
	return address - (uintptr_t)fake->memory.region[0].host + fake->memory.region[0].gpa;
}

static int set_address(struct fake_vhost *fake, const struct vhost_vring_addr *address)
{
	struct fake_vhost_ring *ring = &fake->ring[address->index];
	struct virtqueue queue = ring->queue;

	queue.descriptors = gpa_of(fake, address->desc_user_addr);
	queue.driver = gpa_of(fake, address->avail_user_addr);
	queue.device = gpa_of(fake, address->used_user_addr);
	if (virtqueue_start(&queue, &fake->memory) || address->log_guest_addr != queue.device)
		return -EINVAL;
	ring->queue = queue;
	ring->logs = address->flags & 1u << VHOST_VRING_F_LOG;
	return 0;
}

/* The kernel goes on where the used ring stands, and says only where the next chain is. */
static int set_backend(struct fake_vhost *fake, uint32_t n, int fd)
{
	struct fake_vhost_ring *ring = &fake->ring[n];
	struct virtqueue *queue = &ring->queue;

	if (fd >= 0 && (!queue->ready || ring->kick < 0 || ring->call < 0 || ring->broken < 0))
		return -EFAULT;
	if (ring->backend >= 0) {
		watch(fake, ring->kick, false);
		if (n == RECEIVE)
			watch(fake, ring->backend, false);
	}
	ring->backend = fd;
	ring->failed = false;
	if (fd < 0)
		return 0;
	queue->event_index = fake->features & 1ull << VIRTIO_RING_F_EVENT_IDX;
	queue->indirect = fake->features & 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	queue->next_used = queue->signalled = queue->next_available;
	watch(fake, ring->kick, true);
	if (n == RECEIVE)
		watch(fake, fd, true);
	return 0;
}

static int set_number(struct fake_vhost_ring *ring, unsigned long request, const struct vhost_vring_state *state)
{
	if (ring->backend >= 0)
		return -EBUSY;
	if (request == VHOST_SET_VRING_NUM)
		ring->queue = (struct virtqueue){ .size = (uint16_t)state->num };
	else
		ring->queue.next_available = ring->queue.next_used = (uint16_t)state->num;
	return 0;
}

static int set_features(struct fake_vhost *fake, uint64_t features)
{
	if (features & ~fake->offers)
		return -EOPNOTSUPP;
	fake->features = features;
	return 0;
}

/* Those that are about one ring begin with its number. */
static int order_ring(struct fake_vhost *fake, unsigned long request, void *argument)
{
	const struct vhost_vring_file *file = argument;
	struct vhost_vring_state *state = argument;
	struct fake_vhost_ring *ring = &fake->ring[state->index];

	if (state->index >= VHOST_RINGS)
		return -ENOBUFS;
	switch (request) {
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
		return set_number(ring, request, state);
	case VHOST_GET_VRING_BASE:
		state->num = ring->queue.next_available;
		return 0;
	case VHOST_SET_VRING_ADDR:
		return set_address(fake, argument);
	case VHOST_SET_VRING_KICK:
		ring->kick = file->fd;
		return 0;
	case VHOST_SET_VRING_CALL:
		ring->call = file->fd;
		return 0;
	case VHOST_SET_VRING_ERR:
		ring->broken = file->fd;
		return 0;
	case VHOST_NET_SET_BACKEND:
		return set_backend(fake, file->index, file->fd);
	default:
		return -ENOTTY;
	}
}

static int order_locked(struct fake_vhost *fake, unsigned long request, void *argument)
{
	if (request == fake->fails) {
		fake->fails = 0;
		return -EIO;
	}
	if (!fake->owned && request != VHOST_SET_OWNER && request != VHOST_GET_FEATURES)
		return -EPERM;
	switch (request) {
	case VHOST_GET_FEATURES:
		*(uint64_t *)argument = fake->offers;
		return 0;
	case VHOST_SET_OWNER:
		fake->owned = true;
		return 0;
	case VHOST_SET_FEATURES:
		return set_features(fake, *(const uint64_t *)argument);
	case VHOST_SET_MEM_TABLE:
		return set_memory(fake, argument);
	case VHOST_SET_LOG_BASE:
		fake->log = (uint8_t *)(uintptr_t) * (const uint64_t *)argument;
		return 0;
	default:
		return order_ring(fake, request, argument);
	}
}

static int vhost_order(struct vhost *vhost, unsigned long request, void *argument)
{
	struct fake_vhost *fake = (struct fake_vhost *)vhost;
	int result;

	pthread_mutex_lock(&fake->mutex);
	result = order_locked(fake, request, argument);
	pthread_mutex_unlock(&fake->mutex);
	return result;
}

/* ---- The test's ---- */

void fake_vhost_init(struct fake_vhost *fake)
{
	int result;

	*fake = (struct fake_vhost){
		.vhost = { .order = vhost_order, .fd = -1 },
		.offers = 1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX |
			  1ull << VHOST_F_LOG_ALL | 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_NET_F_MRG_RXBUF,
		.events = epoll_create1(EPOLL_CLOEXEC),
		.end = eventfd(0, EFD_CLOEXEC),
	};
	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		fake->ring[n] = (struct fake_vhost_ring){ .kick = -1, .call = -1, .broken = -1, .backend = -1 };
	pthread_mutex_init(&fake->mutex, NULL);
	watch(fake, fake->end, true);
	result = pthread_create(&fake->thread, NULL, vhost_thread, fake);
	assert(!result);
}

void fake_vhost_destroy(struct fake_vhost *fake)
{
	eventfd_write(fake->end, 1);
	pthread_join(fake->thread, NULL);
	pthread_mutex_destroy(&fake->mutex);
	free(fake->memory.dirty);
	close(fake->events);
	close(fake->end);
}

void fake_vhost_fail(struct fake_vhost *fake, unsigned long request)
{
	pthread_mutex_lock(&fake->mutex);
	fake->fails = request;
	pthread_mutex_unlock(&fake->mutex);
}

bool fake_vhost_serves(struct fake_vhost *fake)
{
	bool serves;

	pthread_mutex_lock(&fake->mutex);
	serves = fake->ring[RECEIVE].backend >= 0 && fake->ring[SEND].backend >= 0;
	pthread_mutex_unlock(&fake->mutex);
	return serves;
}

uint32_t fake_vhost_served(struct fake_vhost *fake)
{
	return __atomic_load_n(&fake->served, __ATOMIC_SEQ_CST);
}
