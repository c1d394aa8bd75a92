// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets the timer of each CPU of an emulated host again: `echo 1 >/sys/module/rearm/parameters/now`.
 *
 * A QEMU that loads a saved host restores the registers of the timer that a kernel at EL2 uses, but does not start its
 * own timer for them (target/arm/machine.c, gt_timer: those of EL1 only). The interrupt that the kernel waits for never
 * comes, and as long as it waits, it sets no other. Writing the register as it stands starts
 * QEMU's timer.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

#include <asm/barrier.h>
#include <asm/sysreg.h>

static void rearm(void *unused)
{
	/* At EL2 these names mean the timer of EL2. */
	write_sysreg(read_sysreg(cntp_cval_el0), cntp_cval_el0);
	isb();
}

static int rearm_set(const char *value, const struct kernel_param *param)
{
	on_each_cpu(rearm, NULL, 1);
	return 0;
}

static const struct kernel_param_ops rearm_ops = {
	.set = rearm_set,
};

module_param_cb(now, &rearm_ops, NULL, 0200);
MODULE_PARM_DESC(now, "write anything to set the timers again");

static int __init rearm_init(void)
{
	return 0;
}
module_init(rearm_init);

MODULE_DESCRIPTION("Restarts the timers of an emulated host that was loaded from a file");
MODULE_LICENSE("GPL");
