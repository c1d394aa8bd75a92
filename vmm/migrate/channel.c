/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames over a stream socket: see the header. */
#include "migrate/channel.h"

#include "host/deadline.h"
#include "host/host.h"

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

static int channel_failed(const struct channel *channel, int err, struct error *error)
{
	if (err == ETIMEDOUT && channel->deadline.v && !deadline_left_ms(channel->deadline))
		return error_set(error, err, "the other side took more than %d s while the guest was stopped",
				 channel->limit_ms / 1000);
	if (err == ETIMEDOUT)
		return error_set(error, err, "the other side has not sent or taken a frame for %d s",
				 channel->limit_ms / 1000);
	if (!err)
		return error_set(error, ECONNRESET, "the other side closed the migration connection");
	return error_set(error, error_of_call(err), "the migration connection broke (%s)", strerror(err));
}

/* ---- What is watched ---- */

void channel_watch(struct channel *channel, const struct wait_watch *watch)
{
	channel->watch[channel->watches++] = *watch;
}

int channel_look(struct channel *channel, struct error *error)
{
	return wait_look(channel->watch, channel->watches, error);
}

int channel_rest(struct channel *channel, sc_ns_t time, struct error *error)
{
	sc_ns_t end = sc_ns(host_monotonic().v + time.v);
	bool ready;

	return wait_ready(-1, 0, end, channel->watch, channel->watches, &ready, error);
}

/* ---- Frames ---- */

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

/* The moment by which the frame that begins now must be over. */
static sc_ns_t channel_deadline(const struct channel *channel)
{
	sc_ns_t deadline = deadline_after_ms(channel->limit_ms);

	return channel->deadline.v && channel->deadline.v < deadline.v ? channel->deadline : deadline;
}

static int channel_in_time(const struct channel *channel, sc_ns_t deadline, struct error *error)
{
	return deadline_left_ms(deadline) ? 0 : channel_failed(channel, ETIMEDOUT, error);
}

/* After a call on the socket that gave `done`: 0 if it may be tried again, once the socket is ready if need be. */
static int channel_again(struct channel *channel, ssize_t done, short events, sc_ns_t deadline, struct error *error)
{
	bool ready;
	int result;

	if (done >= 0)
		return 0;
	if (!may_try_again())
		return channel_failed(channel, errno, error);
	result = wait_ready(channel->fd, events, deadline, channel->watch, channel->watches, &ready, error);
	return result || ready ? result : channel_failed(channel, ETIMEDOUT, error);
}

static int channel_write(struct channel *channel, struct iovec *parts, size_t left, struct error *error)
{
	sc_ns_t deadline = channel_deadline(channel);
	int result = channel_in_time(channel, deadline, error);

	if (result)
		return result;
	while (!result && left) {
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = 3 };
		ssize_t done = sendmsg(channel->fd, &message, MSG_NOSIGNAL);

		result = channel_again(channel, done, POLLOUT, deadline, error);
		if (done < 0)
			continue;
		parts_advance(parts, (size_t)done);
		left -= (size_t)done;
		channel->sink.sent += (size_t)done;
		if (left)
			result = channel_in_time(channel, deadline, error);
	}
	channel->broken = channel->broken || result;
	return result;
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

void channel_open(struct channel *channel, int fd, int limit_ms)
{
	int on = 1;

	*channel = (struct channel){ .sink = { .put = channel_put }, .fd = fd, .limit_ms = limit_ms };
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

int channel_send_buffer(struct channel *channel, enum frame_type type, struct buffer *buffer, struct error *error)
{
	return sink_put_buffer(&channel->sink, type, buffer, error);
}

static int channel_read(struct channel *channel, uint8_t *place, size_t left, sc_ns_t deadline, struct error *error)
{
	int result = channel_in_time(channel, deadline, error);

	while (!result && left) {
		ssize_t done = recv(channel->fd, place, left, 0);

		if (!done)
			return channel_failed(channel, 0, error);
		result = channel_again(channel, done, POLLIN, deadline, error);
		if (done < 0)
			continue;
		place += done;
		left -= (size_t)done;
		result = channel_in_time(channel, deadline, error);
	}
	return result;
}

/* The peer's words are data: what is not printable would steer the operator's terminal, or be no JSON. */
int channel_refused(const struct frame *frame, struct error *error)
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
	sc_ns_t deadline = channel_deadline(channel);
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
	if (result || frame->type != FRAME_ABORT)
		return result;
	/* Whoever gives up says why: one without a word is a damaged frame of another type. */
	channel->aborted = size > 0;
	return channel_refused(frame, error);
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

	if (channel->broken)
		return;
	channel->watches = 0;
	channel->deadline = deadline_after_ms(CHANNEL_ABORT_MS);
	channel_send(channel, FRAME_ABORT, reason->text, strlen(reason->text), &ignored);
}
