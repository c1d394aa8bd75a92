/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's timekeeper: its clocksource, itself, its shadow, and the copies for readers that may not wait.
 *
 * Policy: nothing is planned while its lock is held or its sequence count odd: before the count is, the shadow is
 * changed already. Sources: Linux 6.12 and 7.3, kernel/time/timekeeping.c, ntp.c, include/linux/timekeeper_internal.h.
 */
#include "planner.h"
#include "space.h"

#include <string.h>

/* What a structure may have at most, in bytes, to be compared as a whole. */
#define STRUCT_MAX 512u
/* A counter has so many bits at least, and the vDSO takes no more of them. */
#define COUNTER_BITS_MIN 56u
#define KHZ 1000u

/* ---- The clocksource ---- */

static bool is_mask(uint64_t mask)
{
	return mask >> (COUNTER_BITS_MIN - 1) && !(mask & (mask + 1));
}

static bool is_source(struct planner *planner, uint64_t va, const struct scale_clocksource *source)
{
	return sc_planner_get(planner, va, SC_CLOCKSOURCE_MULT) == source->scale.mult &&
	       sc_planner_get(planner, va, SC_CLOCKSOURCE_SHIFT) == source->scale.shift &&
	       sc_planner_get(planner, va, SC_CLOCKSOURCE_MAXADJ) == source->max_adjust &&
	       sc_planner_get(planner, va, SC_CLOCKSOURCE_MAX_CYCLES) == source->max_cycles &&
	       sc_planner_get(planner, va, SC_CLOCKSOURCE_MAX_IDLE_NS) == source->max_idle_ns;
}

/* Its rate is told by drivers of clocks that belong to another one; the kernel's own has 0. */
static void plan_khz(struct planner *planner, uint64_t va)
{
	uint64_t khz;

	if (!sc_planner_has(planner, SC_CLOCKSOURCE_FREQ_KHZ))
		return;
	khz = sc_planner_get(planner, va, SC_CLOCKSOURCE_FREQ_KHZ);
	sc_planner_expect(planner, !khz || khz == planner->change->from_hz / KHZ, SC_REFUSED_UNKNOWN,
			  "the kernel's clocksource has another rate than the counter");
	sc_planner_set(planner, va, SC_CLOCKSOURCE_FREQ_KHZ, khz ? planner->change->to_hz / KHZ : 0);
}

void sc_plan_clocksource(struct planner *planner)
{
	uint64_t va = planner->kernel->address[SC_VAR_CLOCKSOURCE];
	const struct scale_clocksource *source = planner->source;

	planner->mask = sc_planner_get(planner, va, SC_CLOCKSOURCE_MASK);
	planner->clock_mode = (uint32_t)sc_planner_get(planner, va, SC_CLOCKSOURCE_VDSO_CLOCK_MODE);
	sc_planner_expect(planner, is_mask(planner->mask), SC_REFUSED_UNKNOWN,
			  "the kernel's clocksource has a mask that is not known");
	planner->source[0] = sc_scale_clocksource(planner->change->from_hz, planner->mask);
	planner->source[1] = sc_scale_clocksource(planner->change->to_hz, planner->mask);
	sc_planner_expect(planner, is_source(planner, va, &source[0]), SC_REFUSED_UNKNOWN,
			  "the kernel's clocksource has another rate than the counter");
	sc_planner_set(planner, va, SC_CLOCKSOURCE_MULT, source[1].scale.mult);
	sc_planner_set(planner, va, SC_CLOCKSOURCE_SHIFT, source[1].scale.shift);
	sc_planner_set(planner, va, SC_CLOCKSOURCE_MAXADJ, source[1].max_adjust);
	sc_planner_set(planner, va, SC_CLOCKSOURCE_MAX_CYCLES, source[1].max_cycles);
	sc_planner_set(planner, va, SC_CLOCKSOURCE_MAX_IDLE_NS, source[1].max_idle_ns);
	plan_khz(planner, va);
}

/* ---- The timekeeper ---- */

static struct keeper_clock read_clock(struct planner *planner, uint64_t va)
{
	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_READ_BASE_CLOCK) ==
				  planner->kernel->address[SC_VAR_CLOCKSOURCE],
			  SC_REFUSED_UNKNOWN, "the kernel's clock is not read from arch_sys_counter");
	sc_planner_expect(planner, sc_planner_get(planner, va, SC_READ_BASE_MASK) == planner->mask, SC_REFUSED_UNKNOWN,
			  "the kernel's timekeeper has another mask than its clocksource");
	return (struct keeper_clock){
		.mult = (uint32_t)sc_planner_get(planner, va, SC_READ_BASE_MULT),
		.shift = (uint32_t)sc_planner_get(planner, va, SC_READ_BASE_SHIFT),
		.cycle_last = sc_planner_get(planner, va, SC_READ_BASE_CYCLE_LAST),
		.xtime_nsec = sc_planner_get(planner, va, SC_READ_BASE_XTIME_NSEC),
	};
}

static void write_clock(struct planner *planner, uint64_t va, const struct keeper_clock *clock)
{
	sc_planner_set(planner, va, SC_READ_BASE_MULT, clock->mult);
	sc_planner_set(planner, va, SC_READ_BASE_SHIFT, clock->shift);
	sc_planner_set(planner, va, SC_READ_BASE_CYCLE_LAST, clock->cycle_last);
	sc_planner_set(planner, va, SC_READ_BASE_XTIME_NSEC, clock->xtime_nsec);
}

/* What NTP wants a tick to be, and what of the kernel's own tick the intervals are not. */
static void read_tick(struct planner *planner, uint64_t va, struct keeper *keeper)
{
	keeper->ntp_tick = sc_planner_get(planner, va, SC_TK_NTP_TICK);
	if (sc_planner_has(planner, SC_TK_XTIME_REMAINDER)) {
		keeper->xtime_remainder = (int64_t)sc_planner_get(planner, va, SC_TK_XTIME_REMAINDER);
		return;
	}
	keeper->skew_delta = (int64_t)sc_planner_get(planner, va, SC_TK_SKEW_DELTA);
	sc_keeper_take_adjustment(keeper, (int64_t)sc_planner_get(planner, va, SC_TK_CS_TICK_ADJ));
}

static void read_keeper(struct planner *planner, uint64_t va)
{
	planner->keeper[0] = (struct keeper){
		.mono = read_clock(planner, sc_planner_at(planner, va, SC_TK_MONO)),
		.raw = read_clock(planner, sc_planner_at(planner, va, SC_TK_RAW)),
		.mask = planner->mask,
		.cycle_interval = sc_planner_get(planner, va, SC_TK_CYCLE_INTERVAL),
		.xtime_interval = sc_planner_get(planner, va, SC_TK_XTIME_INTERVAL),
		.raw_interval = sc_planner_get(planner, va, SC_TK_RAW_INTERVAL),
		.ntp_error_shift = (uint32_t)sc_planner_get(planner, va, SC_TK_NTP_ERROR_SHIFT),
		.ntp_err_mult = (uint32_t)sc_planner_get(planner, va, SC_TK_NTP_ERR_MULT),
	};
	read_tick(planner, va, &planner->keeper[0]);
}

static struct keeper_time read_time(struct planner *planner, uint64_t va)
{
	uint64_t nsec = sc_planner_get(planner, va, SC_TIMESPEC_NSEC);

	sc_planner_expect(planner, nsec < NS_PER_SECOND, SC_REFUSED_DAMAGED,
			  "the kernel's timekeeper has an offset with more ns than a second has");
	return (struct keeper_time){ .sec = (int64_t)sc_planner_get(planner, va, SC_TIMESPEC_SEC),
				     .nsec = (uint32_t)nsec };
}

static void read_epoch(struct planner *planner, uint64_t va)
{
	planner->epoch = (struct keeper_epoch){
		.xtime_sec = sc_planner_get(planner, va, SC_TK_XTIME_SEC),
		.raw_sec = sc_planner_get(planner, va, SC_TK_RAW_SEC),
		.wall_to_monotonic = read_time(planner, sc_planner_at(planner, va, SC_TK_WALL_TO_MONOTONIC)),
		.monotonic_to_boot = read_time(planner, sc_planner_at(planner, va, SC_TK_MONOTONIC_TO_BOOT)),
		.tai_offset = (int32_t)sc_planner_get(planner, va, SC_TK_TAI_OFFSET),
	};
}

/* What the kernel derives from all this, as it is before the change. */
static void check_derived(struct planner *planner, uint64_t va)
{
	const struct keeper_epoch *epoch = &planner->epoch;
	uint64_t mono = sc_planner_at(planner, va, SC_TK_MONO), raw = sc_planner_at(planner, va, SC_TK_RAW);

	/* Unless it was checked, a shift may be anything. */
	if (planner->err)
		return;
	sc_planner_expect(planner,
			  sc_planner_get(planner, mono, SC_READ_BASE_BASE) == sc_keeper_mono_base(epoch) &&
				  sc_planner_get(planner, raw, SC_READ_BASE_BASE) == epoch->raw_sec * NS_PER_SECOND &&
				  sc_planner_get(planner, va, SC_TK_KTIME_SEC) ==
					  sc_keeper_ktime_sec(&planner->keeper[0], epoch),
			  SC_REFUSED_UNKNOWN, "the kernel's timekeeper has times that do not follow from its seconds");
}

static void write_tick(struct planner *planner, uint64_t va, const struct keeper *keeper)
{
	if (sc_planner_has(planner, SC_TK_XTIME_REMAINDER)) {
		sc_planner_set(planner, va, SC_TK_XTIME_REMAINDER, (uint64_t)keeper->xtime_remainder);
		return;
	}
	sc_planner_set(planner, va, SC_TK_NTP_TICK, keeper->ntp_tick + (uint64_t)sc_keeper_tick_adjustment(keeper));
	sc_planner_set(planner, va, SC_TK_CS_TICK_ADJ, (uint64_t)sc_keeper_adjustment(keeper));
}

static void write_keeper(struct planner *planner, uint64_t va)
{
	const struct keeper *keeper = &planner->keeper[1];

	write_clock(planner, sc_planner_at(planner, va, SC_TK_MONO), &keeper->mono);
	write_clock(planner, sc_planner_at(planner, va, SC_TK_RAW), &keeper->raw);
	sc_planner_set(planner, va, SC_TK_KTIME_SEC, sc_keeper_ktime_sec(keeper, &planner->epoch));
	/* Whoever relates counts from before the change to some from after it has to begin anew. */
	sc_planner_set(planner, va, SC_TK_CS_WAS_CHANGED_SEQ,
		       sc_planner_get(planner, va, SC_TK_CS_WAS_CHANGED_SEQ) + 1);
	sc_planner_set(planner, va, SC_TK_CYCLE_INTERVAL, keeper->cycle_interval);
	sc_planner_set(planner, va, SC_TK_XTIME_INTERVAL, keeper->xtime_interval);
	write_tick(planner, va, keeper);
	sc_planner_set(planner, va, SC_TK_RAW_INTERVAL, keeper->raw_interval);
	sc_planner_set(planner, va, SC_TK_NTP_ERROR_SHIFT, keeper->ntp_error_shift);
}

/* Refused unless two structures are the same, byte by byte. */
static void expect_equal(struct planner *planner, uint64_t va, uint64_t other, uint32_t size,
			 enum sc_refusal_reason reason, const char *clause)
{
	uint8_t bytes[2][STRUCT_MAX] = { { 0 } };

	sc_planner_expect(planner, size && size <= STRUCT_MAX, SC_REFUSED_UNKNOWN,
			  "the kernel has a structure of a size that is not known");
	if (!planner->err)
		planner->err = sc_space_read(&planner->kernel->space, va, bytes[0], size, planner->why);
	if (!planner->err)
		planner->err = sc_space_read(&planner->kernel->space, other, bytes[1], size, planner->why);
	sc_planner_expect(planner, !memcmp(bytes[0], bytes[1], STRUCT_MAX), reason, clause);
}

/* One of the latches. Between its halves' changes its sequence count is odd. */
static void plan_fast(struct planner *planner, uint64_t va, uint64_t original, const struct keeper_clock *clock)
{
	uint32_t size = planner->kernel->layout.size[SC_STRUCT_READ_BASE];
	uint64_t base = sc_planner_at(planner, va, SC_FAST_BASE);

	sc_planner_bump(planner, va, SC_FAST_SEQ, "a copy of its timekeeper");
	for (uint32_t n = 0; n < 2; n++) {
		expect_equal(planner, base + (uint64_t)n * size, original, size, SC_REFUSED_DAMAGED,
			     "a copy of the kernel's timekeeper differs from it");
		write_clock(planner, base + (uint64_t)n * size, clock);
	}
}

/* What must be 0 now, and when the plan is carried out. */
static void expect_zero(struct planner *planner, uint64_t va, enum sc_refusal_reason reason, const char *clause)
{
	sc_planner_expect(planner, sc_planner_read(planner, va, 4) == 0, reason, clause);
	sc_planner_write(planner, va, 4, 0);
}

static void check_keeper(struct planner *planner, uint64_t va)
{
	const struct keeper *keeper = &planner->keeper[0];

	if (!planner->err)
		planner->err = sc_keeper_check(keeper, &planner->source[0], planner->why);
	if (planner->err || sc_planner_has(planner, SC_TK_XTIME_REMAINDER))
		return;
	sc_planner_expect(planner,
			  (int64_t)sc_planner_get(planner, va, SC_TK_CS_TICK_ADJ) == sc_keeper_adjustment(keeper),
			  SC_REFUSED_UNKNOWN,
			  "the kernel's timekeeper has an adjustment of NTP's tick that does not follow from its rate");
	/* Then devices are programmed in ticks that the timekeeper has computed, which no driver for arm64 does. */
	sc_planner_expect(planner, sc_planner_get(planner, va, SC_TK_CS_NS_TO_CYC_MULT) == 0, SC_REFUSED_UNKNOWN,
			  "the kernel's timekeeper programs its timers as well");
}

static void move_keeper(struct planner *planner)
{
	if (!planner->err)
		planner->err = sc_keeper_move(&planner->keeper[0], &planner->source[1], planner->change,
					      &planner->keeper[1], planner->why);
}

/* Of the clock that NTP disciplines, which is the first. */
static void plan_ntp(struct planner *planner)
{
	uint64_t va = planner->kernel->address[SC_VAR_NTP], tick;
	const struct keeper *from = &planner->keeper[0], *to = &planner->keeper[1];

	if (planner->err || sc_planner_has(planner, SC_TK_XTIME_REMAINDER))
		return;
	/* The timekeeper takes it up at its next update. */
	tick = sc_planner_get(planner, va, SC_NTP_TICK_LENGTH) - (uint64_t)sc_keeper_tick_adjustment(from);
	sc_planner_expect(planner,
			  sc_keeper_tick_is_plausible(from, tick) &&
				  (int64_t)sc_planner_get(planner, va, SC_NTP_CS_TICK_ADJ) ==
					  sc_keeper_adjustment(from),
			  SC_REFUSED_UNKNOWN, "the kernel's NTP has another tick than its timekeeper");
	sc_planner_set(planner, va, SC_NTP_TICK_LENGTH, tick + (uint64_t)sc_keeper_tick_adjustment(to));
	sc_planner_set(planner, va, SC_NTP_CS_TICK_ADJ, (uint64_t)sc_keeper_adjustment(to));
}

/* A variable, or in later series a member beside the timekeeper. */
static uint64_t beside(const struct planner *planner, enum sc_variable variable, enum sc_field field)
{
	uint64_t va = planner->kernel->address[variable];

	return va ? va : sc_planner_at(planner, planner->kernel->address[SC_VAR_CORE], field);
}

void sc_plan_timekeeper(struct planner *planner)
{
	const uint64_t *address = planner->kernel->address;
	uint64_t va = sc_planner_at(planner, address[SC_VAR_CORE], SC_CORE_TIMEKEEPER);
	uint64_t shadow = beside(planner, SC_VAR_SHADOW, SC_CORE_SHADOW);

	expect_zero(planner, address[SC_VAR_SUSPENDED], SC_REFUSED_UNKNOWN, "the kernel's timekeeping is suspended");
	expect_zero(planner, beside(planner, SC_VAR_LOCK, SC_CORE_LOCK), SC_REFUSED_BUSY,
		    "the kernel's timekeeper is locked");
	sc_planner_bump(planner, address[SC_VAR_CORE], SC_CORE_SEQ, "its timekeeper");
	/* Once a leap second is called off they differ until the next tick. */
	expect_equal(planner, va, shadow, planner->kernel->layout.size[SC_STRUCT_TIMEKEEPER], SC_REFUSED_BUSY,
		     "the shadow of the kernel's timekeeper differs from it");
	read_keeper(planner, va);
	read_epoch(planner, va);
	check_keeper(planner, va);
	check_derived(planner, va);
	move_keeper(planner);
	write_keeper(planner, va);
	write_keeper(planner, shadow);
	plan_ntp(planner);
	plan_fast(planner, address[SC_VAR_FAST_MONO], sc_planner_at(planner, va, SC_TK_MONO), &planner->keeper[1].mono);
	plan_fast(planner, address[SC_VAR_FAST_RAW], sc_planner_at(planner, va, SC_TK_RAW), &planner->keeper[1].raw);
}
