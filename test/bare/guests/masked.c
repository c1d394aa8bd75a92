/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that masks interrupts for half of every 200 ms while a periodic timer of 10 ms runs: what expires meanwhile
 * coalesces into one interrupt, and the timer goes on.
 *
 * Policy: s= seconds (default 5). Passes if each window without the mask had an interrupt, none had more than its
 * periods and two (one latched, one due at the boundary), and the masked windows had none. One line a second.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define PERIOD 100000ull
#define WINDOW 1000000ull
#define SECOND 10000000ull

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(4096)));
static volatile uint64_t interrupts;

static void handle(void *argument)
{
	(void)argument;
	interrupts++;
}

static uint64_t now(void)
{
	sc_ref_t time = { 0 };

	(void)sc_guest_now(&guest, &time);
	return time.v;
}

static uint64_t spin(uint64_t units)
{
	uint64_t start = now(), seen = interrupts;

	while (now() - start < units)
		;
	return interrupts - seen;
}

static bool window_pair(uint64_t *open_total)
{
	uint64_t start, masked, open;

	interrupts_mask();
	masked = spin(WINDOW);
	start = now();
	interrupts_unmask();
	open = spin(WINDOW);
	*open_total += open;
	return masked == 0 && open >= 1 && open <= (now() - start) / PERIOD + 2;
}

bool guest_main(void)
{
	uint64_t seconds = machine_option("s", 5), total = 0;
	bool passed = true;

	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page))
		return false;
	interrupt_enable(SC_STIMER0_INTID, handle, NULL);
	if (sc_guest_timer_direct(&guest, 0, SC_GUEST_PERIODIC, SC_STIMER0_INTID) ||
	    sc_guest_timer_set(&guest, 0, PERIOD))
		return false;
	for (uint64_t i = 0; i < seconds * SECOND / (2 * WINDOW); i++) {
		passed &= window_pair(&total);
		if (i % 5 == 4)
			print("@masked interrupts=%u\n", total);
	}
	interrupts_mask();
	return passed && !sc_guest_timer_stop(&guest, 0);
}
