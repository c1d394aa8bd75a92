// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this guest declares of itself to Seaclock's monitor, which decides by it where the guest may move.
 *
 * Policy: never promise more than is true at this moment. The clock is on the page only while both the current
 * clocksource and sched_clock are.
 */
#include "seaclock.h"

#include <linux/spinlock.h>

static DEFINE_RAW_SPINLOCK(declaration_lock);
static bool understood, clocksource_on_page, sched_clock_on_page;
static u64 declared;

/* The clocksource changes inside stop_machine: nobody can hold the lock then, for its holders have interrupts off. */
static void declaration_send(void)
{
	u64 bits = SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_REWRITES_TIMER;

	if (clocksource_on_page && sched_clock_on_page)
		bits |= SC_GUEST_CLOCK_ON_PAGE;
	if (understood && bits != declared && !hypercall_set(SC_REG_GUEST_CLOCK, bits))
		declared = bits;
}

static void declaration_set(bool *fact, bool value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&declaration_lock, flags);
	*fact = value;
	declaration_send();
	raw_spin_unlock_irqrestore(&declaration_lock, flags);
}

void declaration_init(void)
{
	u64 magic, features;

	understood = !hypercall_get(SC_REG_SEACLOCK, &magic, &features) && magic == SC_SEACLOCK_MAGIC &&
		     features & SC_SEACLOCK_HAS_GUEST_CLOCK;
	declaration_send();
}

bool declaration_understood(void)
{
	return understood;
}

void declaration_set_clocksource(bool on_page)
{
	declaration_set(&clocksource_on_page, on_page);
}

void declaration_set_sched_clock(bool on_page)
{
	declaration_set(&sched_clock_on_page, on_page);
}

void declaration_withdraw(void)
{
	if (understood)
		hypercall_set(SC_REG_GUEST_CLOCK, 0);
}
