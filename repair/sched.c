/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_clock: the scheduler's clock, which is also that of the kernel's log and of traces.
 *
 * Policy: it goes on from what it reads, in whole ns. Its epoch is renewed by a timer that was set at the old rate, for
 * half of the time that the old shift lasts; so the new shift is not above the old one. Source: Linux 6.12,
 * kernel/time/sched_clock.c.
 */
#include "planner.h"

/* A multiplier may be off by its last bit, and by a millionth. */
#define OFF_ONE_IN 1000000u
#define SHIFT_MAX 32u
#define HALVES 2u

struct reading {
	uint64_t epoch_ns;
	uint64_t epoch_cyc;
	uint64_t mask;
	struct scale scale;
};

static struct reading read_half(struct planner *planner, uint64_t va)
{
	return (struct reading){ .epoch_ns = sc_planner_get(planner, va, SC_SCHED_EPOCH_NS),
				 .epoch_cyc = sc_planner_get(planner, va, SC_SCHED_EPOCH_CYC),
				 .mask = sc_planner_get(planner, va, SC_SCHED_MASK),
				 .scale = { .mult = (uint32_t)sc_planner_get(planner, va, SC_SCHED_MULT),
					    .shift = (uint32_t)sc_planner_get(planner, va, SC_SCHED_SHIFT) } };
}

static bool is_scale_of(const struct scale *scale, uint32_t hz)
{
	uint64_t want = (uint64_t)NS_PER_SECOND << scale->shift, have = (uint64_t)scale->mult * hz;

	return (want > have ? want - have : have - want) <= want / OFF_ONE_IN + hz;
}

/* What it reads at a count: the kernel's product has 64 bits. */
static uint64_t read_at(struct planner *planner, const struct reading *reading, uint64_t count)
{
	scale_product product = (scale_product)((count - reading->epoch_cyc) & reading->mask) * reading->scale.mult;

	sc_planner_expect(planner, product <= UINT64_MAX, SC_REFUSED_UNKNOWN,
			  "the kernel has not renewed the epoch of its sched_clock in time");
	return reading->epoch_ns + (uint64_t)(product >> reading->scale.shift);
}

static void write_half(struct planner *planner, uint64_t va, uint64_t now, const struct scale *scale)
{
	sc_planner_set(planner, va, SC_SCHED_EPOCH_NS, now);
	sc_planner_set(planner, va, SC_SCHED_EPOCH_CYC, planner->change->to_ticks);
	sc_planner_set(planner, va, SC_SCHED_MULT, scale->mult);
	sc_planner_set(planner, va, SC_SCHED_SHIFT, scale->shift);
}

void sc_plan_sched(struct planner *planner)
{
	uint64_t va = planner->kernel->address[SC_VAR_SCHED];
	uint64_t halves = sc_planner_at(planner, va, SC_SCHED_READ_DATA), now;
	uint32_t size = planner->kernel->layout.size[SC_STRUCT_SCHED_READ];
	struct reading reading = read_half(planner, halves);
	struct scale_sched to;

	sc_planner_bump(planner, va, SC_SCHED_SEQ, "its sched_clock");
	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_SCHED_RATE) == planner->change->from_hz &&
				  reading.scale.shift > 0 && reading.scale.shift <= SHIFT_MAX &&
				  is_scale_of(&reading.scale, planner->change->from_hz),
			  SC_REFUSED_UNKNOWN, "the kernel's sched_clock has another rate than the counter");
	if (planner->err)
		return;
	now = read_at(planner, &reading, planner->change->from_ticks);
	to = sc_scale_sched(planner->change->to_hz, reading.mask, reading.scale.shift);
	for (uint32_t n = 0; n < HALVES; n++)
		write_half(planner, halves + (uint64_t)n * size, now, &to.scale);
	sc_planner_set(planner, va, SC_SCHED_RATE, planner->change->to_hz);
	sc_planner_set(planner, va, SC_SCHED_WRAP_KT, to.wrap_ns);
}
