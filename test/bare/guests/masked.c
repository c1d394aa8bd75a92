/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that masks interrupts for half of every 200 ms while a periodic timer of 10 ms runs: what expires meanwhile
 * coalesces into one interrupt, and the timer goes on.
 *
 * Policy: runs as course.c says. Passes if each window without the mask had an interrupt, none had more than its
 * periods and two (one latched, one due at the boundary), and the masked windows had none. A window without the mask
 * lasts until it has had one, for a busy host may be late, but not as long as if the timer were lost. One line a
 * second.
 */
#include "bare.h"
#include "reference.h"

#define PERIOD (10 * MS)
#define WINDOW (100 * MS)
#define LOST (10 * SECOND)

static volatile uint64_t interrupts;

static void handle(void *argument)
{
	(void)argument;
	interrupts++;
}

/* For so long at least, and until there were `wanted` interrupts or those must be lost. Returns how many there were. */
static uint64_t spin(uint64_t units, uint64_t wanted)
{
	uint64_t start = reference_now(), seen = interrupts, spent;

	do
		spent = reference_now() - start;
	while (spent < units || (interrupts - seen < wanted && spent < LOST));
	return interrupts - seen;
}

static bool window_pair(uint64_t *open_total)
{
	uint64_t start, masked, open;

	interrupts_mask();
	masked = spin(WINDOW, 0);
	start = reference_now();
	interrupts_unmask();
	open = spin(WINDOW, 1);
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
