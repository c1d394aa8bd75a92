// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seaclock's guest driver: clocks and timers that stay right when the machine moves to a host with another counter
 * rate.
 *
 * Policy: only the order of things is decided here. First what can be undone, then what cannot: CPUs would be left
 * without a timer (clockevent.c), and nothing would look after sched_clock and the repaired internals. So there is no
 * module_exit, and the kernel refuses to unload the module.
 */
#include "seaclock.h"

#include <linux/init.h>
#include <linux/module.h>
#include <linux/reboot.h>

/* Another kernel may follow: its memory must not be written to, and what this one declared does not hold for it. */
static int seaclock_reboot(struct notifier_block *block, unsigned long event, void *data)
{
	handshake_stop();
	comparator_withdraw();
	declaration_withdraw();
	page_disable();
	return NOTIFY_DONE;
}

static struct notifier_block seaclock_reboot_block = {
	.notifier_call = seaclock_reboot,
	.priority = INT_MIN,
};

static bool __init seaclock_follow_sched_clock(void)
{
	const char *refused = sched_clock_follow_page();

	if (!refused) {
		declaration_set_sched_clock();
		return true;
	}
	pr_warn("this kernel's sched_clock is left alone: %s.\n", refused);
	pr_warn("after a move to another counter rate, scheduling, CPU times and log timestamps would run at the "
		"wrong rate.\n");
	return false;
}

/* The raw clock is only for a kernel that can give it up in time and repair all that depends on its rate. */
static void __init seaclock_cooperate(void)
{
	bool follows = seaclock_follow_sched_clock(), repairs = internals_init(repair_hz());

	if (follows && repairs && declaration_has_hold())
		handshake_start();
}

static int __init seaclock_init(void)
{
	int err = detect_machine();

	if (err)
		return err;
	counter_init();
	err = page_enable();
	if (err)
		return err;
	declaration_init();
	watchdog_init();
	discipline_init();
	repair_init();
	moved_init();
	err = worker_init(handshake_settle);
	if (err)
		goto disable;
	err = clocksource_page_init();
	if (err)
		goto stop;
	err = clockevent_init();
	if (err)
		goto unregister;
	seaclock_cooperate();
	pr_info("cannot be unloaded: CPUs would be left without a timer, and sched_clock without its clock.\n");
	state_init();
	hibernation_init();
	register_reboot_notifier(&seaclock_reboot_block);
	return 0;

unregister:
	clocksource_page_undo();
stop:
	worker_undo();
disable:
	declaration_withdraw();
	if (page_disable())
		page_free();
	worker_sync(); /* the code that it runs goes with the module */
	return err;
}
module_init(seaclock_init);

MODULE_DESCRIPTION("Clocks and timers that follow a migration between Arm hosts");
MODULE_LICENSE("GPL");
