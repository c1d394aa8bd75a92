// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries the state of the kernel's NTP code across a change of the clocksource.
 *
 * Policy: around each change that the module makes, including the one when it is loaded, but not a user's. What is
 * carried, and how, is decided in discipline.h; here are the calls, which are adjtimex(2)'s own. If this kernel does
 * not have them under the names known, nothing is carried, and the log says so once.
 *
 * Before that, the kernel must have accounted for a gap: a tick goes through it second by second, slews, and inserts a
 * leap second; a change of the clocksource would skip all of it. So this waits for the first ticks.
 *
 * From the change until the state is given back, the clock is not slewed: a slew ends some ms later.
 */
#include "seaclock.h"

#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#include "compat.h"
#include "discipline.h"

typedef int adjust_t(struct __kernel_timex *txc);

#define WAITS 8
#define TICKS 2

static adjust_t *adjust;
static compat_tick_length_t *tick_length;
static struct discipline before;
static struct timespec64 change_time;
static bool has_changed;

void discipline_init(void)
{
	adjust = internals_find("do_adjtimex");
	tick_length = internals_find("ntp_tick_length");
	if (!adjust)
		pr_warn("do_adjtimex not found: each change of the clocksource will end a slew of the clock and forget "
			"a leap second.\n");
}

static int discipline_call(const struct discipline_call *call)
{
	struct __kernel_timex txc = {
		.modes = call->modes,
		.status = call->status,
		.offset = call->offset,
		.maxerror = call->maxerror,
		.esterror = call->esterror,
	};

	return adjust(&txc);
}

static s64 discipline_slew(u32 modes, s64 us)
{
	struct __kernel_timex txc = { .modes = modes, .offset = us };

	adjust(&txc);
	return txc.offset;
}

static struct discipline discipline_read(void)
{
	struct __kernel_timex txc = {};
	struct discipline now = { .state = adjust(&txc),
				  .slew_us = discipline_slew(ADJ_ADJTIME | ADJ_OFFSET_SINGLESHOT | ADJ_OFFSET_READONLY,
							     0) };
	struct timespec64 time;

	now.status = txc.status;
	now.offset = txc.offset;
	now.freq = txc.freq;
	now.maxerror = txc.maxerror;
	now.esterror = txc.esterror;
	now.tick_length = tick_length ? tick_length(0) : 0;
	ktime_get_real_ts64(&time);
	now.seconds = time.tv_sec;
	now.ns = time.tv_nsec;
	return now;
}

/* The state of a clock that is not synchronised is hidden. So for a moment it claims to be. */
static void discipline_uncover(struct discipline *now)
{
	struct discipline_call call = { .modes = ADJ_STATUS,
					.status = now->status & ~(DISCIPLINE_READ_ONLY | STA_UNSYNC) };

	if (now->state != TIME_ERROR || !(now->status & STA_UNSYNC) || !(now->status & (STA_INS | STA_DEL)))
		return;
	now->state = discipline_call(&call);
	call.status |= STA_UNSYNC;
	discipline_call(&call);
}

void discipline_changes(void)
{
	ktime_get_real_ts64(&change_time);
	has_changed = true;
}

void discipline_save(void)
{
	u32 ms;

	has_changed = false;
	if (!adjust)
		return;
	schedule_timeout_uninterruptible(TICKS);
	for (int i = 0; i < WAITS; i++) {
		before = discipline_read();
		discipline_uncover(&before);
		ms = discipline_wait_ms(&before);
		if (!ms)
			return;
		msleep(ms);
	}
}

void discipline_restore(bool moved)
{
	struct discipline_call calls[DISCIPLINE_CALLS];
	struct discipline after;
	s64 slew_us;

	if (!adjust || !has_changed)
		return;
	after = discipline_read();
	if (!discipline_untouched(&before, &after))
		return;
	discipline_calls(&before, &after, moved, calls);
	for (int i = 0; i < DISCIPLINE_CALLS; i++) {
		if (calls[i].modes)
			discipline_call(&calls[i]);
	}
	slew_us = discipline_rest_us(&before, &after, change_time.tv_sec, change_time.tv_nsec, HZ);
	if (slew_us && !after.slew_us)
		discipline_slew(ADJ_ADJTIME | ADJ_OFFSET_SINGLESHOT, slew_us);
}
