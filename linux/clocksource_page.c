// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clocksource "seaclock_page": reference time, in ns.
 *
 * Policy: rated above the architectural counter, so that it becomes current by itself, but a user's choice of another
 * clocksource is obeyed: the kernel tells us when the page becomes current and when it stops being so, and we tell the
 * hypervisor. The vDSO cannot read the page, so clock_gettime() is a system call while it is current.
 *
 * "On the page" is declared by the first read and not by the enable before it: in between the kernel reads the old
 * clock for the last time, and from the declaration on the hypervisor may put the machine on another counter. The
 * first read itself is computed before the declaration, because the counter value that it converts may be one that
 * switch.c keeps, which is the old counter's.
 *
 * Not marked CLOCK_SOURCE_SUSPEND_NONSTOP: the kernel would then enable and read it without making it current.
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/module.h>
#include <linux/time64.h>

/* Enabled, but not read yet. */
static bool fresh;

static notrace u64 clocksource_page_read(struct clocksource *source)
{
	u64 counter, ns = switch_counter(&counter) ? page_reference_ns_at(counter) : page_reference_ns();

	if (unlikely(fresh)) {
		fresh = false;
		declaration_set_page();
	}
	return ns;
}

static int clocksource_page_enable(struct clocksource *source)
{
	discipline_changes();
	if (declaration_clock() == CLOCK_RAW)
		switch_begin();
	fresh = true;
	return 0;
}

/* If the raw clock takes over, it has declared itself already. Of the kernel's own we are told nothing. */
static void clocksource_page_disable(struct clocksource *source)
{
	discipline_changes();
	switch_end();
	declaration_unset(CLOCK_PAGE);
}

static struct clocksource source = {
	.name = "seaclock_page",
	.rating = 500,
	.read = clocksource_page_read,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
	.enable = clocksource_page_enable,
	.disable = clocksource_page_disable,
	.owner = THIS_MODULE,
};

int clocksource_page_init(void)
{
	int err;

	discipline_save();
	err = clocksource_register_hz(&source, NSEC_PER_SEC);
	discipline_restore(false);
	return err;
}

void clocksource_page_undo(void)
{
	discipline_save();
	if (clocksource_unregister(&source))
		pr_warn("cannot unregister seaclock_page: it is in use.\n");
	discipline_restore(false);
}
