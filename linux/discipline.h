/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's NTP code loses when the clocksource changes, and which calls give it back.
 *
 * Policy: pure decisions, the same in the kernel and in its tests; discipline.c makes the calls. At each change the
 * kernel forgets (ntp_clear() in kernel/time/ntp.c): the rest of an adjtime() slew and of the PLL's offset, what both
 * would still have done in this second, that the clock is synchronised and how well, and the date of a leap second. It
 * does not forget that one is announced: so it never comes, and is not announced again. It keeps the frequency.
 *
 * Times are those of CLOCK_REALTIME. Values are in the units of adjtimex(2).
 */
#ifndef SEACLOCK_LINUX_DISCIPLINE_H
#define SEACLOCK_LINUX_DISCIPLINE_H

#ifdef __KERNEL__
#include <linux/timex.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#include <sys/timex.h>
#endif

#define DISCIPLINE_NS 1000000000ll
#define DISCIPLINE_DAY_S 86400

/* How long a change may take on a busy machine. */
#define DISCIPLINE_LEAP_MARGIN_MS 2000
#define DISCIPLINE_SLEW_MARGIN_MS 20

/* The bits of the status that only the kernel sets; STA_NANO is set by a mode. */
#define DISCIPLINE_READ_ONLY                                                                                           \
	(STA_PPSSIGNAL | STA_PPSJITTER | STA_PPSWANDER | STA_PPSERROR | STA_CLOCKERR | STA_NANO | STA_MODE | STA_CLK)

struct discipline {
	int32_t state;	 /* TIME_*; TIME_ERROR hides it */
	int32_t status;	 /* STA_* */
	int64_t slew_us; /* rest of adjtime() */
	int64_t offset;	 /* rest of the PLL's, us or ns */
	int64_t freq;
	int64_t maxerror, esterror; /* us */
	uint64_t tick_length;	    /* of this second, 2^-32 ns; 0: not known */
	int64_t seconds;
	uint32_t ns;
};

/* One call of adjtimex(2); modes 0: none. */
struct discipline_call {
	uint32_t modes;
	int32_t status;
	int64_t offset, maxerror, esterror;
};

/*
 * A leap second is announced and has not come. If it has no date yet (TIME_OK), the next second gives it one: perhaps
 * before the clocksource changes, which would forget the date.
 */
static inline bool discipline_leaps(const struct discipline *now)
{
	return (now->status & STA_INS && (now->state == TIME_INS || now->state == TIME_OK)) ||
	       (now->status & STA_DEL && (now->state == TIME_DEL || now->state == TIME_OK));
}

static inline bool discipline_slews(const struct discipline *now)
{
	return now->slew_us || now->offset;
}

/*
 * For how many ms the clocksource should stay: until an imminent leap second is over, which could not be given back in
 * time; or, while the clock is slewed, until the second begins from which the rest is counted. 0: it may be changed
 * now.
 */
static inline uint32_t discipline_wait_ms(const struct discipline *now)
{
	int64_t of_day = now->seconds % DISCIPLINE_DAY_S, left;
	uint32_t second_left = (uint32_t)((DISCIPLINE_NS - now->ns) / 1000000) + 1;
	bool deletes = now->state == TIME_DEL || !(now->status & STA_INS);

	if (discipline_leaps(now)) {
		left = (DISCIPLINE_DAY_S - deletes - of_day) * 1000 - now->ns / 1000000;
		if (left <= DISCIPLINE_LEAP_MARGIN_MS)
			return left > 0 ? (uint32_t)left + 1 : second_left;
	}
	return discipline_slews(now) && second_left <= DISCIPLINE_SLEW_MARGIN_MS ? second_left : 0;
}

/* The kernel slews by this much a second, in us (MAX_TICKADJ). */
#define DISCIPLINE_SLEW_US 500

static inline int64_t discipline_bounded(int64_t us, int64_t limit_us)
{
	if (us > limit_us)
		return limit_us;
	return us < -limit_us ? -limit_us : us;
}

/*
 * What was left to slew, in us, when the clocksource changed at `seconds` and `ns`. This includes what that second
 * still had to do, whose ticks (`hz` of them) would have been longer than those after the change. Seconds may have
 * begun since `before`. If the clock was set back meanwhile, nothing is left: setting it ends a slew.
 */
static inline int64_t discipline_rest_us(const struct discipline *before, const struct discipline *after,
					 int64_t seconds, uint32_t ns, uint32_t hz)
{
	int64_t part_us = (DISCIPLINE_NS - ns) / 1000, slew = before->slew_us;
	int64_t begun = seconds - before->seconds, second;

	if (begun < 0)
		return 0;
	if (begun) {
		slew -= discipline_bounded(slew, (begun - 1) * DISCIPLINE_SLEW_US);
		second = discipline_bounded(slew, DISCIPLINE_SLEW_US);
		return slew - second + second * part_us / 1000000;
	}
	if (!before->tick_length || !after->tick_length)
		return slew;
	return slew + ((int64_t)(before->tick_length - after->tick_length) * hz >> 32) * part_us / DISCIPLINE_NS;
}

/* Whether nothing but the change has happened: what a program has set meanwhile takes precedence. */
static inline bool discipline_untouched(const struct discipline *before, const struct discipline *after)
{
	int32_t changed = (before->status ^ after->status) & ~(DISCIPLINE_READ_ONLY | STA_UNSYNC);

	return !changed && !((before->status ^ after->status) & STA_NANO) && before->freq == after->freq;
}

/* The maxerror that the change sets, along with STA_UNSYNC (NTP_PHASE_LIMIT). */
#define DISCIPLINE_ERROR_MAX_US 16000000

/* Whether a daemon has said since the change how well the clock is synchronised. */
static inline bool discipline_updated(const struct discipline *after)
{
	return !(after->status & STA_UNSYNC) || after->maxerror < DISCIPLINE_ERROR_MAX_US;
}

/* The status to set by ADJ_STATUS. A machine that has moved is not synchronised until its daemon says so. */
static inline int32_t discipline_status(const struct discipline *before, const struct discipline *after, bool moved)
{
	int32_t unsync = (discipline_updated(after) ? after : before)->status & STA_UNSYNC;

	return (before->status & ~(DISCIPLINE_READ_ONLY | STA_UNSYNC)) | unsync | (moved ? STA_UNSYNC : 0);
}

/*
 * The calls that give back everything but the slew, in this order. The next second gives a leap second its date again
 * once its state has been reset, which the kernel does when the PLL is switched off. The PLL's offset is set without
 * its frequency.
 */
#define DISCIPLINE_CALLS 4
static inline void discipline_calls(const struct discipline *before, const struct discipline *after, bool moved,
				    struct discipline_call calls[DISCIPLINE_CALLS])
{
	int32_t status = discipline_status(before, after, moved);
	bool offset = before->status & STA_PLL && before->offset && !after->offset;
	bool leaps = discipline_leaps(before);
	struct discipline_call last = { .modes = ADJ_STATUS, .status = status };

	for (int i = 0; i < DISCIPLINE_CALLS; i++)
		calls[i] = (struct discipline_call){ 0 };
	if (leaps) {
		calls[0] = (struct discipline_call){ .modes = ADJ_STATUS, .status = status | STA_PLL };
		calls[1] = (struct discipline_call){
			.modes = ADJ_STATUS,
			.status = status & ~(STA_PLL | STA_INS | STA_DEL),
		};
	}
	if (offset)
		calls[2] = (struct discipline_call){
			.modes = ADJ_STATUS | ADJ_OFFSET | (before->status & STA_NANO ? ADJ_NANO : ADJ_MICRO),
			.status = status | STA_FREQHOLD,
			.offset = before->offset,
		};
	if (!(before->status & STA_UNSYNC) && !moved && !discipline_updated(after)) {
		last.modes |= ADJ_MAXERROR | ADJ_ESTERROR;
		last.maxerror = before->maxerror;
		last.esterror = before->esterror;
	}
	last.modes |= before->status & STA_NANO ? ADJ_NANO : 0;
	calls[3] = last;
}

#endif
