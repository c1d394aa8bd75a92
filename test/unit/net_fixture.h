/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with a network device whose uplink is the test, for the tests of the device. */
#ifndef UNIT_NET_FIXTURE_H
#define UNIT_NET_FIXTURE_H

#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/net_driver.h"
#include "../wait_scale.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 60
#define LIMIT_MS 20000
/* Long enough to see that nothing comes. */
#define NOTHING_MS 20
#define VERSION_1 (1ull << 32)
#define FEATURES (VERSION_1 | 1 << VIRTIO_NET_F_MRG_RXBUF | 1 << VIRTIO_NET_F_STATUS | 1 << VIRTIO_NET_F_CTRL_VQ)
#define OFFLOADS                                                                                                       \
	(1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM | 1 << VIRTIO_NET_F_GUEST_TSO4 |                        \
	 1 << VIRTIO_NET_F_HOST_TSO4)
#define ANNOUNCE (1 << VIRTIO_NET_F_GUEST_ANNOUNCE)
#define RING 64u
#define HEADER ((uint32_t)sizeof(struct virtio_net_hdr_v1))

static struct fake_uplink fake;
static struct net_guest guest;

static inline int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	fake_uplink_init(&fake);
	fake.uplink.mtu = 1450;
	net_guest_init(&guest, &fake);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	net_guest_destroy(&guest);
	fake_uplink_destroy(&fake);
	alarm(0);
	return 0;
}

static inline struct device *device(void)
{
	return &guest.net.virtio.device;
}

static inline void start(void)
{
	device()->ops->start(device());
}

static inline void quiesce(void)
{
	device()->ops->quiesce(device());
}

/* A live device, which has read away what was there before. */
static inline void begin(uint64_t features)
{
	start();
	assert_true(net_guest_begin(&guest, features, RING));
	net_guest_settle(&guest);
}

static inline uint8_t config_u8(uint32_t offset)
{
	uint8_t value;

	lock_take(&device()->lock);
	value = (uint8_t)device()->ops->read(device(), 0x100 + offset, 1);
	lock_drop(&device()->lock);
	return value;
}

static inline void give_room(uint32_t size)
{
	assert_true(net_guest_give_room(&guest, size, NULL));
	net_guest_kick(&guest, NET_QUEUE_RECEIVE);
}

/* A frame of `size` bytes with this header. */
static inline void send_frame(const struct virtio_net_hdr_v1 *header, uint32_t size)
{
	uint8_t bytes[NET_SLOT_BYTES];

	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(bytes, header, HEADER);
	assert_true(net_guest_send(&guest, bytes, HEADER + size, NULL));
	net_guest_kick(&guest, NET_QUEUE_SEND);
}

static inline void wait_sent(void)
{
	while (net_guest_collect(&guest, NET_QUEUE_SEND) < 0)
		assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)) ||
			    net_guest_collect(&guest, NET_QUEUE_SEND) >= 0);
}

/* The next frame that the driver gets. */
static inline uint32_t receive(uint8_t *bytes, uint32_t room)
{
	int size;

	while (!(size = net_guest_receive(&guest, bytes, room)))
		net_guest_wait(&guest, 100);
	assert_true(size > 0);
	return (uint32_t)size;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
