/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the module gives back to the kernel's NTP code after a change of the clocksource.
 *
 * Policy: the kernel's side is a model of kernel/time/ntp.c, a second at a time: what it makes of the calls counts, not
 * what the calls look like.
 */
#include "../../linux/discipline.h"

#include <string.h>

#include "unit.h"

#define HZ 250
#define TICK_NS 4000000ull
#define READ_ONLY DISCIPLINE_READ_ONLY

/* The kernel's: slew and offset are what is left of them, `second` what this second is longer by, in ns. */
struct kernel {
	int state, status;
	int64_t slew_us, offset, second, freq, maxerror, esterror, next_leap;
};

static struct kernel kernel_slewing(int64_t slew_us, int64_t second)
{
	return (struct kernel){
		.state = TIME_OK,
		.slew_us = slew_us,
		.second = second,
		.maxerror = 900,
		.esterror = 30,
		.next_leap = -1,
	};
}

static struct kernel kernel_leaping(int state, int status)
{
	struct kernel kernel = kernel_slewing(0, 0);

	kernel.state = state;
	kernel.status = status;
	kernel.next_leap = DISCIPLINE_DAY_S;
	return kernel;
}

/* What adjtimex(2) tells. */
static struct discipline kernel_read(const struct kernel *kernel, int64_t seconds, uint32_t ns)
{
	return (struct discipline){
		.state = kernel->status & STA_UNSYNC ? TIME_ERROR : kernel->state,
		.status = kernel->status,
		.slew_us = kernel->slew_us,
		.offset = kernel->offset,
		.freq = kernel->freq,
		.maxerror = kernel->maxerror,
		.esterror = kernel->esterror,
		.tick_length = (TICK_NS << 32) + (uint64_t)((kernel->second / HZ) * (1ll << 32)),
		.seconds = seconds,
		.ns = ns,
	};
}

static void kernel_clear(struct kernel *kernel)
{
	kernel->slew_us = kernel->offset = kernel->second = 0;
	kernel->status |= STA_UNSYNC;
	kernel->maxerror = kernel->esterror = 16000000;
	kernel->next_leap = -1;
}

/* process_adj_status() and what follows it. */
static void kernel_call(struct kernel *kernel, const struct discipline_call *call)
{
	if (call->modes & ADJ_STATUS) {
		if (kernel->status & STA_PLL && !(call->status & STA_PLL)) {
			kernel->state = TIME_OK;
			kernel->status = STA_UNSYNC;
			kernel->next_leap = -1;
		}
		kernel->status = (kernel->status & READ_ONLY) | (call->status & ~READ_ONLY);
	}
	if (call->modes & ADJ_NANO)
		kernel->status |= STA_NANO;
	if (call->modes & ADJ_MICRO)
		kernel->status &= ~STA_NANO;
	if (call->modes & ADJ_MAXERROR)
		kernel->maxerror = call->maxerror;
	if (call->modes & ADJ_ESTERROR)
		kernel->esterror = call->esterror;
	if (call->modes & ADJ_OFFSET && kernel->status & STA_PLL) {
		kernel->offset = call->offset;
		if (!(kernel->status & STA_FREQHOLD))
			kernel->freq += 1; /* by what it makes of the offset */
	}
}

/* The change, and what is given back behind it of what was read before. */
static void carry_from(struct kernel *kernel, const struct discipline *before, int64_t seconds, uint32_t ns, bool moved)
{
	struct discipline_call calls[DISCIPLINE_CALLS];
	struct discipline after;
	int64_t rest;

	kernel_clear(kernel);
	after = kernel_read(kernel, seconds, ns + 1);
	assert_true(discipline_untouched(before, &after));
	discipline_calls(before, &after, moved, calls);
	for (int i = 0; i < DISCIPLINE_CALLS; i++) {
		if (calls[i].modes)
			kernel_call(kernel, &calls[i]);
	}
	rest = discipline_rest_us(before, &after, seconds, ns, HZ);
	kernel->slew_us = rest;
}

static void carry(struct kernel *kernel, int64_t seconds, uint32_t ns, bool moved)
{
	struct discipline before = kernel_read(kernel, seconds, ns);

	carry_from(kernel, &before, seconds, ns, moved);
}

/* second_overflow(), as far as leap seconds go. */
static void kernel_second(struct kernel *kernel)
{
	if (kernel->state == TIME_OK && kernel->status & (STA_INS | STA_DEL)) {
		kernel->state = kernel->status & STA_INS ? TIME_INS : TIME_DEL;
		kernel->next_leap = DISCIPLINE_DAY_S;
	}
}

static void a_slew_goes_on(void **state)
{
	struct kernel kernel = kernel_slewing(70000, 500000);

	(void)state;
	/* A quarter of the second is over: 375 us of its 500 were still to come. */
	carry(&kernel, 1000, 250000000, false);
	assert_int_equal(kernel.slew_us, 70375);
	kernel = kernel_slewing(-70000, -500000);
	carry(&kernel, 1000, 250000000, false);
	assert_int_equal(kernel.slew_us, -70375);
	/* The last part of it is in this second's ticks alone. */
	kernel = kernel_slewing(0, 120000);
	carry(&kernel, 1000, 500000000, false);
	assert_int_equal(kernel.slew_us, 60);
	kernel = kernel_slewing(0, 0);
	carry(&kernel, 1000, 500000000, false);
	assert_int_equal(kernel.slew_us, 0);
}

/* A second begins between the reading and the change. */
static void a_second_that_begins_is_counted_once(void **state)
{
	struct kernel kernel = kernel_slewing(1200, 500000);
	struct discipline before = kernel_read(&kernel, 1000, 999000000), after;

	(void)state;
	kernel_clear(&kernel);
	after = kernel_read(&kernel, 1001, 100000000);
	assert_int_equal(discipline_rest_us(&before, &after, 1001, 100000000, HZ), 700 + 450);
	before.slew_us = -300;
	assert_int_equal(discipline_rest_us(&before, &after, 1001, 100000000, HZ), -270);
	before.slew_us = 0;
	assert_int_equal(discipline_rest_us(&before, &after, 1001, 100000000, HZ), 0);
}

/* On a busy machine several may. */
static void each_second_that_passes_slews(void **state)
{
	struct discipline before = { .slew_us = 7000, .seconds = 1000 }, after = { .seconds = 1004 };

	(void)state;
	assert_int_equal(discipline_rest_us(&before, &after, 1004, 0, HZ), 7000 - 3 * 500);
	assert_int_equal(discipline_rest_us(&before, &after, 1004, 600000000, HZ), 7000 - 4 * 500 + 200);
	before.slew_us = -1200;
	assert_int_equal(discipline_rest_us(&before, &after, 1002, 500000000, HZ), -200 - 250);
	assert_int_equal(discipline_rest_us(&before, &after, 1003, 500000000, HZ), -100);
	assert_int_equal(discipline_rest_us(&before, &after, 1004, 500000000, HZ), 0);
	assert_int_equal(discipline_rest_us(&before, &after, 4000000000, 0, HZ), 0);
}

/* Whoever sets the clock ends a slew. */
static void a_clock_set_back_slews_no_more(void **state)
{
	struct discipline before = { .slew_us = 7000, .seconds = 1000 }, after = { .seconds = 900 };

	(void)state;
	assert_int_equal(discipline_rest_us(&before, &after, 900, 0, HZ), 0);
}

/* A kernel that does not tell how long its ticks are loses what this second had left, and no more. */
static void without_tick_lengths_the_rest_is_kept(void **state)
{
	struct kernel kernel = kernel_slewing(7000, 500000);
	struct discipline before = kernel_read(&kernel, 1000, 0), after = before;

	(void)state;
	before.tick_length = after.tick_length = 0;
	assert_int_equal(discipline_rest_us(&before, &after, 1000, 0, HZ), 7000);
}

static void a_leap_second_comes_all_the_same(void **state)
{
	static const struct {
		int state, status;
	} leaps[] = { { TIME_INS, STA_INS },
		      { TIME_INS, STA_INS | STA_PLL | STA_NANO },
		      { TIME_DEL, STA_DEL | STA_FREQHOLD } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaps); i++) {
		struct kernel kernel = kernel_leaping(leaps[i].state, leaps[i].status);

		carry(&kernel, 80000, 0, false);
		assert_int_equal(kernel.status, leaps[i].status);
		kernel_second(&kernel);
		assert_int_equal(kernel.state, leaps[i].state);
		assert_int_equal(kernel.next_leap, DISCIPLINE_DAY_S);
	}
}

/* The second that dates it begins between the reading and the change. */
static void a_leap_second_that_is_dated_meanwhile_comes(void **state)
{
	static const int announced[] = { STA_INS, STA_DEL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(announced); i++) {
		struct kernel kernel = kernel_leaping(TIME_OK, announced[i]);
		struct discipline before = kernel_read(&kernel, 80000, 999000000);

		kernel_second(&kernel);
		carry_from(&kernel, &before, 80001, 0, false);
		kernel_second(&kernel);
		assert_int_equal(kernel.next_leap, DISCIPLINE_DAY_S);
	}
}

/* One that has come is not announced anew, though its bit is still set. */
static void a_leap_second_that_was_does_not_come_again(void **state)
{
	static const int states[] = { TIME_OOP, TIME_WAIT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		struct kernel kernel = kernel_leaping(states[i], STA_INS);

		carry(&kernel, DISCIPLINE_DAY_S + 5, 0, false);
		assert_int_equal(kernel.state, states[i]);
		assert_int_equal(kernel.status, STA_INS);
	}
}

static void synchronised_unless_it_moved(void **state)
{
	struct kernel kernel = kernel_slewing(0, 0);

	(void)state;
	carry(&kernel, 1000, 0, false);
	assert_int_equal(kernel.status, 0);
	assert_int_equal(kernel.maxerror, 900);
	assert_int_equal(kernel.esterror, 30);
	carry(&kernel, 1000, 0, true);
	assert_int_equal(kernel.status, STA_UNSYNC);
	assert_int_equal(kernel.maxerror, 16000000);
	/* Not made better than it was. */
	carry(&kernel, 1000, 0, false);
	assert_int_equal(kernel.status, STA_UNSYNC);
	assert_int_equal(kernel.maxerror, 16000000);
}

static void the_loop_keeps_its_offset_and_frequency(void **state)
{
	struct kernel kernel = kernel_slewing(0, 0);

	(void)state;
	kernel.status = STA_PLL | STA_NANO;
	kernel.offset = -1234567;
	kernel.freq = 100;
	carry(&kernel, 1000, 0, false);
	assert_int_equal(kernel.offset, -1234567);
	assert_int_equal(kernel.freq, 100);
	assert_int_equal(kernel.status, STA_PLL | STA_NANO);
}

static void whoever_sets_the_clock_meanwhile_is_left_alone(void **state)
{
	struct kernel kernel = kernel_slewing(0, 0);
	struct discipline before = kernel_read(&kernel, 1000, 0), after = before;

	(void)state;
	after.status |= STA_UNSYNC;
	assert_true(discipline_untouched(&before, &after));
	after.status |= STA_INS;
	assert_false(discipline_untouched(&before, &after));
	after = before;
	after.freq = 1;
	assert_false(discipline_untouched(&before, &after));
	after = before;
	after.status |= STA_NANO;
	assert_false(discipline_untouched(&before, &after));
}

/* A daemon has spoken after the change: of how well the clock is synchronised it knows more; the rest is given back. */
static void what_a_daemon_says_meanwhile_counts(void **state)
{
	struct kernel kernel = kernel_leaping(TIME_INS, STA_INS);
	struct discipline before = kernel_read(&kernel, 1000, 0), after;
	struct discipline_call calls[DISCIPLINE_CALLS];

	(void)state;
	kernel_clear(&kernel);
	kernel.maxerror = 5000;
	after = kernel_read(&kernel, 1000, 1);
	assert_true(discipline_untouched(&before, &after));
	discipline_calls(&before, &after, false, calls);
	for (int i = 0; i < DISCIPLINE_CALLS; i++)
		kernel_call(&kernel, &calls[i]);
	assert_int_equal(kernel.maxerror, 5000);
	assert_int_equal(kernel.status, STA_INS | STA_UNSYNC);
	kernel_second(&kernel);
	assert_int_equal(kernel.state, TIME_INS);
}

static void a_daemon_that_says_synchronised_is_believed_unless_it_moved(void **state)
{
	struct kernel kernel = kernel_slewing(0, 0);
	struct discipline before, after;

	(void)state;
	kernel_clear(&kernel);
	before = kernel_read(&kernel, 1000, 0);
	after = before;
	after.status &= ~STA_UNSYNC;
	assert_int_equal(discipline_status(&before, &after, false), 0);
	assert_int_equal(discipline_status(&before, &after, true), STA_UNSYNC);
	assert_int_equal(discipline_status(&before, &before, false), STA_UNSYNC);
}

static uint32_t wait_of(const struct kernel *kernel, int64_t seconds, uint32_t ns)
{
	struct discipline now = kernel_read(kernel, seconds, ns);

	return discipline_wait_ms(&now);
}

static void no_change_shortly_before_a_leap(void **state)
{
	struct kernel inserts = kernel_leaping(TIME_INS, STA_INS), deletes = kernel_leaping(TIME_DEL, STA_DEL);
	struct kernel was = kernel_leaping(TIME_OOP, STA_INS), calm = kernel_slewing(0, 0);
	struct kernel undated = kernel_leaping(TIME_OK, STA_INS);

	(void)state;
	assert_int_equal(wait_of(&inserts, DISCIPLINE_DAY_S - 10, 0), 0);
	assert_int_equal(wait_of(&inserts, DISCIPLINE_DAY_S - 2, 0), 2001);
	assert_int_equal(wait_of(&inserts, DISCIPLINE_DAY_S - 1, 500000000), 501);
	assert_in_range(wait_of(&inserts, 3 * DISCIPLINE_DAY_S - 1, 999999999), 1, 2);
	assert_int_equal(wait_of(&deletes, DISCIPLINE_DAY_S - 3, 500000000), 1501);
	assert_int_equal(wait_of(&deletes, DISCIPLINE_DAY_S - 10, 0), 0);
	assert_int_equal(wait_of(&undated, DISCIPLINE_DAY_S - 1, 500000000), 501);
	assert_int_equal(wait_of(&was, DISCIPLINE_DAY_S - 1, 500000000), 0);
	assert_int_equal(wait_of(&calm, DISCIPLINE_DAY_S - 1, 500000000), 0);
}

static void no_change_at_the_end_of_a_second_that_slews(void **state)
{
	struct kernel slews = kernel_slewing(7000, 500000), calm = kernel_slewing(0, 0);

	(void)state;
	assert_int_equal(wait_of(&slews, 1000, 990000000), 11);
	assert_int_equal(wait_of(&slews, 1000, 0), 0);
	assert_int_equal(wait_of(&slews, 1000, 900000000), 0);
	assert_int_equal(wait_of(&calm, 1000, 990000000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slew_goes_on),
		cmocka_unit_test(a_second_that_begins_is_counted_once),
		cmocka_unit_test(each_second_that_passes_slews),
		cmocka_unit_test(a_clock_set_back_slews_no_more),
		cmocka_unit_test(without_tick_lengths_the_rest_is_kept),
		cmocka_unit_test(a_leap_second_comes_all_the_same),
		cmocka_unit_test(a_leap_second_that_is_dated_meanwhile_comes),
		cmocka_unit_test(a_leap_second_that_was_does_not_come_again),
		cmocka_unit_test(synchronised_unless_it_moved),
		cmocka_unit_test(the_loop_keeps_its_offset_and_frequency),
		cmocka_unit_test(whoever_sets_the_clock_meanwhile_is_left_alone),
		cmocka_unit_test(what_a_daemon_says_meanwhile_counts),
		cmocka_unit_test(a_daemon_that_says_synchronised_is_believed_unless_it_moved),
		cmocka_unit_test(no_change_shortly_before_a_leap),
		cmocka_unit_test(no_change_at_the_end_of_a_second_that_slews),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
