// SPDX-License-Identifier: GPL-2.0-only
/*
 * Excuses a gap to all who watch over CPUs and tasks.
 *
 * Policy: all that can be excused, as x86 does it for its own guests (pvclock_touch_watchdogs): soft and hard lockups,
 * the workqueues', RCU's stalls, hung tasks, the clocksource's watchdog. What a kernel does not have, or not under this
 * name, is left out; it can only complain. RCU's expedited grace periods know no excuse: they complain, with a wait in
 * progress, after a gap of 21 s and more.
 */
#include "seaclock.h"

#include <linux/nmi.h>

typedef void excuse_t(void);

/* Exported to nobody. */
static excuse_t *rcu_excuse, *clocksource_excuse;

void watchdog_init(void)
{
	rcu_excuse = internals_find("rcu_cpu_stall_reset");
	clocksource_excuse = internals_find("clocksource_touch_watchdog");
}

void watchdog_excuse(void)
{
	/* That of soft lockups is touched with it, and by that the workqueues'. */
	touch_nmi_watchdog();
	reset_hung_task_detector();
	if (rcu_excuse)
		rcu_excuse();
	if (clocksource_excuse)
		clocksource_excuse();
}
