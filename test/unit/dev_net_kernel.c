/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device whose queues a vhost-net serves: when it does, what it marks, and how the queues come back. */
#include "net_fixture.h"
#include "../fake/vhost.h"

#include "base/buffer.h"

#include <errno.h>
#include <linux/vhost.h>
#include <sched.h>
#include <sys/socket.h>

#define INTERRUPT_STATUS 0x060u
#define INTERRUPT_ACK 0x064u
#define STATUS 0x070u
#define NEEDS_RESET 0x40u
#define QUEUE_SELECT 0x030u
#define QUEUE_READY 0x044u
#define USED 1u
#define EVENT_INDEX (1u << 29)

static const struct virtio_net_hdr_v1 plain;
static struct fake_vhost vhost;

static int set_up_kernel(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	fake_uplink_init(&fake);
	fake_vhost_init(&vhost);
	assert_int_equal(vhost_own(&vhost.vhost), 0);
	fake.uplink.mtu = 1450;
	fake.uplink.vhost = &vhost.vhost;
	net_guest_init(&guest, &fake);
	return 0;
}

static int tear_down_kernel(void **state)
{
	tear_down(state);
	fake_vhost_destroy(&vhost);
	return 0;
}

static void await_serving(bool serving)
{
	const int limit = wait_scaled(LIMIT_MS);

	for (int ms = 0; fake_vhost_serves(&vhost) != serving; ms++) {
		assert_true(ms < limit);
		usleep(1000);
	}
}

static void begin_served(uint64_t features)
{
	begin(features);
	await_serving(true);
}

static void put(uint32_t size, uint8_t byte)
{
	uint8_t data[2000];

	memset(data, byte, size);
	assert_true(fake_uplink_put(&fake, &plain, data, size));
}

static void expect_frame(uint32_t size, uint8_t byte)
{
	uint8_t frame[4000];

	assert_int_equal(receive(frame, sizeof(frame)), HEADER + size);
	assert_int_equal(frame[HEADER], byte);
	assert_int_equal(frame[HEADER + size - 1], byte);
}

static void expect_sent(uint32_t size)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[4000];

	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), size);
}

/* A frame each way. */
static void exchange(uint8_t byte)
{
	for (uint32_t n = 0; n < 2; n++)
		virtio_ring_ask(&guest.ring[n], true);
	give_room(1000);
	put(60, byte);
	expect_frame(60, byte);
	send_frame(&plain, 100);
	expect_sent(100);
	wait_sent();
}

static void save(struct buffer *state)
{
	lock_take(&device()->lock);
	device()->ops->save(device(), state);
	lock_drop(&device()->lock);
}

/* To another host, which has a vhost-net or has none. */
static void move(bool has_vhost)
{
	struct buffer state = { 0 };
	struct cursor cursor;

	quiesce();
	assert_false(fake_vhost_serves(&vhost));
	save(&state);
	net_guest_detach(&guest);
	fake.uplink.vhost = has_vhost ? &vhost.vhost : NULL;
	net_guest_attach(&guest);
	cursor = cursor_make(state.data, state.size);
	lock_take(&device()->lock);
	assert_int_equal(device()->ops->load(device(), &cursor, 1), 0);
	lock_drop(&device()->lock);
	buffer_free(&state);
}

static void test_serves(void **state)
{
	(void)state;
	begin_served(FEATURES | OFFLOADS | EVENT_INDEX);
	assert_int_equal(fake.negotiated, OFFLOADS);
	for (uint8_t n = 1; n < 200; n++)
		exchange(n);
	assert_true(fake_vhost_served(&vhost) >= 2 * 199);
}

/* A frame that takes several chains. */
static void test_merges(void **state)
{
	(void)state;
	begin_served(FEATURES);
	for (uint32_t n = 0; n < 4; n++)
		give_room(600);
	put(1400, 7);
	expect_frame(1400, 7);
	assert_int_equal(net_guest_under_way(&guest, NET_QUEUE_RECEIVE), 1);
}

/* What the guest had for the device before the kernel came nobody tells of again. */
static void test_what_was_there(void **state)
{
	(void)state;
	begin_served(FEATURES);
	quiesce();
	for (uint8_t n = 1; n < 4; n++) {
		uint8_t bytes[100] = { 0 };

		put(60, n);
		assert_true(net_guest_give_room(&guest, 1000, NULL));
		assert_true(net_guest_send(&guest, bytes, HEADER + 60 + n, NULL));
	}
	start();
	await_serving(true);
	for (uint8_t n = 1; n < 4; n++) {
		expect_frame(60, n);
		expect_sent(60u + n);
	}
}

/* The kernel's interrupts say that there may be used buffers; the configuration's are as ever. */
static void test_interrupts(void **state)
{
	(void)state;
	begin_served(FEATURES);
	assert_int_equal(virtio_driver_read(device(), INTERRUPT_STATUS), USED);
	exchange(1);
	lock_take(&device()->lock);
	virtio_config_changed(&guest.net.virtio);
	lock_drop(&device()->lock);
	assert_true(net_guest_line(&guest));
	assert_int_equal(virtio_driver_read(device(), INTERRUPT_STATUS), 3);
	/* An answer to one of them leaves the line to the other. */
	virtio_driver_write(device(), INTERRUPT_ACK, USED);
	assert_true(net_guest_line(&guest));
	virtio_driver_write(device(), INTERRUPT_ACK, 3);
	assert_false(net_guest_line(&guest));
	give_room(1000);
	put(60, 2);
	assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	expect_frame(60, 2);
	/* Whoever does not say that it has heard of used buffers will be told. */
	give_room(1000);
	put(60, 3);
	while (!net_guest_line(&guest))
		sched_yield();
	virtio_driver_write(device(), INTERRUPT_ACK, 2);
	assert_true(net_guest_line(&guest));
}

static void test_stands(void **state)
{
	(void)state;
	begin_served(FEATURES);
	for (uint32_t n = 0; n < 8; n++)
		give_room(1000);
	put(60, 1);
	expect_frame(60, 1);
	quiesce();
	assert_false(fake_vhost_serves(&vhost));
	for (uint32_t n = 0; n < 2; n++) {
		assert_int_equal(virtqueue_in_flight(&guest.net.virtio.queue[n]), 0);
		assert_false(guest.net.virtio.queue[n].lent);
	}
	/* It may have been told of what it was not. */
	assert_true(net_guest_wait(&guest, 0));
	put(60, 2);
	assert_false(net_guest_wait(&guest, NOTHING_MS));
	quiesce();
	start();
	await_serving(true);
	expect_frame(60, 2);
	exchange(3);
}

/* The state is the same whoever serves: to a host without, and back. */
static void test_moves(void **state)
{
	(void)state;
	begin_served(FEATURES | EVENT_INDEX);
	for (uint8_t n = 0; n < 6; n++) {
		for (uint8_t i = 1; i < 100; i++)
			exchange(i);
		move(n % 2);
		start();
		if (n % 2)
			await_serving(true);
		exchange(100);
		assert_int_equal(fake_vhost_serves(&vhost), n % 2);
	}
}

/* The monitor announces a guest whose queues the kernel serves. */
static void test_announces(void **state)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[100];

	(void)state;
	fake.uplink.announces = true;
	begin_served(FEATURES | ANNOUNCE);
	expect_sent(ANNOUNCEMENT_FRAME_SIZE);
	move(true);
	while (fake_uplink_get(&fake, &header, data, sizeof(data), 0) >= 0)
		;
	start();
	await_serving(true);
	expect_sent(ANNOUNCEMENT_FRAME_SIZE);
	assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	assert_int_equal(config_u8(6), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK),
			 VIRTIO_NET_OK);
}

static void forget_dirty(void)
{
	uint64_t dirty[NET_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };

	memory_take_dirty(&guest.memory, dirty);
}

/* What it writes is marked, in buffers and rings, while that is asked for, and elsewhere nothing is. */
static void test_log(void **state)
{
	uint64_t dirty[NET_MEMORY / MEMORY_PAGE_SIZE / 64] = { 0 };
	struct error error;

	(void)state;
	begin_served(FEATURES);
	exchange(1);
	forget_dirty();
	assert_int_equal(net_set_log(&guest.net, true, &error), 0);
	exchange(2);
	memory_take_dirty(&guest.memory, dirty);
	for (uint32_t n = 0; n < 2; n++) {
		uint64_t page = (guest.ring[n].used - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;

		assert_true(dirty[page / 64] >> page % 64 & 1);
	}
	/* And while it begins anew. */
	quiesce();
	start();
	await_serving(true);
	forget_dirty();
	give_room(1000);
	put(60, 3);
	expect_frame(60, 3);
	quiesce();
	assert_null(net_guest_audit(&guest));
	assert_int_equal(net_set_log(&guest.net, false, &error), 0);
	start();
	await_serving(true);
	forget_dirty();
	exchange(4);
	memset(dirty, 0, sizeof(dirty));
	memory_take_dirty(&guest.memory, dirty);
	for (uint32_t n = 0; n < NET_MEMORY / MEMORY_PAGE_SIZE / 64; n++)
		assert_int_equal(dirty[n], 0);
}

static void test_log_fails(void **state)
{
	struct error error;

	(void)state;
	begin_served(FEATURES);
	fake_vhost_fail(&vhost, VHOST_SET_FEATURES);
	assert_int_equal(net_set_log(&guest.net, true, &error), -EIO);
	assert_non_null(strstr(error.text, "network device 0: vhost-net does not log"));
	assert_int_equal(net_set_log(&guest.net, false, &error), 0);
	exchange(1);
}

/* What the kernel refuses makes the driver reset the device, and then it is served again. */
static void test_refuses(void **state)
{
	(void)state;
	begin_served(FEATURES);
	virtio_ring_describe(&guest.ring[NET_QUEUE_SEND], guest.ring[NET_QUEUE_SEND].descriptors, 5,
			     &(struct ring_buffer){ 0x1000, 100, false }, 0, 0);
	virtio_ring_offer(&guest.ring[NET_QUEUE_SEND], 5);
	net_guest_kick(&guest, NET_QUEUE_SEND);
	while (!(virtio_driver_read(device(), STATUS) & NEEDS_RESET))
		assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	await_serving(false);
	begin_served(FEATURES);
	exchange(1);
}

/* A used ring that the driver has written to tells nobody how far the kernel was. */
static void test_used_ring_overwritten(void **state)
{
	(void)state;
	begin_served(FEATURES);
	exchange(1);
	virtio_ring_store(&guest.ring[NET_QUEUE_SEND], guest.ring[NET_QUEUE_SEND].used + 2, 77);
	quiesce();
	assert_non_null(guest.net.virtio.queue[NET_QUEUE_SEND].broken);
	assert_true(virtio_driver_read(device(), STATUS) & NEEDS_RESET);
	start();
	begin_served(FEATURES);
	exchange(2);
}

static void test_resets(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 20; n++) {
		begin_served(FEATURES);
		give_room(1000);
		exchange((uint8_t)(n + 1));
		virtio_driver_write(device(), STATUS, 0);
		assert_false(fake_vhost_serves(&vhost));
		assert_false(net_guest_line(&guest));
		assert_int_equal(virtio_driver_read(device(), INTERRUPT_STATUS), 0);
	}
}

/* A queue is in the kernel's hands until the device is reset. */
static void test_queue_stopped(void **state)
{
	(void)state;
	begin_served(FEATURES);
	virtio_driver_write(device(), QUEUE_SELECT, NET_QUEUE_SEND);
	virtio_driver_write(device(), QUEUE_READY, 0);
	assert_true(virtio_driver_read(device(), STATUS) & NEEDS_RESET);
	assert_int_equal(virtio_driver_read(device(), QUEUE_READY), 1);
	begin_served(FEATURES);
	exchange(1);
}

/* A driver that does not merge buffers is the monitor's. */
static void test_not_served(void **state)
{
	(void)state;
	begin(FEATURES & ~(1ull << VIRTIO_NET_F_MRG_RXBUF));
	exchange(1);
	assert_false(fake_vhost_serves(&vhost));
	assert_int_equal(fake_vhost_served(&vhost), 0);
	begin_served(FEATURES);
	exchange(2);
}

/* Whatever the kernel does not do, the monitor does, and nothing is lost. */
static void test_begin_fails(void **state)
{
	static const unsigned long orders[] = { VHOST_SET_MEM_TABLE,  VHOST_SET_LOG_BASE,   VHOST_SET_FEATURES,
						VHOST_SET_VRING_NUM,  VHOST_SET_VRING_BASE, VHOST_SET_VRING_ADDR,
						VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
						VHOST_NET_SET_BACKEND };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(orders); n++) {
		fake_vhost_fail(&vhost, orders[n]);
		begin(FEATURES);
		exchange((uint8_t)(n + 1));
		assert_false(fake_vhost_serves(&vhost));
		assert_int_equal(vhost.fails, 0);
		net_guest_detach(&guest);
		net_guest_attach(&guest);
	}
}

/* What the monitor cannot use is not opened. */
static void test_owned(void **state)
{
	(void)state;
	vhost.offers &= ~(1ull << VHOST_F_LOG_ALL);
	assert_int_equal(vhost_own(&vhost.vhost), -EOPNOTSUPP);
	fake_vhost_fail(&vhost, VHOST_GET_FEATURES);
	assert_int_equal(vhost_own(&vhost.vhost), -EIO);
}

/* An interface that is deleted: the monitor takes over, tells, and gives back what the kernel has dropped. */
static void test_loses_network(void **state)
{
	(void)state;
	begin_served(FEATURES);
	exchange(1);
	give_room(1000);
	__atomic_store_n(&fake.gone, true, __ATOMIC_SEQ_CST);
	assert_int_equal(shutdown(fake.uplink.fd, SHUT_RDWR), 0);
	send_frame(&plain, 100);
	while (config_u8(6))
		assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	assert_false(fake_vhost_serves(&vhost));
	assert_false(virtio_driver_read(device(), STATUS) & NEEDS_RESET);
	wait_sent();
	send_frame(&plain, 100);
	wait_sent();
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_kernel, tear_down_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_serves),
		TEST(test_merges),
		TEST(test_what_was_there),
		TEST(test_interrupts),
		TEST(test_stands),
		TEST(test_moves),
		TEST(test_announces),
		TEST(test_log),
		TEST(test_log_fails),
		TEST(test_refuses),
		TEST(test_used_ring_overwritten),
		TEST(test_resets),
		TEST(test_queue_stopped),
		TEST(test_not_served),
		TEST(test_begin_fails),
		TEST(test_owned),
		TEST(test_loses_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
