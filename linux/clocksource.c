// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clocksource "seaclock_page": reference time.
 *
 * Policy: rated above the architectural counter, so that it becomes current by itself, but a user's choice of another
 * clocksource is obeyed: the kernel tells us when we become current and when no longer, and we tell the hypervisor.
 * The vDSO cannot read the page, so clock_gettime() is a system call meanwhile.
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/module.h>

static notrace u64 clocksource_read(struct clocksource *source)
{
	return page_reference_time();
}

static int clocksource_enable(struct clocksource *source)
{
	declaration_set_clocksource(true);
	return 0;
}

static void clocksource_disable(struct clocksource *source)
{
	declaration_set_clocksource(false);
}

static struct clocksource source = {
	.name = "seaclock_page",
	.rating = 500,
	.read = clocksource_read,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
	.enable = clocksource_enable,
	.disable = clocksource_disable,
	.owner = THIS_MODULE,
};

int clocksource_init(void)
{
	return clocksource_register_hz(&source, SC_REF_HZ);
}

void clocksource_undo(void)
{
	if (clocksource_unregister(&source))
		pr_warn("the clocksource is in use and cannot be withdrawn.\n");
}
