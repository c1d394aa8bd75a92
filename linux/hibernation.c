// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refuses to hibernate, and to resume from an image.
 *
 * Policy: an image of this kernel would run on another machine, or on this one after a restart: its page would be
 * announced nowhere, its timers would be set nowhere, and the counter may have another rate. The kernel that loads an
 * image has announced a page of its own, which the hypervisor would keep writing to.
 */
#include "seaclock.h"

#include <linux/errno.h>
#include <linux/notifier.h>
#include <linux/suspend.h>

static int hibernation_notify(struct notifier_block *block, unsigned long event, void *data)
{
	if (event != PM_HIBERNATION_PREPARE && event != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;
	pr_warn("no hibernation: clocks and timers would not come back. The hypervisor can save this machine.\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block hibernation_block = { .notifier_call = hibernation_notify };

void hibernation_init(void)
{
	if (register_pm_notifier(&hibernation_block))
		pr_warn("cannot block hibernation: this machine must not hibernate, but the kernel would let it.\n");
}
