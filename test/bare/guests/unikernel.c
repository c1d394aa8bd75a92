/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unikernel's timers: many sleepers on few interrupts. Timer messages say which timer expired and when, so one
 * interrupt serves all four timers of a vCPU.
 *
 * Policy: one of the programs of doc/guest-library.md, which shows this file as it is.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define SINT 2u
#define SINT_INTID 21u
#define MS 10000u

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(SC_HV_PAGE_SIZE)));
static struct sc_message messages[SC_SINT_COUNT] __attribute__((aligned(SC_HV_PAGE_SIZE)));

static struct sleeper {
	uint64_t due;
	uint64_t woken; /* 0: not yet */
} sleepers[SC_STIMER_COUNT];

/* Takes what is in the slot; the library frees it and asks for the next message if one waits. */
static void wake(void *argument)
{
	struct sc_timer_message message;

	(void)argument;
	while (sc_guest_message_take(&guest, messages, SINT, &message))
		if (message.timer_index < SC_STIMER_COUNT)
			sleepers[message.timer_index].woken = message.delivery_time;
}

static bool start(void)
{
	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page) ||
	    sc_guest_messages_enable(&guest, (uintptr_t)messages) || sc_guest_sint_enable(&guest, SINT, SINT_INTID))
		return false;
	interrupt_enable(SINT_INTID, wake, NULL);
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		if (sc_guest_timer_message(&guest, n, SC_GUEST_ONE_SHOT, SINT))
			return false;
	return true;
}

/* All four sleep for the same time, so that their messages queue up behind one slot. */
static bool sleep_all(void)
{
	sc_ref_t now;

	if (sc_guest_now(&guest, &now))
		return false;
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		sleepers[n].due = now.v + 50 * MS;
		if (sc_guest_timer_set(&guest, n, sleepers[n].due))
			return false;
	}
	return true;
}

static bool all_woken(void)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		if (!__atomic_load_n(&sleepers[n].woken, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

bool guest_main(void)
{
	struct limit limit = limit_start(20000000);
	bool passed;

	if (!start() || !sleep_all())
		return false;
	interrupts_unmask();
	while (!all_woken() && !limit_over(&limit))
		;
	interrupts_mask();
	passed = all_woken();
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		passed &= sleepers[n].woken >= sleepers[n].due;
		sc_guest_timer_stop(&guest, n);
	}
	sc_guest_sint_disable(&guest, SINT);
	sc_guest_messages_disable(&guest);
	print("%s\n", passed ? "all sleepers woke, none early" : "a sleeper overslept or woke early");
	return passed;
}
