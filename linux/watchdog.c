// SPDX-License-Identifier: GPL-2.0-only
/*
 * Excuses a gap to everything that watches over CPUs and tasks.
 *
 * Policy: everything that can be excused, as x86 does for its own guests (pvclock_touch_watchdogs): soft and hard
 * lockups, stalls of workqueues and of RCU, hung tasks, the clocksource watchdog. What a kernel lacks, or has under
 * another name, is left out: the worst it can do is complain. RCU's expedited grace periods cannot be excused: one that
 * is being waited for complains after a gap of 21 s or more.
 */
#include "seaclock.h"

#include <linux/nmi.h>

typedef void excuse_t(void);

/* Not exported. */
static excuse_t *rcu_excuse, *clocksource_excuse;

void watchdog_init(void)
{
	rcu_excuse = internals_find("rcu_cpu_stall_reset");
	clocksource_excuse = internals_find("clocksource_touch_watchdog");
}

void watchdog_excuse(void)
{
	/* Touches the soft-lockup watchdog as well, and through it that of the workqueues. */
	touch_nmi_watchdog();
	reset_hung_task_detector();
	if (rcu_excuse)
		rcu_excuse();
	if (clocksource_excuse)
		clocksource_excuse();
}
