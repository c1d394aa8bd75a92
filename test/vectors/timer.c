/* SPDX-License-Identifier: BSD-2-Clause */
/* Test vectors of one synthetic timer: a guest that writes anything, and a monitor that looks late. */
#include "write.h"

#define WALKS 12
#define STEPS 12

static uint64_t any_config(void)
{
	uint64_t config = random_next(&dice) & (SC_STIMER_ENABLE | SC_STIMER_PERIODIC | SC_STIMER_AUTO_ENABLE);

	if (random_chance(&dice, 2))
		return config | SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT;
	return config | random_between(&dice, 0, 3) << SC_STIMER_SINT_SHIFT;
}

/* A time for a one-shot timer, a period for a periodic one: sometimes shorter than the shortest, sometimes endless. */
static uint64_t any_count(void)
{
	if (random_chance(&dice, 6))
		return random_wide(&dice);
	if (v.timer.config & SC_STIMER_PERIODIC)
		return random_between(&dice, 0, 3 * SC_STIMER_PERIOD_MIN);
	return v.now + random_between(&dice, 0, 5 * SC_STIMER_PERIOD_MIN);
}

static void deliver(void)
{
	v.asserted = random_chance(&dice, 2);
	emit(random_chance(&dice, 3) ? "sc_stimer_merged" : "sc_stimer_delivered");
}

static void write_any(void)
{
	if (random_chance(&dice, 3)) {
		v.config = any_config();
		emit("sc_stimer_set_config");
	} else {
		v.count = any_count();
		emit("sc_stimer_set_count");
	}
}

static void step(void)
{
	if (random_chance(&dice, 4)) {
		write_any();
	} else if (v.timer.pending && random_chance(&dice, 2)) {
		deliver();
	} else {
		v.now += random_between(&dice, 0, 4 * SC_STIMER_PERIOD_MIN);
		emit("sc_stimer_expire");
	}
}

void write_timers(void)
{
	for (int walk = 0; walk < WALKS; walk++) {
		v.timer = (struct sc_stimer){ 0 };
		v.now = random_wide(&dice) >> 2;
		v.config = any_config() | SC_STIMER_AUTO_ENABLE;
		emit("sc_stimer_set_config");
		v.count = any_count();
		emit("sc_stimer_set_count");
		for (int i = 0; i < STEPS; i++)
			step();
	}
}
