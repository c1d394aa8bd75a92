// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this guest declares about itself to Seaclock's monitor, which decides by that where and how the guest may move.
 *
 * Policy: never promise more than is true at this moment. The clock is on the page only while both the current
 * clocksource and sched_clock are, and neither that nor a hold is of use while a CPU has another timer. Bits unknown
 * to the monitor are not sent.
 */
#include "seaclock.h"

#include <linux/errno.h>
#include <linux/spinlock.h>

static DEFINE_RAW_SPINLOCK(declaration_lock);
static bool understood, sched_clock_on_page, holds, timers_lost;
static u64 features;
static enum clock clock;
static u32 raw_hz;
static u64 sent_bits;

static u64 declaration_bits(void)
{
	u64 bits = SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_REWRITES_TIMER;

	if (clock == CLOCK_PAGE && sched_clock_on_page && !timers_lost)
		bits |= SC_GUEST_CLOCK_ON_PAGE;
	if (clock == CLOCK_RAW)
		bits |= (u64)raw_hz << SC_GUEST_CLOCK_RAW_HZ_SHIFT;
	if (holds && !timers_lost)
		bits |= SC_GUEST_CLOCK_HOLDS;
	return bits;
}

/* The clocksource changes inside stop_machine. Nobody holds the lock then: whoever does has interrupts off. */
static int declaration_send(void)
{
	u64 bits = declaration_bits();
	int err;

	if (!understood)
		return -ENODEV;
	if (bits == sent_bits)
		return 0;
	err = hypercall_set(SC_REG_GUEST_CLOCK, bits);
	if (!err)
		sent_bits = bits;
	return err;
}

static int declaration_set_clock(enum clock value)
{
	enum clock before;
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&declaration_lock, flags);
	before = clock;
	WRITE_ONCE(clock, value);
	err = declaration_send();
	if (err && value == CLOCK_RAW)
		WRITE_ONCE(clock, before);
	raw_spin_unlock_irqrestore(&declaration_lock, flags);
	return err;
}

static void declaration_set(bool *fact, bool value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&declaration_lock, flags);
	WRITE_ONCE(*fact, value);
	declaration_send();
	raw_spin_unlock_irqrestore(&declaration_lock, flags);
}

void declaration_init(void)
{
	u64 magic;

	understood = !hypercall_get(SC_REG_SEACLOCK, &magic, &features) && magic == SC_SEACLOCK_MAGIC &&
		     features & SC_SEACLOCK_HAS_GUEST_CLOCK;
	declaration_send();
}

bool declaration_understood(void)
{
	return understood;
}

bool declaration_has_hold(void)
{
	return understood && features & SC_SEACLOCK_HAS_HOLD;
}

enum clock declaration_clock(void)
{
	return READ_ONCE(clock);
}

void declaration_set_page(void)
{
	declaration_set_clock(CLOCK_PAGE);
}

int declaration_set_raw(u32 hz)
{
	raw_hz = hz;
	return declaration_set_clock(CLOCK_RAW);
}

void declaration_unset(enum clock value)
{
	if (clock == value)
		declaration_set_clock(CLOCK_OTHER);
}

void declaration_set_sched_clock(void)
{
	declaration_set(&sched_clock_on_page, true);
}

void declaration_set_holds(void)
{
	declaration_set(&holds, true);
}

void declaration_set_timers(bool ours)
{
	declaration_set(&timers_lost, !ours);
}

enum level declaration_level(void)
{
	if (!READ_ONCE(sched_clock_on_page) || READ_ONCE(timers_lost))
		return LEVEL_NONE;
	return READ_ONCE(holds) ? LEVEL_COOPERATIVE : LEVEL_REFERENCE;
}

void declaration_withdraw(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&declaration_lock, flags);
	if (understood)
		hypercall_set(SC_REG_GUEST_CLOCK, 0);
	understood = false;
	raw_spin_unlock_irqrestore(&declaration_lock, flags);
}
