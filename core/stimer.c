/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One synthetic timer.
 *
 * Policy: the specification's semantics (TLFS, timers); where it is silent, what Linux guests need. Never early: an
 * expiry is judged by reference time alone, and every expiry is either delivered or counted as coalesced. A disarmed
 * timer's `due` is 0. The expiry that waits stands for the oldest moment: the message is queued then.
 */
#include "stimer.h"
#include "intid.h"

static void disarm(struct sc_stimer *timer)
{
	timer->armed = false;
	timer->due = sc_ref(0);
}

/* Nothing waits to be delivered. */
static void settle(struct sc_stimer *timer)
{
	timer->pending = false;
	timer->expired = sc_ref(0);
}

static bool is_periodic(const struct sc_stimer *timer)
{
	return timer->config & SC_STIMER_PERIODIC;
}

/* The time between two expiries of a periodic timer, at least SC_STIMER_PERIOD_MIN, and the periods that it stands for.
 */
static uint64_t step_of(const struct sc_stimer *timer, uint64_t *periods)
{
	*periods = 1;
	if (timer->count < SC_STIMER_PERIOD_MIN)
		*periods = (SC_STIMER_PERIOD_MIN + timer->count - 1) / timer->count;
	return timer->count * *periods;
}

/* After a write: what was pending or asserted belonged to the old setting; the new one starts now. */
static void program(struct sc_stimer *timer, sc_ref_t now)
{
	uint64_t periods;

	settle(timer);
	timer->asserted = false;
	timer->coalesced = 0;
	if (!(timer->config & SC_STIMER_DIRECT) && !sc_stimer_sint(timer))
		timer->config &= ~SC_STIMER_ENABLE;
	disarm(timer);
	if (!(timer->config & SC_STIMER_ENABLE) || !timer->count)
		return;
	timer->armed = true;
	timer->due.v = is_periodic(timer) ? sc_add_saturating(now.v, step_of(timer, &periods)) : timer->count;
}

void sc_stimer_set_config(struct sc_stimer *timer, uint64_t config, sc_ref_t now)
{
	timer->config = config;
	program(timer, now);
}

void sc_stimer_set_count(struct sc_stimer *timer, uint64_t count, sc_ref_t now)
{
	timer->count = count;
	if (!count)
		timer->config &= ~SC_STIMER_ENABLE;
	else if (timer->config & SC_STIMER_AUTO_ENABLE)
		timer->config |= SC_STIMER_ENABLE;
	program(timer, now);
}

bool sc_stimer_expire(struct sc_stimer *timer, sc_ref_t now)
{
	uint64_t late, step, periods;

	if (!timer->armed || now.v < timer->due.v)
		return false;
	if (timer->pending)
		timer->coalesced++;
	else
		timer->expired = timer->due;
	timer->pending = true;
	if (is_periodic(timer)) {
		/* The next boundary after now: missed ones coalesce, the phase stays. */
		late = now.v - timer->due.v;
		step = step_of(timer, &periods);
		timer->coalesced += (late / step + 1) * periods - 1;
		timer->due.v = sc_add_saturating(now.v, step - late % step);
	} else {
		timer->config &= ~SC_STIMER_ENABLE;
		disarm(timer);
	}
	return true;
}

void sc_stimer_merged(struct sc_stimer *timer)
{
	settle(timer);
	/* Only periods are counted. */
	if (is_periodic(timer))
		timer->coalesced++;
}

void sc_stimer_delivered(struct sc_stimer *timer, bool asserted)
{
	/* A line that is still high makes no second interrupt, and stays high until the next write. */
	if (timer->asserted)
		sc_stimer_merged(timer);
	else
		timer->asserted = asserted;
	settle(timer);
}

const char *sc_stimer_config_refused(uint64_t config)
{
	if (config & SC_STIMER_RESERVED_MASK)
		return "reserved bits of a timer's configuration are set";
	/* Disabled for good, its other fields mean nothing: guests leave anything there. */
	if (!(config & (SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE)))
		return NULL;
	if (config & SC_STIMER_DIRECT)
		return sc_intid_refused((uint32_t)(config >> SC_STIMER_INTID_SHIFT & SC_STIMER_INTID_MASK));
	return NULL;
}

/* A timer that is enabled, or was until it expired, has somewhere to go. */
static bool target_impossible(const struct sc_stimer *timer)
{
	if (!(timer->config & SC_STIMER_ENABLE) && !timer->pending && !timer->asserted)
		return false;
	if (timer->config & SC_STIMER_DIRECT)
		return sc_intid_refused(sc_stimer_intid(timer));
	return timer->asserted || !sc_stimer_sint(timer);
}

static bool one_shot_impossible(const struct sc_stimer *timer)
{
	/* Its expiry disarms it. */
	if ((timer->armed && timer->pending) || timer->coalesced)
		return true;
	return timer->due.v != (timer->armed ? timer->count : 0) ||
	       timer->expired.v != (timer->pending ? timer->count : 0);
}

static bool periodic_impossible(const struct sc_stimer *timer, sc_ref_t now)
{
	uint64_t passed = now.v / timer->count;

	if (timer->due.v < timer->count || timer->coalesced > passed)
		return true;
	if (!timer->pending)
		return timer->expired.v;
	if (timer->coalesced == passed || timer->expired.v < timer->count || timer->expired.v >= timer->due.v)
		return true;
	/* Whole periods apart, unless there is no next one. */
	return timer->due.v != SC_U64_MAX && (timer->due.v - timer->expired.v) % timer->count;
}

bool sc_stimer_impossible(const struct sc_stimer *timer, sc_ref_t now)
{
	bool enabled = timer->config & SC_STIMER_ENABLE;

	if (sc_stimer_config_refused(timer->config) || target_impossible(timer))
		return true;
	if (timer->armed != (enabled && timer->count) || timer->expired.v > now.v)
		return true;
	if (timer->armed && is_periodic(timer))
		return periodic_impossible(timer, now);
	return (timer->pending && (!timer->count || is_periodic(timer))) || one_shot_impossible(timer);
}
