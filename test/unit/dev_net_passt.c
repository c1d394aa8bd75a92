/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device in front of a passt, which has read more than its descriptor tells, and keeps what it is sending.
 */
#include "net_fixture.h"

#include "dev/net/passt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

static const struct virtio_net_hdr_v1 plain;
static int other;

static int plug_in(void **state)
{
	struct error error;
	int pair[2], result = set_up(state);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	other = pair[1];
	net_guest_detach(&guest);
	result |= passt_attach(&guest.uplink, "passt", pair[0], &error);
	net_guest_attach(&guest);
	return result;
}

static int plug_out(void **state)
{
	struct uplink *uplink = guest.uplink;
	int result = tear_down(state);

	uplink_close(uplink);
	close(other);
	return result;
}

static void say_frames(uint32_t count)
{
	uint8_t frame[4 + 60] = { 0 };
	const uint32_t length = htonl(60);

	memcpy(frame, &length, sizeof(length));
	for (uint32_t n = 0; n < count; n++)
		assert_int_equal(write(other, frame, sizeof(frame)), sizeof(frame));
}

/* Both are read together, for the first one; there is nothing to wait for at the descriptor then. */
static void test_room_for_what_was_read(void **state)
{
	uint8_t frame[2000];

	(void)state;
	begin(FEATURES);
	say_frames(2);
	assert_true(net_guest_give_room(&guest, 1000, NULL));
	send_frame(&plain, 60);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
	give_room(1000);
	assert_int_equal(receive(frame, sizeof(frame)), HEADER + 60);
}

static uint64_t thread_ns(void)
{
	struct timespec spent;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(guest.net.thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &spent), 0);
	return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

static bool is_blocked(void)
{
	return __atomic_load_n(&guest.uplink->blocked, __ATOMIC_SEQ_CST);
}

/* What is left of a frame waits for a driver, and the thread does so asleep. */
static void test_rests_without_driver(void **state)
{
	const uint8_t frame[HEADER + 1514] = { 0 };
	uint8_t data[4096];
	uint64_t before;

	(void)state;
	begin(FEATURES);
	while (!is_blocked()) {
		if (net_guest_send(&guest, frame, sizeof(frame), NULL))
			net_guest_kick(&guest, NET_QUEUE_SEND);
		net_guest_collect(&guest, NET_QUEUE_SEND);
	}
	virtio_driver_write(device(), 0x070, 0);
	while (recv(other, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	before = thread_ns();
	usleep(200000);
	assert_in_range(thread_ns() - before, 0, 20000000);
	begin(FEATURES);
	send_frame(&plain, 60);
	wait_sent();
}

#define PASST_TEST(name) cmocka_unit_test_setup_teardown(name, plug_in, plug_out)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASST_TEST(test_room_for_what_was_read),
		PASST_TEST(test_rests_without_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
