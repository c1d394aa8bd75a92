// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of the module, to be read in the file seaclock/state of debugfs: a line for each name and value.
 *
 * Policy: for people and tests; nothing in the module goes by it.
 */
#include "seaclock.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

static int state_show(struct seq_file *file, void *unused)
{
	static const char *const levels[] = { "none", "reference", "cooperative" };
	static const char *const clocks[] = { "other", "page", "raw" };

	seq_printf(file, "level %s\n", levels[declaration_level()]);
	seq_printf(file, "rate_hz %u\n", repair_hz());
	seq_printf(file, "clock %s\n", clocks[declaration_clock()]);
	seq_printf(file, "comparators %u\n", comparator_count());
	count_show(file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* Without debugfs there is no file, and that is all. */
void state_init(void)
{
	debugfs_create_file("state", 0444, debugfs_create_dir("seaclock", NULL), NULL, &state_fops);
}
