/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of the clock handoff: two hosts that send each other stamps, and say how well they are synchronised. */
#include "write.h"

#define PAIRS 6
#define STAMPS 5
#define SECOND 1000000000ull
#define YEAR_2026 (1767225600ull * SECOND)

/* What a host says of itself, or what no host can. */
static struct sc_statement state(uint32_t hz, uint64_t counter)
{
	v.hz = hz;
	v.before.v = counter;
	v.after.v = counter + random_between(&dice, 100, 5000);
	v.realtime.v = YEAR_2026 + random_between(&dice, 0, SECOND);
	v.max_error_ns = random_chance(&dice, 4) ? SC_STATEMENT_UNKNOWN : random_between(&dice, 1000, 50000000);
	if (random_chance(&dice, 8))
		v.after.v = v.before.v - 1;
	emit("sc_statement_make");
	if (random_chance(&dice, 6))
		v.statement.error_ns = random_wide(&dice);
	emit("sc_statement_is_valid");
	return v.statement;
}

/* A message there and back, from `sent` on; the target's clock is `ahead`. */
static void exchange(uint64_t sent, uint64_t ahead)
{
	v.stamp.sent.v = sent;
	v.stamp.received.v = sent + ahead + random_between(&dice, 20000, 400000);
	v.stamp.answered.v = v.stamp.received.v + random_between(&dice, 100, 9000);
	v.stamp.returned.v = v.stamp.answered.v - ahead + random_between(&dice, 20000, 400000);
	if (random_chance(&dice, 10))
		v.stamp.answered.v = random_wide(&dice);
	emit("sc_offset_add");
}

static void results(uint64_t now, uint64_t ahead)
{
	v.now = v.started.v = now;
	v.difference_ns = (int64_t)ahead;
	emit("sc_offset_result");
	emit("sc_offset_bound");
	emit("sc_offset_rate");
}

static void pair(void)
{
	uint64_t start = random_wide(&dice) >> 8, ahead = random_wide(&dice) >> 8;

	v.source_hz = any_rate();
	v.target_hz = any_rate();
	emit("sc_offset_init");
	results(start, ahead);
	v.source = state(v.source_hz, start);
	v.target = state(v.target_hz, start + ahead);
	emit("sc_statement_difference");
	emit("sc_offset_state");
	for (int i = 0; i < STAMPS; i++) {
		exchange(start + (uint64_t)i * SECOND / 3, ahead);
		if (i % 2 == 0)
			results(start + (uint64_t)i * SECOND, ahead);
	}
	/* A counter was stepped. */
	exchange(start + 2 * SECOND, ahead + SECOND);
	results(start + 3 * SECOND, ahead + SECOND);
}

void write_handoff(void)
{
	for (int i = 0; i < PAIRS; i++)
		pair();
}
