// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switches between the module's two clocksources without losing time.
 *
 * The kernel changes its clocksource with all other CPUs stopped, in this order: enable the new one, read the old one
 * for the last time, read the new one for the first time, publish both to all readers, disable the old one. The time
 * between the two reads would be lost. So from the enable to the disable the counter stands still for both
 * clocksources, at the value that the first read in between found.
 *
 * Policy: only for switches from one of ours to the other. Both calls are then certain to come, because nothing can
 * fail after a successful enable. Other readers in between, a tracer or an NMI, see time stand still as well.
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
