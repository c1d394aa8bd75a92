/* SPDX-License-Identifier: BSD-2-Clause */
/* VMClock: see the header. */
#include "dev/vmclock.h"

#include <endian.h>
#include <stddef.h>

__extension__ typedef unsigned __int128 wide;

#define NS_PER_S 1000000000u
#define MILLION 1000000u

/* One part in the unit of struct host_discipline's frequency. */
#define FREQUENCY_ONE (65536ull * MILLION)

/* What Linux takes a counter to be off its stated rate at most: MAXFREQ in include/linux/timex.h. */
#define TOLERANCE_PPM 500u

#define CONVERSION_ERROR_NS 2u

_Static_assert(offsetof(struct vmclock_page, sequence) == 0x0c && offsetof(struct vmclock_page, flags) == 0x18 &&
		       offsetof(struct vmclock_page, tai_offset_s) == 0x24 &&
		       offsetof(struct vmclock_page, counter_value) == 0x28 &&
		       offsetof(struct vmclock_page, time_s) == 0x48 &&
		       offsetof(struct vmclock_page, generation) == 0x68 && sizeof(struct vmclock_page) == 0x70,
	       "the page is as Linux has it");

/* The period is then from about 2^62 to about 2^63, so that it is precise, and does not overflow. */
static uint8_t period_shift_of(uint32_t hz)
{
	uint8_t shift = 0;

	while (hz >> shift > 3)
		shift++;
	return shift;
}

/*
 * 2^(64 + shift) * (1 + frequency / FREQUENCY_ONE) / hz, rounded down. The division is done in two steps, since its
 * numerator has up to 130 bits: first without the shift, then what was left of it.
 */
static uint64_t period_of(uint32_t hz, int64_t frequency, uint8_t shift)
{
	wide numerator = (wide)(uint64_t)((int64_t)FREQUENCY_ONE + frequency) << 64;
	wide divisor = (wide)FREQUENCY_ONE * hz;

	return (uint64_t)((numerator / divisor << shift) + (numerator % divisor << shift) / divisor);
}

/*
 * The counter's true rate is within TOLERANCE_PPM of the stated one, and the period is at most as far from that as the
 * frequency says: together a bound. One for what each rounding loses.
 */
static uint64_t period_bound(uint64_t period, int64_t frequency)
{
	uint64_t ppm = TOLERANCE_PPM + (uint64_t)(frequency < 0 ? -frequency : frequency) / 65536 + 1;

	/* A deviation of the rate by x is one of the period by up to x / (1 - x), less than x and a thousandth of it.
	 */
	return (uint64_t)((wide)period * (1001 * ppm) / (1000ull * MILLION)) + 2;
}

static enum vmclock_leap leap_of(enum host_leap leap)
{
	static const enum vmclock_leap leaps[] = {
		[HOST_LEAP_NONE] = VMCLOCK_LEAP_NONE,
		[HOST_LEAP_INSERT] = VMCLOCK_LEAP_PRE_POSITIVE,
		[HOST_LEAP_DELETE] = VMCLOCK_LEAP_PRE_NEGATIVE,
		[HOST_LEAP_NOW] = VMCLOCK_LEAP_POSITIVE,
		[HOST_LEAP_INSERTED] = VMCLOCK_LEAP_POST_POSITIVE,
		[HOST_LEAP_DELETED] = VMCLOCK_LEAP_POST_NEGATIVE,
	};

	return leaps[leap];
}

/* The counter at the last whole tick before the statement, and the time then. */
static void time_set_pair(struct vmclock_time *time, uint32_t hz, const struct sc_statement *statement)
{
	uint64_t part, realtime;

	time->counter = sc_rate_ns_to_ticks(hz, statement->counter);
	part = statement->counter.v - sc_rate_ticks_to_ns(hz, time->counter).v;
	realtime = statement->realtime.v > part ? statement->realtime.v - part : 0;
	time->time_s = realtime / NS_PER_S;
	time->time_fraction = (uint64_t)(((wide)(realtime % NS_PER_S) << 64) / NS_PER_S);
}

static void time_set_errors(struct vmclock_time *time, const struct sc_statement *statement,
			    const struct host_discipline *discipline)
{
	/* A statement that could not be made says 1970, which no reader shall take for the time. */
	time->status = statement->realtime.v ? VMCLOCK_FREERUNNING : VMCLOCK_UNRELIABLE;
	if (!discipline->synchronised || !statement->realtime.v)
		return;
	time->status = VMCLOCK_SYNCHRONIZED;
	time->flags |= VMCLOCK_PERIOD_MAXERROR_VALID | VMCLOCK_TIME_ESTERROR_VALID;
	time->time_esterror_ns = discipline->estimated_error_ns;
	if (statement->error_ns == SC_STATEMENT_UNKNOWN)
		return;
	time->flags |= VMCLOCK_TIME_MAXERROR_VALID;
	time->time_maxerror_ns = statement->error_ns + CONVERSION_ERROR_NS;
}

struct vmclock_time vmclock_time_make(uint32_t hz, const struct sc_statement *statement,
				      const struct host_discipline *discipline)
{
	/* While the clock is being set right, its rate is not that of time. */
	int64_t frequency = discipline->synchronised && !discipline->slewing ? discipline->frequency : 0;
	struct vmclock_time time = {
		.period_shift = period_shift_of(hz),
		.leap = leap_of(discipline->leap),
		.tai_offset_s = -discipline->tai_offset_s,
		.flags = discipline->tai_offset_s ? VMCLOCK_TAI_OFFSET_VALID : 0,
	};

	time.period = period_of(hz, frequency, time.period_shift);
	time.period_maxerror = period_bound(time.period, frequency);
	time_set_pair(&time, hz, statement);
	time_set_errors(&time, statement, discipline);
	return time;
}

/* ---- Whether it still holds ---- */

#define STRAY_NS_MAX 1000u
#define WIDER_NS_MAX 1000000u
#define AGE_S_MAX 16u

/* Seconds in units of 2^-64: what so many ticks of such a period come to. */
static wide ticks_last(uint64_t ticks, uint64_t period, uint8_t shift)
{
	return (wide)ticks * period >> shift;
}

/* Rounded down; less than 2^34 s. */
static uint64_t ns_of(wide time)
{
	return (uint64_t)(time >> 64) * NS_PER_S + (uint64_t)((wide)(uint64_t)time * NS_PER_S >> 64);
}

static wide time_of(const struct vmclock_time *time)
{
	return (wide)time->time_s << 64 | time->time_fraction;
}

static bool facts_are_alike(const struct vmclock_time *a, const struct vmclock_time *b)
{
	return a->flags == b->flags && a->status == b->status && a->leap == b->leap &&
	       a->tai_offset_s == b->tai_offset_s && a->time_esterror_ns == b->time_esterror_ns;
}

bool vmclock_time_holds(const struct vmclock_time *told, const struct vmclock_time *now)
{
	uint64_t ticks = now->counter.v - told->counter.v, bound, stray;
	wide age = ticks_last(ticks, told->period, told->period_shift), then = time_of(told) + age,
	     found = time_of(now);

	if (!facts_are_alike(told, now) || age >> 64 >= AGE_S_MAX)
		return false;
	stray = ns_of(then > found ? then - found : found - then);
	if (stray > STRAY_NS_MAX)
		return false;
	if (!(now->flags & VMCLOCK_TIME_MAXERROR_VALID))
		return true;
	bound = told->time_maxerror_ns + ns_of(ticks_last(ticks, told->period_maxerror, told->period_shift));
	/* The stray is rounded down. */
	return bound > now->time_maxerror_ns + stray && bound - now->time_maxerror_ns < WIDER_NS_MAX;
}

/* ---- The page ---- */

/* All but the sequence. */
static void page_fill(struct vmclock_page *page, const struct vmclock_time *time, const struct vmclock_guest *guest)
{
	page->magic = htole32(VMCLOCK_MAGIC);
	page->size = htole32(guest->size);
	page->version = htole16(VMCLOCK_VERSION);
	page->counter_id = VMCLOCK_COUNTER_ARM_VIRTUAL;
	page->time_type = VMCLOCK_TIME_UTC;
	page->disruption_marker = htole64(guest->disruption_marker);
	page->flags = htole64(time->flags | VMCLOCK_GENERATION_PRESENT | VMCLOCK_NOTIFICATION_PRESENT);
	page->reserved[0] = page->reserved[1] = 0;
	page->clock_status = (uint8_t)time->status;
	page->leap_second_smearing_hint = 0; /* none: a leap second is a second */
	page->tai_offset_s = htole16((uint16_t)time->tai_offset_s);
	page->leap_indicator = (uint8_t)time->leap;
	page->period_shift = time->period_shift;
	page->counter_value = htole64(time->counter.v - guest->offset);
	page->period = htole64(time->period);
	page->period_esterror = 0; /* not valid */
	page->period_maxerror = htole64(time->period_maxerror);
	page->time_s = htole64(time->time_s);
	page->time_fraction = htole64(time->time_fraction);
	page->time_esterror_ns = htole64(time->time_esterror_ns);
	page->time_maxerror_ns = htole64(time->time_maxerror_ns);
	page->generation = htole64(guest->generation);
}

void vmclock_write(struct vmclock_page *page, const struct vmclock_time *time, struct vmclock_guest *guest)
{
	__atomic_store_n(&page->sequence, htole32(guest->sequence + 1), __ATOMIC_RELAXED);
	/* A reader that sees something new sees that the sequence is odd, */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	page_fill(page, time, guest);
	guest->sequence += 2;
	/* and one that sees the new sequence sees all of it. */
	__atomic_store_n(&page->sequence, htole32(guest->sequence), __ATOMIC_RELEASE);
}
