/* SPDX-License-Identifier: BSD-2-Clause */
/* Time stamps over the migration connection: see the header. */
#include "migrate/stamps.h"

#include "host/host.h"

#include <endian.h>
#include <errno.h>

static int stamps_take(struct channel *channel, struct sc_handoff *handoff, struct error *error)
{
	struct sc_stamp stamp = { .sent = host_counter_ns() };
	struct frame frame;
	struct cursor cursor;
	int result = channel_send(channel, FRAME_STAMP, NULL, 0, error);

	if (!result)
		result = channel_expect(channel, FRAME_STAMPED, &frame, error);
	stamp.returned = host_counter_ns();
	if (result)
		return result;
	cursor = cursor_make(frame.data, frame.size);
	stamp.received = sc_ns(cursor_u64(&cursor));
	stamp.answered = sc_ns(cursor_u64(&cursor));
	if (!cursor_finish(&cursor) || sc_handoff_add(handoff, &stamp))
		return error_set(error, EPROTO, "the other side's time stamps contradict each other");
	return 0;
}

/* Statements that contradict the stamps are told apart by the core; here only what no host can state is refused. */
static int stamps_take_clock(struct channel *channel, struct sc_handoff *handoff, struct error *error)
{
	struct sc_statement here = host_statement(), there;
	struct frame frame;
	int result = channel_send(channel, FRAME_CLOCK, NULL, 0, error);

	if (!result)
		result = channel_expect(channel, FRAME_CLOCKED, &frame, error);
	if (result)
		return result;
	result = frame_get_statement(frame.data, frame.size, &there, error);
	if (!result && sc_handoff_state(handoff, &here, &there))
		return error_set(error, EPROTO, "the other side's statement of its clock is none that a host can make");
	return result;
}

int stamps_burst(struct channel *channel, struct sc_handoff *handoff, struct error *error)
{
	int result = stamps_take_clock(channel, handoff, error);

	for (uint32_t n = 0; !result && n < STAMPS_PER_BURST; n++)
		result = stamps_take(channel, handoff, error);
	return result;
}

int stamps_answer(struct channel *channel, sc_ns_t received, struct error *error)
{
	uint64_t times[2] = { htole64(received.v) };

	times[1] = htole64(host_counter_ns().v);
	return channel_send(channel, FRAME_STAMPED, times, sizeof(times), error);
}

int stamps_answer_clock(struct channel *channel, struct error *error)
{
	struct sc_statement here = host_statement();
	struct buffer buffer = { 0 };
	int result;

	frame_put_statement(&buffer, &here);
	result = channel_send(channel, FRAME_CLOCKED, buffer.data, buffer.size, error);
	buffer_free(&buffer);
	return result;
}
