/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual timer of the architecture, armed again and again, also across a migration to another counter rate: its
 * deadline must come at the same instant, never before, and nothing may be lost.
 *
 * Policy: s= seconds (default 5), ms= the distance of each deadline (default 100). Time is reference time, which
 * migrations do not bend; the counter's rate is read anew each time. A deadline that was set at one rate and comes at
 * another is judged like any other. One line a deadline.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define CNTV_INTID 27u
#define MS 10000ull
#define SECOND 10000000ull

/* A busy machine may hold everything up, but not for this long. */
#define LATE_MAX (10 * SECOND)

/* The counter and the reference clock are read one after the other: the deadline may seem early by that much. */
#define EARLY_MAX 20ull

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(4096)));
static volatile bool fired;

static uint64_t now(void)
{
	sc_ref_t time = { 0 };

	(void)sc_guest_now(&guest, &time);
	return time.v;
}

static void timer_control(uint64_t control)
{
	__asm__ volatile("msr cntv_ctl_el0, %0\n\tisb" : : "r"(control) : "memory");
}

static void handle(void *argument)
{
	(void)argument;
	timer_control(0);
	fired = true;
}

static bool deadline_check(uint64_t distance)
{
	uint64_t due = now() + distance, compare = counter_read() + distance * counter_hz() / SECOND, came;

	fired = false;
	__asm__ volatile("msr cntv_cval_el0, %0" : : "r"(compare));
	timer_control(1);
	while (!fired && now() < due + LATE_MAX)
		;
	came = now();
	print("@cntv hz=%u late_us=%u\n", counter_hz(), came > due ? (came - due) / 10 : 0);
	return fired && came + EARLY_MAX >= due;
}

bool guest_main(void)
{
	uint64_t end, distance = machine_option("ms", 100) * MS;

	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page))
		return false;
	interrupt_enable(CNTV_INTID, handle, NULL);
	interrupts_unmask();
	for (end = now() + machine_option("s", 5) * SECOND; now() < end;)
		if (!deadline_check(distance))
			return false;
	interrupts_mask();
	return true;
}
