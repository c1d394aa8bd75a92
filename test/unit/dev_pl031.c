/* SPDX-License-Identifier: BSD-2-Clause */
/* PL031, register by register, and its alarm. */
#include "unit.h"
#include "../property/random.h"

#include "dev/pl031.h"

#define DR 0x00
#define MR 0x04
#define LR 0x08
#define CR 0x0c
#define IMSC 0x10
#define RIS 0x14
#define MIS 0x18
#define ICR 0x1c

#define NOW 1700000000u

static struct pl031 rtc;

static int set_up(void **state)
{
	(void)state;
	pl031_init(&rtc, NOW);
	return 0;
}

/* What firmware and drivers read of one that was never written. */
static void test_registers(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t value;
	} cases[] = {
		{ DR, NOW },	 { MR, 0 },	  { LR, 0 },	   { CR, 1 },	  { IMSC, 0 },
		{ RIS, 0 },	 { MIS, 0 },	  { ICR, 0 },	   { 0x20, 0 },	  { 0xfdc, 0 },
		{ 0xfe0, 0x31 }, { 0xfe4, 0x10 }, { 0xfe8, 0x14 }, { 0xfec, 0 },  { 0xff0, 0x0d },
		{ 0xff4, 0xf0 }, { 0xff8, 0x05 }, { 0xffc, 0xb1 }, { 0x1000, 0 }, { 0xfe2, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		assert_int_equal(pl031_read(&rtc, NOW, cases[n].offset), cases[n].value);
	/* What cannot be written does not change, and it cannot be stopped. */
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		if (cases[n].offset != MR && cases[n].offset != LR && cases[n].offset != IMSC)
			pl031_write(&rtc, NOW, cases[n].offset, 0);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		assert_int_equal(pl031_read(&rtc, NOW, cases[n].offset), cases[n].value);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(pl031_read(&rtc, NOW + 5, DR), NOW + 5);
	pl031_write(&rtc, NOW + 6, LR, 1000);
	assert_int_equal(pl031_read(&rtc, NOW + 6, DR), 1000);
	assert_int_equal(pl031_read(&rtc, NOW + 9, DR), 1003);
	assert_int_equal(pl031_read(&rtc, NOW + 9, LR), 1000);
	/* The year 2106. */
	pl031_write(&rtc, NOW, LR, UINT32_MAX);
	assert_int_equal(pl031_read(&rtc, NOW + 1, DR), 0);
	/* A reset is not a new battery. */
	pl031_write(&rtc, NOW, LR, 77);
	pl031_reset(&rtc, NOW + 1);
	assert_int_equal(pl031_read(&rtc, NOW + 2, DR), 79);
	assert_int_equal(pl031_read(&rtc, NOW + 2, LR), 0);
}

static void test_alarm(void **state)
{
	(void)state;
	pl031_write(&rtc, NOW, MR, NOW + 10);
	pl031_advance(&rtc, NOW + 9);
	assert_int_equal(pl031_read(&rtc, NOW + 9, RIS), 0);
	pl031_advance(&rtc, NOW + 10);
	assert_int_equal(pl031_read(&rtc, NOW + 10, RIS), 1);
	assert_int_equal(pl031_read(&rtc, NOW + 10, MIS), 0);
	assert_false(pl031_irq(&rtc));
	pl031_write(&rtc, NOW + 10, IMSC, 3);
	assert_int_equal(pl031_read(&rtc, NOW + 10, IMSC), 1);
	assert_int_equal(pl031_read(&rtc, NOW + 10, MIS), 1);
	assert_true(pl031_irq(&rtc));
	pl031_write(&rtc, NOW + 10, ICR, 0);
	assert_true(pl031_irq(&rtc));
	pl031_write(&rtc, NOW + 10, ICR, 1);
	assert_false(pl031_irq(&rtc));
	/* It does not come again. */
	pl031_advance(&rtc, NOW + 10);
	pl031_advance(&rtc, NOW + 1000);
	assert_false(pl031_irq(&rtc));
	/* One for this very second comes at once, one for the past does not. */
	pl031_write(&rtc, NOW + 1000, MR, NOW + 1000);
	assert_true(pl031_irq(&rtc));
	pl031_write(&rtc, NOW + 1000, ICR, 1);
	pl031_write(&rtc, NOW + 1000, MR, NOW + 999);
	pl031_advance(&rtc, NOW + 5000);
	assert_false(pl031_irq(&rtc));
}

/* The host's clock is set, or the machine stood still for long: an alarm that was passed comes, also of a sleeper. */
static void test_jumps(void **state)
{
	(void)state;
	pl031_write(&rtc, NOW, MR, NOW + 100);
	pl031_write(&rtc, NOW, IMSC, 1);
	pl031_advance(&rtc, NOW - 5000);
	assert_false(pl031_irq(&rtc));
	pl031_advance(&rtc, NOW + 1000000);
	assert_true(pl031_irq(&rtc));
	pl031_write(&rtc, NOW + 1000000, ICR, 1);
	pl031_advance(&rtc, NOW);
	assert_false(pl031_irq(&rtc));
	pl031_advance(&rtc, NOW + 100);
	assert_true(pl031_irq(&rtc));
}

/* Against the definition: raised when the time shown becomes the match, whatever the steps in which it is looked at. */
static void test_random(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint32_t now = (uint32_t)random_next(&random), step = (uint32_t)random_between(&random, 0, 20);
		uint32_t match = now + (uint32_t)random_between(&random, 0, 30) - 5;

		pl031_init(&rtc, now);
		rtc.match = match;
		pl031_advance(&rtc, now + step);
		assert_int_equal(rtc.raw, match - now >= 1 && match - now <= step);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, set_up), cmocka_unit_test_setup(test_time, set_up),
		cmocka_unit_test_setup(test_alarm, set_up),	cmocka_unit_test_setup(test_jumps, set_up),
		cmocka_unit_test_setup(test_random, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
