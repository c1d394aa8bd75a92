/* SPDX-License-Identifier: BSD-2-Clause */
/* vhost-net: see the header. */
#include "dev/net/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/vhost-net"

/* What a driver may have agreed on that concerns rings; the rest is the tap's. */
#define RING_FEATURES                                                                                                  \
	(1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1 |          \
	 1ull << VIRTIO_NET_F_MRG_RXBUF)
#define LOG_ALL (1ull << VHOST_F_LOG_ALL)

_Static_assert(VHOST_PAGE_SIZE == MEMORY_PAGE_SIZE, "a bit of the log is a page of the record");

static int vhost_order(struct vhost *vhost, unsigned long request, void *argument)
{
	return ioctl(vhost->fd, request, argument) < 0 ? -errno : 0;
}

/* ---- Opening ---- */

int vhost_own(struct vhost *vhost)
{
	const uint64_t needed = RING_FEATURES | LOG_ALL;
	uint64_t features = 0;
	int result = vhost->order(vhost, VHOST_GET_FEATURES, &features);

	if (!result && needed & ~features)
		result = -EOPNOTSUPP;
	return result ? result : vhost->order(vhost, VHOST_SET_OWNER, NULL);
}

int vhost_open(struct vhost **vhost)
{
	int result;

	*vhost = malloc(sizeof(**vhost));
	if (!*vhost)
		return -ENOMEM;
	**vhost = (struct vhost){ .order = vhost_order, .fd = open(DEVICE, O_RDWR | O_CLOEXEC) };
	result = (*vhost)->fd < 0 ? -errno : vhost_own(*vhost);
	if (result) {
		vhost_close(*vhost);
		*vhost = NULL;
	}
	return result;
}

void vhost_close(struct vhost *vhost)
{
	if (vhost->fd >= 0)
		close(vhost->fd);
	free(vhost);
}

/* ---- Where memory is ---- */

static const struct memory_region *vhost_ram(const struct vhost *vhost)
{
	return &vhost->service.memory->region[0];
}

/* A part of a ring in this process; 0 if not all of it is in RAM. */
static uint64_t ram_address(const struct vhost *vhost, uint64_t gpa, uint64_t size)
{
	const struct memory_region *ram = vhost_ram(vhost);
	void *place = gpa >= ram->gpa ? memory_span(vhost->service.memory, gpa, size) : NULL;

	return place && gpa - ram->gpa < ram->size ? (uintptr_t)place : 0;
}

static int vhost_set_memory(struct vhost *vhost)
{
	const struct memory_region *ram = vhost_ram(vhost);
	_Alignas(struct vhost_memory) uint8_t place[sizeof(struct vhost_memory) + sizeof(struct vhost_memory_region)];
	struct vhost_memory *table = (void *)place;

	*table = (struct vhost_memory){ .nregions = 1 };
	table->regions[0] = (struct vhost_memory_region){ .guest_phys_addr = ram->gpa,
							  .memory_size = ram->size,
							  .userspace_addr = (uintptr_t)ram->host };
	return vhost->order(vhost, VHOST_SET_MEM_TABLE, table);
}

/* The log begins with the page at address 0, the record with the first page of RAM. The bits between them are nobody's,
 * for what is not in RAM the kernel does not reach. */
static int vhost_place_log(struct vhost *vhost)
{
	uint64_t base = (uintptr_t)vhost->service.memory->dirty - vhost_ram(vhost)->gpa / MEMORY_PAGE_SIZE / 8;

	return vhost->order(vhost, VHOST_SET_LOG_BASE, &base);
}

static int vhost_set_features(struct vhost *vhost)
{
	uint64_t features = (vhost->service.features & RING_FEATURES) | (vhost->service.logs ? LOG_ALL : 0);

	return vhost->order(vhost, VHOST_SET_FEATURES, &features);
}

/* ---- Rings ---- */

static int ring_place(struct vhost *vhost, uint32_t n)
{
	const struct vhost_ring *ring = &vhost->service.ring[n];
	struct vhost_vring_addr address = {
		.index = n,
		.flags = vhost->service.logs ? 1u << VHOST_VRING_F_LOG : 0,
		.desc_user_addr = ram_address(vhost, ring->descriptors, 16u * ring->size),
		.avail_user_addr = ram_address(vhost, ring->driver, 6u + 2u * ring->size),
		.used_user_addr = ram_address(vhost, ring->device, 6u + 8u * ring->size),
		.log_guest_addr = ring->device,
	};

	if (!address.desc_user_addr || !address.avail_user_addr || !address.used_user_addr)
		return -EFAULT;
	return vhost->order(vhost, VHOST_SET_VRING_ADDR, &address);
}

static int ring_set_file(struct vhost *vhost, uint32_t n, unsigned long request, int fd)
{
	struct vhost_vring_file file = { .index = n, .fd = fd };

	return vhost->order(vhost, request, &file);
}

static int ring_set_number(struct vhost *vhost, uint32_t n, unsigned long request, uint16_t number)
{
	struct vhost_vring_state state = { .index = n, .num = number };

	return vhost->order(vhost, request, &state);
}

static int ring_prepare(struct vhost *vhost, uint32_t n)
{
	const struct vhost_ring *ring = &vhost->service.ring[n];
	int result = ring_set_number(vhost, n, VHOST_SET_VRING_NUM, ring->size);

	if (!result)
		result = ring_set_number(vhost, n, VHOST_SET_VRING_BASE, ring->next);
	if (!result)
		result = ring_place(vhost, n);
	if (!result)
		result = ring_set_file(vhost, n, VHOST_SET_VRING_CALL, vhost->service.call);
	if (!result)
		result = ring_set_file(vhost, n, VHOST_SET_VRING_ERR, vhost->service.broken);
	return result ? result : ring_set_file(vhost, n, VHOST_SET_VRING_KICK, ring->kick);
}

/* Once the kernel lets go of the tap it has given back all that it had taken. */
static int ring_end(struct vhost *vhost, uint32_t n)
{
	struct vhost_vring_state state = { .index = n };
	int result = ring_set_file(vhost, n, VHOST_NET_SET_BACKEND, -1);

	if (!result)
		result = vhost->order(vhost, VHOST_GET_VRING_BASE, &state);
	if (!result)
		vhost->service.ring[n].next = (uint16_t)state.num;
	return result;
}

/* ---- Serving ---- */

static int vhost_prepare(struct vhost *vhost)
{
	int result = vhost_set_memory(vhost);

	if (!result)
		result = vhost_place_log(vhost);
	if (!result)
		result = vhost_set_features(vhost);
	for (uint32_t n = 0; n < VHOST_RINGS && !result; n++)
		result = ring_prepare(vhost, n);
	return result;
}

int vhost_begin(struct vhost *vhost)
{
	int result = vhost_prepare(vhost);

	if (result)
		return result;
	for (uint32_t n = 0; n < VHOST_RINGS && !result; n++)
		result = ring_set_file(vhost, n, VHOST_NET_SET_BACKEND, vhost->service.tap);
	if (result) {
		vhost_end(vhost);
		return result;
	}
	/* What was there before it came nobody tells of again. */
	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		eventfd_write(vhost->service.ring[n].kick, 1);
	return 0;
}

int vhost_end(struct vhost *vhost)
{
	int result = 0;

	for (uint32_t n = 0; n < VHOST_RINGS; n++) {
		int failed = ring_end(vhost, n);

		result = result ? result : failed;
	}
	return result;
}

int vhost_set_log(struct vhost *vhost, bool logs)
{
	int result;

	vhost->service.logs = logs;
	result = vhost_set_features(vhost);
	for (uint32_t n = 0; n < VHOST_RINGS && !result; n++)
		result = ring_place(vhost, n);
	return result;
}
