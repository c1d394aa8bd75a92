// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether reading the counter takes a workaround.
 *
 * Policy: ask the kernel, which knows it from the processor and the firmware. Each CPU answers for itself, including
 * those that come online later.
 */
#include "seaclock.h"

#include <linux/cache.h>
#include <linux/smp.h>
#include <asm/arch_timer.h>

#include "counter.h"

bool counter_unstable __read_mostly;

void counter_check_cpu(void *unused)
{
	if (has_erratum_handler(read_cntvct_el0))
		WRITE_ONCE(counter_unstable, true);
}

void counter_init(void)
{
	on_each_cpu(counter_check_cpu, NULL, 1);
	if (counter_unstable)
		pr_info("this processor's counter has an erratum: it is read with the kernel's workaround.\n");
}
