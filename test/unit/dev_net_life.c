/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device when it stands, is saved, moved and reset: no chain is lost, and none comes back twice. */
#include "net_fixture.h"

#include "base/buffer.h"

#include <errno.h>

static const struct virtio_net_hdr_v1 plain;

static void put(uint32_t size, uint8_t byte)
{
	uint8_t data[2000];

	memset(data, byte, size);
	assert_true(fake_uplink_put(&fake, &plain, data, size));
}

static void save(struct buffer *state)
{
	lock_take(&device()->lock);
	device()->ops->save(device(), state);
	lock_drop(&device()->lock);
}

static int load(const struct buffer *state)
{
	struct cursor cursor = cursor_make(state->data, state->size);
	int result;

	lock_take(&device()->lock);
	result = device()->ops->load(device(), &cursor, 1);
	lock_drop(&device()->lock);
	return result;
}

/* To another host, where the uplink is the same one. */
static void move(void)
{
	struct buffer state = { 0 };

	quiesce();
	save(&state);
	net_guest_detach(&guest);
	net_guest_attach(&guest);
	assert_int_equal(load(&state), 0);
	buffer_free(&state);
}

/* The device has begun, has given a frame to the guest, and has room for more. */
static void begin_with_frame(uint8_t *frame, size_t size)
{
	begin(FEATURES);
	for (uint32_t n = 0; n < 8; n++)
		give_room(1000);
	put(60, 1);
	assert_int_equal(receive(frame, size), HEADER + 60);
}

static void test_stands(void **state)
{
	uint8_t frame[2000];

	(void)state;
	begin_with_frame(frame, sizeof(frame));
	quiesce();
	assert_int_equal(virtqueue_in_flight(&guest.net.virtio.queue[NET_QUEUE_RECEIVE]), 0);
	net_guest_wait(&guest, 0);
	put(60, 2);
	assert_false(net_guest_wait(&guest, NOTHING_MS));
	assert_null(net_guest_audit(&guest));
	quiesce();
	start();
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
	assert_int_equal(frame[HEADER], 2);
}

/* What the driver had sent goes out later, once. */
static void test_sends_after_it_stood(void **state)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[2000];

	(void)state;
	begin(FEATURES);
	__atomic_store_n(&fake.refuse, 1, __ATOMIC_SEQ_CST);
	for (uint32_t n = 0; n < 20; n++)
		send_frame(&plain, 100 + n);
	quiesce();
	assert_int_equal(virtqueue_in_flight(&guest.net.virtio.queue[NET_QUEUE_SEND]), 0);
	move();
	__atomic_store_n(&fake.refuse, 0, __ATOMIC_SEQ_CST);
	start();
	for (int n = 0; n < 20; n++)
		assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), 100 + n);
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), NOTHING_MS), -1);
}

/* What was there when the state was loaded the guest has had elsewhere; what comes after that it gets. */
static void test_arrives(void **state)
{
	uint8_t frame[2000];

	(void)state;
	begin(FEATURES | ANNOUNCE);
	give_room(1000);
	quiesce();
	put(60, 1);
	move();
	put(60, 2);
	start();
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
	assert_int_equal(frame[HEADER], 2);
}

/* A tap that was deleted before the machine comes: the link is down when it starts. */
static void test_arrives_without_network(void **state)
{
	(void)state;
	begin(FEATURES);
	quiesce();
	fake_uplink_go(&fake);
	move();
	start();
	while (config_u8(6))
		assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
}

static void test_driver_announces(void **state)
{
	(void)state;
	begin(FEATURES | ANNOUNCE);
	move();
	start();
	assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	assert_int_equal(config_u8(6), VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK),
			 VIRTIO_NET_OK);
	assert_int_equal(config_u8(6), VIRTIO_NET_S_LINK_UP);
	/* After a move that failed there is nothing to announce. */
	quiesce();
	start();
	assert_int_equal(config_u8(6), VIRTIO_NET_S_LINK_UP);
}

static void test_reset(void **state)
{
	uint8_t frame[2000];

	(void)state;
	begin_with_frame(frame, sizeof(frame));
	virtio_driver_write(device(), 0x070, 0);
	put(60, 2);
	assert_null(net_guest_audit(&guest));
	/* What came for the driver before is not for this one. */
	begin(FEATURES);
	give_room(1000);
	put(60, 3);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
	assert_int_equal(frame[HEADER], 3);
}

/* No device saves a queue with something under way, nor anything behind its transport. */
static void test_refused_states(void **state)
{
	struct buffer saved = { 0 };

	(void)state;
	begin(FEATURES);
	quiesce();
	save(&saved);
	assert_int_equal(load(&saved), 0);
	buffer_put_u8(&saved, 0);
	assert_int_equal(load(&saved), -EPROTO);
	for (uint32_t n = 0; n < NET_QUEUES; n++) {
		struct virtqueue *queue = &guest.net.virtio.queue[n];

		buffer_clear(&saved);
		begin(FEATURES);
		quiesce();
		/* As if a chain had been taken. */
		queue->next_available++;
		queue->taken[0] |= 1;
		save(&saved);
		assert_int_equal(load(&saved), -EPROTO);
	}
	buffer_free(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stands),	     TEST(test_sends_after_it_stood),
		TEST(test_arrives),	     TEST(test_arrives_without_network),
		TEST(test_driver_announces), TEST(test_reset),
		TEST(test_refused_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
