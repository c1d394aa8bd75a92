/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One synthetic timer.
 *
 * Policy: the specification's semantics (TLFS, timers); where it is silent, what Linux guests need. Never early: an
 * expiry is judged by reference time alone. A disarmed timer's `due` is 0.
 */
#include "stimer.h"

/* INTIDs that KVM drives itself: maintenance interrupt and the architectural timers. */
#define INTIDS_OWNED (1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30)

static void disarm(struct sc_stimer *timer)
{
	timer->armed = false;
	timer->due = sc_ref(0);
}

/* After a write: what was pending or asserted belonged to the old setting; the new one starts now. */
static void program(struct sc_stimer *timer, sc_ref_t now)
{
	bool aimless =
		!(timer->config & SC_STIMER_DIRECT) && !(timer->config >> SC_STIMER_SINT_SHIFT & SC_STIMER_SINT_MASK);

	timer->pending = false;
	timer->asserted = false;
	if (aimless)
		timer->config &= ~SC_STIMER_ENABLE;
	disarm(timer);
	if (!(timer->config & SC_STIMER_ENABLE) || !timer->count)
		return;
	timer->armed = true;
	timer->due.v = timer->config & SC_STIMER_PERIODIC ? sc_add_saturating(now.v, timer->count) : timer->count;
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
	uint64_t late;

	if (!timer->armed || now.v < timer->due.v)
		return false;
	timer->pending = true;
	if (timer->config & SC_STIMER_PERIODIC) {
		/* The next period boundary after now: missed ones coalesce, the phase stays. */
		late = (now.v - timer->due.v) % timer->count;
		timer->due.v = sc_add_saturating(now.v, timer->count - late);
	} else {
		timer->config &= ~SC_STIMER_ENABLE;
		disarm(timer);
	}
	return true;
}

void sc_stimer_delivered(struct sc_stimer *timer, bool asserted)
{
	timer->pending = false;
	timer->asserted = asserted;
}

static const char *intid_refused(uint32_t intid)
{
	if (intid < SC_PPI_FIRST || intid > SC_PPI_LAST)
		return "a direct timer's INTID is not a private peripheral interrupt (16 to 31)";
	if (1u << intid & INTIDS_OWNED)
		return "a direct timer's INTID belongs to the architectural timers or the interrupt controller";
	return NULL;
}

const char *sc_stimer_config_refused(uint64_t config)
{
	if (config & SC_STIMER_RESERVED_MASK)
		return "reserved bits of a timer's configuration are set";
	/* Disabled for good, its other fields mean nothing: guests leave anything there. */
	if (!(config & (SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE)))
		return NULL;
	if (config & SC_STIMER_DIRECT)
		return intid_refused((uint32_t)(config >> SC_STIMER_INTID_SHIFT & SC_STIMER_INTID_MASK));
	if (config >> SC_STIMER_SINT_SHIFT & SC_STIMER_SINT_MASK)
		return "there are no synthetic interrupt messages: a timer must be direct";
	return NULL;
}

bool sc_stimer_impossible(const struct sc_stimer *timer)
{
	bool enabled = timer->config & SC_STIMER_ENABLE, direct = timer->config & SC_STIMER_DIRECT;
	uint64_t due_min = timer->armed ? timer->count : 0;
	bool due_exact = !timer->armed || !(timer->config & SC_STIMER_PERIODIC);

	if (sc_stimer_config_refused(timer->config))
		return true;
	if ((enabled || timer->pending || timer->asserted) && (!direct || intid_refused(sc_stimer_intid(timer))))
		return true;
	if (timer->armed != (enabled && timer->count))
		return true;
	/* A one-shot timer's expiry disarms it. */
	if (due_exact && timer->armed && timer->pending)
		return true;
	return due_exact ? timer->due.v != due_min : timer->due.v < due_min;
}
