/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The clock handoff: how far the target's clock is from the source's, from time stamps that crossed the network and,
 * if both hosts are synchronised to UTC, from what they say of that.
 *
 * Policy: bounds, not estimates. A message cannot arrive before it was sent, so each stamp bounds the difference from
 * both sides whatever the paths are like; the only assumption is the drift allowance. Statements are claims: they may
 * tighten what the stamps say, never contradict it. The peer is not trusted: what no clock can give is refused, and no
 * sum here can overflow.
 */
#include "rate.h"

/* Times beyond 146 years of ns are refused: differences and their sums then stay within 64 bits. */
#define TIME_MAX_NS (1ull << 62)

#define MILLION 1000000u
#define BILLION 1000000000u

/* The rate is told between the best stamp of so long a beginning and a later one. */
#define RATE_BEGINNING_NS 200000000u
#define RATE_BOUND_MAX_PPB 1000000u

void sc_offset_init(struct sc_offset *handoff, uint32_t source_hz, uint32_t target_hz)
{
	*handoff = (struct sc_offset){
		.source_lag_ns = sc_rate_lag(source_hz),
		.target_lag_ns = sc_rate_lag(target_hz),
	};
}

static uint64_t distance(sc_ns_t a, sc_ns_t b)
{
	return a.v > b.v ? a.v - b.v : b.v - a.v;
}

/*
 * How far the difference may have moved in a time. With both rates wrong by p in opposite directions it moves by
 * 2p / (1 - p) of the time that the slower clock measures. At most 2^52 ns for any argument.
 */
static int64_t drift(uint64_t age)
{
	return (int64_t)sc_muldiv_up(age, 2 * SC_OFFSET_DRIFT_PPM, MILLION - SC_OFFSET_DRIFT_PPM);
}

static uint64_t width(const struct sc_interval *interval)
{
	return (uint64_t)interval->high_ns - (uint64_t)interval->low_ns;
}

static int64_t middle(const struct sc_interval *interval)
{
	return interval->low_ns + (int64_t)(width(interval) / 2);
}

static struct sc_interval aged(const struct sc_interval *interval, sc_ns_t now)
{
	int64_t slack = drift(distance(interval->at, now));

	return (struct sc_interval){ now, interval->low_ns - slack, interval->high_ns + slack };
}

static bool exclude(const struct sc_interval *a, const struct sc_interval *b)
{
	return a->low_ns > b->high_ns || b->low_ns > a->high_ns;
}

/* What the stamps say at source time now. */
static struct sc_interval stamped_at(const struct sc_offset *handoff, sc_ns_t now)
{
	return (struct sc_interval){
		.at = now,
		.low_ns = handoff->low_ns - drift(distance(handoff->low_at, now)),
		.high_ns = handoff->high_ns + drift(distance(handoff->high_at, now)),
	};
}

/* ---- Stamps ---- */

static bool plausible(const struct sc_stamp *stamp)
{
	if (stamp->returned.v > TIME_MAX_NS || stamp->answered.v > TIME_MAX_NS)
		return false;
	if (stamp->returned.v < stamp->sent.v || stamp->answered.v < stamp->received.v)
		return false;
	/* The target cannot have held the message for longer than it was away. */
	return stamp->answered.v - stamp->received.v <= stamp->returned.v - stamp->sent.v;
}

/* A reading lags behind its clock, so each bound is looser by the lag of the clock that was read last. */
static struct sc_interval stamp_interval(const struct sc_offset *handoff, const struct sc_stamp *stamp)
{
	return (struct sc_interval){
		/* Each bound holds at some moment between sending and return; aged from sending it is valid then. */
		.at = stamp->sent,
		.low_ns = (int64_t)stamp->answered.v - (int64_t)stamp->returned.v - (int64_t)handoff->source_lag_ns,
		.high_ns = (int64_t)stamp->received.v - (int64_t)stamp->sent.v + (int64_t)handoff->target_lag_ns,
	};
}

/* Takes each bound of a stamp that is tighter than the one known, both aged to the stamp's return. */
static void tighten(struct sc_offset *handoff, const struct sc_interval *fresh, sc_ns_t now)
{
	struct sc_interval known = stamped_at(handoff, now), seen = aged(fresh, now);
	bool first = !handoff->stamps;

	if (first || seen.low_ns > known.low_ns) {
		handoff->low_ns = fresh->low_ns;
		handoff->low_at = fresh->at;
	}
	if (first || seen.high_ns < known.high_ns) {
		handoff->high_ns = fresh->high_ns;
		handoff->high_at = fresh->at;
	}
}

static void choose_best(struct sc_offset *handoff, const struct sc_stamp *stamp)
{
	uint64_t round_trip = (stamp->returned.v - stamp->sent.v) - (stamp->answered.v - stamp->received.v);
	uint64_t fresh = round_trip / 2 + (uint64_t)drift(distance(stamp->sent, stamp->returned));
	uint64_t best = handoff->best_round_trip_ns / 2 + (uint64_t)drift(distance(handoff->best_at, stamp->returned));

	if (handoff->stamps && best <= fresh)
		return;
	handoff->best_round_trip_ns = round_trip;
	handoff->best_at = stamp->sent;
}

/* True if the rate between `first` and b is known at least as well as that between `first` and a, which is older. */
static bool tells_more(const struct sc_interval *first, const struct sc_interval *a, const struct sc_interval *b)
{
	sc_u128 by_a = (sc_u128)(width(first) + width(a)) * (b->at.v - first->at.v);
	sc_u128 by_b = (sc_u128)(width(first) + width(b)) * (a->at.v - first->at.v);

	return by_b <= by_a;
}

/* Keeps the two stamps between which the rate is known best, of those that begin in the beginning. */
static void choose_ends(struct sc_offset *handoff, const struct sc_interval *fresh, sc_ns_t returned)
{
	struct sc_interval end = aged(fresh, returned);

	/* True at the moment of sending, too: it was aged over all of the round trip. */
	end.at = fresh->at;
	if (!handoff->stamps ||
	    (distance(end.at, handoff->first.at) < RATE_BEGINNING_NS && width(&end) < width(&handoff->first)))
		handoff->first = handoff->last = end;
	else if (end.at.v > handoff->last.at.v && tells_more(&handoff->first, &handoff->last, &end))
		handoff->last = end;
}

int sc_offset_add(struct sc_offset *handoff, const struct sc_stamp *stamp)
{
	struct sc_interval fresh, seen, known;

	if (!plausible(stamp))
		return -SC_E_VALUE;
	fresh = stamp_interval(handoff, stamp);
	seen = aged(&fresh, stamp->returned);
	known = stamped_at(handoff, stamp->returned);
	/* Bounds that exclude each other: a counter was stepped, and what was known of it is void. */
	if (handoff->stamps && exclude(&seen, &known)) {
		handoff->stamps = 0;
		handoff->stated = false;
	}
	tighten(handoff, &fresh, stamp->returned);
	choose_best(handoff, stamp);
	choose_ends(handoff, &fresh, stamp->returned);
	handoff->stamps++;
	return 0;
}

/* ---- Statements ---- */

int sc_offset_state(struct sc_offset *handoff, const struct sc_statement *source, const struct sc_statement *target)
{
	int64_t difference;
	uint64_t bound;
	int err = sc_statement_difference(source, target, &difference, &bound);

	handoff->stated = !err && bound != SC_STATEMENT_UNKNOWN;
	if (!handoff->stated)
		return err;
	/* They were made at two moments, and the counters drift in between. */
	bound += (uint64_t)drift(distance(source->realtime, target->realtime) + bound);
	handoff->statement = (struct sc_interval){
		.at = source->counter,
		.low_ns = difference - (int64_t)bound,
		.high_ns = difference + (int64_t)bound,
	};
	return 0;
}

/* Makes the stamps' interval smaller by the statements. */
static enum sc_stated apply_statement(const struct sc_offset *handoff, struct sc_interval *interval)
{
	struct sc_interval statement = aged(&handoff->statement, interval->at);
	uint64_t before = width(interval);

	if (!handoff->stated)
		return SC_STATED_NOTHING;
	if (exclude(&statement, interval))
		return SC_STATED_EXCLUDED;
	if (statement.low_ns > interval->low_ns)
		interval->low_ns = statement.low_ns;
	if (statement.high_ns < interval->high_ns)
		interval->high_ns = statement.high_ns;
	return width(interval) < before ? SC_STATED_TIGHTER : SC_STATED_LOOSER;
}

/* ---- Results ---- */

int sc_offset_result(const struct sc_offset *handoff, sc_ns_t now, struct sc_offset_result *result)
{
	struct sc_interval interval = stamped_at(handoff, now);

	if (!handoff->stamps || interval.low_ns > interval.high_ns)
		return -SC_E_NO_DATA;
	result->stated = apply_statement(handoff, &interval);
	result->middle_ns = middle(&interval);
	result->half_width_ns = width(&interval) - width(&interval) / 2;
	result->round_trip_ns = handoff->best_round_trip_ns;
	result->age_ns = distance(handoff->best_at, now);
	return 0;
}

/* From difference_ns to the far end of the interval. */
static uint64_t reach(const struct sc_offset_result *result, int64_t difference_ns)
{
	uint64_t off = result->middle_ns > difference_ns ? (uint64_t)result->middle_ns - (uint64_t)difference_ns
							 : (uint64_t)difference_ns - (uint64_t)result->middle_ns;

	return sc_add_saturating(result->half_width_ns, off);
}

uint64_t sc_offset_bound(const struct sc_offset *handoff, sc_ns_t started, int64_t difference_ns,
			 struct sc_offset_result *result)
{
	uint64_t late;

	if (sc_offset_result(handoff, started, result))
		return SC_OFFSET_UNKNOWN;
	/* The clock started as much later as the difference is wrong, by which time the interval was wider again. */
	late = reach(result, difference_ns);
	late = sc_add_saturating(late, (uint64_t)drift(sc_add_saturating(late, late)) + 2);
	if (sc_offset_result(handoff, sc_ns(sc_add_saturating(started.v, late)), result))
		return SC_OFFSET_UNKNOWN;
	return sc_add_saturating(reach(result, difference_ns), 1);
}

int sc_offset_rate(const struct sc_offset *handoff, struct sc_offset_rate *rate)
{
	uint64_t elapsed = handoff->last.at.v - handoff->first.at.v;
	/* Half the widths, and 4 ns for the halves that the middles and the two readings of the time leave out. */
	uint64_t bound =
		elapsed ? sc_muldiv_up(width(&handoff->first) + width(&handoff->last) + 8, BILLION / 2, elapsed) + 2
			: SC_U64_MAX;
	int64_t moved;

	if (bound > RATE_BOUND_MAX_PPB)
		return -SC_E_NO_DATA;
	/* Small, because otherwise one of the two stamps would have excluded the other. */
	moved = middle(&handoff->last) - middle(&handoff->first);
	rate->ppb = (int64_t)sc_muldiv((uint64_t)(moved < 0 ? -moved : moved), BILLION, elapsed) * (moved < 0 ? -1 : 1);
	rate->bound_ppb = bound;
	return 0;
}
