/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper: see the header. */
#include "keeper.h"
#include "refusal.h"

/* The kernel's ticks are 100 to 1000 a second; more, and less, are safe. */
#define TICK_NS_MIN 100000u
#define TICK_NS_MAX 100000000u
#define NTP_SHIFT 32u

static int unknown(struct sc_refusal *why, const char *what)
{
	return refusal_set(why, SC_REFUSED_UNKNOWN, "the kernel's timekeeper has ", what,
			   " that does not follow from its rate");
}

static uint64_t second_of(uint32_t shift)
{
	return (uint64_t)NS_PER_SECOND << shift;
}

/* The tick in units of 2^-shift ns, for whose nearest number of ticks of the counter the intervals are. */
static uint64_t interval_of(const struct keeper *keeper)
{
	return keeper->raw_interval + (uint64_t)keeper->xtime_remainder;
}

uint32_t sc_keeper_tick_ns(const struct keeper *keeper)
{
	return (uint32_t)(interval_of(keeper) >> keeper->raw.shift);
}

bool sc_keeper_tick_is_plausible(const struct keeper *keeper, uint64_t ntp_tick)
{
	uint64_t tick = ntp_tick >> keeper->ntp_error_shift, interval = interval_of(keeper);

	return tick > interval - interval / 8 && tick < interval + interval / 8;
}

static uint32_t ticks_a_second(const struct keeper *keeper)
{
	uint32_t tick_ns = sc_keeper_tick_ns(keeper);

	return tick_ns ? NS_PER_SECOND / tick_ns : 0;
}

int64_t sc_keeper_tick_adjustment(const struct keeper *keeper)
{
	return (int64_t)(0 - ((uint64_t)keeper->xtime_remainder << keeper->ntp_error_shift));
}

int64_t sc_keeper_adjustment(const struct keeper *keeper)
{
	return (int64_t)((uint64_t)sc_keeper_tick_adjustment(keeper) * ticks_a_second(keeper));
}

/* A second of intervals is as many ticks as a second has, whatever the adjustment: the nearest number of them. */
void sc_keeper_take_adjustment(struct keeper *keeper, int64_t adjustment)
{
	uint64_t second = ((uint64_t)NS_PER_SECOND << NTP_SHIFT) + (uint64_t)adjustment, tick, rate;

	keeper->xtime_remainder = 0;
	if (keeper->ntp_error_shift > NTP_SHIFT)
		return;
	tick = keeper->raw_interval << keeper->ntp_error_shift;
	rate = tick ? (second + tick / 2) / tick : 0;
	if (!rate || rate > NS_PER_SECOND)
		return;
	keeper->xtime_remainder =
		(int64_t)((NS_PER_SECOND / rate << (NTP_SHIFT - keeper->ntp_error_shift)) - keeper->raw_interval);
	keeper->ntp_tick -= (uint64_t)sc_keeper_tick_adjustment(keeper);
}

/* The multiplier by which an interval becomes a tick of NTP's, slewed as it may be. */
static uint64_t disciplined(const struct keeper *keeper)
{
	uint64_t skew = (uint64_t)keeper->skew_delta * ticks_a_second(keeper);
	uint64_t tick = keeper->ntp_tick + (uint64_t)sc_keeper_tick_adjustment(keeper) + skew;

	return (tick >> keeper->ntp_error_shift) / keeper->cycle_interval + keeper->ntp_err_mult;
}

static bool is_adjusted(uint64_t mult, const struct scale_clocksource *source)
{
	return mult + source->max_adjust >= source->scale.mult && mult <= source->scale.mult + source->max_adjust;
}

static bool intervals_fit(const struct keeper *keeper)
{
	uint64_t interval = interval_of(keeper), tick = interval >> keeper->raw.shift;

	return interval == tick << keeper->raw.shift && tick >= TICK_NS_MIN && tick <= TICK_NS_MAX &&
	       keeper->cycle_interval == (interval + keeper->raw.mult / 2) / keeper->raw.mult &&
	       keeper->cycle_interval > 0 && keeper->raw_interval == keeper->cycle_interval * keeper->raw.mult &&
	       keeper->xtime_interval == keeper->cycle_interval * keeper->mono.mult;
}

int sc_keeper_check(const struct keeper *keeper, const struct scale_clocksource *source, struct sc_refusal *why)
{
	const struct keeper_clock *mono = &keeper->mono, *raw = &keeper->raw;

	if (raw->mult != source->scale.mult || raw->shift != source->scale.shift || mono->shift != raw->shift)
		return unknown(why, "a multiplier or a shift");
	if (mono->cycle_last != raw->cycle_last)
		return unknown(why, "a count");
	if (mono->xtime_nsec >= second_of(mono->shift) || raw->xtime_nsec >= second_of(raw->shift))
		return unknown(why, "a part of a second");
	if (!intervals_fit(keeper))
		return unknown(why, "an interval");
	if (keeper->ntp_error_shift != NTP_SHIFT - raw->shift || keeper->ntp_err_mult > 1 ||
	    !sc_keeper_tick_is_plausible(keeper, keeper->ntp_tick) || disciplined(keeper) != mono->mult ||
	    !is_adjusted(mono->mult, source))
		return unknown(why, "an adjustment");
	return 0;
}

/* What has passed since the last update, in units of 2^-shift ns. */
static scale_product passed(const struct keeper *keeper, const struct keeper_clock *clock, uint64_t count)
{
	return (scale_product)((count - clock->cycle_last) & keeper->mask) * clock->mult;
}

scale_product sc_keeper_read(const struct keeper *keeper, const struct keeper_clock *clock, uint64_t count)
{
	return passed(keeper, clock, count) + clock->xtime_nsec;
}

/* To units of another shift, both at most 32: down, or up. */
static scale_product reshift_down(scale_product units, uint32_t from, uint32_t to)
{
	return to >= from ? units << (to - from) : units >> (from - to);
}

static scale_product reshift_up(scale_product units, uint32_t from, uint32_t to)
{
	return to >= from ? units << (to - from) : (units + ((1ull << (from - to)) - 1)) >> (from - to);
}

uint64_t sc_keeper_reshift(uint64_t units, uint32_t from, uint32_t to)
{
	return (uint64_t)reshift_up(units, from, to);
}

static void move_intervals(const struct keeper *from, const struct scale *scale, struct keeper *to)
{
	uint64_t interval = (uint64_t)sc_keeper_tick_ns(from) << scale->shift;

	to->cycle_interval = (interval + scale->mult / 2) / scale->mult;
	to->raw_interval = to->cycle_interval * scale->mult;
	to->xtime_remainder = (int64_t)(interval - to->raw_interval);
	to->ntp_error_shift = NTP_SHIFT - scale->shift;
}

/* How many whole ticks of the new rate have passed: as many in both clocks. They fit: 600 s of a scale do. */
static uint64_t passed_ticks(const struct keeper *from, const struct keeper_clock *clock, uint64_t count,
			     const struct keeper_clock *moved)
{
	return (uint64_t)reshift_down(passed(from, clock, count), clock->shift, moved->shift) / moved->mult;
}

static int move_clock(const struct keeper *from, const struct keeper_clock *clock, const struct sc_rate_change *change,
		      uint64_t ticks, struct keeper_clock *moved, struct sc_refusal *why)
{
	scale_product now = sc_keeper_read(from, clock, change->from_ticks);

	moved->cycle_last = change->to_ticks - ticks;
	moved->xtime_nsec =
		(uint64_t)(reshift_up(now, clock->shift, moved->shift) - (scale_product)ticks * moved->mult);
	if (moved->xtime_nsec >= second_of(moved->shift))
		return refusal_set(why, SC_REFUSED_BUSY, "a second of the kernel's clock is about to end", NULL, NULL);
	return 0;
}

/* A guest may sleep for that long; a counter that is behind the last update is no counter of its. */
static bool is_back(const struct keeper *from, uint64_t count)
{
	return ((count - from->mono.cycle_last) & from->mask) > from->mask >> 1;
}

int sc_keeper_move(const struct keeper *from, const struct scale_clocksource *source,
		   const struct sc_rate_change *change, struct keeper *to, struct sc_refusal *why)
{
	const scale_product longest = (scale_product)KEEPER_SECONDS_MAX * second_of(from->raw.shift);
	uint64_t mult, mono_ticks, raw_ticks, ticks;
	int err;

	if (passed(from, &from->mono, change->from_ticks) > longest ||
	    passed(from, &from->raw, change->from_ticks) > longest)
		return refusal_set(why, is_back(from, change->from_ticks) ? SC_REFUSED_UNKNOWN : SC_REFUSED_BUSY,
				   "the kernel has not updated its clock for more than five minutes", NULL, NULL);
	*to = *from;
	to->raw = (struct keeper_clock){ .mult = source->scale.mult, .shift = source->scale.shift };
	move_intervals(from, &source->scale, to);
	mult = disciplined(to);
	if (!is_adjusted(mult, source))
		return unknown(why, "an adjustment");
	to->xtime_interval = to->cycle_interval * mult;
	to->mono = (struct keeper_clock){ .mult = (uint32_t)mult, .shift = source->scale.shift };
	mono_ticks = passed_ticks(from, &from->mono, change->from_ticks, &to->mono);
	raw_ticks = passed_ticks(from, &from->raw, change->from_ticks, &to->raw);
	ticks = mono_ticks < raw_ticks ? mono_ticks : raw_ticks;
	err = move_clock(from, &from->mono, change, ticks, &to->mono, why);
	return err ? err : move_clock(from, &from->raw, change, ticks, &to->raw, why);
}

uint64_t sc_keeper_mono_base(const struct keeper_epoch *epoch)
{
	return (epoch->xtime_sec + (uint64_t)epoch->wall_to_monotonic.sec) * NS_PER_SECOND +
	       epoch->wall_to_monotonic.nsec;
}

uint64_t sc_keeper_ktime_sec(const struct keeper *keeper, const struct keeper_epoch *epoch)
{
	uint64_t nsec = epoch->wall_to_monotonic.nsec + (keeper->mono.xtime_nsec >> keeper->mono.shift);

	return epoch->xtime_sec + (uint64_t)epoch->wall_to_monotonic.sec + (nsec >= NS_PER_SECOND);
}
