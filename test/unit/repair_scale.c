/* SPDX-License-Identifier: BSD-2-Clause */
/* Scales, and deadlines: what kernels print when they boot, what they set, and numbers that no kernel has. */
#include "unit.h"

#include "../../repair/deadline.h"
#include "../../repair/scale.h"

#define MASK_56 0xffffffffffffffull
#define MASK_61 0x1fffffffffffffffull

/* From the logs of real machines: the clocksource's mask, max_cycles and max_idle_ns, and sched_clock's wrap. */
static void as_kernels_print_them(void **state)
{
	static const struct {
		uint32_t hz;
		uint64_t mask, max_cycles, max_idle_ns, wrap_ns;
	} printed[] = {
		{ 19200000, MASK_56, 0x46d987e47, 440795202767, 4398046511078 },
		{ 24000000, MASK_56, 0x588fe9dc0, 440795202592, 4398046511097 },
		{ 25000000, MASK_56, 0x5c40939b5, 440795202646, 4398046511100 },
		{ 54000000, MASK_56, 0xc743ce346, 440795203123, 4398046511102 },
		{ 62500000, MASK_56, 0x1cd42e208c, 881590405314, 4398046511096 },
		{ 100000000, MASK_56, 0x171024e7e0, 440795205315, 4398046511100 },
		{ 200000000, MASK_56, 0x2e2049d3e8, 440795210634, 4398046511102 },
		{ 1000000000, MASK_61, 0x1cd42e4dffb, 881590591483, 4398046511103 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(printed); n++) {
		struct scale_clocksource source = sc_scale_clocksource(printed[n].hz, printed[n].mask);

		assert_int_equal(source.max_cycles, printed[n].max_cycles);
		assert_int_equal(source.max_idle_ns, printed[n].max_idle_ns);
		assert_int_equal(sc_scale_sched(printed[n].hz, printed[n].mask, 32).wrap_ns, printed[n].wrap_ns);
	}
}

/* A shift that is not to rise: the multiplier goes with it. */
static void bounded_shift(void **state)
{
	struct scale_sched sched;

	(void)state;
	assert_int_equal(sc_scale_sched(62500000, MASK_56, 21).scale.shift, 21);
	sched = sc_scale_sched(62500000, MASK_56, 20);
	assert_int_equal(sched.scale.shift, 20);
	assert_int_equal(sched.scale.mult, 16 << 20);
	/* Half of 2^64 - 1 ns in units of 2^-20. */
	assert_in_range(sched.wrap_ns, (1ull << 43) - 16, 1ull << 43);
	sched = sc_scale_sched(2000000000, MASK_56, 1);
	assert_int_equal(sched.scale.mult, 1);
}

/* Ranges that no counter has: nothing overflows, and no multiplier is 0. */
static void any_range(void **state)
{
	static const uint32_t rates[] = { SC_RATE_MIN_HZ, 33333333, 999999999, SC_RATE_MAX_HZ };
	static const uint64_t ranges[] = { 0, 1, 14, UINT32_MAX, 1ull << 32, MASK_56, UINT64_MAX };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++)
		for (size_t n = 0; n < ARRAY_SIZE(ranges); n++) {
			struct scale_clocksource source = sc_scale_clocksource(rates[r], ranges[n]);
			struct scale_event event = sc_scale_event(rates[r], ranges[n], ranges[n]);

			assert_true(source.scale.mult > source.max_adjust && source.max_cycles <= ranges[n]);
			assert_true(event.scale.mult > 0 && event.min_ns >= 1000 && event.max_ns >= 1000);
			assert_true(source.scale.shift <= 32 && event.scale.shift <= 32);
		}
}

/* Of more than 1 GHz, half ticks: the shortest delta is rounded up, and the longest is not. */
static void devices_of_more_than_1_ghz(void **state)
{
	struct scale_event event = sc_scale_event(2000000000, 3001, 3001);

	(void)state;
	assert_int_equal(event.min_ns, 1501);
	assert_int_equal(event.max_ns, 1500);
}

/* The stream of 10 kHz: which bit of the counter makes it, as kernels have it in CNTKCTL_EL1. */
static void event_streams(void **state)
{
	static const struct {
		uint32_t hz;
		uint64_t from, to;
	} cases[] = {
		{ 24000000, 0x4, 0xa4 },	  { 62500000, 0x96, 0xc6 },    { 1000000000, 0x4, 0xf4 },
		{ 25000000, 0xf4, 0xa4 },	  { 1000000, 0x4, 0x64 },      { 2000000000, 0x20094, 0x20094 },
		{ 1000000000, 0x200f4, 0x20084 }, { 25000000, 0x20084, 0xa4 }, { 62500000, 0x92, 0x92 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		const struct sc_rate_change change = { .from_hz = 50000000, .to_hz = cases[n].hz };
		const struct sc_vcpu_timers from = { .cntkctl = cases[n].from };
		struct sc_vcpu_timers to;

		sc_deadline_move(&from, &change, &to);
		assert_int_equal(to.cntkctl, cases[n].to);
	}
}

static void deadlines(void **state)
{
	const struct sc_rate_change change = { 1000000000, 25000000, 5000, 100 };
	struct sc_vcpu_timers from = { .cntv_ctl = 1, .cntv_cval = 5001, .cntp_ctl = 3, .cntp_cval = UINT64_MAX }, to;

	(void)state;
	sc_deadline_move(&from, &change, &to);
	assert_int_equal(to.cntv_cval, 101);
	assert_int_equal(to.cntp_cval, 100 + (UINT64_MAX - 5000) / 40 + 1);
	from = (struct sc_vcpu_timers){ .cntv_ctl = 5, .cntv_cval = 0, .cntp_ctl = 2, .cntp_cval = 77 };
	sc_deadline_move(&from, &change, &to);
	assert_int_equal(to.cntv_cval, 0);
	assert_int_equal(to.cntp_cval, 77);
}

/* An event far away may be seen later by a clock that is slewed, and one that is further is no event. */
static void late_deadlines(void **state)
{
	struct sc_vcpu_timers timers = { .cntv_ctl = 1, .cntv_cval = 1000 * 25000000ull };

	(void)state;
	assert_false(sc_deadline_is_late(&timers, 0, 25000000, 999000000000));
	assert_true(sc_deadline_is_late(&timers, 0, 25000000, 990000000000));
	assert_true(sc_deadline_is_late(&timers, 0, 25000000, INT64_MIN));
	assert_false(sc_deadline_is_late(&timers, 0, 25000000, INT64_MAX));
	assert_false(sc_deadline_is_late(&timers, timers.cntv_cval, 25000000, 0));
	timers.cntv_cval = UINT64_MAX;
	assert_true(sc_deadline_is_late(&timers, 0, 2000000000, (1ll << 55) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_kernels_print_them),
		cmocka_unit_test(bounded_shift),
		cmocka_unit_test(any_range),
		cmocka_unit_test(devices_of_more_than_1_ghz),
		cmocka_unit_test(event_streams),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(late_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
