/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: the numbers of the kernel's timekeeper, and how they go over to another rate.
 *
 * Policy: pure arithmetic. The clock is not forwarded: what has passed since its last update stays not accumulated, in
 * ticks of the new rate, so that leap seconds, slews and the error of NTP go on as without a change. It goes on from
 * where it is, never back; what a smaller shift cannot tell is rounded up, less than 1 ns. A tick
 * of a whole number of ns is a number of ticks of the counter and a remainder, which Linux 7.3 keeps as an adjustment
 * of NTP's tick. Sources: Linux 6.12 and 7.3, kernel/time/timekeeping.c, ntp.c.
 */
#ifndef REPAIR_KEEPER_H
#define REPAIR_KEEPER_H

#include "scale.h"

#include <seaclock/repair.h>

/* One that was not updated for longer is not taken. */
#define KEEPER_SECONDS_MAX 300u

/* CLOCK_MONOTONIC or CLOCK_MONOTONIC_RAW. */
struct keeper_clock {
	uint32_t mult;
	uint32_t shift;	     /* of both the same */
	uint64_t cycle_last; /* of both the same */
	uint64_t xtime_nsec; /* the ns of the second at cycle_last, in units of 2^-shift */
};

struct keeper {
	struct keeper_clock mono;
	struct keeper_clock raw;
	uint64_t mask;
	uint64_t cycle_interval; /* ticks */
	uint64_t xtime_interval; /* these, and the ones below, in units of 2^-shift ns */
	int64_t xtime_remainder; /* sc_keeper_take_adjustment() sets it where the kernel has none */
	uint64_t raw_interval;
	uint64_t ntp_tick;  /* in units of 2^-32 ns, without what the remainder is */
	int64_t skew_delta; /* by which NTP slews in a tick, in units of 2^-32 ns a second */
	uint32_t ntp_error_shift;
	uint32_t ntp_err_mult;
};

/* A point of time that the seconds of the keeper's clocks count from. */
struct keeper_time {
	int64_t sec;
	uint32_t nsec; /* less than a second, also of a negative time */
};

/* What its clocks have besides, which no rate changes. */
struct keeper_epoch {
	uint64_t xtime_sec;
	uint64_t raw_sec;
	struct keeper_time wall_to_monotonic;
	struct keeper_time monotonic_to_boot;
	int32_t tai_offset; /* s */
};

/* Whether they are numbers that the kernel computes for this clocksource. -SC_REFUSED_UNKNOWN. */
int sc_keeper_check(const struct keeper *keeper, const struct scale_clocksource *source, struct sc_refusal *why);

/*
 * Of a kernel whose tick of NTP's is that of the intervals: `adjustment` is by how much a second of those is longer
 * than one of nominal ticks, in units of 2^-32 ns. Sets the remainder, and takes it out of ntp_tick. What does not fit
 * together is seen by sc_keeper_adjustment(), once the keeper was checked.
 */
void sc_keeper_take_adjustment(struct keeper *keeper, int64_t adjustment);

/* That adjustment, for a second and for a tick; the keeper was checked. */
int64_t sc_keeper_adjustment(const struct keeper *keeper);
int64_t sc_keeper_tick_adjustment(const struct keeper *keeper);

/* Whether NTP may want a tick to be so long, as ntp_tick: an eighth more or less; the intervals were checked. */
bool sc_keeper_tick_is_plausible(const struct keeper *keeper, uint64_t ntp_tick);

/* The length of the kernel's tick, in ns; the keeper was checked. */
uint32_t sc_keeper_tick_ns(const struct keeper *keeper);

/* Parts of a ns in units of 2^-to instead of 2^-from, both at most 32, rounded up. */
uint64_t sc_keeper_reshift(uint64_t units, uint32_t from, uint32_t to);

/* The ns of the second at a count, beyond the second if it has passed, in units of 2^-shift. */
scale_product sc_keeper_read(const struct keeper *keeper, const struct keeper_clock *clock, uint64_t count);

/* What it becomes; the keeper was checked. -SC_REFUSED_BUSY, -SC_REFUSED_UNKNOWN. */
int sc_keeper_move(const struct keeper *from, const struct scale_clocksource *source,
		   const struct sc_rate_change *change, struct keeper *to, struct sc_refusal *why);

/* CLOCK_MONOTONIC at the beginning of the second of the keeper's clocks, in ns; modulo 2^64, as the kernel has it. */
uint64_t sc_keeper_mono_base(const struct keeper_epoch *epoch);

/* The whole seconds of CLOCK_MONOTONIC, as the kernel keeps them for whoever needs no more. */
uint64_t sc_keeper_ktime_sec(const struct keeper *keeper, const struct keeper_epoch *epoch);

#endif
