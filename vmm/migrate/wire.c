/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket under a stream: see the header. */
#include "migrate/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void wire_close(struct wire *wire)
{
	free(wire->batch);
	free(wire->ahead);
}

/* ---- To the socket ---- */

static ssize_t batch_put(struct wire *wire, const struct iovec *parts, int count)
{
	size_t begin = wire->batch_end;

	for (int n = 0; n < count; n++) {
		if (parts[n].iov_len > WIRE_BATCH_MAX - wire->batch_end)
			return -ENOBUFS;
		memcpy(wire->batch + wire->batch_end, parts[n].iov_base, parts[n].iov_len);
		wire->batch_end += parts[n].iov_len;
	}
	return (ssize_t)(wire->batch_end - begin);
}

ssize_t wire_push(struct wire *wire, const struct iovec *parts, int count)
{
	struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };
	ssize_t done;
	int result;

	if (wire->collects)
		return batch_put(wire, parts, count);
	result = wire_flush(wire, true);
	if (result)
		return result;
	done = sendmsg(wire->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	return done < 0 ? -errno : done;
}

int wire_flush(struct wire *wire, bool more)
{
	while (wire->batch_at < wire->batch_end) {
		ssize_t done = send(wire->fd, wire->batch + wire->batch_at, wire->batch_end - wire->batch_at,
				    MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));

		if (done < 0)
			return -errno;
		wire->batch_at += (size_t)done;
	}
	wire->batch_at = wire->batch_end = 0;
	return 0;
}

int wire_collect(struct wire *wire, bool on)
{
	if (on && !wire->batch)
		wire->batch = malloc(WIRE_BATCH_MAX);
	if (on && !wire->batch)
		return -ENOMEM;
	wire->collects = on;
	return 0;
}

/* ---- From the socket ---- */

static ssize_t ahead_take(struct wire *wire, void *data, size_t size)
{
	size_t left = wire->ahead_end - wire->ahead_at, step = size < left ? size : left;

	memcpy(data, wire->ahead + wire->ahead_at, step);
	wire->ahead_at += step;
	return (ssize_t)step;
}

ssize_t wire_pull(struct wire *wire, void *data, size_t size)
{
	struct iovec parts[2] = { { data, size }, { wire->ahead, WIRE_AHEAD_MAX } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = wire->reads_ahead ? 2 : 1 };
	ssize_t got;

	if (wire_has_ahead(wire))
		return ahead_take(wire, data, size);
	got = recvmsg(wire->fd, &message, MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	if ((size_t)got <= size)
		return got;
	wire->ahead_at = 0;
	wire->ahead_end = (size_t)got - size;
	return (ssize_t)size;
}

void wire_read_ahead(struct wire *wire, bool on)
{
	if (on && !wire->ahead)
		wire->ahead = malloc(WIRE_AHEAD_MAX);
	wire->reads_ahead = on && wire->ahead;
}

bool wire_has_ahead(const struct wire *wire)
{
	return wire->ahead_at < wire->ahead_end;
}
