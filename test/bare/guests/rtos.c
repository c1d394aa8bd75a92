/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real-time system's time base: a tick of 10 ms for the scheduler, and a one-shot timer for exact deadlines, both in
 * direct mode on interrupts of its own choice.
 *
 * Policy: one of the programs of doc/guest-library.md, which shows this file as it is.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define TICK_TIMER 0u
#define TICK_INTID 31u
#define TICK 100000u /* 10 ms */
#define DEADLINE_TIMER 1u
#define DEADLINE_INTID 20u
#define DEADLINES 10u

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(SC_HV_PAGE_SIZE)));
static volatile uint32_t ticks, met;
static volatile bool early;
static uint64_t due;

/* The tick's handler leaves the timer alone: each period is one edge. No exit. */
static void tick(void *argument)
{
	(void)argument;
	ticks++;
}

/* The deadline's handler sets the next one, 25 ms on: one exit, no matter how often it is re-armed. */
static void deadline(void *argument)
{
	sc_ref_t now;

	(void)argument;
	if (sc_guest_now(&guest, &now) || now.v < due)
		early = true;
	met++;
	due = now.v + 5 * TICK / 2;
	if (met < DEADLINES)
		sc_guest_timer_set(&guest, DEADLINE_TIMER, due);
}

static bool start(void)
{
	sc_ref_t now;

	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page))
		return false;
	interrupt_enable(TICK_INTID, tick, NULL);
	interrupt_enable(DEADLINE_INTID, deadline, NULL);
	if (sc_guest_timer_direct(&guest, TICK_TIMER, SC_GUEST_PERIODIC, TICK_INTID) ||
	    sc_guest_timer_direct(&guest, DEADLINE_TIMER, SC_GUEST_ONE_SHOT, DEADLINE_INTID) ||
	    sc_guest_now(&guest, &now))
		return false;
	due = now.v + TICK;
	return !sc_guest_timer_set(&guest, TICK_TIMER, TICK) && !sc_guest_timer_set(&guest, DEADLINE_TIMER, due);
}

bool guest_main(void)
{
	struct limit limit = limit_start(30000000);

	if (!start())
		return false;
	interrupts_unmask();
	while ((met < DEADLINES || ticks < DEADLINES) && !limit_over(&limit))
		__asm__ volatile("wfi");
	interrupts_mask();
	sc_guest_timer_stop(&guest, TICK_TIMER);
	sc_guest_timer_stop(&guest, DEADLINE_TIMER);
	print("%u ticks, %u deadlines, %s\n", (uint64_t)ticks, (uint64_t)met, early ? "one was early" : "none early");
	return met == DEADLINES && ticks >= DEADLINES && !early;
}
