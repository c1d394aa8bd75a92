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

#define PASST_TEST(name) cmocka_unit_test_setup_teardown(name, plug_in, plug_out)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PASST_TEST(test_room_for_what_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
