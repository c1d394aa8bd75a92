/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic of the counter's rate: from ticks to ns, the error of rounding that, and what the kernel derives from a
 * rate.
 *
 * Policy: pure functions, the same in the kernel and in its tests. A clocksource turns ticks into ns by a whole number:
 * ns = ticks * mult >> shift. Where the rate does not divide 10^9 * 2^shift no mult is exact, and the clock would drift
 * from reference time by some ns a second. That error is known exactly, so it can be taken back: the mult below the
 * exact value and the one above it take turns, and the clock stays within CONVERSION_LIMIT.
 */
#ifndef SEACLOCK_LINUX_CONVERSION_H
#define SEACLOCK_LINUX_CONVERSION_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#endif

#define CONVERSION_NS 1000000000ull
#define CONVERSION_US 1000000ll
#define CONVERSION_UNITS 10000000u /* of reference time, a second */

/*
 * Clock errors are counted in 2^-32 ns. The limit is 50 us, a tenth of the step that a migration may make by default.
 * Not less, because each change of the conversion stops all CPUs for a moment: at 121.875 MHz, about twice in 20 hours.
 */
#define CONVERSION_LIMIT (50000ll << 32)

struct conversion {
	uint32_t mult;
	int64_t drift; /* the error of one second, in 2^-32 ns; above 0 the clock is fast */
};

/*
 * The conversion to use at `hz` while the clock has the error `debt`: the one that takes it back, or the nearest if
 * there is no error. shift is 1 to 32. mult * hz differs from 10^9 << shift by a remainder, which is the error of one
 * second.
 */
static inline struct conversion conversion_of(uint32_t hz, uint32_t shift, int64_t debt)
{
	uint64_t second = CONVERSION_NS << shift;
	uint32_t rest = (uint32_t)(second % hz);
	bool up = rest && (debt ? debt < 0 : rest > hz / 2);
	struct conversion conversion = {
		.mult = (uint32_t)(second / hz) + up,
		.drift = ((up ? (int64_t)hz : 0) - rest) * (1ll << (32 - shift)),
	};

	return conversion;
}

/* So many units of 100 ns in ticks at `hz`, rounded up, and one more: what is compared with this is never early. */
static inline uint64_t conversion_ticks(uint32_t units, uint32_t hz)
{
	return (uint64_t)units * hz / CONVERSION_UNITS + 1;
}

/* The error that this conversion makes in `ns`; for up to half a year. */
static inline int64_t conversion_error(const struct conversion *conversion, uint64_t ns)
{
	int64_t us = (int64_t)(ns % CONVERSION_NS / 1000);

	return conversion->drift * (int64_t)(ns / CONVERSION_NS) + conversion->drift * us / CONVERSION_US;
}

/* The error has reached the limit, and the conversion makes it worse. */
static inline bool conversion_expired(const struct conversion *conversion, int64_t debt)
{
	return conversion->drift > 0 ? debt >= CONVERSION_LIMIT : conversion->drift < 0 && debt <= -CONVERSION_LIMIT;
}

/* Whole seconds until then, at least 1; 0: never. */
static inline uint64_t conversion_lasts(const struct conversion *conversion, int64_t debt)
{
	int64_t speed = conversion->drift < 0 ? -conversion->drift : conversion->drift;
	int64_t room = CONVERSION_LIMIT - (conversion->drift < 0 ? -debt : debt);

	if (!speed)
		return 0;
	return room < speed ? 1 : (uint64_t)((room + speed - 1) / speed);
}

/* How far NTP may bend a clocksource, and how long it may go unread, as the kernel derives it from mult and shift. */
struct conversion_limits {
	uint32_t max_adjustment;
	uint64_t max_cycles, max_idle_ns;
};

/* 11 % of mult either way; half of the time for which 64 bits suffice (kernel/time/clocksource.c). */
static inline struct conversion_limits conversion_limits_of(uint32_t mult, uint32_t shift, uint64_t mask)
{
	uint32_t adjustment = (uint32_t)((uint64_t)mult * 11 / 100);
	uint64_t cycles = ~0ull / ((uint64_t)mult + adjustment);

	if (cycles > mask)
		cycles = mask;
	return (struct conversion_limits){ adjustment, cycles, (cycles * (mult - adjustment) >> shift) >> 1 };
}

/* loops_per_jiffy counts ticks. Always from the values at boot, so that no rounding builds up. */
static inline unsigned long conversion_loops(unsigned long boot_loops, uint32_t boot_hz, uint32_t hz)
{
	return (unsigned long)((uint64_t)boot_loops * hz / boot_hz);
}

/*
 * The number of the bit of the counter that drives the event stream, as the kernel chooses it at boot: each time it
 * rises, which is at about 10 kHz, waiting CPUs wake up. A period is two changes of the bit, rounded to a power of two.
 */
static inline uint32_t conversion_event_bit(uint32_t hz)
{
	uint32_t half = hz / 10000 / 2, bit = 0;

	while (half >> bit > 1)
		bit++;
	return bit > 0 && half >> (bit - 1) & 1 ? bit + 1 : bit;
}

#endif
