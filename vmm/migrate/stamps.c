/* SPDX-License-Identifier: BSD-2-Clause */
/* Time stamps over the migration connection: see the header. */
#include "migrate/stamps.h"

#include "host/host.h"
#include "transfer/limits.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

/* How long a try may look at the network device itself. It only tries once, so that any time but 0 will do. */
#define BUSY_POLL_US 1

/*
 * Waits for the first byte of the next frame, awake. Sleeping, both sides would be woken by way of an interrupt and a
 * scheduler, and half of what that takes is in the bound of the clock's step: in the lab the best round trip of 64
 * falls from 1.0 to 0.5 ms. False after the last try: then the caller sleeps as ever.
 */
static bool stamps_await(const struct channel *channel)
{
	for (int n = 0; n < handover_limits.tries; n++)
		if (transport_arrived(&channel->transport))
			return true;
	return false;
}

/* Tries look for packets themselves, without the interrupt. Needs CAP_NET_ADMIN and the driver; else they do not. */
static void stamps_prepare(const struct channel *channel)
{
	int us = BUSY_POLL_US;

	setsockopt(channel->transport.fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us));
}

static int stamps_take(struct channel *channel, struct sc_offset *handoff, struct error *error)
{
	struct sc_stamp stamp = { .sent = host_counter_ns() };
	struct frame frame;
	struct cursor cursor;
	bool arrived;
	int result = channel_send(channel, FRAME_STAMP, NULL, 0, error);

	if (result)
		return result;
	arrived = stamps_await(channel);
	stamp.returned = host_counter_ns();
	result = channel_expect(channel, FRAME_STAMPED, &frame, error);
	/* The answer had arrived before this reading, or it is no bound. */
	if (!arrived)
		stamp.returned = host_counter_ns();
	if (result)
		return result;
	cursor = cursor_make(frame.data, frame.size);
	stamp.received = sc_ns(cursor_u64(&cursor));
	stamp.answered = sc_ns(cursor_u64(&cursor));
	if (!cursor_finish(&cursor) || sc_offset_add(handoff, &stamp))
		return error_set(error, EPROTO, "the other side's time stamps contradict each other");
	return 0;
}

/* Statements that contradict the stamps are told apart by the core; here only what no host can state is refused. */
static int stamps_take_clock(struct channel *channel, struct sc_offset *handoff, struct error *error)
{
	struct sc_statement here = host_statement(), there;
	struct frame frame;
	int result = channel_send(channel, FRAME_CLOCK, NULL, 0, error);

	if (!result)
		result = channel_expect(channel, FRAME_CLOCKED, &frame, error);
	if (result)
		return result;
	result = frame_get_statement(frame.data, frame.size, &there, error);
	if (!result && sc_offset_state(handoff, &here, &there))
		return error_set(error, EPROTO, "the other side's statement of its clock is none that a host can make");
	return result;
}

int stamps_burst(struct channel *channel, struct sc_offset *handoff, struct error *error)
{
	int result;

	stamps_prepare(channel);
	result = stamps_take_clock(channel, handoff, error);
	for (int n = 0; !result && n < handover_limits.stamps; n++)
		result = stamps_take(channel, handoff, error);
	return result;
}

int stamps_answer(struct channel *channel, sc_ns_t received, struct error *error)
{
	uint64_t times[2] = { htole64(received.v) };
	int result;

	times[1] = htole64(host_counter_ns().v);
	result = channel_send(channel, FRAME_STAMPED, times, sizeof(times), error);
	/* Most likely for the next stamp. */
	if (!result)
		(void)stamps_await(channel);
	return result;
}

int stamps_answer_clock(struct channel *channel, struct error *error)
{
	struct sc_statement here = host_statement();
	struct buffer buffer = { 0 };
	int result;

	stamps_prepare(channel);
	frame_put_statement(&buffer, &here);
	result = channel_send(channel, FRAME_CLOCKED, buffer.data, buffer.size, error);
	buffer_free(&buffer);
	return result;
}
