// SPDX-License-Identifier: GPL-2.0-only
/*
 * Says that the hypervisor refuses what it must not refuse: a clock or a timer is wrong from then on.
 *
 * Policy: noted in any context, even where a clock is read or a timer is set, which must not print. Said by the worker,
 * at most once a minute, with the register that was refused last.
 */
#include "seaclock.h"

#include <linux/atomic.h>
#include <linux/ratelimit.h>

static atomic64_t refusals;
static u32 last_register;
static u64 logged_refusals;

void refusal_note(u32 name)
{
	WRITE_ONCE(last_register, name);
	atomic64_inc(&refusals);
	worker_wake_by_interrupt();
}

void refusal_say(void)
{
	static DEFINE_RATELIMIT_STATE(limit, 60 * HZ, 1);
	u64 now = atomic64_read(&refusals);

	if (now == logged_refusals || !__ratelimit(&limit))
		return;
	logged_refusals = now;
	pr_warn("the hypervisor refuses register %#x, %llu calls so far: this machine's clock or timers are wrong.\n",
		READ_ONCE(last_register), now);
}
