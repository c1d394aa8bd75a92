/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device between a driver and an uplink: frames both ways, what it refuses, its configuration. */
#include "net_fixture.h"

static const struct virtio_net_hdr_v1 plain;

/* ---- An honest driver ---- */

static void test_configuration(void **state)
{
	static const uint8_t mac[] = { 2, 1, 2, 3, 4, 5 };

	(void)state;
	assert_int_equal(virtio_driver_read(device(), 0x008), 1);
	assert_int_equal(virtio_driver_offered(device()) & 0xffffff, 1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 |
									     1 << 8 | 1 << 11 | 1 << 12 | 1 << 15 |
									     1 << 16 | 1 << 17 | 1 << 21);
	for (uint32_t n = 0; n < sizeof(mac); n++)
		assert_int_equal(config_u8(n), mac[n]);
	assert_int_equal(config_u8(6), 1);
	assert_int_equal(config_u8(7), 0);
	assert_int_equal(config_u8(8), 1);
	assert_int_equal(config_u8(10) | config_u8(11) << 8, 1450);
	assert_int_equal(config_u8(200), 0);
}

static void test_no_mtu_is_told(void **state)
{
	(void)state;
	net_guest_detach(&guest);
	guest.mtu = 0;
	fake.uplink.features = 0;
	net_guest_attach(&guest);
	assert_int_equal(virtio_driver_offered(device()) & 0xffffff, 1 << 5 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 21);
}

static void test_sends(void **state)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[2000];

	(void)state;
	begin(FEATURES);
	send_frame(&plain, 14);
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), 14);
	assert_int_equal(data[0], 0x5a);
	wait_sent();
	send_frame(&plain, 1514);
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), 1514);
	assert_memory_equal(&header, &plain, HEADER);
	wait_sent();
	quiesce();
	assert_null(net_guest_audit(&guest));
}

/* ---- Frames that go back together ---- */

/* Which a driver adds one by one, each while the one before is being sent. */
#define FRAMES_ADDED 40
static uint32_t frame_size;
static int frames_added, given_back;

static void add_frame(struct fake_uplink *uplink)
{
	static const uint8_t frame[NET_SLOT_BYTES];

	(void)uplink;
	given_back += net_guest_collect(&guest, NET_QUEUE_SEND) >= 0;
	if (frames_added < FRAMES_ADDED)
		frames_added += net_guest_send(&guest, frame, HEADER + frame_size, NULL);
}

/* How many went back before the last one was sent. */
static int add_frames(uint32_t size)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[NET_SLOT_BYTES];
	int before;

	begin(FEATURES);
	frame_size = size;
	frames_added = given_back = 0;
	fake.sending = add_frame;
	send_frame(&plain, size);
	for (int n = 0; n < 1 + FRAMES_ADDED; n++)
		assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), size);
	assert_int_equal(frames_added, FRAMES_ADDED);
	before = given_back;
	for (int n = before; n < 1 + FRAMES_ADDED; n++)
		wait_sent();
	quiesce();
	assert_null(net_guest_audit(&guest));
	return before;
}

/* Each that goes back may be an interrupt: as long as there are more to send, none does. */
static void test_sent_frames_go_back_together(void **state)
{
	(void)state;
	assert_int_equal(add_frames(UPLINK_FRAME_MIN), 0);
}

/* The driver would wait for them. */
static void test_large_ones_go_back_soon(void **state)
{
	(void)state;
	assert_in_range(add_frames(NET_SLOT_BYTES - HEADER), FRAMES_ADDED / 2, FRAMES_ADDED);
}

static void put(uint32_t size, uint8_t byte)
{
	static uint8_t data[FAKE_FRAME_MAX];

	memset(data, byte, size);
	assert_true(fake_uplink_put(&fake, &plain, data, size));
}

static void test_receives(void **state)
{
	uint8_t frame[4000];

	(void)state;
	begin(FEATURES);
	give_room(1600);
	put(60, 1);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
	assert_int_equal(frame[10] | frame[11] << 8, 1);
	assert_int_equal(frame[HEADER], 1);
	assert_int_equal(frame[HEADER + 59], 1);
	/* Over several chains, which come back together. */
	for (uint32_t n = 0; n < 4; n++)
		give_room(1000);
	put(3000, 2);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 3000);
	assert_int_equal(frame[10] | frame[11] << 8, 4);
	assert_int_equal(frame[HEADER + 2999], 2);
	quiesce();
	assert_null(net_guest_audit(&guest));
}

/* One that is larger than the room waits for more. */
static void test_waits_for_room(void **state)
{
	static uint8_t frame[40000];

	(void)state;
	begin(FEATURES);
	give_room(500);
	put(30000, 3);
	assert_false(net_guest_wait(&guest, NOTHING_MS));
	for (uint32_t n = 0; n < 10; n++)
		give_room(3500);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 30000);
	assert_int_equal(frame[HEADER], 3);
	assert_int_equal(frame[HEADER + 487], 3);
	assert_int_equal(frame[HEADER + 488], 3);
	assert_int_equal(frame[HEADER + 29999], 3);
}

static void test_drops_what_is_too_large(void **state)
{
	uint8_t frame[4000];

	(void)state;
	begin(VERSION_1);
	give_room(1000);
	give_room(1000);
	put(1500, 4);
	put(988, 5);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 988);
	assert_int_equal(frame[HEADER], 5);
	/* More than any frame has. */
	put(UPLINK_FRAME_MAX + 1, 6);
	put(13, 6);
	put(14, 7);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 14);
	assert_int_equal(frame[HEADER], 7);
}

/* The uplink does what was negotiated, and not more. */
static void test_offloads(void **state)
{
	const struct virtio_net_hdr_v1 segments = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						    .hdr_len = htole16(54),
						    .gso_size = htole16(1000),
						    .csum_start = htole16(34),
						    .csum_offset = htole16(16) };
	struct virtio_net_hdr_v1 header;
	uint8_t data[4000];

	(void)state;
	begin(FEATURES | OFFLOADS);
	send_frame(&segments, 3000);
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), 3000);
	assert_memory_equal(&header, &segments, HEADER);
	assert_int_equal(fake.negotiated, OFFLOADS);
	give_room(3500);
	memset(data, 0, sizeof(data));
	assert_true(fake_uplink_put(&fake, &segments, data, 2000));
	assert_int_equal(receive(data, sizeof(data)), HEADER + 2000);
	assert_memory_equal(data, &segments, 10);
	wait_sent();
	begin(FEATURES);
	send_frame(&segments, 3000);
	wait_sent();
	give_room(3500);
	assert_true(fake_uplink_put(&fake, &segments, data, 2000));
	put(100, 1);
	assert_int_equal(receive(data, sizeof(data)), HEADER + 100);
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), NOTHING_MS), -1);
	assert_int_equal(fake.negotiated, 0);
}

static void test_refused_for_now(void **state)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[2000];

	(void)state;
	begin(FEATURES);
	__atomic_store_n(&fake.refuse, 2, __ATOMIC_SEQ_CST);
	for (uint32_t n = 0; n < 40; n++)
		send_frame(&plain, 100 + n);
	for (int n = 0; n < 40; n++)
		assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), 100 + n);
}

/* ---- What no driver may do ---- */

static bool needs_reset(void)
{
	for (unsigned int n = 0; n < wait_scaled(LIMIT_MS); n++) {
		if (virtio_driver_read(device(), 0x070) & 0x40)
			return true;
		usleep(1000);
	}
	return false;
}

static void test_breaks_the_rules(void **state)
{
	(void)state;
	begin(FEATURES);
	give_room(HEADER - 1);
	assert_true(needs_reset());
	begin(FEATURES);
	assert_true(net_guest_send(&guest, "eleven byte", HEADER - 1, NULL));
	net_guest_kick(&guest, NET_QUEUE_SEND);
	assert_true(needs_reset());
	begin(FEATURES);
	send_frame(&plain, 60);
	wait_sent();
	assert_false(virtio_driver_read(device(), 0x070) & 0x40);
}

/* ---- The link, and announcements ---- */

static void test_control(void **state)
{
	(void)state;
	begin(FEATURES | ANNOUNCE);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK),
			 VIRTIO_NET_OK);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC), VIRTIO_NET_ERR);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_ANNOUNCE, 1), VIRTIO_NET_ERR);
	begin(FEATURES);
	assert_int_equal(net_guest_command(&guest, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK),
			 VIRTIO_NET_ERR);
}

static void test_link_goes_down(void **state)
{
	struct virtio_net_hdr_v1 header;
	uint8_t data[100];

	(void)state;
	begin(FEATURES);
	give_room(1000);
	assert_int_equal(config_u8(6), VIRTIO_NET_S_LINK_UP);
	fake_uplink_go(&fake);
	assert_true(net_guest_wait(&guest, (uint32_t)wait_scaled(LIMIT_MS)));
	assert_int_equal(config_u8(6), 0);
	send_frame(&plain, 60);
	wait_sent();
	fake.gone = false;
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), 0), -1);
	give_room(1000);
	put(60, 1);
	assert_int_equal(net_guest_receive(&guest, data, sizeof(data)), 0);
}

/* As long as the guest has just begun to run. */
static void test_announces(void **state)
{
	static const uint8_t rarp[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1, 2, 3, 4, 5, 0x80, 0x35, 0,
					1,    8,    0,	  6,	4,    0,    3, 2, 1, 2, 3, 4, 5,    0,	  0,
					0,    0,    2,	  1,	2,    3,    4, 5, 0, 0, 0, 0, 0,    0,	  0,
					0,    0,    0,	  0,	0,    0,    0, 0, 0, 0, 0, 0, 0,    0,	  0 };
	struct virtio_net_hdr_v1 header;
	uint8_t data[100];

	(void)state;
	fake.uplink.announces = true;
	start();
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), wait_scaled(LIMIT_MS)), sizeof(rarp));
	assert_memory_equal(&header, &plain, HEADER);
	assert_memory_equal(data, rarp, sizeof(rarp));
	quiesce();
	while (fake_uplink_get(&fake, &header, data, sizeof(data), 0) >= 0)
		;
	assert_int_equal(fake_uplink_get(&fake, &header, data, sizeof(data), NOTHING_MS), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_configuration),
		TEST(test_no_mtu_is_told),
		TEST(test_sends),
		TEST(test_sent_frames_go_back_together),
		TEST(test_large_ones_go_back_soon),
		TEST(test_receives),
		TEST(test_waits_for_room),
		TEST(test_drops_what_is_too_large),
		TEST(test_offloads),
		TEST(test_refused_for_now),
		TEST(test_breaks_the_rules),
		TEST(test_control),
		TEST(test_link_goes_down),
		TEST(test_announces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
