/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames over a stream socket: see the header. */
#include "migrate/channel.h"

#include "deadline.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int channel_failed(int err, struct error *error)
{
	if (err == ETIMEDOUT)
		return error_set(error, err, "the other side has not sent or taken a frame for %d s",
				 CHANNEL_TIMEOUT_MS / 1000);
	if (!err)
		return error_set(error, ECONNRESET, "the other side closed the migration connection");
	return error_set(error, err, "the migration connection broke (%s)", strerror(err));
}

/* 0 when the socket is ready for `events`, else an errno. */
static int channel_wait(const struct channel *channel, short events, sc_ns_t deadline)
{
	struct pollfd item = { .fd = channel->fd, .events = events };
	int result;

	do
		result = poll(&item, 1, deadline_left_ms(deadline));
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return errno;
	return result ? 0 : ETIMEDOUT;
}

static bool may_try_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void parts_advance(struct iovec *parts, size_t done)
{
	for (int n = 0; n < 3 && done; n++) {
		size_t step = done < parts[n].iov_len ? done : parts[n].iov_len;

		if (step) /* an empty part has no place */
			parts[n].iov_base = (char *)parts[n].iov_base + step;
		parts[n].iov_len -= step;
		done -= step;
	}
}

static int channel_write(struct channel *channel, struct iovec *parts, size_t left, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(CHANNEL_TIMEOUT_MS);

	while (left) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
		ssize_t done = sendmsg(channel->fd, &message, MSG_NOSIGNAL);
		int err = 0;

		if (done < 0 && !may_try_again())
			err = errno;
		else if (done < 0)
			err = channel_wait(channel, POLLOUT, deadline);
		if (err)
			return channel_failed(err, error);
		if (done < 0)
			continue;
		parts_advance(parts, (size_t)done);
		left -= (size_t)done;
		channel->sink.sent += (size_t)done;
	}
	return 0;
}

static int channel_put(struct sink *sink, enum frame_type type, const void *head, size_t head_size, const void *data,
		       size_t size, struct error *error)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct iovec parts[3] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)head, .iov_len = head_size },
		{ .iov_base = (void *)data, .iov_len = size },
	};

	frame_put_header(header, type, (uint32_t)(head_size + size));
	return channel_write((struct channel *)sink, parts, sizeof(header) + head_size + size, error);
}

void channel_open(struct channel *channel, int fd)
{
	int on = 1;

	*channel = (struct channel){ .sink = { .put = channel_put }, .fd = fd };
	/* Time stamps are small and must leave at once. On a socket of another kind it fails and is not needed. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	buffer_free(&channel->in);
	channel->fd = -1;
}

int channel_send(struct channel *channel, enum frame_type type, const void *data, size_t size, struct error *error)
{
	return channel_put(&channel->sink, type, NULL, 0, data, size, error);
}

static int channel_read(struct channel *channel, uint8_t *place, size_t left, sc_ns_t deadline, struct error *error)
{
	while (left) {
		ssize_t done = recv(channel->fd, place, left, 0);
		int err = 0;

		if (!done)
			return channel_failed(0, error);
		if (done < 0 && !may_try_again())
			err = errno;
		else if (done < 0)
			err = channel_wait(channel, POLLIN, deadline);
		if (err)
			return channel_failed(err, error);
		if (done < 0)
			continue;
		place += done;
		left -= (size_t)done;
	}
	return 0;
}

/* The peer's words are data: what is not printable would steer the operator's terminal, or be no JSON. */
static int channel_refuse_abort(const struct frame *frame, struct error *error)
{
	char text[ERROR_TEXT_MAX + 1] = "";

	for (size_t n = 0; n < frame->size; n++)
		text[n] = isprint(frame->data[n]) ? (char)frame->data[n] : '?';
	return error_set(error, ECONNABORTED, "the other side says: %s", text);
}

int channel_receive(struct channel *channel, struct frame *frame, struct error *error)
{
	uint8_t header[FRAME_HEADER_SIZE];
	uint32_t size;
	uint8_t *place;
	sc_ns_t deadline = deadline_after_ms(CHANNEL_TIMEOUT_MS);
	int result = channel_read(channel, header, sizeof(header), deadline, error);

	if (!result)
		result = frame_get_header(header, &frame->type, &size, error);
	if (result)
		return result;
	buffer_clear(&channel->in);
	place = buffer_reserve(&channel->in, size);
	if (buffer_failed(&channel->in))
		return error_set(error, ENOMEM, "no memory for a frame of %u bytes", size);
	frame->data = place;
	frame->size = size;
	result = channel_read(channel, place, size, deadline, error);
	if (!result && frame->type == FRAME_ABORT)
		return channel_refuse_abort(frame, error);
	return result;
}

int channel_expect(struct channel *channel, enum frame_type type, struct frame *frame, struct error *error)
{
	int result = channel_receive(channel, frame, error);

	if (!result && frame->type != type)
		return error_set(error, EPROTO, "the other side sent %s where %s was due", frame_name(frame->type),
				 frame_name(type));
	return result;
}

void channel_abort(struct channel *channel, const struct error *reason)
{
	struct error ignored;

	channel_send(channel, FRAME_ABORT, reason->text, strlen(reason->text), &ignored);
}
