// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module has done so far, to be read in the file seaclock/state of debugfs: a line for each name and value.
 *
 * Policy: for people and tests; nothing in the module goes by it.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/time64.h>

static const char *const state_names[COUNTS] = {
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

void state_count(enum count count)
{
	atomic64_inc(&counts[count]);
}

void state_held(u64 ns)
{
	state_count(COUNT_HOLDS);
	WRITE_ONCE(last_hold_us, ns / NSEC_PER_USEC);
}

void state_stepped(s64 ns)
{
	WRITE_ONCE(last_step_ns, ns);
}

static int state_show(struct seq_file *file, void *unused)
{
	static const char *const levels[] = { "none", "reference", "cooperative" };
	static const char *const clocks[] = { "other", "page", "raw" };

	seq_printf(file, "level %s\n", levels[declaration_level()]);
	seq_printf(file, "rate_hz %u\n", repair_hz());
	seq_printf(file, "clock %s\n", clocks[declaration_clock()]);
	for (int i = 0; i < COUNTS; i++)
		seq_printf(file, "%s %lld\n", state_names[i], atomic64_read(&counts[i]));
	seq_printf(file, "last_hold_us %llu\n", READ_ONCE(last_hold_us));
	seq_printf(file, "last_step_ns %lld\n", READ_ONCE(last_step_ns));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* Without debugfs there is no file, and that is all. */
void state_init(void)
{
	debugfs_create_file("state", 0444, debugfs_create_dir("seaclock", NULL), NULL, &state_fops);
}
