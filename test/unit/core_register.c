/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers behind the hypercalls: what each holds, who may touch it when, which values are refused and why.
 *
 * Policy: every access goes through the public call, in the fast form of one repetition.
 */
#include <seaclock/core.h>

#include <string.h>

#include "unit.h"

#define HZ 100000000u
#define DIRECT(intid) (SC_STIMER_DIRECT | (uint64_t)(intid) << SC_STIMER_INTID_SHIFT)
#define CONFIG(n) (SC_REG_STIMER0_CONFIG + 2 * (n))
#define COUNT(n) (SC_REG_STIMER0_COUNT + 2 * (n))

static struct sc_partition partition;
static struct sc_call_outcome outcome;
static uint64_t now_ticks;

static int set_up(void **state)
{
	(void)state;
	now_ticks = 10001;
	return sc_partition_init(&partition, 2, HZ, sc_ticks(0));
}

/* A guest that has said what it is. */
static int set_up_guest(void **state)
{
	set_up(state);
	partition.guest_os_id = 0x8100;
	return 0;
}

/* One access by vCPU 0 to the registers of `vp`; the status. */
static uint64_t access_of(uint64_t control, uint32_t vp, uint32_t name, uint64_t value, uint64_t output[2])
{
	struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF, .vp_index = vp };
	struct sc_set_vp_register element = { .name = name, .value_low = value };
	uint64_t input[6];
	struct sc_call call;

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, &element, sizeof(element));
	assert_int_equal(sc_call_decode(control, 0, 0, &call), SC_HV_SUCCESS);
	sc_call_run(&partition, 0, &call, input, output, sc_ticks(now_ticks), &outcome);
	assert_int_equal(!outcome.refused, (outcome.result & SC_RESULT_STATUS_MASK) == SC_HV_SUCCESS);
	return outcome.result & SC_RESULT_STATUS_MASK;
}

static uint64_t get_status(uint32_t name)
{
	uint64_t output[2];

	return access_of(SC_CALL_GET_ONE, SC_VP_INDEX_SELF, name, 0, output);
}

static uint64_t get(uint32_t name)
{
	uint64_t output[2] = { 0, 0 };

	assert_int_equal(access_of(SC_CALL_GET_ONE, SC_VP_INDEX_SELF, name, 0, output), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, 0);
	return output[0];
}

static uint64_t get_high(uint32_t name)
{
	uint64_t output[2] = { 0, 0 };

	assert_int_equal(access_of(SC_CALL_GET_ONE, SC_VP_INDEX_SELF, name, 0, output), SC_HV_SUCCESS);
	return output[1];
}

static uint64_t set(uint32_t name, uint64_t value)
{
	return access_of(SC_CALL_SET_ONE, SC_VP_INDEX_SELF, name, value, NULL);
}

static void descriptions(void **state)
{
	(void)state;
	assert_true(get(SC_REG_HYPERVISOR_VERSION) != ~0ull);
	assert_int_equal(get(SC_REG_PRIVILEGES_AND_FEATURES),
			 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 9 | 1ull << 49);
	assert_int_equal(get_high(SC_REG_PRIVILEGES_AND_FEATURES), 1 << (72 - 64) | 1 << (76 - 64) | 1 << (77 - 64));
	assert_int_equal(get(SC_REG_FEATURES_INFO), 0xffffffff00000000);
	assert_int_equal(get(SC_REG_IMPLEMENTATION_LIMITS), SC_VCPU_MAX);
	assert_int_equal(get(SC_REG_HARDWARE_FEATURES), 0);
	assert_int_equal(get(SC_REG_SEACLOCK), SC_SEACLOCK_MAGIC);
	assert_int_equal(get_high(SC_REG_SEACLOCK), SC_SEACLOCK_HAS_GUEST_CLOCK | SC_SEACLOCK_HAS_HOLD);
}

/* What Linux does first; any failure here is a panic there. */
static void boot_of_linux(void **state)
{
	(void)state;
	assert_int_equal(set(SC_REG_GUEST_OS_ID, 0x8100ull << 48 | 0x060c00ull << 16), SC_HV_SUCCESS);
	assert_int_equal(get_status(SC_REG_PRIVILEGES_AND_FEATURES), SC_HV_SUCCESS);
	assert_int_equal(get_status(SC_REG_FEATURES_INFO), SC_HV_SUCCESS);
	assert_int_equal(get_status(SC_REG_HYPERVISOR_VERSION), SC_HV_SUCCESS);
	assert_int_equal(get(SC_REG_GUEST_CRASH_CTL), SC_CRASH_NOTIFY | SC_CRASH_MESSAGE);
	assert_int_equal(get(SC_REG_VP_INDEX), 0);
	assert_int_equal(get(SC_REG_GUEST_OS_ID), 0x8100ull << 48 | 0x060c00ull << 16);
	assert_int_equal(get(SC_REG_TIME_REF_COUNT), 1000);
	assert_int_equal(set(SC_REG_REFERENCE_TSC, get(SC_REG_REFERENCE_TSC) | 0x40001001), SC_HV_SUCCESS);
}

static void before_guest_os_id(void **state)
{
	static const uint32_t readable[] = { SC_REG_GUEST_OS_ID,
					     SC_REG_HYPERVISOR_VERSION,
					     SC_REG_PRIVILEGES_AND_FEATURES,
					     SC_REG_FEATURES_INFO,
					     SC_REG_IMPLEMENTATION_LIMITS,
					     SC_REG_HARDWARE_FEATURES,
					     SC_REG_TIME_REF_COUNT,
					     SC_REG_GUEST_CRASH_P0,
					     SC_REG_GUEST_CRASH_P4,
					     SC_REG_GUEST_CRASH_CTL,
					     SC_REG_SEACLOCK };
	static const uint32_t denied[] = { SC_REG_VP_INDEX,	 SC_REG_REFERENCE_TSC, SC_REG_STIMER0_CONFIG,
					   SC_REG_STIMER3_COUNT, SC_REG_GUEST_CLOCK,   SC_REG_SINT0,
					   SC_REG_SINT15,	 SC_REG_SCONTROL,      SC_REG_SVERSION,
					   SC_REG_SIEFP,	 SC_REG_SIMP,	       SC_REG_EOM };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		assert_int_equal(get_status(readable[i]), SC_HV_SUCCESS);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		assert_int_equal(get_status(denied[i]), SC_HV_ACCESS_DENIED);
	assert_int_equal(set(SC_REG_GUEST_CRASH_P0, 1), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_GUEST_CRASH_CTL, 0), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_REFERENCE_TSC, 1), SC_HV_ACCESS_DENIED);
	assert_int_equal(partition.reference_tsc, 0);
	assert_int_equal(set(SC_REG_STIMER0_COUNT, 1), SC_HV_ACCESS_DENIED);
	assert_int_equal(set(SC_REG_GUEST_CLOCK, 1), SC_HV_ACCESS_DENIED);
	assert_int_equal(outcome.effects, 0);
	/* And with it they open. */
	assert_int_equal(set(SC_REG_GUEST_OS_ID, 1), SC_HV_SUCCESS);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		assert_int_equal(get_status(denied[i]), SC_HV_SUCCESS);
}

static void unknown_registers(void **state)
{
	static const uint32_t names[] = { 0,	   0x204,   0x216,   0x90000,	 0x90013,
					  0xa0015, 0xb0008, 0xb0100, 0x5ea00004, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(get_status(names[i]), SC_HV_UNKNOWN_REGISTER_NAME);
		assert_int_equal(outcome.refused_register, names[i]);
		assert_int_equal(set(names[i], 0), SC_HV_UNKNOWN_REGISTER_NAME);
	}
}

static void read_only_registers(void **state)
{
	static const uint32_t names[] = { SC_REG_TIME_REF_COUNT,	  SC_REG_VP_INDEX, SC_REG_HYPERVISOR_VERSION,
					  SC_REG_PRIVILEGES_AND_FEATURES, SC_REG_SEACLOCK, SC_REG_SVERSION };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(set(names[i], 0), SC_HV_INVALID_PARAMETER);
}

static void time_comes_from_the_clock(void **state)
{
	(void)state;
	now_ticks = 123456789;
	assert_int_equal(get(SC_REG_TIME_REF_COUNT), sc_clock_read(&partition.clock, sc_ticks(now_ticks)).v);
}

static void reference_tsc_keeps_what_was_written(void **state)
{
	(void)state;
	assert_int_equal(set(SC_REG_REFERENCE_TSC, 0x40001aab), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, SC_EFFECT_PAGE);
	assert_int_equal(get(SC_REG_REFERENCE_TSC), 0x40001aab);
	assert_int_equal(partition.page_sequence, 1);
	/* An address that no guest has does not fail the write. */
	assert_int_equal(set(SC_REG_REFERENCE_TSC, ~0ull), SC_HV_SUCCESS);
	assert_int_equal(partition.page_sequence, 2);
	assert_int_equal(set(SC_REG_REFERENCE_TSC, 0x40001000), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, SC_EFFECT_PAGE);
	assert_int_equal(partition.page_sequence, 2);
	assert_int_equal(get(SC_REG_REFERENCE_TSC), 0x40001000);
}

static void crash_report(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(set(SC_REG_GUEST_CRASH_P0 + i, 100 + i), SC_HV_SUCCESS);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(get(SC_REG_GUEST_CRASH_P0 + i), 100 + i);
	assert_int_equal(partition.crash[4], 104);
	assert_int_equal(set(SC_REG_GUEST_CRASH_CTL, SC_CRASH_MESSAGE), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, 0);
	assert_int_equal(set(SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY | SC_CRASH_MESSAGE), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, SC_EFFECT_CRASH);
	assert_int_equal(partition.crash_ctl, SC_CRASH_NOTIFY | SC_CRASH_MESSAGE);
}

static void guest_clock(void **state)
{
	(void)state;
	assert_int_equal(set(SC_REG_GUEST_CLOCK, 0xf), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, SC_EFFECT_GUEST_CLOCK);
	assert_int_equal(get(SC_REG_GUEST_CLOCK), 0xf);
	assert_int_equal(set(SC_REG_GUEST_CLOCK, 0x10), SC_HV_INVALID_PARAMETER);
	assert_int_equal(outcome.effects, 0);
	assert_int_equal(get(SC_REG_GUEST_CLOCK), 0xf);
}

/* A rate is taken only if it is the counter's, the page is not the clock, and nothing is asked. */
static void guest_clock_on_the_raw_counter(void **state)
{
	const uint64_t right = (uint64_t)HZ << 32 | 0xc;

	(void)state;
	assert_int_equal(set(SC_REG_GUEST_CLOCK, right), SC_HV_SUCCESS);
	assert_int_equal(get(SC_REG_GUEST_CLOCK), right);
	assert_int_equal(set(SC_REG_GUEST_CLOCK, right + (1ull << 32)), SC_HV_INVALID_PARAMETER);
	assert_int_equal(set(SC_REG_GUEST_CLOCK, right | 1), SC_HV_INVALID_PARAMETER);
	partition.asked = SC_ASK_PREPARE;
	assert_int_equal(set(SC_REG_GUEST_CLOCK, right), SC_HV_INVALID_PARAMETER);
	assert_int_equal(set(SC_REG_GUEST_CLOCK, 0xd), SC_HV_SUCCESS);
	partition.asked = SC_ASK_NOTHING;
	assert_int_equal(set(SC_REG_GUEST_CLOCK, right), SC_HV_SUCCESS);
}

static void timers_are_where_they_belong(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		assert_int_equal(set(CONFIG(n), DIRECT(16 + n) | SC_STIMER_AUTO_ENABLE), SC_HV_SUCCESS);
		assert_int_equal(outcome.effects, SC_EFFECT_TIMER);
		assert_int_equal(set(COUNT(n), 5000 + n), SC_HV_SUCCESS);
		assert_int_equal(outcome.effects, SC_EFFECT_TIMER);
	}
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		assert_int_equal(get(CONFIG(n)), DIRECT(16 + n) | SC_STIMER_AUTO_ENABLE | SC_STIMER_ENABLE);
		assert_int_equal(get(COUNT(n)), 5000 + n);
		assert_int_equal(partition.vcpu[0].timer[n].due.v, 5000 + n);
		assert_false(partition.vcpu[1].timer[n].armed);
	}
}

static void timer_starts_at_the_time_of_the_call(void **state)
{
	(void)state;
	assert_int_equal(set(COUNT(0), 1500), SC_HV_SUCCESS);
	assert_int_equal(set(CONFIG(0), DIRECT(31) | SC_STIMER_ENABLE | SC_STIMER_PERIODIC), SC_HV_SUCCESS);
	assert_int_equal(partition.vcpu[0].timer[0].due.v, 2500);
}

static void timer_configurations(void **state)
{
	static const struct {
		uint64_t config;
		uint64_t status;
	} cases[] = {
		{ 0, SC_HV_SUCCESS },
		{ DIRECT(31) | SC_STIMER_ENABLE, SC_HV_SUCCESS },
		{ DIRECT(16) | SC_STIMER_ENABLE, SC_HV_SUCCESS },
		{ DIRECT(17) | SC_STIMER_AUTO_ENABLE | SC_STIMER_LAZY | SC_STIMER_PERIODIC, SC_HV_SUCCESS },
		/* Not private peripheral interrupts. */
		{ DIRECT(15) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(0) | SC_STIMER_AUTO_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(32) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(255) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		/* Driven by KVM. */
		{ DIRECT(25) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(26) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(27) | SC_STIMER_AUTO_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(28) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		{ DIRECT(30) | SC_STIMER_ENABLE, SC_HV_INVALID_PARAMETER },
		/* Disabled, the INTID means nothing. */
		{ DIRECT(27), SC_HV_SUCCESS },
		{ DIRECT(255) | SC_STIMER_PERIODIC, SC_HV_SUCCESS },
		/* Messages. */
		{ SC_STIMER_ENABLE | 1ull << SC_STIMER_SINT_SHIFT, SC_HV_SUCCESS },
		{ SC_STIMER_AUTO_ENABLE | 15ull << SC_STIMER_SINT_SHIFT, SC_HV_SUCCESS },
		{ 15ull << SC_STIMER_SINT_SHIFT, SC_HV_SUCCESS },
		{ DIRECT(31) | SC_STIMER_ENABLE | 2ull << SC_STIMER_SINT_SHIFT, SC_HV_SUCCESS },
		{ SC_STIMER_ENABLE, SC_HV_SUCCESS },
		/* Reserved. */
		{ 1ull << 13, SC_HV_INVALID_PARAMETER },
		{ 1ull << 15, SC_HV_INVALID_PARAMETER },
		{ 1ull << 20, SC_HV_INVALID_PARAMETER },
		{ 1ull << 63, SC_HV_INVALID_PARAMETER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(set(SC_REG_STIMER0_CONFIG, cases[i].config), cases[i].status);
		assert_int_equal(outcome.effects, cases[i].status ? 0 : SC_EFFECT_TIMER);
	}
}

static void refused_configuration_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(set(CONFIG(1), DIRECT(20) | SC_STIMER_AUTO_ENABLE), SC_HV_SUCCESS);
	assert_int_equal(set(COUNT(1), 7777), SC_HV_SUCCESS);
	assert_int_equal(set(CONFIG(1), DIRECT(27) | SC_STIMER_ENABLE), SC_HV_INVALID_PARAMETER);
	assert_int_equal(outcome.refused_register, CONFIG(1));
	assert_non_null(strstr(outcome.refused, "INTID"));
	assert_int_equal(get(CONFIG(1)), DIRECT(20) | SC_STIMER_AUTO_ENABLE | SC_STIMER_ENABLE);
	assert_true(partition.vcpu[0].timer[1].armed);
}

/* KVM and Hyper-V leave it so; the bit reads back as 0. */
static void timer_without_target_reads_back_disabled(void **state)
{
	(void)state;
	assert_int_equal(set(CONFIG(0), SC_STIMER_ENABLE | SC_STIMER_PERIODIC), SC_HV_SUCCESS);
	assert_int_equal(get(CONFIG(0)), SC_STIMER_PERIODIC);
}

static void other_vcpus(void **state)
{
	uint64_t output[2];

	(void)state;
	assert_int_equal(access_of(SC_CALL_GET_ONE, 1, SC_REG_VP_INDEX, 0, output), SC_HV_SUCCESS);
	assert_int_equal(output[0], 1);
	assert_int_equal(access_of(SC_CALL_GET_ONE, 0, SC_REG_STIMER0_COUNT, 0, output), SC_HV_SUCCESS);
	assert_int_equal(access_of(SC_CALL_GET_ONE, 1, SC_REG_STIMER0_COUNT, 0, output), SC_HV_ACCESS_DENIED);
	assert_int_equal(access_of(SC_CALL_SET_ONE, 1, SC_REG_STIMER0_COUNT, 9, NULL), SC_HV_ACCESS_DENIED);
	assert_int_equal(partition.vcpu[1].timer[0].count, 0);
	assert_int_equal(access_of(SC_CALL_SET_ONE, 1, SC_REG_REFERENCE_TSC, 0x1001, NULL), SC_HV_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(descriptions, set_up),
		cmocka_unit_test_setup(boot_of_linux, set_up),
		cmocka_unit_test_setup(before_guest_os_id, set_up),
		cmocka_unit_test_setup(unknown_registers, set_up_guest),
		cmocka_unit_test_setup(read_only_registers, set_up_guest),
		cmocka_unit_test_setup(time_comes_from_the_clock, set_up_guest),
		cmocka_unit_test_setup(reference_tsc_keeps_what_was_written, set_up_guest),
		cmocka_unit_test_setup(crash_report, set_up_guest),
		cmocka_unit_test_setup(guest_clock, set_up_guest),
		cmocka_unit_test_setup(guest_clock_on_the_raw_counter, set_up_guest),
		cmocka_unit_test_setup(timers_are_where_they_belong, set_up_guest),
		cmocka_unit_test_setup(timer_starts_at_the_time_of_the_call, set_up_guest),
		cmocka_unit_test_setup(timer_configurations, set_up_guest),
		cmocka_unit_test_setup(refused_configuration_changes_nothing, set_up_guest),
		cmocka_unit_test_setup(timer_without_target_reads_back_disabled, set_up_guest),
		cmocka_unit_test_setup(other_vcpus, set_up_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
