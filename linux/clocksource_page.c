// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clocksource "seaclock_page": reference time, in ns.
 *
 * Policy: rated above the architectural counter, so that it becomes current by itself, but a user's choice of another
 * clocksource is obeyed: the kernel tells us when we become current and when no longer, and we tell the hypervisor.
 * The vDSO cannot read the page, so clock_gettime() is a system call meanwhile.
 *
 * "On the page" is declared by the first read and not by the enable before it: in between the kernel reads the old
 * clock for the last time, and from the declaration on the hypervisor may put the machine on another counter. That read
 * itself is computed before the declaration, because its counter value may be one that was held (switch.c), of the
 * counter as it is until then.
 *
 * Not marked to run on in suspend: for that the kernel would enable and read it without making it current.
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/module.h>
#include <linux/time64.h>

/* Enabled, and not yet read. */
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

/* The raw clock, if it follows, has declared itself already. The kernel's own is enabled without a word to us. */
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
