// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notices that the machine was moved without a hold, and has repaired what rests on the counter's rate.
 *
 * Policy: noticed in the timer interrupt, because that is the first thing to run on a new host. That interrupt repairs
 * what it can at once; the other CPUs and the log, for a console may be slow, are left to the handshake's worker.
 * Clocks and timers were right all the time.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/smp.h>
#include <asm/sysreg.h>

static u32 seen_sequence;
static u32 reported_hz;
static bool late;

static u32 rate_told(void)
{
	u64 low;

	if (declaration_has_hold() && !hypercall_get(SC_REG_MIGRATION, &low, NULL))
		return low >> SC_MIGRATION_HZ_SHIFT;
	return (u32)read_sysreg(cntfrq_el0);
}

void rate_init(void)
{
	seen_sequence = page_sequence();
	reported_hz = rate_told();
}

void rate_seen(u32 hz)
{
	WRITE_ONCE(seen_sequence, page_sequence());
	reported_hz = hz;
}

static void rate_repair_late(void)
{
	u32 hz = rate_told();

	if (hz != repair_hz()) {
		repair_global(hz);
		repair_cpu(NULL);
		state_count(COUNT_LATE_REPAIRS);
	}
	smp_store_release(&late, true);
	handshake_wake();
}

void rate_watch(void)
{
	u32 sequence = page_sequence(), seen = READ_ONCE(seen_sequence);

	if (likely(sequence == seen))
		return;
	/* The first CPU to see it does the work. */
	if (cmpxchg(&seen_sequence, seen, sequence) == seen)
		rate_repair_late();
}

void rate_settle(void)
{
	u32 hz, old = reported_hz;

	if (!xchg(&late, false))
		return;
	hz = repair_hz();
	reported_hz = hz;
	if (hz == old) {
		pr_info("reference time was resumed, counter rate unchanged at %u Hz\n", hz);
		return;
	}
	on_each_cpu(repair_cpu, NULL, 1);
	internals_settle(hz);
	pr_info("counter rate changed from %u to %u Hz, clocks and timers follow, the rest was repaired late\n", old,
		hz);
}
