/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: the core's divisions are exact for any arguments, and saturate exactly where the result does not fit.
 *
 * Policy: the reference is the compiler's own 128-bit division, which the core may not use.
 */
#include <seaclock/core.h>

#include "random.h"

#define CASES 300000

typedef unsigned __int128 u128;

static uint64_t saturate(u128 x)
{
	return x > UINT64_MAX ? UINT64_MAX : (uint64_t)x;
}

static void check_muldiv(struct random *random)
{
	uint64_t a = random_wide(random), b = random_wide(random), divisor = random_wide(random);
	uint64_t got;

	divisor += !divisor;
	got = sc_muldiv(a, b, divisor);
	PROPERTY(got == saturate((u128)a * b / divisor), "%" PRIu64 " * %" PRIu64 " / %" PRIu64 " gives %" PRIu64, a, b,
		 divisor, got);
}

static void check_scale(struct random *random)
{
	uint32_t hz = (uint32_t)random_between(random, SC_RATE_MIN_HZ, SC_RATE_MAX_HZ);
	u128 scale = sc_rate_scale(hz), exact = (u128)SC_REF_HZ << 64;

	if (hz <= SC_REF_HZ)
		PROPERTY(scale == 0, "%" PRIu32 " Hz has a scale", hz);
	else
		PROPERTY(scale * hz <= exact && (scale + 1) * hz > exact, "%" PRIu32 " Hz has a wrong scale", hz);
}

/* The deadline's distance at the new rate, rounded up, by division. */
static void check_deadline(struct random *random)
{
	uint32_t hz_from = random_rate(random), hz_to = random_rate(random);
	sc_ticks_t deadline = sc_ticks(random_wide(random)), from = sc_ticks(random_wide(random));
	sc_ticks_t to = sc_ticks(random_wide(random));
	uint64_t got = sc_rate_convert_deadline(deadline, from, hz_from, to, hz_to).v, want;
	u128 past;

	if (deadline.v > from.v) {
		want = saturate(to.v + ((u128)(deadline.v - from.v) * hz_to + hz_from - 1) / hz_from);
	} else {
		past = (u128)(from.v - deadline.v) * hz_to / hz_from;
		want = past < to.v ? to.v - (uint64_t)past : 0;
	}
	PROPERTY(got == want, "%" PRIu64 " after %" PRIu64 " becomes %" PRIu64 ", not %" PRIu64, deadline.v, from.v,
		 got, want);
	PROPERTY(deadline.v > from.v || got <= to.v, "an expired timer runs again");
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < CASES; i++) {
		check_muldiv(&random);
		check_scale(&random);
		check_deadline(&random);
	}
	printf("[  PASSED  ] 3 test(s).\n");
	return 0;
}
