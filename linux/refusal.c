// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says that the hypervisor refuses what it must not refuse: a clock or a timer is wrong from then on.
 *
 * Policy: noted in any context, also where the clock is read or a timer is set, which must not print. Said by the
 * handshake's worker, once a minute at most, with the register that was refused last.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/ratelimit.h>

static atomic64_t refusals;
static u32 refused;
static u64 said;

static void refusal_wake(struct irq_work *work)
{
	handshake_wake();
}

static DEFINE_IRQ_WORK(refusal_work, refusal_wake);

void refusal_note(u32 name)
{
	WRITE_ONCE(refused, name);
	atomic64_inc(&refusals);
	irq_work_queue(&refusal_work);
}

void refusal_sync(void)
{
	irq_work_sync(&refusal_work);
}

void refusal_say(void)
{
	static DEFINE_RATELIMIT_STATE(limit, 60 * HZ, 1);
	u64 now = atomic64_read(&refusals);

	if (now == said || !__ratelimit(&limit))
		return;
	said = now;
	pr_warn("the hypervisor refuses register %#x, %llu calls so far: this machine's clock or timers are wrong.\n",
		READ_ONCE(refused), now);
}
