/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers of frames: which may go and come, and what announces a guest. */
#include "unit.h"

#include "dev/net/announcement.h"
#include "dev/net/uplink.h"
#include "dev/virtio/net_frame.h"

#include <endian.h>
#include <string.h>

#define ALL                                                                                                            \
	(1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM | 1 << VIRTIO_NET_F_GUEST_TSO4 |                        \
	 1 << VIRTIO_NET_F_GUEST_TSO6 | 1 << VIRTIO_NET_F_HOST_TSO4 | 1 << VIRTIO_NET_F_HOST_TSO6)
#define SIZE 2000u
#define SUM VIRTIO_NET_HDR_F_NEEDS_CSUM
#define TCP4 VIRTIO_NET_HDR_GSO_TCPV4
#define TCP6 VIRTIO_NET_HDR_GSO_TCPV6
#define NS_PER_MS 1000000ull

static struct virtio_net_hdr_v1 make(uint8_t flags, uint8_t gso, uint16_t gso_size, uint16_t header, uint16_t start,
				     uint16_t offset)
{
	return (struct virtio_net_hdr_v1){ .flags = flags,
					   .gso_type = gso,
					   .hdr_len = htole16(header),
					   .gso_size = htole16(gso_size),
					   .csum_start = htole16(start),
					   .csum_offset = htole16(offset) };
}

static void test_valid(void **state)
{
	const struct virtio_net_hdr_v1 valid[] = {
		make(0, 0, 0, 0, 0, 0),		  make(SUM, 0, 0, 0, 34, 6),
		make(SUM, 0, 0, 0, SIZE - 2, 0),  make(SUM, TCP4, 1000, 54, 34, 16),
		make(SUM, TCP6, 1, SIZE, 54, 16),
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(valid); n++) {
		struct virtio_net_hdr_v1 there = valid[n], back = valid[n];

		assert_true(net_frame_may_go(&there, SIZE, ALL));
		assert_true(net_frame_may_come(&back, SIZE, ALL));
		assert_memory_equal(&there, &valid[n], sizeof(there));
		assert_memory_equal(&back, &valid[n], sizeof(back));
	}
}

static void test_hostile(void **state)
{
	const struct virtio_net_hdr_v1 hostile[] = {
		make(0, 0, 0, SIZE + 1, 0, 0),
		make(SUM, 0, 0, 0, SIZE - 1, 0),
		make(SUM, 0, 0, 0, 0xffff, 0xffff),
		make(SUM, 0, 0, 0, 34, SIZE),
		make(SUM, 0, 0, 0, 13, 16),
		make(SUM, TCP4, 0, 54, 34, 16),
		make(SUM, TCP4, 0xffff, 54, 34, 16),
		make(0, TCP4, 1000, 54, 34, 16),
		make(SUM, TCP4, 1000, 54, 34, 6),
		make(SUM, TCP4, 1000, 54, SIZE, 16),
		make(SUM, TCP4, 1000, 0xffff, 34, 16),
		make(SUM, VIRTIO_NET_HDR_GSO_UDP, 1000, 54, 34, 16),
		make(SUM, 2, 1000, 54, 34, 16),
		make(SUM, 5, 1000, 54, 34, 16),
		make(SUM, TCP4 | 0x80, 1000, 54, 34, 16),
		make(SUM, 0xff, 1000, 54, 34, 16),
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(hostile); n++) {
		struct virtio_net_hdr_v1 there = hostile[n], back = hostile[n];

		assert_false(net_frame_may_go(&there, SIZE, ALL));
		assert_false(net_frame_may_come(&back, SIZE, ALL));
	}
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t size;
		bool valid;
	} cases[] = { { 0, false },
		      { 13, false },
		      { 14, true },
		      { UPLINK_FRAME_MAX, true },
		      { UPLINK_FRAME_MAX + 1, false },
		      { UINT64_MAX, false } };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct virtio_net_hdr_v1 plain = { .flags = 0 };

		assert_int_equal(net_frame_may_go(&plain, cases[n].size, 0), cases[n].valid);
		assert_int_equal(net_frame_may_come(&plain, cases[n].size, 0), cases[n].valid);
	}
}

/* What was not negotiated; the rights of one direction are none in the other. */
static void test_rights(void **state)
{
	static const struct {
		uint8_t flags, gso;
		uint32_t goes, comes;
	} cases[] = {
		{ SUM, 0, 1 << VIRTIO_NET_F_CSUM, 1 << VIRTIO_NET_F_GUEST_CSUM },
		{ SUM, TCP4, 1 << VIRTIO_NET_F_HOST_TSO4, 1 << VIRTIO_NET_F_GUEST_TSO4 },
		{ SUM, TCP6, 1 << VIRTIO_NET_F_HOST_TSO6, 1 << VIRTIO_NET_F_GUEST_TSO6 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct virtio_net_hdr_v1 header = make(cases[n].flags, cases[n].gso, 1000, 54, 34, 16), copy;

		copy = header;
		assert_false(net_frame_may_go(&copy, SIZE, ALL & ~cases[n].goes));
		copy = header;
		assert_true(net_frame_may_go(&copy, SIZE, ALL & ~cases[n].comes));
		copy = header;
		assert_false(net_frame_may_come(&copy, SIZE, ALL & ~cases[n].comes));
		copy = header;
		assert_true(net_frame_may_come(&copy, SIZE, ALL & ~cases[n].goes));
	}
}

static void test_clears(void **state)
{
	const struct virtio_net_hdr_v1 zero = { .flags = 0 };
	struct virtio_net_hdr_v1 header = make(0xfe, 0, 1000, 54, 34, 16);

	(void)state;
	header.num_buffers = htole16(7);
	assert_true(net_frame_may_go(&header, SIZE, 0));
	assert_memory_equal(&header, &zero, sizeof(header));
	header = make(0xfe, 0, 0, 0, 0, 0);
	assert_true(net_frame_may_come(&header, SIZE, 0));
	assert_int_equal(header.flags, 0);
	header = make(0xfe, 0, 0, 0, 0, 0);
	assert_true(net_frame_may_come(&header, SIZE, ALL));
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_DATA_VALID);
}

/* ---- Announcements ---- */

static void test_announcement(void **state)
{
	static const uint32_t pauses[] = { 50, 100, 150, 200 };
	struct announcement announcement;
	uint64_t now = 1;

	(void)state;
	announcement_end(&announcement);
	assert_false(announcement_step(&announcement, sc_ns(now)));
	assert_int_equal(announcement_timeout_ms(&announcement, sc_ns(now)), -1);
	announcement_begin(&announcement, sc_ns(now));
	assert_int_equal(announcement_timeout_ms(&announcement, sc_ns(now)), 0);
	for (size_t n = 0; n < ARRAY_SIZE(pauses); n++) {
		assert_true(announcement_step(&announcement, sc_ns(now)));
		assert_false(announcement_step(&announcement, sc_ns(now)));
		assert_int_equal(announcement_timeout_ms(&announcement, sc_ns(now)), pauses[n]);
		now += pauses[n] * NS_PER_MS;
		assert_false(announcement_step(&announcement, sc_ns(now - 1)));
		assert_int_equal(announcement_timeout_ms(&announcement, sc_ns(now - 1)), 1);
	}
	assert_true(announcement_step(&announcement, sc_ns(now)));
	assert_int_equal(announcement_timeout_ms(&announcement, sc_ns(now)), -1);
	assert_false(announcement_step(&announcement, sc_ns(UINT64_MAX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),  cmocka_unit_test(test_hostile), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_rights), cmocka_unit_test(test_clears),  cmocka_unit_test(test_announcement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
