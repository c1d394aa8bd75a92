/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The clock handoff: how far the target's clock is from the source's, from time stamps that crossed the network.
 *
 * Policy: bounds, not estimates. A message cannot arrive before it was sent, so each stamp bounds the difference from
 * both sides whatever the paths are like; the only assumption is the drift allowance. The peer is not trusted: stamps
 * that no clock can give are refused, and no sum here can overflow.
 */
#include "rate.h"

/* Times beyond 146 years of ns are refused: differences and their sums then stay within 64 bits. */
#define TIME_MAX_NS (1ull << 62)

#define MILLION 1000000u

void sc_handoff_init(struct sc_handoff *handoff)
{
	*handoff = (struct sc_handoff){ .best_round_trip_ns = SC_U64_MAX };
}

/*
 * How far the difference may have moved between two source times. With both rates wrong by p in opposite directions it
 * moves by 2p / (1 - p) of the time that the slower clock measures. At most 2^52 ns for any argument.
 */
static int64_t drift(sc_ns_t at, sc_ns_t now)
{
	uint64_t age = now.v > at.v ? now.v - at.v : at.v - now.v;

	return (int64_t)sc_muldiv_up(age, 2 * SC_HANDOFF_DRIFT_PPM, MILLION - SC_HANDOFF_DRIFT_PPM);
}

static bool plausible(const struct sc_stamp *stamp)
{
	if (stamp->returned.v > TIME_MAX_NS || stamp->answered.v > TIME_MAX_NS)
		return false;
	if (stamp->returned.v < stamp->sent.v || stamp->answered.v < stamp->received.v)
		return false;
	/* The target cannot have held the message for longer than it was away. */
	return stamp->answered.v - stamp->received.v <= stamp->returned.v - stamp->sent.v;
}

static int64_t low_at(const struct sc_handoff *handoff, sc_ns_t now)
{
	return handoff->low_ns - drift(handoff->low_at, now);
}

static int64_t high_at(const struct sc_handoff *handoff, sc_ns_t now)
{
	return handoff->high_ns + drift(handoff->high_at, now);
}

/* Takes each bound of a stamp that is tighter than the one known, both aged to the stamp's return. */
static void tighten(struct sc_handoff *handoff, const struct sc_handoff *fresh, sc_ns_t now)
{
	int64_t low = low_at(fresh, now), high = high_at(fresh, now);
	/* Bounds that exclude each other: a clock was stepped, and what was known of it is void. */
	bool stepped = handoff->valid && (low > high_at(handoff, now) || high < low_at(handoff, now));
	bool replace = !handoff->valid || stepped;

	if (replace || low > low_at(handoff, now)) {
		handoff->low_ns = fresh->low_ns;
		handoff->low_at = fresh->low_at;
	}
	if (replace || high < high_at(handoff, now)) {
		handoff->high_ns = fresh->high_ns;
		handoff->high_at = fresh->high_at;
	}
	handoff->valid = true;
}

int sc_handoff_add(struct sc_handoff *handoff, const struct sc_stamp *stamp)
{
	/* The bounds hold at some moment between sending and return; aged from sending they are valid either way. */
	struct sc_handoff fresh = { .low_at = stamp->sent, .high_at = stamp->sent };
	uint64_t round_trip;

	if (!plausible(stamp))
		return -SC_E_VALUE;
	fresh.low_ns = (int64_t)stamp->answered.v - (int64_t)stamp->returned.v;
	fresh.high_ns = (int64_t)stamp->received.v - (int64_t)stamp->sent.v;
	tighten(handoff, &fresh, stamp->returned);
	round_trip = (stamp->returned.v - stamp->sent.v) - (stamp->answered.v - stamp->received.v);
	if (round_trip < handoff->best_round_trip_ns)
		handoff->best_round_trip_ns = round_trip;
	handoff->stamps++;
	return 0;
}

int sc_handoff_result(const struct sc_handoff *handoff, sc_ns_t now, int64_t *middle_ns, uint64_t *half_width_ns)
{
	int64_t low = low_at(handoff, now), high = high_at(handoff, now);
	uint64_t width = (uint64_t)high - (uint64_t)low;

	if (!handoff->valid || high < low)
		return -SC_E_NO_DATA;
	*middle_ns = low + (int64_t)(width / 2);
	/* Rounded up, and one more because stamps are whole nanoseconds, each up to one below the true time. */
	*half_width_ns = width / 2 + width % 2 + 1;
	return 0;
}
