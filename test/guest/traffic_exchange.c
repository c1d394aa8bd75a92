// SPDX-License-Identifier: BSD-2-Clause
/* One exchange over a network: see the header. */
#include "traffic_exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Bytes of a stream that one call takes or gives. */
#define PIECE 65536u
/* Packets under way, and how many are acknowledged by one that goes back. The least of the queues is a socket's buffer,
 * which counts 1280 bytes for each, and a quarter of itself for what has been read already: it holds 124. */
#define WINDOW 64u
#define ACKNOWLEDGED 32u

/* As they are on the stream and in a packet. */
struct order_bytes {
	uint32_t kind;
	uint32_t count;
};

static const char *const kind_names[TRAFFIC_KINDS] = {
	[TRAFFIC_STREAM_OUT] = "stream-out",   [TRAFFIC_STREAM_IN] = "stream-in",   [TRAFFIC_TURNS] = "turns",
	[TRAFFIC_PACKETS_OUT] = "packets-out", [TRAFFIC_PACKETS_IN] = "packets-in",
};

bool traffic_kind_parse(const char *name, enum traffic_kind *kind)
{
	for (unsigned int n = 0; n < TRAFFIC_KINDS; n++) {
		if (strcmp(name, kind_names[n]) != 0)
			continue;
		*kind = (enum traffic_kind)n;
		return true;
	}
	return false;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Bytes ---- */

/* Of a call that has moved nothing. */
static int socket_error(ssize_t moved)
{
	if (!moved)
		return -EPIPE;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

static int bytes_put(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t moved = send(fd, at, size, MSG_NOSIGNAL);

		if (moved <= 0)
			return socket_error(moved);
		at += moved;
		size -= (size_t)moved;
	}
	return 0;
}

static int bytes_get(int fd, void *bytes, size_t size)
{
	char *at = bytes;

	while (size) {
		ssize_t moved = recv(fd, at, size, 0);

		if (moved <= 0)
			return socket_error(moved);
		at += moved;
		size -= (size_t)moved;
	}
	return 0;
}

static int byte_put(int fd)
{
	return bytes_put(fd, "", 1);
}

static int byte_get(int fd)
{
	char byte;

	return bytes_get(fd, &byte, 1);
}

/* ---- The parts of an exchange ---- */

static uint32_t piece_size(uint32_t left)
{
	return left < PIECE ? left : PIECE;
}

static int stream_put(int fd, uint32_t count)
{
	const char piece[PIECE] = { 0 };
	int result = 0;

	for (; count && !result; count -= piece_size(count))
		result = bytes_put(fd, piece, piece_size(count));
	return result;
}

/* In whatever pieces they come. */
static int stream_get(int fd, uint32_t count)
{
	char piece[PIECE];

	while (count) {
		ssize_t moved = recv(fd, piece, piece_size(count), 0);

		if (moved <= 0)
			return socket_error(moved);
		count -= (uint32_t)moved;
	}
	return 0;
}

static int turns_ask(int fd, uint32_t count)
{
	int result = 0;

	for (; count && !result; count--) {
		result = byte_put(fd);
		if (!result)
			result = byte_get(fd);
	}
	return result;
}

static int turns_answer(int fd, uint32_t count)
{
	int result = 0;

	for (; count && !result; count--) {
		result = byte_get(fd);
		if (!result)
			result = byte_put(fd);
	}
	return result;
}

static int packet_put(int fd, uint32_t number)
{
	uint32_t bytes = htonl(number);

	return send(fd, &bytes, sizeof(bytes), MSG_NOSIGNAL) == (ssize_t)sizeof(bytes) ? 0 : socket_error(-1);
}

/* The one with that number, which is the next. */
static int packet_get(int fd, uint32_t number)
{
	uint32_t bytes;
	ssize_t moved = recv(fd, &bytes, sizeof(bytes), MSG_TRUNC);

	if (moved < 0)
		return socket_error(moved);
	return moved == (ssize_t)sizeof(bytes) && ntohl(bytes) == number ? 0 : -EPROTO;
}

/* How many of `count` packets are acknowledged by the next acknowledgement after `acknowledged`. */
static uint32_t next_acknowledged(uint32_t acknowledged, uint32_t count)
{
	return count - acknowledged < ACKNOWLEDGED ? count : acknowledged + ACKNOWLEDGED;
}

static int packets_put(int fd, uint32_t count)
{
	uint32_t acknowledged = 0;
	int result = 0;

	for (uint32_t n = 0; acknowledged < count && !result;) {
		if (n < count && n - acknowledged < WINDOW) {
			result = packet_put(fd, n++);
			continue;
		}
		acknowledged = next_acknowledged(acknowledged, count);
		result = packet_get(fd, acknowledged);
	}
	return result;
}

static int packets_get(int fd, uint32_t count)
{
	uint32_t acknowledged = 0;
	int result = 0;

	for (uint32_t n = 0; n < count && !result; n++) {
		result = packet_get(fd, n);
		if (result || n + 1 != next_acknowledged(acknowledged, count))
			continue;
		acknowledged = n + 1;
		result = packet_put(fd, acknowledged);
	}
	return result;
}

/* ---- Both ends ---- */

static int ask_part(const struct traffic_end *end, const struct traffic_order *order)
{
	switch (order->kind) {
	case TRAFFIC_STREAM_OUT:
		return stream_put(end->stream, order->count);
	case TRAFFIC_STREAM_IN:
		return stream_get(end->stream, order->count);
	case TRAFFIC_TURNS:
		return turns_ask(end->stream, order->count);
	case TRAFFIC_PACKETS_OUT:
		return packets_put(end->packets, order->count);
	default:
		return packets_get(end->packets, order->count);
	}
}

static int answer_part(const struct traffic_end *end, const struct traffic_order *order)
{
	switch (order->kind) {
	case TRAFFIC_STREAM_OUT:
		return stream_get(end->stream, order->count);
	case TRAFFIC_STREAM_IN:
		return stream_put(end->stream, order->count);
	case TRAFFIC_TURNS:
		return turns_answer(end->stream, order->count);
	case TRAFFIC_PACKETS_OUT:
		return packets_get(end->packets, order->count);
	default:
		return packets_put(end->packets, order->count);
	}
}

int traffic_ask(const struct traffic_end *end, const struct traffic_order *order, uint64_t *ns)
{
	const struct order_bytes bytes = { htonl(order->kind), htonl(order->count) };
	int result = byte_get(end->stream);
	uint64_t start = now_ns();

	if (!result)
		result = bytes_put(end->stream, &bytes, sizeof(bytes));
	if (!result)
		result = ask_part(end, order);
	if (!result)
		result = byte_get(end->stream);
	*ns = now_ns() - start;
	return result;
}

int traffic_answer(const struct traffic_end *end)
{
	struct traffic_order order;
	struct order_bytes bytes;
	int result = byte_put(end->stream);

	if (!result)
		result = bytes_get(end->stream, &bytes, sizeof(bytes));
	if (result)
		return result;
	order = (struct traffic_order){ .kind = (enum traffic_kind)ntohl(bytes.kind), .count = ntohl(bytes.count) };
	if (ntohl(bytes.kind) >= TRAFFIC_KINDS || !order.count || order.count > TRAFFIC_COUNT_MAX)
		return -EPROTO;
	result = answer_part(end, &order);
	return result ? result : byte_put(end->stream);
}
