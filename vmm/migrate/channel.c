/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames over a stream socket: see the header. */
#include "migrate/channel.h"

#include "host/deadline.h"
#include "host/host.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>

static int channel_too_late(const struct channel *channel, struct error *error)
{
	if (channel->deadline.v && !deadline_left_ms(channel->deadline))
		return error_set(error, ETIMEDOUT, "the other side took more than %d s while the guest was stopped",
				 channel->limit_ms / 1000);
	return error_set(error, ETIMEDOUT, "the other side has not sent or taken a frame for %d s",
			 channel->limit_ms / 1000);
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

int channel_glance(struct channel *channel, struct error *error)
{
	sc_ns_t now = host_monotonic();

	if (now.v - channel->looked.v < CHANNEL_GLANCE_NS)
		return 0;
	channel->looked = now;
	return channel_look(channel, error);
}

int channel_rest(struct channel *channel, sc_ns_t time, struct error *error)
{
	sc_ns_t end = sc_ns(host_monotonic().v + time.v);
	bool ready;

	return wait_ready(-1, 0, end, channel->watch, channel->watches, &ready, error);
}

/* ---- Frames ---- */

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
	return deadline_left_ms(deadline) ? 0 : channel_too_late(channel, error);
}

/* After a call on the transport that gave `done`: 0 if it may be tried again, once the socket is ready if need be. */
static int channel_again(struct channel *channel, ssize_t done, short events, sc_ns_t deadline, struct error *error)
{
	bool ready;
	int result;

	if (done >= 0)
		return 0;
	if (done != -EAGAIN)
		return (int)done;
	result = wait_ready(channel->transport.fd, events, deadline, channel->watch, channel->watches, &ready, error);
	return result || ready ? result : channel_too_late(channel, error);
}

static int channel_write(struct channel *channel, struct iovec *parts, size_t left, bool more, struct error *error)
{
	sc_ns_t deadline = channel_deadline(channel);
	int result = channel_in_time(channel, deadline, error);

	if (result)
		return result;
	while (!result && left) {
		short events;
		ssize_t done = transport_send(&channel->transport, parts, 3, more, &events, error);

		result = channel_again(channel, done, events, deadline, error);
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

/* Pages are always followed by a frame of another type, which leaves at once and they with it. */
static bool frame_is_followed(enum frame_type type)
{
	return type == FRAME_PAGES || type == FRAME_ZEROES;
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
	return channel_write((struct channel *)sink, parts, sizeof(header) + head_size + size, frame_is_followed(type),
			     error);
}

void channel_adopt(struct channel *channel, const struct transport *transport, int limit_ms)
{
	*channel = (struct channel){
		.sink = { .put = channel_put },
		.transport = *transport,
		.limit_ms = limit_ms,
	};
}

void channel_open(struct channel *channel, int fd, int limit_ms)
{
	struct transport transport;

	transport_open(&transport, fd);
	channel_adopt(channel, &transport, limit_ms);
}

void channel_close(struct channel *channel)
{
	if (channel->transport.fd >= 0)
		transport_close(&channel->transport);
	buffer_free(&channel->in);
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
		short events;
		ssize_t done = transport_receive(&channel->transport, place, left, &events, error);

		if (!done)
			return error_set(error, ECONNRESET, "the other side closed the migration connection");
		result = channel_again(channel, done, events, deadline, error);
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

	if (!frame->size)
		return error_set(error, ECONNABORTED, "the other side gives up, and gives no reason");
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
