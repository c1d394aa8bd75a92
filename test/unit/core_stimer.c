/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic timers: each rule of the specification, and the very sequences that guests write.
 *
 * Policy: one timer, with the time handed in; the random half is test/property/stimer.c.
 */
#include <seaclock/core.h>

#include "unit.h"

#define DIRECT (SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)
#define ENABLED(timer) ((timer).config & SC_STIMER_ENABLE)

static void set_config(struct sc_stimer *timer, uint64_t config, uint64_t now)
{
	sc_stimer_set_config(timer, config, sc_ref(now));
}

static void set_count(struct sc_stimer *timer, uint64_t count, uint64_t now)
{
	sc_stimer_set_count(timer, count, sc_ref(now));
}

static bool expire(struct sc_stimer *timer, uint64_t now)
{
	return sc_stimer_expire(timer, sc_ref(now));
}

static void one_shot_fires_once_and_never_early(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_count(&timer, 100, 10);
	assert_false(timer.armed);
	set_config(&timer, DIRECT | SC_STIMER_ENABLE, 10);
	assert_true(timer.armed);
	assert_int_equal(timer.due.v, 100);
	assert_false(expire(&timer, 99));
	assert_false(timer.pending);
	assert_true(expire(&timer, 100));
	assert_true(timer.pending);
	assert_false(timer.armed);
	assert_false(ENABLED(timer));
	assert_int_equal(timer.count, 100);
	sc_stimer_delivered(&timer, false);
	assert_false(timer.pending);
	assert_false(timer.asserted);
	assert_false(expire(&timer, 1000));
}

static void past_deadline_fires_at_once(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE, 1000);
	set_count(&timer, 1, 1000);
	assert_true(expire(&timer, 1000));
}

static void count_is_compared_unsigned(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE, 1000);
	set_count(&timer, UINT64_MAX, 1000);
	assert_false(expire(&timer, 1000));
	assert_false(expire(&timer, 1ull << 63));
	assert_true(expire(&timer, UINT64_MAX));
}

static void count_zero_stops(void **state)
{
	static const uint64_t modes[] = { 0, SC_STIMER_PERIODIC, SC_STIMER_AUTO_ENABLE,
					  SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC };
	struct sc_stimer timer = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		set_config(&timer, DIRECT | SC_STIMER_ENABLE | modes[i], 0);
		set_count(&timer, 10, 0);
		assert_true(timer.armed);
		set_count(&timer, 0, 5);
		assert_false(timer.armed);
		assert_false(ENABLED(timer));
		assert_false(expire(&timer, UINT64_MAX));
	}
}

static void auto_enable_starts_on_count(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE, 0);
	assert_false(ENABLED(timer));
	set_count(&timer, 50, 0);
	assert_true(ENABLED(timer));
	assert_true(expire(&timer, 50));
	assert_false(ENABLED(timer));
	set_count(&timer, 70, 60);
	assert_true(ENABLED(timer));
	assert_true(expire(&timer, 70));
}

static void without_auto_enable_count_does_not_start(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT, 0);
	set_count(&timer, 50, 0);
	assert_false(ENABLED(timer));
	assert_false(expire(&timer, 100));
}

static void enabled_without_target_is_disabled(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_count(&timer, 50, 0);
	set_config(&timer, SC_STIMER_ENABLE, 0);
	assert_int_equal(timer.config, 0);
	assert_false(timer.armed);
	set_config(&timer, SC_STIMER_AUTO_ENABLE, 0);
	set_count(&timer, 50, 0);
	assert_int_equal(timer.config, SC_STIMER_AUTO_ENABLE);
	assert_false(timer.armed);
}

static void sint_timer_counts_as_enabled(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_count(&timer, 50, 0);
	set_config(&timer, SC_STIMER_ENABLE | 2ull << SC_STIMER_SINT_SHIFT, 0);
	assert_true(timer.armed);
}

static void periodic_keeps_its_phase(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_count(&timer, 1000, 0);
	set_config(&timer, DIRECT | SC_STIMER_ENABLE | SC_STIMER_PERIODIC, 70);
	assert_int_equal(timer.due.v, 1070);
	assert_false(expire(&timer, 1069));
	assert_true(expire(&timer, 1100));
	assert_true(ENABLED(timer));
	assert_int_equal(timer.due.v, 2070);
	sc_stimer_delivered(&timer, false);
	assert_false(expire(&timer, 2069));
	assert_true(expire(&timer, 2070));
	assert_int_equal(timer.due.v, 3070);
}

static void missed_periods_coalesce(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC | SC_STIMER_LAZY, 0);
	set_count(&timer, 1000, 0);
	assert_true(expire(&timer, 1000));
	/* Not delivered: further periods pass. */
	assert_true(expire(&timer, 2500));
	assert_true(expire(&timer, 12340));
	assert_int_equal(timer.due.v, 13000);
	sc_stimer_delivered(&timer, false);
	assert_false(timer.pending);
	assert_false(expire(&timer, 12999));
	assert_true(expire(&timer, 13000));
}

/* Every period is delivered, waits or is counted. */
static void coalesced_periods_are_counted(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC, 0);
	set_count(&timer, 1000, 500);
	assert_true(expire(&timer, 1500));
	assert_int_equal(timer.expired.v, 1500);
	assert_int_equal(timer.coalesced, 0);
	sc_stimer_delivered(&timer, false);
	assert_int_equal(timer.expired.v, 0);
	/* Seen late: three periods, one expiry, which stands for the oldest. */
	assert_true(expire(&timer, 4999));
	assert_int_equal(timer.expired.v, 2500);
	assert_int_equal(timer.coalesced, 2);
	/* Seen in time, but the last one still waits. */
	assert_true(expire(&timer, 5500));
	assert_int_equal(timer.expired.v, 2500);
	assert_int_equal(timer.coalesced, 3);
	sc_stimer_delivered(&timer, false);
	assert_true(expire(&timer, 6500));
	assert_int_equal(timer.expired.v, 6500);
	/* The guest has not taken the last interrupt: one for both. */
	sc_stimer_merged(&timer);
	assert_false(timer.pending);
	assert_int_equal(timer.expired.v, 0);
	assert_int_equal(timer.coalesced, 4);
	/* A write begins a new count. */
	set_count(&timer, 1000, 7000);
	assert_int_equal(timer.coalesced, 0);
}

/* Periods, when the first expiry is due, the next one, and the periods that coalesce by the first. */
static void short_periods_are_stretched(void **state)
{
	static const struct {
		uint64_t period, first, second, coalesced;
	} cases[] = {
		{ 1, 1000, 2000, 999 }, { 3, 1002, 2004, 333 }, { 7, 1001, 2002, 142 },	 { 500, 1000, 2000, 1 },
		{ 501, 1002, 2004, 1 }, { 999, 1998, 3996, 1 }, { 1000, 1000, 2000, 0 }, { 1001, 1001, 2002, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct sc_stimer timer = { 0 };

		set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC, 0);
		set_count(&timer, cases[n].period, 70);
		assert_int_equal(timer.count, cases[n].period);
		assert_int_equal(timer.due.v, 70 + cases[n].first);
		assert_false(expire(&timer, 70 + cases[n].first - 1));
		assert_true(expire(&timer, 70 + cases[n].first));
		assert_int_equal(timer.due.v, 70 + cases[n].second);
		assert_int_equal(timer.coalesced, cases[n].coalesced);
		assert_int_equal(timer.expired.v, 70 + cases[n].first);
		sc_stimer_delivered(&timer, false);
		/* Late: all periods but that of the delivery are counted. */
		assert_true(expire(&timer, 70 + cases[n].second * 50 - 1));
		assert_int_equal(timer.due.v, 70 + cases[n].second * 50);
		assert_int_equal(timer.coalesced + 2, (cases[n].second * 50 - cases[n].first) / cases[n].period);
	}
}

static void line_that_is_high_makes_one_interrupt(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC, 0);
	set_count(&timer, 1000, 0);
	assert_true(expire(&timer, 1000));
	sc_stimer_delivered(&timer, true);
	assert_int_equal(timer.coalesced, 0);
	assert_true(expire(&timer, 2000));
	sc_stimer_delivered(&timer, true);
	assert_int_equal(timer.coalesced, 1);
	/* As an edge meanwhile: the line is still high. */
	assert_true(expire(&timer, 3000));
	sc_stimer_delivered(&timer, false);
	assert_int_equal(timer.coalesced, 2);
	assert_true(timer.asserted);
}

static void one_shot_counts_no_periods(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE, 0);
	set_count(&timer, 100, 0);
	assert_true(expire(&timer, 1000));
	assert_int_equal(timer.expired.v, 100);
	sc_stimer_merged(&timer);
	assert_false(timer.pending);
	assert_int_equal(timer.coalesced, 0);
}

static void huge_periods_saturate(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC, 0);
	set_count(&timer, UINT64_MAX - 5, 100);
	assert_int_equal(timer.due.v, UINT64_MAX);
	assert_false(expire(&timer, UINT64_MAX - 1));
	set_count(&timer, 1ull << 63, 0);
	assert_true(expire(&timer, (1ull << 63) + 5));
	assert_int_equal(timer.due.v, UINT64_MAX);
}

static void rewriting_count_rearms(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE, 0);
	set_count(&timer, 100, 0);
	set_count(&timer, 200, 50);
	assert_false(expire(&timer, 199));
	assert_true(expire(&timer, 200));
	/* A write before delivery takes the expiry back: it belonged to the old setting. */
	set_count(&timer, 400, 300);
	assert_false(timer.pending);
	assert_false(expire(&timer, 399));
	assert_true(expire(&timer, 400));
}

static void any_write_lowers_the_line(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_AUTO_ENABLE, 0);
	set_count(&timer, 10, 0);
	assert_true(expire(&timer, 10));
	sc_stimer_delivered(&timer, true);
	assert_true(timer.asserted);
	set_count(&timer, 20, 10);
	assert_false(timer.asserted);
	assert_true(expire(&timer, 20));
	sc_stimer_delivered(&timer, true);
	set_config(&timer, 0, 20);
	assert_false(timer.asserted);
}

/* Linux: oneshot state, next events, shutdown. Enable is set while COUNT is 0. */
static void sequence_of_linux(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_config(&timer, DIRECT | SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE, 0);
	assert_true(ENABLED(timer));
	assert_false(expire(&timer, 1000));
	for (uint64_t now = 1000; now < 5000; now += 1000) {
		set_count(&timer, now + 500, now);
		assert_false(expire(&timer, now + 499));
		assert_true(expire(&timer, now + 500));
		sc_stimer_delivered(&timer, true);
	}
	set_count(&timer, 0, 5000);
	set_config(&timer, 0, 5000);
	assert_false(timer.armed);
	assert_int_equal(timer.config, 0);
}

/* UEFI of Hyper-V: AutoEnable starts a lazy periodic timer. */
static void sequence_of_uefi(void **state)
{
	struct sc_stimer timer = { 0 };

	(void)state;
	set_count(&timer, 0, 0);
	set_config(&timer,
		   SC_STIMER_PERIODIC | SC_STIMER_LAZY | SC_STIMER_AUTO_ENABLE | SC_STIMER_DIRECT |
			   17ull << SC_STIMER_INTID_SHIFT,
		   0);
	assert_false(timer.armed);
	set_count(&timer, 100000, 1000);
	assert_int_equal(sc_stimer_intid(&timer), 17);
	assert_false(expire(&timer, 100999));
	for (uint64_t now = 101000; now < 1000000; now += 100000) {
		assert_true(expire(&timer, now));
		sc_stimer_delivered(&timer, false);
		assert_false(expire(&timer, now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_shot_fires_once_and_never_early),
		cmocka_unit_test(past_deadline_fires_at_once),
		cmocka_unit_test(count_is_compared_unsigned),
		cmocka_unit_test(count_zero_stops),
		cmocka_unit_test(auto_enable_starts_on_count),
		cmocka_unit_test(without_auto_enable_count_does_not_start),
		cmocka_unit_test(enabled_without_target_is_disabled),
		cmocka_unit_test(sint_timer_counts_as_enabled),
		cmocka_unit_test(periodic_keeps_its_phase),
		cmocka_unit_test(missed_periods_coalesce),
		cmocka_unit_test(coalesced_periods_are_counted),
		cmocka_unit_test(short_periods_are_stretched),
		cmocka_unit_test(line_that_is_high_makes_one_interrupt),
		cmocka_unit_test(one_shot_counts_no_periods),
		cmocka_unit_test(huge_periods_saturate),
		cmocka_unit_test(rewriting_count_rearms),
		cmocka_unit_test(any_write_lowers_the_line),
		cmocka_unit_test(sequence_of_linux),
		cmocka_unit_test(sequence_of_uefi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
