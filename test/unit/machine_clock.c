/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest time on a fake host: the counter offset, the page, pause, levels and latches. */
#include "clock_fixture.h"
#include "../property/random.h"

static int set_up_wrap(void **state)
{
	*state = &host;
	return set_up(state);
}

static bool page_is_dirty(uint64_t gpa)
{
	uint64_t bitmap[MEMORY_SIZE / 4096 / 64] = { 0 };

	memory_take_dirty(&memory, bitmap);
	return bitmap[0] >> (gpa - LAYOUT_RAM_BASE) / 4096 & 1;
}

/* Reference time as the guest reads it from its page. */
static uint64_t page_read(void)
{
	struct sc_reference_tsc_page page;

	assert_true(memory_read(&memory, PAGE, &page, sizeof(page)));
	assert_int_not_equal(page.sequence, SC_PAGE_SEQUENCE_INVALID);
	return (uint64_t)((unsigned __int128)guest_counter() * page.scale >> 64) + (uint64_t)page.offset;
}

static uint32_t page_sequence(void)
{
	uint32_t sequence;

	memory_read(&memory, PAGE, &sequence, sizeof(sequence));
	return sequence;
}

/* ---- The counter ---- */

static void test_counter(void **state)
{
	(void)state;
	fake_time_advance(7 * MS);
	assert_int_equal(reference(), 0);
	start(0);
	assert_int_equal(guest_counter(), 0);
	fake_time_advance(40 * MS);
	assert_int_equal(guest_counter(), 1000000);
	expect_reference(REFS(40 * MS));
	assert_int_equal(page_read(), reference());
}

static void test_init_fails(void **state)
{
	struct clock other;

	(void)state;
	fake_fail(&host, FAKE_TIMER_CREATE, 0, 1, EMFILE);
	assert_int_equal(clock_init(&other, &vm, &memory, 1, &error), -EMFILE);
	clock_destroy(&other);
	host.hz = 999999;
	assert_int_equal(clock_init(&other, &vm, &memory, 1, &error), -EINVAL);
	assert_string_equal(error.text,
			    "this host's counter ticks at 999999 Hz: Seaclock knows rates of 1000000 to 2000000000 Hz");
	clock_destroy(&other);
	host.hz = 25000000;
	fake_fail(&host, FAKE_COUNTER_OFFSET, 0, 1, EBUSY);
	assert_int_equal(clock_init(&other, &vm, &memory, 1, &error), -EBUSY);
	clock_destroy(&other);
}

/* ---- Pause ---- */

static void test_freeze(void **state)
{
	uint64_t counter, sequence, before;

	(void)state;
	start(0);
	fake_time_advance(123456789);
	clock_stop(&clock_);
	counter = guest_counter();
	before = reference();
	sequence = page_sequence();
	page_is_dirty(PAGE);
	fake_time_advance(5000 * MS);
	assert_int_equal(reference(), before);
	clock_stop(&clock_); /* again: keeps the first moment */
	fake_time_advance(5000 * MS);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	assert_int_equal(guest_counter(), counter);
	assert_int_equal(reference(), before);
	assert_int_equal(page_read(), before);
	assert_int_not_equal(page_sequence(), sequence);
	assert_true(page_is_dirty(PAGE));
	fake_time_advance(MS);
	expect_reference(before + REFS(MS));
	assert_int_equal(page_read(), reference());
}

static void test_advance(void **state)
{
	uint64_t before, offset;

	(void)state;
	start(0);
	fake_time_advance(40 * MS);
	clock_stop(&clock_);
	before = reference();
	offset = fake_vm_of(&vm)->offset;
	fake_time_advance(1000 * MS);
	assert_int_equal(reference(), before);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_ADVANCE, &error), 0);
	expect_reference(before + REFS(1000 * MS));
	assert_true(fake_vm_of(&vm)->offset == offset);
}

static void test_policy_names(void **state)
{
	enum sc_clock_policy policy = SC_CLOCK_ADVANCE;

	(void)state;
	assert_true(clock_policy_parse("freeze", &policy));
	assert_int_equal(policy, SC_CLOCK_FREEZE);
	assert_string_equal(clock_policy_name(policy), "freeze");
	assert_true(clock_policy_parse("advance", &policy));
	assert_int_equal(policy, SC_CLOCK_ADVANCE);
	assert_string_equal(clock_policy_name(policy), "advance");
	assert_false(clock_policy_parse("", &policy));
	assert_false(clock_policy_parse("Freeze", &policy));
	assert_false(clock_policy_parse("freeze ", &policy));
}

/* However often: R never goes back, and loses less than a unit each time. */
static void test_freeze_often(void **state)
{
	struct random random = random_start();
	uint64_t lived = 0, last = 0;

	(void)state;
	start(0);
	for (int round = 1; round <= 500; round++) {
		uint64_t run = random_between(&random, 0, 3 * MS);

		fake_time_advance(run);
		lived += run;
		clock_stop(&clock_);
		fake_time_advance(random_between(&random, 0, 100 * MS));
		assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
		assert_true(reference() >= last);
		assert_int_equal(page_read(), reference());
		last = reference();
		/* Each round may cost a tick of 40 ns and a unit, either way. */
		assert_in_range(last + (uint64_t)round * 2, REFS(lived), REFS(lived) + (uint64_t)round * 4);
	}
}

static void test_start_fails(void **state)
{
	(void)state;
	start(0);
	clock_stop(&clock_);
	fake_fail(&host, FAKE_COUNTER_OFFSET, 0, 1, EIO);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), -EIO);
	assert_true(clock_.stopped);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	assert_false(clock_.stopped);
}

/* What KVM has not taken is not what the guest reads. */
static void test_start_fails_and_advances(void **state)
{
	(void)state;
	start(0);
	fake_time_advance(10 * MS);
	clock_stop(&clock_);
	fake_time_advance(20 * MS);
	fake_fail(&host, FAKE_COUNTER_OFFSET, 0, 1, EIO);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), -EIO);
	assert_int_equal(clock_start(&clock_, SC_CLOCK_ADVANCE, &error), 0);
	assert_true(clock_.offset == fake_vm_of(&vm)->offset);
	expect_reference(REFS(30 * MS));
}

/* ---- The page ---- */

static void test_page_moves(void **state)
{
	uint32_t sequence;

	(void)state;
	start(0);
	sequence = page_sequence();
	assert_true(page_is_dirty(PAGE));
	assert_int_equal(set(1, SC_REG_REFERENCE_TSC, (PAGE + 4096) | SC_REFERENCE_TSC_ENABLE), SC_HV_SUCCESS);
	assert_true(page_is_dirty(PAGE + 4096));
	assert_int_equal(set(1, SC_REG_REFERENCE_TSC, PAGE | SC_REFERENCE_TSC_ENABLE), SC_HV_SUCCESS);
	assert_int_not_equal(page_sequence(), sequence);
	/* Disabled: the guest's memory is left alone. */
	page_is_dirty(PAGE);
	assert_int_equal(set(1, SC_REG_REFERENCE_TSC, PAGE), SC_HV_SUCCESS);
	assert_false(page_is_dirty(PAGE));
}

static void test_page_not_ram(void **state)
{
	static const uint64_t places[] = { 0, LAYOUT_RAM_BASE - 4096, LAYOUT_RAM_BASE + MEMORY_SIZE,
					   SC_REFERENCE_TSC_GPA_MASK };
	uint64_t before;

	(void)state;
	start(0);
	for (size_t n = 0; n < ARRAY_SIZE(places); n++)
		assert_int_equal(set(0, SC_REG_REFERENCE_TSC, places[n] | SC_REFERENCE_TSC_ENABLE), SC_HV_SUCCESS);
	clock_stop(&clock_);
	before = reference();
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	assert_int_equal(reference(), before);
}

/* At 10 MHz or less there is no page; the register still counts. */
static void test_slow_counter(void **state)
{
	(void)state;
	tear_down(state);
	host.hz = 10000000;
	assert_int_equal(host_vm_create(&vm, FAKE_FUNCTIONS, &error), 0);
	assert_int_equal(memory_create(&memory, MEMORY_SIZE, &error), 0);
	assert_int_equal(clock_init(&clock_, &vm, &memory, 2, &error), 0);
	start(0);
	fake_time_advance(MS);
	assert_int_equal(page_sequence(), SC_PAGE_SEQUENCE_INVALID);
	expect_reference(REFS(MS));
}

/* ---- Timers ---- */

/* What the host's timer is armed for if a guest's is due in more than 1 ms. */
#define ARMED(ns) ((ns) - (ns) / 8)

static void test_level(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(1, SC_REG_STIMER0_CONFIG, DIRECT);
	set(1, SC_REG_STIMER0_COUNT, reference() + REFS(10 * MS));
	assert_in_range(fake_timer_left(clock_.timer), ARMED(10 * MS), ARMED(10 * MS + SC_REF_NS));
	fake_time_advance(10 * MS - SC_REF_NS - 1);
	serve_timer();
	assert_false(line(1));
	pass(SC_REF_NS);
	assert_true(line(1));
	assert_false(line(0));
	assert_false(clock_needs_latch(&clock_));
	/* High until the handler rewrites the timer. */
	fake_time_advance(100 * MS);
	serve_timer();
	assert_true(line(1));
	set(1, SC_REG_STIMER0_COUNT, reference() + REFS(MS));
	assert_false(line(1));
	pass(MS);
	assert_true(line(1));
	set(1, SC_REG_STIMER0_CONFIG, 0);
	assert_false(line(1));
	assert_int_equal(latched(1), 0);
	assert_true(fake_timer_left(clock_.timer) == UINT64_MAX);
}

/* A timer that is set in the past is due at once. */
static void test_level_at_once(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	fake_time_advance(MS);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, 1);
	assert_true(line(0));
}

static void test_level_refused(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	fake_time_advance(MS);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	fake_fail(&host, FAKE_SET_PPI, 0, 1, EINVAL);
	set(0, SC_REG_STIMER0_COUNT, 1);
	assert_false(line(0));
	set(0, SC_REG_STIMER0_COUNT, 1);
	assert_true(line(0));
}

static void test_latch(void **state)
{
	(void)state;
	start(0);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(MS));
	fake_time_advance(MS + 2 * SC_REF_NS);
	assert_true(timer_readable());
	clock_expire(&clock_);
	assert_true(clock_needs_latch(&clock_));
	assert_int_equal(latched(0), 0);
	clock_latch(&clock_);
	assert_int_equal(latched(0), 1);
	assert_false(clock_needs_latch(&clock_));
	assert_false(timer_readable());
	for (int n = 0; n < 5; n++) {
		fake_time_advance(10 * MS);
		serve_timer();
	}
	assert_int_equal(latched(0), 1);
	assert_false(line(0));
}

/* While the interrupt is active a latch would be lost: it is tried again, ever less often, and delivered once. */
static void test_latch_retry(void **state)
{
	(void)state;
	start(0);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(MS));
	fake_vm_of(&vm)->active[0] = 1u << INTID;
	fake_time_advance(MS + 2 * SC_REF_NS);
	for (uint64_t n = 0, wait = MS / 20; n < 8; n++) {
		serve_timer();
		assert_int_equal(latched(0), 0);
		assert_true(clock_needs_latch(&clock_));
		assert_int_equal(fake_timer_left(clock_.timer), wait);
		fake_time_advance(wait);
		wait = wait * 2 <= MS ? wait * 2 : wait;
	}
	fake_vm_of(&vm)->active[0] = 0;
	serve_timer();
	assert_int_equal(latched(0), 1);
	assert_false(clock_needs_latch(&clock_));
	/* The next one is tried again soon. */
	set(0, SC_REG_STIMER0_COUNT, 1);
	fake_vm_of(&vm)->active[0] = 1u << INTID;
	serve_timer();
	assert_int_equal(fake_timer_left(clock_.timer), MS / 20);
}

static void test_latch_refused(void **state)
{
	(void)state;
	start(0);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	fake_fail(&host, FAKE_LATCH, 0, 1, EIO);
	fake_time_advance(MS);
	set(0, SC_REG_STIMER0_COUNT, 1);
	serve_timer();
	assert_int_equal(latched(0), 0);
	assert_false(clock_needs_latch(&clock_));
}

/* The thread of the timers may come to latch after somebody has stopped time: nothing may happen to a stopped clock. */
static void test_latch_after_stop(void **state)
{
	struct sc_partition before;

	(void)state;
	start(0);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(MS));
	set(1, SC_REG_STIMER0_CONFIG, DIRECT);
	set(1, SC_REG_STIMER0_COUNT, reference() + REFS(2 * MS));
	fake_time_advance(MS + 2 * SC_REF_NS);
	clock_expire(&clock_);
	assert_true(clock_needs_latch(&clock_));
	clock_stop(&clock_);
	before = clock_.partition;
	fake_time_advance(10 * MS);
	clock_latch(&clock_);
	clock_expire(&clock_);
	assert_memory_equal(&clock_.partition, &before, sizeof(before));
	assert_int_equal(latched(0), 0);
	assert_true(fake_timer_left(clock_.timer) == UINT64_MAX);
	/* What was due is delivered afterwards, what was not waits for its time. */
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	serve_timer();
	assert_int_equal(latched(0), 1);
	assert_int_equal(latched(1), 0);
	pass(MS);
	assert_int_equal(latched(1), 1);
}

/* A frozen timer keeps its distance. */
static void test_freeze_timer(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(10 * MS));
	fake_time_advance(4 * MS);
	clock_stop(&clock_);
	assert_true(fake_timer_left(clock_.timer) == UINT64_MAX);
	fake_time_advance(1000 * MS);
	serve_timer();
	assert_false(line(0));
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	assert_in_range(fake_timer_left(clock_.timer), ARMED(6 * MS - SC_REF_NS), ARMED(6 * MS + SC_REF_NS));
	pass(6 * MS);
	assert_true(line(0));
}

/* One that falls due while time stands still is delivered as it goes on with the gap counted, and one beyond keeps its
 * moment. */
static void test_advance_timer(void **state)
{
	(void)state;
	start(GUEST_CLOCK_ON_PAGE);
	set(0, SC_REG_STIMER0_CONFIG, DIRECT);
	set(0, SC_REG_STIMER0_COUNT, reference() + REFS(10 * MS));
	set(1, SC_REG_STIMER0_CONFIG, DIRECT);
	set(1, SC_REG_STIMER0_COUNT, reference() + REFS(1500 * MS));
	fake_time_advance(4 * MS);
	clock_stop(&clock_);
	fake_time_advance(1000 * MS);
	serve_timer();
	assert_false(line(0));
	assert_int_equal(clock_start(&clock_, SC_CLOCK_ADVANCE, &error), 0);
	assert_true(line(0));
	assert_false(line(1));
	assert_in_range(fake_timer_left(clock_.timer), ARMED(495 * MS), ARMED(496 * MS + SC_REF_NS));
	pass(496 * MS);
	assert_true(line(1));
}

/* Lets time pass, with pauses, until the timer of vCPU 0 is delivered; never before `due`. False if it never is. */
static bool wait_delivery(struct random *random, uint64_t due)
{
	uint32_t before = latched(0);

	for (int limit = 10000; limit; limit--) {
		fake_time_advance(random_between(random, 1, MS));
		if (random_chance(random, 4)) {
			clock_stop(&clock_);
			fake_time_advance(random_between(random, 0, 20 * MS));
			clock_start(&clock_, SC_CLOCK_FREEZE, &error);
		}
		serve_timer();
		if (!line(0) && latched(0) == before)
			continue;
		assert_true(reference() >= due);
		return line(0) + (latched(0) - before) == 1;
	}
	return false;
}

/* Random one-shot timers, pauses, levels and latches: each expiry is delivered once, and none early. */
static void test_never_early(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int level = 0; level < 2; level++) {
		start(level ? GUEST_CLOCK_ON_PAGE : 0);
		set(0, SC_REG_STIMER0_CONFIG, DIRECT);
		for (int round = 0; round < 300; round++) {
			uint64_t due = reference() + random_between(&random, 1, REFS(4 * MS));

			set(0, SC_REG_STIMER0_COUNT, due);
			assert_true(wait_delivery(&random, due));
		}
		clock_stop(&clock_);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_WRAP(name) cmocka_unit_test_setup_teardown(name, set_up_wrap, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_counter),	  TEST_WRAP(test_counter),
		TEST(test_init_fails),	  TEST(test_freeze),
		TEST_WRAP(test_freeze),	  TEST(test_advance),
		TEST_WRAP(test_advance),  TEST(test_freeze_often),
		TEST(test_start_fails),	  TEST(test_start_fails_and_advances),
		TEST(test_page_moves),	  TEST(test_page_not_ram),
		TEST(test_slow_counter),  TEST(test_level),
		TEST(test_level_at_once), TEST(test_level_refused),
		TEST(test_latch),	  TEST(test_latch_retry),
		TEST(test_latch_refused), TEST(test_latch_after_stop),
		TEST(test_freeze_timer),  TEST(test_never_early),
		TEST(test_policy_names),  TEST(test_advance_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
