/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of a repair: what series have that others have not. */
#include "plan_fixture.h"

/* Where what is in two places, the timekeeper and its shadow, is changed in both. */
enum where {
	IN_KEEPER,
	IN_SHADOW,
	IN_CORE,
	IN_NTP,
	IN_VDSO,
};

struct fault {
	enum where where;
	enum sc_field field;
	uint64_t change; /* bits that are the other way round */
	enum sc_refusal_reason reason;
	const char *words;
};

static uint64_t place_of(const struct linux_clock *clock, enum where where)
{
	switch (where) {
	case IN_KEEPER:
		return linux_clock_keeper(clock);
	case IN_SHADOW:
		return linux_clock_shadow(clock);
	case IN_CORE:
		return clock->kernel.address[SC_VAR_CORE];
	case IN_NTP:
		return clock->kernel.address[SC_VAR_NTP];
	case IN_VDSO:
		break;
	}
	return linux_clock_vdso(clock, 0);
}

static void flip(struct linux_clock *clock, uint64_t va, const struct fault *fault)
{
	linux_clock_put(clock, va, fault->field, linux_clock_get(clock, va, fault->field) ^ fault->change);
}

/* Linux 7.3: the shadow and the lock are beside the timekeeper, and NTP's tick is that of the intervals. */
static void numbers_that_differ(void **state)
{
	static const struct fault faults[] = {
		{ IN_CORE, SC_CORE_LOCK, 1, SC_REFUSED_BUSY, "timekeeper is locked" },
		{ IN_SHADOW, SC_TK_NTP_ERROR, 1, SC_REFUSED_BUSY, "shadow of the kernel's timekeeper differs" },
		{ IN_KEEPER, SC_TK_CS_TICK_ADJ, 1, SC_REFUSED_UNKNOWN, "an adjustment of NTP's tick" },
		{ IN_KEEPER, SC_TK_CS_TICK_ADJ, 1ull << 62, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
		{ IN_KEEPER, SC_TK_NTP_TICK, 1ull << 40, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
		{ IN_KEEPER, SC_TK_SKEW_DELTA, 1ull << 35, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
		{ IN_KEEPER, SC_TK_NTP_ERROR_SHIFT, 32, SC_REFUSED_UNKNOWN, "that does not follow" },
		{ IN_KEEPER, SC_TK_RAW_INTERVAL, 1, SC_REFUSED_UNKNOWN, "that does not follow" },
		{ IN_KEEPER, SC_TK_CS_NS_TO_CYC_MULT, 1, SC_REFUSED_UNKNOWN, "programs its timers as well" },
		{ IN_KEEPER, SC_TK_COARSE_NSEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
		{ IN_NTP, SC_NTP_TICK_LENGTH, 1ull << 53, SC_REFUSED_UNKNOWN, "NTP has another tick" },
		{ IN_NTP, SC_NTP_CS_TICK_ADJ, 1, SC_REFUSED_UNKNOWN, "NTP has another tick" },
		{ IN_VDSO, SC_VDSO_CLOCK_MODE, 1, SC_REFUSED_UNKNOWN, "vDSO does not read the counter" },
	};
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(faults); n++) {
		struct linux_clock clock;

		linux_clock_begin(&clock, &from);
		flip(&clock, place_of(&clock, faults[n].where), &faults[n]);
		if (faults[n].where == IN_KEEPER)
			flip(&clock, linux_clock_shadow(&clock), &faults[n]);
		refused(&clock, &change, faults[n].reason, faults[n].words);
		linux_clock_end(&clock);
	}
}

/* Each of the eight has a timekeeper of its own, which nothing repairs. */
static void auxiliary_clocks(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);

	(void)state;
	for (uint32_t n = 0; n < 8; n++) {
		struct linux_clock clock;

		linux_clock_begin(&clock, &from);
		linux_clock_put(&clock, linux_clock_vdso(&clock, 2 + n), SC_VDSO_CLOCK_MODE, 1);
		refused(&clock, &change, SC_REFUSED_UNKNOWN, "has an auxiliary clock that is on");
		linux_clock_end(&clock);
	}
}

static void vdso_that_is_nowhere(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	linux_clock_store(&clock, clock.kernel.address[SC_VAR_VDSO], 4096, 8);
	refused(&clock, &change, SC_REFUSED_MEMORY, "is not a kernel address");
	linux_clock_end(&clock);
}

/* NTP has moved the clock back by some ns since its last tick, and what is coarse does not go back. */
static void coarse_clocks_that_are_ahead(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;
	linux_time before[2];
	uint64_t time;

	(void)state;
	linux_clock_begin(&clock, &from);
	linux_clock_put(&clock, linux_clock_keeper(&clock), SC_TK_COARSE_NSEC, from.xtime_ns + 5);
	linux_clock_put(&clock, linux_clock_shadow(&clock), SC_TK_COARSE_NSEC, from.xtime_ns + 5);
	for (uint32_t number = 5; number <= 6; number++) {
		time = linux_clock_vdso(&clock, 0) + 32 + 16ull * number + 8;
		linux_clock_store(&clock, time, linux_clock_load(&clock, time, 8) + 5, 8);
	}
	before[0] = linux_clock_read(&clock, LINUX_COARSE_REAL, change.from_ticks);
	before[1] = linux_clock_read(&clock, LINUX_COARSE_MONO, change.from_ticks);
	carry_out(&clock, &change);
	assert_true(linux_clock_read(&clock, LINUX_COARSE_REAL, change.to_ticks) == before[0]);
	assert_true(linux_clock_read(&clock, LINUX_COARSE_MONO, change.to_ticks) == before[1]);
	assert_int_equal(linux_clock_get(&clock, linux_clock_keeper(&clock), SC_TK_COARSE_NSEC), from.xtime_ns + 5);
	linux_clock_end(&clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_differ),
		cmocka_unit_test(auxiliary_clocks),
		cmocka_unit_test(vdso_that_is_nowhere),
		cmocka_unit_test(coarse_clocks_that_are_ahead),
	};

	series = LINUX_7_3;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
