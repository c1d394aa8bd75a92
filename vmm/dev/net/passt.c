/* SPDX-License-Identifier: BSD-2-Clause */
/* An uplink that is a passt: see the header. */
#include "dev/net/passt.h"

#include "dev/net/launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LENGTH_SIZE ((uint32_t)sizeof(uint32_t))
/* What is read at a time: several of the largest frames. */
#define IN_SIZE (256u << 10)

struct passt {
	struct uplink uplink;
	pid_t child; /* 0: none */
	bool gone;
	uint32_t begin, end; /* of what was read and not yet taken */
	uint32_t left_begin, left_end;
	uint8_t left[LENGTH_SIZE + UPLINK_FRAME_MAX]; /* of the frame that was last sent */
	uint8_t in[IN_SIZE];
};

static struct passt *passt_of(struct uplink *uplink)
{
	return (struct passt *)uplink;
}

static bool is_for_now(int err)
{
	return err == EAGAIN || err == EINTR || err == ENOBUFS || err == ENOMEM;
}

/* ---- From passt ---- */

/* The size of the frame that comes next, once all of it is there; 0: it is not; -ENODEV: it can be none. */
static int64_t frame_ready(const struct passt *passt)
{
	uint32_t there = passt->end - passt->begin, length;

	if (there < LENGTH_SIZE)
		return 0;
	memcpy(&length, passt->in + passt->begin, LENGTH_SIZE);
	length = ntohl(length);
	if (length < UPLINK_FRAME_MIN || length > UPLINK_FRAME_MAX)
		return -ENODEV;
	return there - LENGTH_SIZE < length ? 0 : length;
}

/* Reads more; false if there is none now. */
static bool passt_read(struct passt *passt)
{
	ssize_t got;

	memmove(passt->in, passt->in + passt->begin, passt->end - passt->begin);
	passt->end -= passt->begin;
	passt->begin = 0;
	got = recv(passt->uplink.fd, passt->in + passt->end, IN_SIZE - passt->end, MSG_DONTWAIT);
	if (got > 0)
		passt->end += (uint32_t)got;
	else
		passt->gone |= !got || !is_for_now(errno);
	return got > 0;
}

static int64_t passt_scatter(const uint8_t *data, uint32_t size, const struct iovec *buffer, uint32_t buffers)
{
	uint32_t done = 0;

	memset(buffer[0].iov_base, 0, UPLINK_HEADER_SIZE);
	for (uint32_t n = 1; n < buffers && done < size; n++) {
		uint32_t part = size - done < buffer[n].iov_len ? size - done : (uint32_t)buffer[n].iov_len;

		memcpy(buffer[n].iov_base, data + done, part);
		done += part;
	}
	return (int64_t)UPLINK_HEADER_SIZE + done;
}

static int64_t passt_receive(struct uplink *uplink, const struct iovec *buffer, uint32_t buffers)
{
	struct passt *passt = passt_of(uplink);
	int64_t size = frame_ready(passt), got;

	while (!size && !passt->gone && passt_read(passt))
		size = frame_ready(passt);
	if (size < 0 || passt->gone)
		return -ENODEV;
	if (!size)
		return 0;
	got = passt_scatter(passt->in + passt->begin + LENGTH_SIZE, (uint32_t)size, buffer, buffers);
	passt->begin += LENGTH_SIZE + (uint32_t)size;
	return got;
}

/* ---- To passt ---- */

static void passt_flush(struct uplink *uplink)
{
	struct passt *passt = passt_of(uplink);
	ssize_t sent = send(uplink->fd, passt->left + passt->left_begin, passt->left_end - passt->left_begin,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	/* 0: nothing was left, for the socket had taken none of the frame. */
	if (sent >= 0)
		passt->left_begin += (uint32_t)sent;
	else
		passt->gone |= !is_for_now(errno);
	uplink->blocked = passt->left_begin < passt->left_end && !passt->gone;
}

/* What the socket did not take of a frame is kept, for passt has its length already. */
static void passt_keep(struct passt *passt, const struct iovec *buffer, uint32_t buffers, size_t sent)
{
	passt->left_begin = passt->left_end = 0;
	for (uint32_t n = 0; n < buffers; n++) {
		size_t skip = sent < buffer[n].iov_len ? sent : buffer[n].iov_len, part = buffer[n].iov_len - skip;

		memcpy(passt->left + passt->left_end, (const uint8_t *)buffer[n].iov_base + skip, part);
		passt->left_end += (uint32_t)part;
		sent -= skip;
	}
	passt->uplink.blocked = passt->left_end;
}

static int passt_send(struct uplink *uplink, struct iovec *buffer, uint32_t buffers, uint32_t size)
{
	struct passt *passt = passt_of(uplink);
	uint32_t length = htonl(size - UPLINK_HEADER_SIZE);
	const struct msghdr message = { .msg_iov = buffer, .msg_iovlen = buffers };
	ssize_t sent;

	if (passt->gone)
		return -ENODEV;
	if (uplink->blocked)
		return -EAGAIN;
	buffer[0] = (struct iovec){ &length, LENGTH_SIZE };
	sent = sendmsg(uplink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0) {
		passt_keep(passt, buffer, buffers, (size_t)sent);
		return 0;
	}
	uplink->blocked = is_for_now(errno);
	return uplink->blocked ? -EAGAIN : -ENODEV;
}

/* ---- Life ---- */

static void passt_close(struct uplink *uplink)
{
	struct passt *passt = passt_of(uplink);

	close(uplink->fd);
	if (passt->child)
		launcher_end(passt->child);
	free(passt);
}

static const struct uplink_ops passt_ops = {
	.receive = passt_receive,
	.send = passt_send,
	.flush = passt_flush,
	.close = passt_close,
};

int passt_attach(struct uplink **uplink, const char *where, int socket, struct error *error)
{
	struct passt *passt = calloc(1, sizeof(*passt));

	if (!passt) {
		close(socket);
		return error_set(error, ENOMEM, "no memory for %s", where);
	}
	passt->uplink = (struct uplink){ .ops = &passt_ops, .where = where, .fd = socket };
	*uplink = &passt->uplink;
	return 0;
}

static int passt_connect(const char *path, int *fd, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, ENAMETOOLONG, "the socket %.120s... has a path of more than %zu bytes", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return error_set(error, error_of_call(errno), "no socket for passt (%s)", strerror(errno));
	if (!connect(*fd, (const struct sockaddr *)&address, sizeof(address)))
		return 0;
	error_record(error, error_of_call(errno), "no passt answers at %s (%s)", path, strerror(errno));
	close(*fd);
	return -error->err;
}

static int passt_start(int *fd, pid_t *child, struct error *error)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return error_set(error, error_of_call(errno), "no socket for passt (%s)", strerror(errno));
	err = launcher_start(pair[1], child);
	close(pair[1]);
	*fd = pair[0];
	if (!err)
		return 0;
	close(pair[0]);
	if (err == ENOENT)
		return error_set(error, ENOENT, "this host has no passt: install it, or name a tap");
	return error_set(error, error_of_call(err), "cannot start passt (%s)", strerror(err));
}

int passt_open(struct uplink **uplink, const char *where, const struct plug *plug, struct error *error)
{
	pid_t child = 0;
	int fd = -1;
	int result = plug->kind == PLUG_PASST ? passt_start(&fd, &child, error) : passt_connect(plug->path, &fd, error);

	if (result)
		return result;
	result = passt_attach(uplink, where, fd, error);
	if (!result)
		passt_of(*uplink)->child = child;
	else if (child)
		launcher_end(child);
	return result;
}
