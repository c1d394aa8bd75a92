/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counter, read as this machine's processors need it.
 *
 * Policy: a processor whose counter can be read wrong (errata 858921, 161010101 and others) is read by the kernel's own
 * function, which has the workaround. That is known per CPU, and one such CPU decides for all.
 */
#ifndef SEACLOCK_LINUX_COUNTER_H
#define SEACLOCK_LINUX_COUNTER_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <clocksource/arm_arch_timer.h>
#include <seaclock/core.h>

static __always_inline sc_ticks_t counter_read(void);
#define SC_COUNTER_READ counter_read
#include <seaclock/page.h>

extern bool counter_unstable;

/* In any context, even where nothing may be traced. */
static __always_inline sc_ticks_t counter_read(void)
{
	if (unlikely(READ_ONCE(counter_unstable)))
		return sc_ticks(arch_timer_read_counter());
	return sc_counter_read();
}

#endif
