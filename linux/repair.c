// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything besides clocks and timers that depends on the counter's rate: the delay loop, the event stream, and the
 * internals.
 *
 * Policy: callable in any context, any number of times. Everything is computed from the values at boot and the rate
 * as it is now, never from the last repair, so that no rounding builds up.
 */
#include "seaclock.h"

#include <linux/delay.h>
#include <asm/arch_timer.h>
#include <asm/cpufeature.h>
#include <asm/sysreg.h>

#include "conversion.h"

static unsigned long boot_loops;
static u32 boot_hz, now_hz; /* now_hz: 0 until something was repaired */

void repair_init(void)
{
	boot_loops = loops_per_jiffy;
	boot_hz = read_sysreg(cntfrq_el0);
}

/* Left alone if the event stream is disabled. Bits above 15 need the coarser scale. */
static void repair_event_stream(u32 hz)
{
	u32 control = arch_timer_get_cntkctl(), bit = conversion_event_bit(hz);

	if (!(control & ARCH_TIMER_VIRT_EVT_EN))
		return;
	control &= ~(ARCH_TIMER_EVT_TRIGGER_MASK | ARCH_TIMER_EVT_INTERVAL_SCALE);
	if (bit > 15 && cpus_have_final_cap(ARM64_HAS_ECV)) {
		control |= ARCH_TIMER_EVT_INTERVAL_SCALE;
		bit -= 8;
	}
	arch_timer_set_cntkctl(control | min(bit, 15u) << ARCH_TIMER_EVT_TRIGGER_SHIFT);
	count_add(COUNT_REPAIRED_EVENT_STREAM);
}

void repair_cpu(void *unused)
{
	u32 hz = READ_ONCE(now_hz);

	if (hz)
		repair_event_stream(hz);
}

void repair_global(u32 hz)
{
	WRITE_ONCE(now_hz, hz);
	loops_per_jiffy = conversion_loops(boot_loops, boot_hz, hz);
	count_add(COUNT_REPAIRED_DELAY);
	internals_repair(hz);
}

u32 repair_hz(void)
{
	return READ_ONCE(now_hz) ?: boot_hz;
}
