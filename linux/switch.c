// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes between the two clocksources of the module without losing time.
 *
 * The kernel changes its clocksource with all other CPUs stopped, in this order: enable the new one, read the old one
 * for the last time, read the new one for the first time, publish both to all readers, disable the old one. What passes
 * between the two reads is lost. So from the enable to the disable the counter stands still for both clocksources, at
 * the value that the first read in between has seen.
 *
 * Policy: only for changes from one of ours to the other. Then both calls come for certain: after a successful enable
 * nothing can fail. Whoever else reads meanwhile, a tracer or an NMI, sees time stand still as well.
 */
#include "seaclock.h"

#include "counter.h"

static bool switching, has_value;
static u64 value;

void switch_begin(void)
{
	has_value = false;
	WRITE_ONCE(switching, true);
}

void switch_end(void)
{
	if (!switching)
		return;
	WRITE_ONCE(switching, false);
	count_add(COUNT_SWITCHES);
}

bool notrace switch_counter(u64 *counter)
{
	if (likely(!READ_ONCE(switching)))
		return false;
	if (!has_value) {
		value = counter_read().v;
		has_value = true;
	}
	*counter = value;
	return true;
}
