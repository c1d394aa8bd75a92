// SPDX-License-Identifier: BSD-2-Clause
/* The load that measures a guest's network: both ends of an exchange, over sockets of this machine. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../guest/traffic_exchange.h"

struct pair {
	struct traffic_end here, there;
	pthread_t thread;
	int answered;
};

static void socket_tune(int fd)
{
	/* Nobody answers in a test that waits for this. */
	const struct timeval patience = { .tv_usec = 50000 };

	assert_false(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
}

static void pair_open(struct pair *pair)
{
	int stream[2], packets[2];

	assert_false(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
	assert_false(socketpair(AF_UNIX, SOCK_DGRAM, 0, packets));
	*pair = (struct pair){ .here = { stream[0], packets[0] }, .there = { stream[1], packets[1] } };
}

static void pair_close(const struct pair *pair)
{
	close(pair->here.stream);
	close(pair->here.packets);
	close(pair->there.stream);
	close(pair->there.packets);
}

static void *answer(void *context)
{
	struct pair *pair = context;

	pair->answered = traffic_answer(&pair->there);
	return NULL;
}

/* What the end that asks has; the other one's result is in the pair. */
static int exchange(struct pair *pair, enum traffic_kind kind, uint32_t count)
{
	const struct traffic_order order = { kind, count };
	uint64_t ns = 0;
	int result;

	assert_false(pthread_create(&pair->thread, NULL, answer, pair));
	result = traffic_ask(&pair->here, &order, &ns);
	pthread_join(pair->thread, NULL);
	assert_true(result || ns);
	return result;
}

static bool is_empty(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* To the last byte and packet, whatever part of a window or a piece that is: nothing is left for the next exchange. */
static void ends_agree(void **state)
{
	static const uint32_t counts[] = { 1, 2, 31, 32, 33, 63, 64, 65, 1000, 65536, 65537, 200000 };
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t n = 0; n < ARRAY_SIZE(counts); n++)
		for (unsigned int kind = 0; kind < TRAFFIC_KINDS; kind++) {
			if (kind == TRAFFIC_TURNS && counts[n] > 1000)
				continue;
			assert_int_equal(exchange(&pair, (enum traffic_kind)kind, counts[n]), 0);
			assert_int_equal(pair.answered, 0);
			assert_true(is_empty(pair.here.stream) && is_empty(pair.there.stream));
			assert_true(is_empty(pair.here.packets) && is_empty(pair.there.packets));
		}
	pair_close(&pair);
}

static void kinds_have_names(void **state)
{
	enum traffic_kind kind = TRAFFIC_KINDS;

	(void)state;
	assert_true(traffic_kind_parse("stream-out", &kind));
	assert_int_equal(kind, TRAFFIC_STREAM_OUT);
	assert_true(traffic_kind_parse("packets-in", &kind));
	assert_int_equal(kind, TRAFFIC_PACKETS_IN);
	assert_false(traffic_kind_parse("packets", &kind));
	assert_false(traffic_kind_parse("", &kind));
}

/* An order as it is on the stream, from an end that goes by its own rules. */
static int answer_to(uint32_t kind, uint32_t count)
{
	const uint32_t bytes[] = { htonl(kind), htonl(count) };
	struct pair pair;

	pair_open(&pair);
	assert_int_equal(send(pair.here.stream, bytes, sizeof(bytes), 0), sizeof(bytes));
	shutdown(pair.here.stream, SHUT_WR);
	answer(&pair);
	pair_close(&pair);
	return pair.answered;
}

static void orders_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_int_equal(answer_to(TRAFFIC_KINDS, 1), -EPROTO);
	assert_int_equal(answer_to(UINT32_MAX, 1), -EPROTO);
	assert_int_equal(answer_to(TRAFFIC_TURNS, 0), -EPROTO);
	assert_int_equal(answer_to(TRAFFIC_TURNS, TRAFFIC_COUNT_MAX + 1), -EPROTO);
}

static void an_end_that_goes_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(answer_to(TRAFFIC_STREAM_OUT, 100), -EPIPE);
	assert_int_equal(answer_to(TRAFFIC_TURNS, 1), -EPIPE);
}

/* What is lost does not come, and what comes is not what is due. */
static void a_packet_that_is_missing_is_an_error(void **state)
{
	const uint32_t second = htonl(1), order[] = { htonl(TRAFFIC_PACKETS_OUT), htonl(3) };
	struct pair pair;

	(void)state;
	pair_open(&pair);
	socket_tune(pair.there.packets);
	assert_int_equal(send(pair.here.stream, order, sizeof(order), 0), sizeof(order));
	answer(&pair);
	assert_int_equal(pair.answered, -ETIMEDOUT);
	assert_int_equal(send(pair.here.stream, order, sizeof(order), 0), sizeof(order));
	assert_int_equal(send(pair.here.packets, &second, sizeof(second), 0), sizeof(second));
	answer(&pair);
	assert_int_equal(pair.answered, -EPROTO);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_agree),
		cmocka_unit_test(kinds_have_names),
		cmocka_unit_test(orders_that_cannot_be_are_refused),
		cmocka_unit_test(an_end_that_goes_is_an_error),
		cmocka_unit_test(a_packet_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
