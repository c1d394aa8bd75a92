/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that masks interrupts for half of every 200 ms while a periodic timer of 10 ms runs: what expires meanwhile
 * coalesces into one interrupt, and the timer goes on.
 *
 * Policy: runs as course.c says. Passes if each window without the mask had an interrupt, none had more than its
 * periods and two (one latched, one due at the boundary), and the masked windows had none. One line a second.
 */
#include "bare.h"
#include "reference.h"

#define PERIOD (10 * MS)
#define WINDOW (100 * MS)

static volatile uint64_t interrupts;

static void handle(void *argument)
{
	(void)argument;
	interrupts++;
}

static uint64_t spin(uint64_t units)
{
	uint64_t start = reference_now(), seen = interrupts;

	while (reference_now() - start < units)
		;
	return interrupts - seen;
}

static bool window_pair(uint64_t *open_total)
{
	uint64_t start, masked, open;

	interrupts_mask();
	masked = spin(WINDOW);
	start = reference_now();
	interrupts_unmask();
	open = spin(WINDOW);
	*open_total += open;
	if (masked == 0 && open >= 1 && open <= (reference_now() - start) / PERIOD + 2)
		return true;
	print("@masked bad masked=%u open=%u\n", masked, open);
	return false;
}

bool guest_main(void)
{
	struct course course = course_start();
	uint64_t total = 0;

	if (!reference_start())
		return false;
	interrupt_enable(SC_STIMER0_INTID, handle, NULL);
	if (sc_guest_timer_direct(&hypervisor, 0, SC_GUEST_PERIODIC, SC_STIMER0_INTID) ||
	    sc_guest_timer_set(&hypervisor, 0, PERIOD))
		return false;
	for (uint64_t i = 0; !course_over(&course); i++) {
		if (!window_pair(&total))
			return false;
		if (i % 5 == 4)
			print("@masked interrupts=%u\n", total);
	}
	interrupts_mask();
	return !sc_guest_timer_stop(&hypervisor, 0);
}
