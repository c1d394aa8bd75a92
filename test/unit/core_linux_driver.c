/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Linux's own driver (drivers/clocksource/hyperv_timer.c and arch/arm64/hyperv of 6.12) asks of the core, in the
 * order in which it does, over the life of a guest: boot, two CPUs, hotplug, suspend to idle, a move. It panics if a
 * call fails, so none may; and it declares nothing, so all that is known of it is inferred.
 */
#include "unit.h"

#include <seaclock/core.h>

#include <string.h>

#define OS_ID (0x8100ull << 48 | 0x060c75ull << 16)
#define PAGE 0x40123000ull
#define HZ 25000000u
#define MS_REFS 10000u

/* STIMER0_CONFIG as hv_ce_set_oneshot() writes it: enabled, auto-enable, direct, INTID 31. */
#define ONESHOT (SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE | SC_STIMER_DIRECT | 31ull << SC_STIMER_INTID_SHIFT)

static struct sc_partition partition;
static uint64_t counter;

/* A fast call of one repetition, as hv_do_hypercall makes it: padding is whatever was on the stack. */
static uint64_t call(uint32_t vp, uint64_t control, uint32_t name, uint64_t value)
{
	const uint64_t input[6] = {
		SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0xdeadbeef00000000ull | name, 0xabadcafe, value, 0x5a5a
	};
	uint64_t output[2] = { 0 };
	struct sc_call_outcome outcome;
	struct sc_call decoded;

	assert_int_equal(sc_call_decode(control, input[0], input[1], &decoded), SC_HV_SUCCESS);
	sc_call_run(&partition, vp, &decoded, input, output, sc_ticks(counter), &outcome);
	assert_null(outcome.refused);
	assert_int_equal(outcome.result, 1ull << SC_RESULT_REPS_SHIFT);
	return output[0];
}

static void set(uint32_t vp, uint32_t name, uint64_t value)
{
	call(vp, SC_CALL_SET_ONE, name, value);
}

static uint64_t get(uint32_t vp, uint32_t name)
{
	return call(vp, SC_CALL_GET_ONE, name, 0);
}

/* ---- The driver ---- */

/* hyperv_init() and hv_init_tsc_clocksource(): introduces itself, and enables the page with the reserved bits as read.
 */
static void driver_init(void)
{
	const uint64_t needed = SC_PRIVILEGE_REFERENCE_COUNTER | SC_PRIVILEGE_SYNTHETIC_TIMERS |
				SC_PRIVILEGE_HYPERCALL | SC_PRIVILEGE_REFERENCE_TSC | SC_PRIVILEGE_VP_REGISTERS;

	set(0, SC_REG_GUEST_OS_ID, OS_ID);
	assert_int_equal(get(0, SC_REG_PRIVILEGES_AND_FEATURES) & needed, needed);
	get(0, SC_REG_FEATURES_INFO);
	set(0, SC_REG_REFERENCE_TSC, (get(0, SC_REG_REFERENCE_TSC) & 0xffe) | PAGE | SC_REFERENCE_TSC_ENABLE);
}

/* hv_stimer_init() of a CPU, as the tick sets it to one-shot mode. */
static void cpu_start(uint32_t vp)
{
	get(vp, SC_REG_VP_INDEX);
	set(vp, SC_REG_STIMER0_CONFIG, ONESHOT);
}

/* hv_ce_set_next_event(). */
static void cpu_next(uint32_t vp, uint64_t delta)
{
	set(vp, SC_REG_STIMER0_COUNT, get(vp, SC_REG_TIME_REF_COUNT) + delta);
}

/* hv_ce_shutdown(). */
static void cpu_stop(uint32_t vp)
{
	set(vp, SC_REG_STIMER0_COUNT, 0);
	set(vp, SC_REG_STIMER0_CONFIG, 0);
}

/* ---- The hypervisor ---- */

/* Deliveries after `ms` more; each is for timer 0 and INTID 31. */
static uint32_t pass(uint32_t ms)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0, count = 0;

	counter += (uint64_t)ms * (partition.clock.hz / 1000);
	sc_partition_expire(&partition, sc_ticks(counter));
	while (sc_partition_pending(&partition, &cursor, &delivery)) {
		assert_int_equal(delivery.timer, 0);
		assert_int_equal(delivery.intid, 31);
		sc_stimer_delivered(&partition.vcpu[delivery.vp].timer[0], false);
		count++;
	}
	return count;
}

static void move(uint32_t hz)
{
	uint64_t before = get(0, SC_REG_TIME_REF_COUNT);
	struct sc_stop_point stop = sc_partition_stop(&partition, sc_ticks(counter));
	sc_ticks_t next;

	assert_int_equal(sc_partition_resume(&partition, &stop, hz, SC_CLOCK_ADVANCE, sc_ns(100000000), &next), 0);
	counter = next.v;
	assert_in_range(get(0, SC_REG_TIME_REF_COUNT), before + 100 * MS_REFS - 1, before + 100 * MS_REFS + 1);
}

static void expect(uint32_t online, enum sc_level level, enum sc_obstacle obstacle, uint32_t vp)
{
	for (int move = SC_MOVE_ASKED; move <= SC_MOVE_AS_STANDS; move++) {
		struct sc_follow follow = sc_partition_follow(&partition, online, (enum sc_move)move);

		assert_int_equal(follow.level, level);
		assert_int_equal(follow.obstacle, obstacle);
		assert_int_equal(follow.vp, vp);
		assert_int_equal(follow.inferred, (partition.reference_tsc & SC_REFERENCE_TSC_ENABLE) != 0);
	}
}

static void expect_follows(uint32_t online)
{
	expect(online, SC_LEVEL_REFERENCE, SC_OBSTACLE_NONE, 0);
}

static int set_up(void **state)
{
	(void)state;
	counter = 1000;
	return sc_partition_init(&partition, 2, HZ, sc_ticks(counter));
}

/* A guest of one CPU with its driver, up to the first tick. */
static void boot(void)
{
	driver_init();
	cpu_start(0);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(5), 1);
	cpu_next(0, 4 * MS_REFS);
}

static void boots(void **state)
{
	(void)state;
	expect(1, SC_LEVEL_NONE, SC_OBSTACLE_NO_PAGE, 0);
	driver_init();
	expect(1, SC_LEVEL_NONE, SC_OBSTACLE_TIMER, 0);
	/* Enabled with nothing in COUNT: nothing is armed, and nothing comes. */
	cpu_start(0);
	expect_follows(1);
	assert_int_equal(pass(100), 0);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(3), 0);
	assert_int_equal(pass(2), 1);
	/* Expired: auto-enable is what is left, and is enough. */
	expect_follows(1);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(5), 1);
}

static void hotplug(void **state)
{
	(void)state;
	boot();
	/* CPU 1 was turned on by PSCI, and its driver has not come so far. */
	expect(3, SC_LEVEL_NONE, SC_OBSTACLE_TIMER, 1);
	cpu_start(1);
	cpu_next(1, 4 * MS_REFS);
	expect_follows(3);
	assert_int_equal(pass(5), 2);
	/* Going: its timer has been shut down, it is on yet. Then it is off. */
	cpu_stop(1);
	expect(3, SC_LEVEL_NONE, SC_OBSTACLE_TIMER, 1);
	expect_follows(1);
	cpu_start(1);
	expect_follows(3);
}

static void suspend_to_idle(void **state)
{
	(void)state;
	boot();
	cpu_stop(0);
	expect(1, SC_LEVEL_NONE, SC_OBSTACLE_TIMER, 0);
	/* suspend_hv_clock_tsc() and its end. */
	set(0, SC_REG_REFERENCE_TSC, get(0, SC_REG_REFERENCE_TSC) & ~SC_REFERENCE_TSC_ENABLE);
	expect(1, SC_LEVEL_NONE, SC_OBSTACLE_NO_PAGE, 0);
	assert_int_equal(pass(1000), 0);
	set(0, SC_REG_REFERENCE_TSC, (get(0, SC_REG_REFERENCE_TSC) & 0xffe) | PAGE | SC_REFERENCE_TSC_ENABLE);
	cpu_start(0);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(5), 1);
	expect_follows(1);
}

static void moves(void **state)
{
	uint32_t sequence;

	(void)state;
	boot();
	sequence = partition.page_sequence;
	move(1000000000);
	assert_int_not_equal(partition.page_sequence, sequence);
	/* Its tick was due in the gap. */
	assert_int_equal(pass(0), 1);
	expect_follows(1);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(3), 0);
	assert_int_equal(pass(2), 1);
}

/* At 10 MHz there is no page: the driver goes on by the register, and nothing tells that it does. */
static void moves_to_a_slow_counter(void **state)
{
	(void)state;
	boot();
	move(SC_REF_HZ);
	expect(1, SC_LEVEL_NONE, SC_OBSTACLE_SLOW, 0);
	pass(0);
	cpu_next(0, 4 * MS_REFS);
	assert_int_equal(pass(5), 1);
	move(HZ);
	expect_follows(1);
}

/* The module comes on top of it, cannot finish, and takes back what it has done: the page is the driver's again. */
static void module_beside_it(void **state)
{
	(void)state;
	boot();
	set(0, SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_REWRITES_TIMER);
	assert_int_equal(sc_partition_follow(&partition, 1, SC_MOVE_ASKED).obstacle, SC_OBSTACLE_OTHER);
	assert_false(sc_partition_follow(&partition, 1, SC_MOVE_ASKED).inferred);
	set(0, SC_REG_GUEST_CLOCK, 0);
	expect_follows(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(boots, set_up),
		cmocka_unit_test_setup(hotplug, set_up),
		cmocka_unit_test_setup(suspend_to_idle, set_up),
		cmocka_unit_test_setup(moves, set_up),
		cmocka_unit_test_setup(moves_to_a_slow_counter, set_up),
		cmocka_unit_test_setup(module_beside_it, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
