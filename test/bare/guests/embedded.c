/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of the example monitor (example/): reference time by page and register, a periodic and a one-shot timer, and
 * a deadline over which guest time goes by way of a record.
 *
 * Policy: prints @record when it is time for that, and waits for a page with another sequence. Nothing may be early or
 * go back; how late something is, is for others to judge.
 */
#include "bare.h"
#include "reference.h"

#define TICK_TIMER 0u
#define TICK_INTID 31u
#define TICKS 10u
#define ONCE_TIMER 1u
#define ONCE_INTID 20u
#define LIMIT_US 60000000u
#define READINGS 100u

static volatile uint32_t ticks;
static volatile uint64_t came;

static void tick(void *argument)
{
	(void)argument;
	ticks++;
}

static void once(void *argument)
{
	(void)argument;
	came = reference_now();
}

/* A reading of the register lies between two of the page. */
static bool page_and_register_agree(void)
{
	for (uint32_t i = 0; i < READINGS; i++) {
		uint64_t before = reference_now(), between, after;

		if (sc_guest_get(&hypervisor, SC_REG_TIME_REF_COUNT, &between))
			return false;
		after = reference_now();
		if (between < before || after < between)
			return false;
	}
	return true;
}

static bool ticks_come(void)
{
	struct limit limit = limit_start(LIMIT_US);
	uint64_t start = reference_now();

	if (sc_guest_timer_direct(&hypervisor, TICK_TIMER, SC_GUEST_PERIODIC, TICK_INTID) ||
	    sc_guest_timer_set(&hypervisor, TICK_TIMER, 10 * MS))
		return false;
	while (ticks < TICKS && !limit_over(&limit))
		;
	return ticks >= TICKS && reference_now() >= start + (uint64_t)TICKS * 10 * MS &&
	       !sc_guest_timer_stop(&hypervisor, TICK_TIMER);
}

/* A one-shot timer comes at its time, also where the machine has gone by a record meanwhile. */
static bool deadline_comes(uint64_t distance, bool recorded)
{
	struct limit limit = limit_start(LIMIT_US);
	uint32_t sequence = reference_sequence();
	uint64_t due = reference_now() + distance;

	came = 0;
	if (sc_guest_timer_direct(&hypervisor, ONCE_TIMER, SC_GUEST_ONE_SHOT, ONCE_INTID) ||
	    sc_guest_timer_set(&hypervisor, ONCE_TIMER, due))
		return false;
	if (recorded)
		print("@record\n");
	while ((!came || (recorded && reference_sequence() == sequence)) && !limit_over(&limit))
		;
	print("@deadline late_us=%u moved=%u\n", (came - due) / 10, (uint64_t)(reference_sequence() != sequence));
	return came >= due && (reference_sequence() != sequence) == recorded;
}

bool guest_main(void)
{
	bool passed = reference_start();

	interrupt_enable(TICK_INTID, tick, NULL);
	interrupt_enable(ONCE_INTID, once, NULL);
	interrupts_unmask();
	passed = passed && page_and_register_agree() && ticks_come() && deadline_comes(50 * MS, false) &&
		 deadline_comes(2 * SECOND, true) && page_and_register_agree();
	interrupts_mask();
	return passed;
}
