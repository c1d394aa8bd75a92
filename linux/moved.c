// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notices that the machine was moved without a hold, and sees to it that what depends on the counter's rate is
 * repaired.
 *
 * Policy: noticed in the timer interrupt, because that is the first thing to run on a new host. There each CPU repairs
 * itself and what all share. The worker does the logging, because a console may be slow, and repairs what can be
 * written only through a mapping. Clocks and timers were right all along.
 *
 * A machine that resumes after a gap, at whatever rate, is noticed in the same way: to the watchdogs, CPUs and tasks
 * seem to have hung, and each CPU excuses that before its own watchdogs run.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/sysreg.h>

static DEFINE_PER_CPU(u32, cpu_sequence);
static DEFINE_PER_CPU(bool, cpu_resumed); /* and no timer interrupt has come since */
static u32 seen_sequence;
static u32 reported_hz;
static bool late;

static u32 moved_hz(void)
{
	u64 low;

	if (declaration_has_hold() && !hypercall_get(SC_REG_MIGRATION, &low, NULL))
		return low >> SC_MIGRATION_HZ_SHIFT;
	return (u32)read_sysreg(cntfrq_el0);
}

void moved_init(void)
{
	seen_sequence = page_sequence();
	reported_hz = moved_hz();
}

void moved_seen(u32 hz)
{
	u32 sequence = page_sequence();

	__this_cpu_write(cpu_sequence, sequence);
	__this_cpu_write(cpu_resumed, true);
	WRITE_ONCE(seen_sequence, sequence);
	reported_hz = hz;
}

/* All CPUs may do this at once, because all write the same values. */
static void moved_repair(u32 hz)
{
	if (hz != repair_hz())
		repair_global(hz);
	repair_cpu(NULL);
}

/* A sequence that this CPU has not seen yet. */
static void moved_notice(u32 sequence)
{
	__this_cpu_write(cpu_sequence, sequence);
	__this_cpu_write(cpu_resumed, true);
	watchdog_excuse();
	moved_repair(moved_hz());
	/* The first CPU to see it wakes the worker for the rest. */
	if (xchg(&seen_sequence, sequence) == sequence)
		return;
	smp_store_release(&late, true);
	worker_wake();
}

void moved_tick_begin(void)
{
	u32 sequence = page_sequence();

	if (unlikely(sequence != __this_cpu_read(cpu_sequence)))
		moved_notice(sequence);
}

void moved_tick_end(void)
{
	if (likely(!__this_cpu_read(cpu_resumed)))
		return;
	__this_cpu_write(cpu_resumed, false);
	watchdog_excuse();
}

/* Between two hosts whose counters are too slow for a page, the CPUs cannot have noticed the move by it. */
static void moved_repair_all(u32 hz)
{
	if (hz == repair_hz())
		return;
	repair_global(hz);
	on_each_cpu(repair_cpu, NULL, 1);
}

static void moved_repair_read_only(u32 hz)
{
	internals_open();
	internals_repair_timer_rate(hz);
	internals_close();
}

void moved_settle(void)
{
	/* This comes first: a move that is noticed after it wakes the worker again. */
	bool is_late = xchg(&late, false);
	u32 sequence = page_sequence(), hz = moved_hz(), old = reported_hz;

	if (!is_late && hz == repair_hz())
		return;
	/* Needed if this runs before the first timer interrupt. */
	WRITE_ONCE(seen_sequence, sequence);
	moved_repair_all(hz);
	moved_repair_read_only(hz);
	reported_hz = hz;
	if (hz == old) {
		pr_info("reference time was resumed, counter rate unchanged at %u Hz\n", hz);
		return;
	}
	count_add(COUNT_LATE_REPAIRS);
	pr_info("counter rate changed from %u to %u Hz: clocks and timers follow, the rest was repaired late\n", old,
		hz);
}
