// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what the hypervisor asks for in SC_REG_MIGRATION: prepare, hold, or nothing, which means that the clock may be
 * on the raw counter.
 *
 * Policy: all of it is done by the worker, which always goes by what is asked now: an interrupt only says that this has
 * changed. The raw clocksource is registered with the rate from the same register read that returned SC_ASK_NOTHING.
 */
#include "seaclock.h"

#include <linux/acpi.h>
#include <linux/interrupt.h>
#include <linux/timekeeping.h>

#define CLOCK_READINGS 16

static bool active; /* the hypervisor asks, and this kernel can do all of it */
static int ask_irq;
static u32 ask_intid;

/*
 * How far CLOCK_MONOTONIC_RAW is from reference time. The change of this over a hold is what the hold cost that clock:
 * both switches, and the rates around them. The clock is read between two readings of reference time, several times;
 * the pair that is closest together counts.
 */
static s64 handshake_clock_error(void)
{
	u64 before, clock, after, width, best = U64_MAX;
	s64 error = 0;

	for (int i = 0; i < CLOCK_READINGS; i++) {
		before = page_reference_ns();
		clock = ktime_get_raw_ns();
		after = page_reference_ns();
		width = after - before;
		if (width < best) {
			best = width;
			error = clock - (before + width / 2);
		}
	}
	return error;
}

static void handshake_answer(u64 asked, u32 hz)
{
	static s64 error;
	static bool prepared, moved;

	if (asked == SC_ASK_NOTHING) {
		clocksource_raw_offer(hz, moved);
		if (moved)
			count_step(handshake_clock_error() - error);
		prepared = moved = false;
		return;
	}
	if (!prepared)
		error = handshake_clock_error();
	prepared = true;
	clocksource_raw_withdraw();
	if (asked == SC_ASK_HOLD && declaration_clock() == CLOCK_PAGE && hold_wait())
		moved = true;
}

static bool handshake_read(u64 *asked, u32 *hz)
{
	u32 sequence = page_sequence();
	u64 low;

	if (!READ_ONCE(active))
		return false;
	if (hypercall_get(SC_REG_MIGRATION, &low, NULL)) {
		refusal_note(SC_REG_MIGRATION);
		return false;
	}
	*asked = low & SC_ASK_MASK;
	*hz = low >> SC_MIGRATION_HZ_SHIFT;
	comparator_know(sequence, *hz);
	return true;
}

/* Repeat until the request just handled is still the current one. */
void handshake_settle(void)
{
	u64 asked, done = ~0ull, seconds;
	u32 hz;

	refusal_say();
	declaration_set_timers(clockevent_watch());
	moved_settle();
	while (handshake_read(&asked, &hz) && asked != done) {
		handshake_answer(asked, hz);
		done = asked;
	}
	seconds = clocksource_raw_lasts();
	if (seconds)
		worker_wake_after(seconds);
}

static irqreturn_t handshake_interrupt(int irq, void *data)
{
	worker_wake();
	return IRQ_HANDLED;
}

/* Stays enabled in suspend to idle: the hypervisor may ask at any time. */
static int handshake_map_irq(void)
{
	u64 low, high;

	if (hypercall_get(SC_REG_MIGRATION, &low, &high))
		return -EIO;
	ask_intid = high;
	ask_irq = acpi_register_gsi(NULL, ask_intid, ACPI_EDGE_SENSITIVE, ACPI_ACTIVE_HIGH);
	if (ask_irq < 0)
		return ask_irq;
	/* An interrupt that can be mapped but not requested is another driver's. */
	return request_irq(ask_irq, handshake_interrupt, IRQF_NO_SUSPEND, "seaclock_migration", &ask_irq);
}

void handshake_start(void)
{
	int err = handshake_map_irq();

	if (err) {
		pr_warn("cannot set up the migration interrupt (%d); staying on the reference page.\n", err);
		return;
	}
	declaration_set_holds();
	WRITE_ONCE(active, true);
	worker_wake();
}

void handshake_stop(void)
{
	if (!active)
		return;
	WRITE_ONCE(active, false);
	free_irq(ask_irq, &ask_irq);
	acpi_unregister_gsi(ask_intid);
	worker_flush();
}
