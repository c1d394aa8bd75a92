/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the kernels that the module is built for differ: all of it, with one line of reason each.
 *
 * Policy: the rest of the module is written for the newest kernel, and asks nowhere which one it is built for.
 */
#ifndef SEACLOCK_LINUX_COMPAT_H
#define SEACLOCK_LINUX_COMPAT_H

#include <linux/clocksource.h>
#include <linux/kconfig.h>
#include <linux/kthread.h>
#include <linux/types.h>
#include <linux/version.h>

/* Before 6.14, creating a worker starts it. */
#ifndef kthread_run_worker
#define kthread_run_worker kthread_create_worker
#endif

/* Since 6.14, ntp_tick_length() takes the number of a clock; before that it ignores it. */
typedef u64 compat_tick_length_t(unsigned int clock);

/* Since 6.10 a clocksource has its rate in kHz, which not every kernel fills in. */
static inline void compat_set_freq_khz(struct clocksource *source, u32 khz)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	if (source->freq_khz)
		source->freq_khz = khz;
#endif
}

/* Debian's 6.1 has no CONFIG_KALLSYMS_ALL: functions can be found by name, data cannot. */
#define COMPAT_NAMES_DATA IS_ENABLED(CONFIG_KALLSYMS_ALL)

#endif
