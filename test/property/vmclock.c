/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: what a VMClock page says of the counter's period and of the time is as exact as it claims, against rational
 * numbers: the period is the stated rate's as it is steered, rounded down; its bound has the period of every counter
 * that Linux takes for possible; the time at the counter's value is that of the statement. And a page that is kept
 * because it still holds gives the host's time to about 1 us, with a bound that covers the host's.
 */
#include "dev/vmclock.h"

#include "random.h"

#include <string.h>

#define CASES 50000
#define LIMBS 9
#define ONE (65536ull * 1000000)
#define MAX_FREQUENCY (500 << 16)
#define NS_PER_S 1000000000u

typedef unsigned __int128 u128;

/* ---- Numbers of 288 bits ---- */

struct number {
	uint32_t limb[LIMBS]; /* the lowest first */
};

static struct number number_of(uint64_t value)
{
	return (struct number){ .limb = { (uint32_t)value, (uint32_t)(value >> 32) } };
}

static struct number times(struct number a, uint32_t factor)
{
	uint64_t carry = 0;

	for (int n = 0; n < LIMBS; n++) {
		carry += (uint64_t)a.limb[n] * factor;
		a.limb[n] = (uint32_t)carry;
		carry >>= 32;
	}
	return a;
}

static struct number plus(struct number a, const struct number *b)
{
	uint64_t carry = 0;

	for (int n = 0; n < LIMBS; n++) {
		carry += (uint64_t)a.limb[n] + b->limb[n];
		a.limb[n] = (uint32_t)carry;
		carry >>= 32;
	}
	return a;
}

static struct number times_wide(struct number a, uint64_t factor)
{
	struct number high = times(a, (uint32_t)(factor >> 32)), moved = { { 0 } };

	memcpy(&moved.limb[1], high.limb, (LIMBS - 1) * sizeof(high.limb[0]));
	return plus(times(a, (uint32_t)factor), &moved);
}

static struct number shifted(struct number a, unsigned int bits)
{
	while (bits--)
		a = times(a, 2);
	return a;
}

static int compare(const struct number *a, const struct number *b)
{
	for (int n = LIMBS - 1; n >= 0; n--)
		if (a->limb[n] != b->limb[n])
			return a->limb[n] < b->limb[n] ? -1 : 1;
	return 0;
}

/* a * b * c <= 2^bits * d, or <. */
static bool product_is_below(uint64_t a, uint64_t b, uint32_t c, unsigned int bits, uint64_t d, bool equal)
{
	struct number left = times(times_wide(number_of(a), b), c), right = shifted(number_of(d), bits);
	int order = compare(&left, &right);

	return order < 0 || (equal && !order);
}

/* ---- Properties ---- */

static void check_period(struct random *random, uint32_t hz, const struct vmclock_time *time, int64_t frequency)
{
	/* A counter that truly ticks at hz * (ONE + off) / ONE. */
	uint64_t off = random_between(random, 0, 2 * MAX_FREQUENCY) - MAX_FREQUENCY, low, high;
	unsigned int bits = 64u + time->period_shift;

	PROPERTY(time->period >> 61 && time->period <= (1ull << 63) + (1ull << 53),
		 "%" PRIu32 " Hz: the period is %" PRIu64, hz, time->period);
	PROPERTY(product_is_below(time->period, ONE, hz, bits, ONE + (uint64_t)frequency, true),
		 "%" PRIu32 " Hz, %" PRIi64 ": the period is more than it is", hz, frequency);
	PROPERTY(!product_is_below(time->period + 1, ONE, hz, bits, ONE + (uint64_t)frequency, true),
		 "%" PRIu32 " Hz, %" PRIi64 ": the period is less than it is", hz, frequency);
	low = time->period - time->period_maxerror;
	high = time->period + time->period_maxerror;
	PROPERTY(product_is_below(low, ONE + off, hz, bits, ONE, true) &&
			 !product_is_below(high, ONE + off, hz, bits, ONE, false),
		 "%" PRIu32 " Hz, %" PRIi64 ", off by %" PRIi64 ": the bound does not hold", hz, frequency,
		 (int64_t)off);
}

/* The statement's time, less what is between the last whole tick and it; a ns for the fraction as it is read here. */
static void check_pair(uint32_t hz, const struct vmclock_time *time, const struct sc_statement *statement)
{
	u128 fraction = (u128)time->time_fraction * NS_PER_S >> 64;
	u128 told = (u128)time->time_s * NS_PER_S + fraction;
	/* Both times hz. */
	u128 back = (u128)(statement->realtime.v - (uint64_t)told) * hz;
	u128 rest = (u128)statement->counter.v * hz - (u128)time->counter.v * NS_PER_S;

	PROPERTY(rest < (u128)NS_PER_S + hz, "%" PRIu32 " Hz: the counter is another tick's", hz);
	PROPERTY(back + 2 * (u128)hz >= rest && rest + 2 * (u128)hz >= back,
		 "%" PRIu32 " Hz: the time is off by more than 2 ns", hz);
	PROPERTY(time->time_maxerror_ns >= statement->error_ns + 2, "the bound is too small");
}

static void check_case(struct random *random)
{
	uint32_t hz =
		random_chance(random, 4) ? (uint32_t)random_between(random, 1000000, UINT32_MAX) : random_rate(random);
	const struct sc_statement statement = {
		.counter = sc_ns(random_next(random) >> 3),
		.realtime = sc_ns(random_between(random, 1ull << 60, 1ull << 62)),
		.error_ns = random_between(random, 0, 1000000000),
	};
	struct host_discipline discipline = {
		.synchronised = true,
		.frequency = (int64_t)random_between(random, 0, 2 * MAX_FREQUENCY) - MAX_FREQUENCY,
	};
	struct vmclock_time time;

	time = vmclock_time_make(hz, &statement, &discipline);
	check_period(random, hz, &time, discipline.frequency);
	check_pair(hz, &time, &statement);
}

/* What a reader makes of the page at a later counter value, in ns, as Linux computes it. */
static u128 page_time(const struct vmclock_time *page, sc_ticks_t counter)
{
	u128 rest = ((u128)(counter.v - page->counter.v) * page->period >> page->period_shift) + page->time_fraction;

	return (page->time_s + (rest >> 64)) * NS_PER_S + ((u128)(uint64_t)rest * NS_PER_S >> 64);
}

static u128 page_bound(const struct vmclock_time *page, sc_ticks_t counter)
{
	u128 more = (u128)(counter.v - page->counter.v) * page->period_maxerror >> page->period_shift;

	return page->time_maxerror_ns + (more >> 64) * NS_PER_S + ((u128)(uint64_t)more * NS_PER_S >> 64) + 1;
}

static void check_kept(uint32_t hz, const struct vmclock_time *page, const struct vmclock_time *now)
{
	u128 read = page_time(page, now->counter), is = page_time(now, now->counter);
	u128 off = read > is ? read - is : is - read;

	PROPERTY(off <= 1002, "%" PRIu32 " Hz: a page that was kept is off by %" PRIu64 " ns", hz, (uint64_t)off);
	PROPERTY(page_bound(page, now->counter) + 2 >= now->time_maxerror_ns + off,
		 "%" PRIu32 " Hz: the bound of a page that was kept does not cover the host's", hz);
}

/* A host's clock, looked at again and again. */
static void check_looks(struct random *random, uint64_t *kept)
{
	uint32_t hz = random_rate(random);
	struct sc_statement statement = {
		.counter = sc_ns(random_next(random) >> 3),
		.realtime = sc_ns(random_between(random, 1ull << 60, 1ull << 62)),
		.error_ns = random_between(random, 0, 10000000),
	};
	struct host_discipline discipline = { .synchronised = true };
	struct vmclock_time page = vmclock_time_make(hz, &statement, &discipline), now;

	for (int n = 0; n < 20; n++) {
		uint64_t passed = random_between(random, 900000000, 1200000000);

		statement.counter.v += passed;
		statement.realtime.v += passed + random_between(random, 0, 800) - 400;
		statement.error_ns += random_chance(random, 10) ? 0 : 500000;
		discipline.frequency =
			random_chance(random, 10) ? (int64_t)random_between(random, 0, 131072) - 65536 : 0;
		now = vmclock_time_make(hz, &statement, &discipline);
		if (!vmclock_time_holds(&page, &now))
			page = now;
		else
			++*kept;
		check_kept(hz, &page, &now);
	}
}

int main(void)
{
	struct random random = random_start();
	uint64_t kept = 0;

	for (int i = 0; i < CASES; i++)
		check_case(&random);
	for (int i = 0; i < CASES / 20; i++)
		check_looks(&random, &kept);
	PROPERTY(kept > CASES / 5, "no more than %" PRIu64 " of %d pages were kept", kept, CASES);
	printf("[  PASSED  ] 3 test(s).\n");
	return 0;
}
