// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hold: all CPUs stand still while the machine is moved, and what depends on the counter's rate is repaired before
 * any of them runs on.
 *
 * Policy: the machine is moved inside one hypercall, made by one CPU with all others waiting with interrupts off. Only
 * with the clock on the page: then no clock of the kernel sees the move.
 */
#include "seaclock.h"

#include <linux/cpumask.h>
#include <linux/processor.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>

struct hold {
	bool over;
	u64 hz, outcome;
	u64 ns;
};

/* In reference time, which includes the stop if the clock does. */
static void hold_call(struct hold *hold)
{
	u64 begun = page_reference_ns();

	/* A user may just have chosen another clocksource: then there is no hold. */
	if (declaration_clock() != CLOCK_PAGE || hypercall_get(SC_REG_HOLD, &hold->hz, &hold->outcome))
		hold->outcome = SC_HOLD_CALLED_OFF;
	hold->ns = page_reference_ns() - begun;
	if (hold->outcome != SC_HOLD_MOVED)
		return;
	repair_global(hold->hz);
	internals_repair_timer_rate(hold->hz);
}

static int hold_cpu(void *data)
{
	struct hold *hold = data;

	if (smp_processor_id() == cpumask_first(cpu_online_mask)) {
		hold_call(hold);
		smp_store_release(&hold->over, true);
	}
	while (!smp_load_acquire(&hold->over))
		cpu_relax();
	if (hold->outcome == SC_HOLD_MOVED) {
		repair_cpu(NULL);
		moved_seen(hold->hz);
	}
	/* The clock may show a long stop here; it was not a lockup. */
	watchdog_excuse();
	return 0;
}

bool hold_wait(void)
{
	struct hold hold = { .outcome = SC_HOLD_CALLED_OFF };
	u32 before = repair_hz();

	internals_open();
	stop_machine(hold_cpu, &hold, cpu_online_mask);
	internals_close();
	if (hold.outcome != SC_HOLD_MOVED) {
		count_add(COUNT_HOLDS_CALLED_OFF);
		return false;
	}
	count_hold(hold.ns);
	pr_info("moved in a hold of %llu us, counter rate %u Hz before and %llu Hz now\n", hold.ns / NSEC_PER_USEC,
		before, hold.hz);
	return true;
}
