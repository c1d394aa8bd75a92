/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of TLS between two hosts that know each other: one that ends, is cut, changed or renewed, that is read
 * ahead, and whose records leave together.
 */
#include "transport_fixture.h"

/* ---- Its end ---- */

static void test_end(void **state)
{
	char byte;

	(void)state;
	expect_known();
	transport_finish(&altra.transport);
	assert_int_equal(receive(&grace, &byte, 1), 0);
	/* The other way is open. */
	assert_int_equal(send_text(&grace, "x"), 1);
	assert_int_equal(receive(&altra, &byte, 1), 1);
}

/* Somebody between the two ends it: both see that it was not the other. */
static void test_cut(void **state)
{
	char byte;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&altra, "ahoy"), 4);
	shutdown(altra.transport.fd, SHUT_RDWR);
	assert_int_equal(receive(&grace, &byte, 1), 1);
	while (transport_pending(&grace.transport))
		receive(&grace, &byte, 1);
	assert_int_equal(receive(&grace, &byte, 1), -ECONNRESET);
	expect_says(&grace, ECONNRESET, "the migration connection was cut: its end is not one that the other side has");
}

/* Whoever closes with something unread has not heard it, and does not say otherwise. */
static void test_unread(void **state)
{
	char byte;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&grace, "ahoy"), 4);
	transport_close(&altra.transport);
	assert_true(receive(&grace, &byte, 1) < 0);
	tear_down(state);
	set_up(state);
	expect_known();
	/* An end that is unread does no harm. */
	transport_finish(&grace.transport);
	transport_close(&altra.transport);
	assert_int_equal(receive(&grace, &byte, 1), 0);
}

static void test_changed(void **state)
{
	uint8_t record[64];
	int between[2];
	char byte;
	ssize_t size;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&altra, "ahoy"), 4);
	/* It is taken off the wire, and comes back with a bit changed. */
	size = recv(grace.transport.fd, record, sizeof(record), 0);
	assert_true(size > 6);
	record[size - 1] ^= 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, between), 0);
	assert_int_equal(write(between[0], record, (size_t)size), size);
	assert_int_equal(dup2(between[1], grace.transport.fd), grace.transport.fd);
	assert_int_equal(receive(&grace, &byte, 1), -EPROTO);
	expect_says(&grace, EPROTO, "the other side does not speak TLS as it should");
	close(between[0]);
	close(between[1]);
}

/* Sends all of it, while the other end reads: returns the sum of what was read. */
static uint64_t pump(const uint8_t *data, size_t size)
{
	uint8_t heard[5000];
	uint64_t sum = 0;
	size_t sent = 0, got = 0;
	short events;

	while (got < size) {
		const struct iovec parts[3] = {
			{ (void *)(data + sent), size - sent < 8 ? size - sent : 8 },
			{ NULL, 0 },
			{ (void *)(data + sent + 8), size - sent < 8 ? 0 : size - sent - 8 },
		};
		ssize_t done =
			sent < size ? transport_send(&altra.transport, parts, 3, false, &events, &altra.error) : 0;

		if (done < 0 && done != -EAGAIN)
			fail_msg("%s", altra.error.text);
		sent += done > 0 ? (size_t)done : 0;
		done = receive(&grace, heard, sizeof(heard));
		if (done < 0 && done != -EAGAIN)
			fail_msg("%s", grace.error.text);
		for (ssize_t n = 0; n < done; n++)
			sum = sum * 31 + heard[n];
		got += done > 0 ? (size_t)done : 0;
	}
	return sum;
}

#define MUCH 3000000u

static void expect_pumped(void)
{
	uint8_t *data = malloc(MUCH);
	uint64_t sum = 0;

	assert_non_null(data);
	for (size_t n = 0; n < MUCH; n++) {
		data[n] = (uint8_t)(n * 7 >> 3);
		sum = sum * 31 + data[n];
	}
	assert_int_equal(pump(data, MUCH), sum);
	free(data);
}

/* More than the socket holds, in parts. */
static void test_much(void **state)
{
	(void)state;
	expect_known();
	expect_pumped();
}

/* New keys in the middle, also while the socket is full. */
static void test_rekey(void **state)
{
	(void)state;
	expect_known();
	for (int n = 0; n < 5; n++) {
		transport_rekey_after(&altra.transport, MUCH / 3);
		expect_pumped();
	}
}

/* ---- What is read ahead ---- */

static bool socket_is_empty(const struct end *end)
{
	char byte;

	return recv(end->transport.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Three records, of which the first is received, and all are off the socket. */
static void expect_ahead(void)
{
	char text[8];

	expect_known();
	transport_read_ahead(&grace.transport, true);
	assert_int_equal(send_text(&altra, "one"), 3);
	assert_int_equal(send_text(&altra, "two"), 3);
	assert_int_equal(send_text(&altra, "three"), 5);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_true(socket_is_empty(&grace));
}

/* No event would tell of it: whoever looks is told. */
static void test_ahead(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	assert_true(transport_pending(&grace.transport));
	assert_true(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_true(transport_pending(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_memory_equal(text, "three", 5);
	assert_false(transport_pending(&grace.transport));
	assert_false(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), -EAGAIN);
}

/* What was read ahead is not lost, and from then on the socket tells of what comes. */
static void test_ahead_no_more(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	transport_read_ahead(&grace.transport, false);
	assert_int_equal(send_text(&altra, "four"), 4);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_false(transport_pending(&grace.transport));
	assert_int_equal(send_text(&altra, "five"), 4);
	assert_int_equal(receive(&grace, text, sizeof(text)), 4);
	assert_false(socket_is_empty(&grace));
	assert_false(transport_pending(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 4);
	assert_memory_equal(text, "five", 4);
}

static void test_ahead_end(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	transport_finish(&altra.transport);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_int_equal(receive(&grace, text, sizeof(text)), 0);
}

/* A new key is no byte of the stream: nobody is sent to wait for what lies here already. */
static void test_ahead_key(void **state)
{
	char text[8];

	(void)state;
	expect_known();
	transport_read_ahead(&grace.transport, true);
	transport_rekey_after(&altra.transport, 1);
	assert_int_equal(send_text(&altra, "one"), 3);
	assert_int_equal(send_text(&altra, "two"), 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_true(socket_is_empty(&grace));
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_memory_equal(text, "two", 3);
}

/* It was taken off the socket and heard by nobody: the kernel does not reset that connection, and TLS says no end. */
static void test_ahead_unread(void **state)
{
	char byte;

	(void)state;
	expect_ahead();
	transport_close(&grace.transport);
	assert_int_equal(receive(&altra, &byte, 1), -ECONNRESET);
}

/* In records of all sizes that fit in a buffer whole or in part, with new keys. */
static void test_ahead_much(void **state)
{
	(void)state;
	expect_known();
	transport_read_ahead(&grace.transport, true);
	for (int n = 0; n < 3; n++) {
		transport_rekey_after(&altra.transport, MUCH / 3);
		expect_pumped();
	}
}

/* ---- Many records at once ---- */

/* A frame of pages, if the socket has room. */
static void test_batch(void **state)
{
	const size_t size = 16 + (256u << 10);
	int room = 4 << 20;
	char *data = calloc(1, size);
	const struct iovec parts[2] = { { "head", 4 }, { data, size - 4 } };
	short events;

	(void)state;
	assert_non_null(data);
	expect_known();
	setsockopt(altra.transport.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (ssize_t left = (ssize_t)size, done; left > 0; left -= done) {
		done = transport_send(&altra.transport, parts, 2, false, &events, &altra.error);
		if (done == -EAGAIN)
			done = 0;
		else
			assert_int_equal(done, size);
		while (receive(&grace, data, size - 4) > 0)
			;
	}
	free(data);
}

/* The end does not overtake what a full socket has kept back. */
static void test_batch_then_end(void **state)
{
	static char data[100000];
	const struct iovec part = { data, sizeof(data) };
	ssize_t done, sent = 0, heard = 0;
	short events;

	(void)state;
	expect_known();
	while ((done = transport_send(&altra.transport, &part, 1, false, &events, &altra.error)) > 0)
		sent += done;
	assert_int_equal(done, -EAGAIN);
	assert_int_equal(events, POLLOUT);
	while ((done = receive(&grace, data, sizeof(data))) > 0)
		heard += done;
	assert_int_equal(done, -EAGAIN);
	transport_finish(&altra.transport);
	while ((done = receive(&grace, data, sizeof(data))) > 0)
		heard += done;
	assert_int_equal(done, 0);
	assert_int_equal(heard, sent + (ssize_t)sizeof(data));
}

/* A small frame in parts is one record: nobody waits for its rest. */
static void test_one_record(void **state)
{
	const struct iovec parts[3] = { { "head", 4 }, { NULL, 0 }, { "content", 7 } };
	char text[32];
	short events;

	(void)state;
	expect_known();
	assert_int_equal(transport_send(&altra.transport, parts, 3, false, &events, &altra.error), 11);
	assert_int_equal(receive(&grace, text, sizeof(text)), 11);
	assert_memory_equal(text, "headcontent", 11);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_end),		 TEST(test_cut),
		TEST(test_unread),	 TEST(test_changed),
		TEST(test_much),	 TEST(test_rekey),
		TEST(test_ahead),	 TEST(test_ahead_no_more),
		TEST(test_ahead_end),	 TEST(test_ahead_key),
		TEST(test_ahead_unread), TEST(test_ahead_much),
		TEST(test_batch),	 TEST(test_batch_then_end),
		TEST(test_one_record),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
