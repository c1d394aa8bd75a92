/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One exchange over a network, from which its speed follows: who asks for it has both figures, what there was to do and
 * how long it took.
 *
 * Policy: the same program is at both ends, and each end is two connected sockets, one of a stream and one of packets.
 * The end that answers says on the stream that it is ready, so that no packet comes before its socket is there; the one
 * that asks says what shall be done, and the other one says when it has done its part. Packets have nothing in them but
 * their number. No more of them are under way than every queue between the ends holds, so all of them arrive, and one
 * that is missing is an error. No call waits longer than the sockets do (SO_RCVTIMEO).
 */
#ifndef TEST_GUEST_TRAFFIC_EXCHANGE_H
#define TEST_GUEST_TRAFFIC_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#define TRAFFIC_COUNT_MAX (1u << 30)

enum traffic_kind {
	TRAFFIC_STREAM_OUT, /* bytes, from the end that asks */
	TRAFFIC_STREAM_IN,
	TRAFFIC_TURNS, /* a byte there and one back */
	TRAFFIC_PACKETS_OUT,
	TRAFFIC_PACKETS_IN,
	TRAFFIC_KINDS,
};

struct traffic_order {
	enum traffic_kind kind;
	uint32_t count; /* from 1 to TRAFFIC_COUNT_MAX */
};

struct traffic_end {
	int stream;
	int packets;
};

/* False if there is no kind of that name. */
bool traffic_kind_parse(const char *name, enum traffic_kind *kind);

/* Has the other end do its part, and does its own: how many ns that took. -errno; -EPIPE: the other end has gone;
 * -ETIMEDOUT: nothing came in time; -EPROTO: what came is not what is due. */
int traffic_ask(const struct traffic_end *end, const struct traffic_order *order, uint64_t *ns);

/* Does the other end's part once. The same errors; -EPROTO also for an order that cannot be one. */
int traffic_answer(const struct traffic_end *end);

#endif
