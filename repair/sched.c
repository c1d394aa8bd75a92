/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_clock: the scheduler's clock, which is also that of the kernel's log and of traces.
 *
 * Policy: it goes on from what it reads, in whole ns. Its epoch is renewed by a timer that was set at the old rate, for
 * half of the time that the old shift lasts; so the new shift is not above the old one, and a kernel that was repaired
 * before has a lower one than its rate gives it. The kernel changes the second half before its count is odd, so halves
 * that differ are a change under way. Source: Linux 6.12, kernel/time/sched_clock.c.
 */
#include "planner.h"

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

static bool is_same(const struct reading *a, const struct reading *b)
{
	return a->epoch_ns == b->epoch_ns && a->epoch_cyc == b->epoch_cyc && a->mask == b->mask &&
	       a->scale.mult == b->scale.mult && a->scale.shift == b->scale.shift;
}

/* Whether it is what the kernel computes for the counter's rate. */
static bool is_usual(struct planner *planner, const struct reading *reading)
{
	uint64_t va = planner->kernel->address[SC_VAR_SCHED];
	struct scale_sched usual;

	if (!reading->scale.shift || reading->scale.shift > SHIFT_MAX || reading->mask != planner->mask)
		return false;
	usual = sc_scale_sched((uint32_t)planner->change->from_hz, reading->mask, reading->scale.shift);
	return reading->scale.mult == usual.scale.mult && reading->scale.shift == usual.scale.shift &&
	       sc_planner_get(planner, va, SC_SCHED_WRAP_KT) == usual.wrap_ns &&
	       sc_planner_get(planner, va, SC_SCHED_RATE) == planner->change->from_hz;
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
	struct reading reading = read_half(planner, halves), second = read_half(planner, halves + size);
	struct scale_sched to;

	sc_planner_bump(planner, va, SC_SCHED_SEQ, "its sched_clock");
	if (planner->err)
		return;
	sc_planner_expect(planner, is_usual(planner, &reading), SC_REFUSED_UNKNOWN,
			  "the kernel's sched_clock has another rate than the counter");
	if (planner->err)
		return;
	now = read_at(planner, &reading, planner->change->from_ticks);
	sc_planner_expect(planner, is_same(&reading, &second), SC_REFUSED_BUSY,
			  "the kernel is about to change its sched_clock");
	to = sc_scale_sched(planner->change->to_hz, reading.mask, reading.scale.shift);
	for (uint32_t n = 0; n < HALVES; n++)
		write_half(planner, halves + (uint64_t)n * size, now, &to.scale);
	sc_planner_set(planner, va, SC_SCHED_RATE, planner->change->to_hz);
	sc_planner_set(planner, va, SC_SCHED_WRAP_KT, to.wrap_ns);
}
