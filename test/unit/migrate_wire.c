/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket under TLS: what is collected leaves in order and once, and what is read ahead is neither lost nor more
 * than was allowed. */
#include "unit.h"

#include "migrate/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct wire wire;
static int peer;

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -1;
	wire = (struct wire){ .fd = ends[0] };
	peer = ends[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wire_close(&wire);
	close(wire.fd);
	close(peer);
	return 0;
}

static ssize_t push(const char *text)
{
	const struct iovec part = { (void *)text, strlen(text) };

	return wire_push(&wire, &part, 1);
}

static void expect_peer_reads(const char *text)
{
	char bytes[64] = "";

	assert_int_equal(read(peer, bytes, sizeof(bytes) - 1), strlen(text));
	assert_string_equal(bytes, text);
}

static void test_collect(void **state)
{
	char byte;

	(void)state;
	assert_int_equal(wire_collect(&wire, true), 0);
	assert_int_equal(push("one "), 4);
	assert_int_equal(push("two "), 4);
	assert_int_equal(read(peer, &byte, 1), -1);
	assert_int_equal(wire_collect(&wire, false), 0);
	/* It goes first. */
	assert_int_equal(push("three"), 5);
	expect_peer_reads("one two three");
	assert_int_equal(wire_flush(&wire, false), 0);
	assert_int_equal(read(peer, &byte, 1), -1);
}

static void test_full(void **state)
{
	static char bytes[100000];
	const struct iovec part = { bytes, sizeof(bytes) };
	size_t size = 0, sum = 0;
	ssize_t got;

	(void)state;
	do {
		wire_collect(&wire, true);
		assert_int_equal(wire_push(&wire, &part, 1), sizeof(bytes));
		wire_collect(&wire, false);
		size += sizeof(bytes);
	} while (!wire_flush(&wire, false));
	assert_int_equal(wire_flush(&wire, false), -EAGAIN);
	assert_int_equal(push("x"), -EAGAIN);
	while (sum < size) {
		got = read(peer, bytes, sizeof(bytes));
		assert_true(got > 0);
		sum += (size_t)got;
		wire_flush(&wire, false);
	}
	assert_int_equal(sum, size);
	assert_int_equal(push("x"), 1);
	expect_peer_reads("x");
}

static void test_no_room(void **state)
{
	static char bytes[WIRE_BATCH_MAX];
	const struct iovec parts[2] = { { bytes, sizeof(bytes) }, { bytes, 1 } };

	(void)state;
	assert_int_equal(wire_collect(&wire, true), 0);
	assert_int_equal(wire_push(&wire, parts, 1), WIRE_BATCH_MAX);
	assert_int_equal(wire_push(&wire, parts + 1, 1), -ENOBUFS);
}

static void test_ahead(void **state)
{
	char bytes[8];

	(void)state;
	wire_read_ahead(&wire, true);
	assert_int_equal(wire_pull(&wire, bytes, 1), -EAGAIN);
	assert_int_equal(write(peer, "abcdef", 6), 6);
	assert_int_equal(wire_pull(&wire, bytes, 2), 2);
	assert_true(wire_has_ahead(&wire));
	assert_int_equal(wire_pull(&wire, bytes + 2, 3), 3);
	assert_int_equal(wire_pull(&wire, bytes + 5, 3), 1);
	assert_memory_equal(bytes, "abcdef", 6);
	assert_false(wire_has_ahead(&wire));
	shutdown(peer, SHUT_WR);
	assert_int_equal(wire_pull(&wire, bytes, 1), 0);
}

/* A stranger's bytes stay in the kernel. */
static void test_not_ahead(void **state)
{
	char bytes[8];

	(void)state;
	assert_int_equal(write(peer, "abcdef", 6), 6);
	assert_int_equal(wire_pull(&wire, bytes, 2), 2);
	assert_false(wire_has_ahead(&wire));
	assert_null(wire.ahead);
	assert_int_equal(recv(wire.fd, bytes, sizeof(bytes), 0), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_collect), TEST(test_full), TEST(test_no_room), TEST(test_ahead), TEST(test_not_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
