// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what the module has done so far.
 *
 * Policy: for people and tests; nothing in the module goes by it. So it depends on no other file, and all may count.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/seq_file.h>
#include <linux/time64.h>

static const char *const count_names[COUNTS] = {
	[COUNT_SWITCHES] = "switches",
	[COUNT_HOLDS] = "holds",
	[COUNT_HOLDS_CALLED_OFF] = "holds_called_off",
	[COUNT_LATE_REPAIRS] = "late_repairs",
	[COUNT_REPAIRED_DELAY] = "repaired_delay",
	[COUNT_REPAIRED_EVENT_STREAM] = "repaired_event_stream",
	[COUNT_REPAIRED_ARCH_TIMER_RATE] = "repaired_arch_timer_rate",
	[COUNT_REPAIRED_FEATURE_CHECK] = "repaired_feature_check",
};

static atomic64_t counts[COUNTS];
static u64 last_hold_us;
static s64 last_step_ns;

void count_add(enum count count)
{
	atomic64_inc(&counts[count]);
}

void count_hold(u64 ns)
{
	count_add(COUNT_HOLDS);
	WRITE_ONCE(last_hold_us, ns / NSEC_PER_USEC);
}

void count_step(s64 ns)
{
	WRITE_ONCE(last_step_ns, ns);
}

void count_show(struct seq_file *file)
{
	for (int i = 0; i < COUNTS; i++)
		seq_printf(file, "%s %lld\n", count_names[i], atomic64_read(&counts[i]));
	seq_printf(file, "last_hold_us %llu\n", READ_ONCE(last_hold_us));
	seq_printf(file, "last_step_ns %lld\n", READ_ONCE(last_step_ns));
}
