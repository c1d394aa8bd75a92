/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of a repair, for a made-up guest: how one is made, carried out, and refused. */
#ifndef PLAN_FIXTURE_H
#define PLAN_FIXTURE_H

#include "unit.h"

#include "../fake/linux_clock.h"

#include <stdlib.h>
#include <string.h>

/* Of the kernels that are tried. */
static enum linux_series series;

static uint8_t plan_memory[SC_PLAN_ARENA_SIZE] __attribute__((aligned(8)));
static struct sc_plan plan;
static struct sc_refusal why;

static inline struct linux_clock_state usual_state(uint32_t hz)
{
	struct linux_clock_state state = linux_clock_usual(hz);

	state.series = series;
	return state;
}

static inline struct sc_rate_change usual_change(void)
{
	return (struct sc_rate_change){ .from_hz = 25000000,
					.to_hz = 62500000,
					.from_ticks = linux_clock_usual(25000000).count,
					.to_ticks = 0x1000000000 };
}

static inline int make(struct linux_clock *clock, const struct sc_rate_change *change)
{
	struct sc_arena arena = { .memory = plan_memory, .size = sizeof(plan_memory) };

	return sc_plan_make(&clock->kernel, change, &arena, &plan, &why);
}

static inline void carry_out(struct linux_clock *clock, const struct sc_rate_change *change)
{
	if (make(clock, change))
		fail_msg("%s", why.text);
	assert_int_equal(clock->ram.writes, 0);
	if (sc_plan_apply(&clock->guest, &plan, &why))
		fail_msg("%s", why.text);
	assert_int_equal(clock->ram.outside, 0);
}

/* Nothing is planned, and nothing was written. */
static inline void refused(struct linux_clock *clock, const struct sc_rate_change *change,
			   enum sc_refusal_reason reason, const char *words)
{
	const struct sc_plan none = { 0 };

	if (make(clock, change) != -(int)reason || !strstr(why.text, words))
		fail_msg("\"%s\" (%d) does not say \"%s\"", why.text, (int)why.reason, words);
	assert_memory_equal(&plan, &none, sizeof(plan));
	assert_int_equal(clock->ram.writes, 0);
	assert_int_equal(clock->ram.outside, 0);
}

#endif
