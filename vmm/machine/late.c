/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers that are late: see the header. */
#include "machine/late.h"

#define LATE_NS 1000000000u

const char *late_delay_name(enum late_delay delay)
{
	static const char *const names[] = {
		[LATE_OVERDUE] = "overdue",
		[LATE_WAITS] = "waits",
		[LATE_ASSERTED] = "asserted",
	};

	return names[delay];
}

/* True if the timer is in a state that should not last, and since when it is. */
static bool late_delayed(const struct clock *clock, struct late_timer *late, sc_ref_t *since)
{
	const struct sc_stimer *timer = &clock->partition.vcpu[late->vp].timer[late->timer];

	if (timer->asserted) {
		late->delay = LATE_ASSERTED;
		*since = clock->raised[late->vp][late->timer];
	} else if (timer->pending) {
		late->delay = LATE_WAITS;
		*since = timer->expired;
	} else {
		late->delay = LATE_OVERDUE;
		*since = timer->due;
	}
	return timer->asserted || timer->pending || timer->armed;
}

uint32_t late_timers(struct clock *clock, struct late_timer late[LATE_TIMERS_MAX])
{
	uint32_t count = 0;
	sc_ref_t now, since;

	lock_take(&clock->lock);
	now = clock_now(clock);
	for (uint32_t i = 0; !clock->stopped && i < clock->partition.vcpu_count * SC_STIMER_COUNT; i++) {
		late[count] = (struct late_timer){ .vp = i / SC_STIMER_COUNT, .timer = i % SC_STIMER_COUNT };
		if (!late_delayed(clock, &late[count], &since))
			continue;
		late[count].since = sc_ref_until(since, now);
		count += late[count].since.v >= LATE_NS;
	}
	lock_drop(&clock->lock);
	return count;
}
