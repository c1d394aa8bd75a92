// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guest's network gives:
 *
 *     traffic serve PORT
 *     traffic stream-out|stream-in|turns|packets-out|packets-in COUNT ADDRESS PORT
 *
 * The first is the other end, and does what it is asked for, one after the other, until it is killed. The second
 * exchanges COUNT bytes of a stream, requests with their answers, or packets with it, in the direction that the guest
 * sees, and prints "@traffic ns=N", the time that all of it took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "traffic_exchange.h"

#define PATIENCE_S 20

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "traffic: %s: %s\n", what, why);
	return 1;
}

/* From 1 to max. */
static bool number_parse(const char *text, uint32_t max, uint32_t *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (uint32_t)value;
	return !errno && end != text && !*end && value && value <= max;
}

/* A socket for packets between the two ends of a stream, at the same addresses and ports; -errno. */
static int packets_open(int stream)
{
	struct sockaddr_in here, there;
	socklen_t here_size = sizeof(here), there_size = sizeof(there);
	int fd, err;

	if (getsockname(stream, (struct sockaddr *)&here, &here_size) ||
	    getpeername(stream, (struct sockaddr *)&there, &there_size))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&here, here_size) && !connect(fd, (struct sockaddr *)&there, there_size))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

static int socket_tune(int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
			       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience))
		       ? -errno
		       : 0;
}

/* The end that has the stream; -errno. */
static int end_open(struct traffic_end *end, int stream)
{
	const int yes = 1;
	int result;

	*end = (struct traffic_end){ .stream = stream, .packets = packets_open(stream) };
	if (end->packets < 0)
		return end->packets;
	result = socket_tune(end->packets);
	if (!result)
		result = socket_tune(stream);
	if (!result && setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		result = -errno;
	return result;
}

static void end_close(struct traffic_end *end)
{
	close(end->stream);
	if (end->packets >= 0)
		close(end->packets);
}

/* ---- The other end ---- */

static void serve_one(int stream)
{
	struct traffic_end end;
	int result = end_open(&end, stream);

	if (!result)
		result = traffic_answer(&end);
	if (result)
		fail("serve", strerror(-result));
	end_close(&end);
}

static int serve(uint32_t port)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	const int yes = 1;
	int stream, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(fd, (const struct sockaddr *)&here, sizeof(here)) || listen(fd, 1))
		return fail("serve", strerror(errno));
	while ((stream = accept(fd, NULL, NULL)) >= 0)
		serve_one(stream);
	return fail("serve", strerror(errno));
}

/* ---- The end that asks ---- */

static int ask(const struct traffic_order *order, const struct sockaddr_in *there, uint64_t *ns)
{
	struct traffic_end end;
	int result, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)there, sizeof(*there))) {
		result = -errno;
		close(fd);
		return result;
	}
	result = end_open(&end, fd);
	if (!result)
		result = traffic_ask(&end, order, ns);
	end_close(&end);
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in there = { .sin_family = AF_INET };
	struct traffic_order order;
	uint32_t port;
	uint64_t ns = 0;
	int result;

	if (argc == 3 && strcmp(argv[1], "serve") == 0 && number_parse(argv[2], UINT16_MAX, &port))
		return serve(port);
	if (argc != 5 || !traffic_kind_parse(argv[1], &order.kind) ||
	    !number_parse(argv[2], TRAFFIC_COUNT_MAX, &order.count) ||
	    inet_pton(AF_INET, argv[3], &there.sin_addr) != 1 || !number_parse(argv[4], UINT16_MAX, &port))
		return fail("usage",
			    "traffic serve PORT, or traffic KIND COUNT ADDRESS PORT, where KIND is stream-out, "
			    "stream-in, turns, packets-out or packets-in");
	there.sin_port = htons((uint16_t)port);
	result = ask(&order, &there, &ns);
	if (result)
		return fail(argv[1], strerror(-result));
	printf("@traffic ns=%" PRIu64 "\n", ns);
	return 0;
}
