// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line in the log for each time that the page was written anew: after a migration, or after a pause.
 *
 * Policy: a report only; clocks and timers are right without it. Noticed in the timer interrupt, because that is the
 * first thing to run on a new host, and printed outside, because a console may be slow.
 */
#include "seaclock.h"

#include <linux/workqueue.h>
#include <asm/sysreg.h>

static u32 seen_sequence;
static u32 seen_hz;

static u32 rate_read(void)
{
	return (u32)read_sysreg(cntfrq_el0);
}

static void rate_report(struct work_struct *work)
{
	u32 hz = rate_read(), old = seen_hz, sequence = page_sequence();

	/* Another CPU may have asked again while the last report was under way. */
	if (sequence == seen_sequence)
		return;
	WRITE_ONCE(seen_sequence, sequence);
	seen_hz = hz;
	if (hz == old)
		pr_info("reference time was resumed, counter rate unchanged at %u Hz\n", hz);
	else
		pr_info("counter rate changed from %u to %u Hz, clocks and timers follow\n", old, hz);
}

static DECLARE_WORK(rate_work, rate_report);

void rate_init(void)
{
	seen_sequence = page_sequence();
	seen_hz = rate_read();
}

void rate_watch(void)
{
	if (unlikely(page_sequence() != READ_ONCE(seen_sequence)))
		schedule_work(&rate_work);
}
