/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a hypercall: the header's checks, lists of several registers, and the result word.
 *
 * Policy: the memory form, so that lists can be long; single registers are in core_register.c.
 */
#include <seaclock/core.h>

#include <string.h>

#include "unit.h"

#define REPS(count, start) ((uint64_t)(count) << SC_CALL_REP_COUNT_SHIFT | (uint64_t)(start) << SC_CALL_REP_START_SHIFT)
#define INPUT 0x1000
#define OUTPUT 0x2000

static struct sc_partition partition;
static struct sc_call_outcome outcome;
static uint64_t input[64], output[64];

static int set_up(void **state)
{
	const struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF,
						       .vp_index = SC_VP_INDEX_SELF };

	(void)state;
	/* What is not written must not be read: padding is full of ones. */
	memset(input, 0xff, sizeof(input));
	memset(output, 0xee, sizeof(output));
	memcpy(input, &header, sizeof(header));
	partition.guest_os_id = 0;
	assert_int_equal(sc_partition_init(&partition, 4, 25000000, sc_ticks(0)), 0);
	partition.guest_os_id = 1;
	return 0;
}

static struct sc_vp_registers_header *header_of(void)
{
	return (struct sc_vp_registers_header *)input;
}

static void add_name(uint32_t n, uint32_t name)
{
	memcpy((uint8_t *)input + 16 + 4 * (size_t)n, &name, sizeof(name));
}

static void add_element(uint32_t n, uint32_t name, uint64_t value)
{
	memcpy((uint8_t *)input + 16 + 32 * (size_t)n, &name, sizeof(name));
	memcpy((uint8_t *)input + 32 + 32 * (size_t)n, &value, sizeof(value));
}

static uint64_t run(uint64_t control)
{
	struct sc_call call;

	assert_int_equal(sc_call_decode(control, INPUT, OUTPUT, &call), SC_HV_SUCCESS);
	sc_call_run(&partition, 2, &call, input, output, sc_ticks(0), &outcome);
	return outcome.result;
}

static uint64_t run_get(uint32_t count, uint32_t start)
{
	return run(SC_HVCALL_GET_VP_REGISTERS | REPS(count, start));
}

static uint64_t run_set(uint32_t count, uint32_t start)
{
	return run(SC_HVCALL_SET_VP_REGISTERS | REPS(count, start));
}

static uint64_t result(uint64_t reps, uint64_t status)
{
	return reps << SC_RESULT_REPS_SHIFT | status;
}

static void one_register(void **state)
{
	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	assert_int_equal(run_get(1, 0), 0x100000000);
	assert_int_equal(outcome.output_size, 16);
	assert_int_equal(output[0], 2);
	assert_int_equal(output[1], 0);
	assert_int_equal(output[2], 0xeeeeeeeeeeeeeeee);
	assert_null(outcome.refused);
}

static void several_registers(void **state)
{
	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	add_name(1, SC_REG_GUEST_OS_ID);
	add_name(2, SC_REG_SEACLOCK);
	assert_int_equal(run_get(3, 0), result(3, SC_HV_SUCCESS));
	assert_int_equal(output[0], 2);
	assert_int_equal(output[2], 1);
	assert_int_equal(output[4], SC_SEACLOCK_MAGIC);
	assert_int_equal(output[5], SC_SEACLOCK_HAS_GUEST_CLOCK | SC_SEACLOCK_HAS_HOLD);
}

static void get_stops_at_the_first_failure(void **state)
{
	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	add_name(1, 0xdead);
	add_name(2, SC_REG_VP_INDEX);
	assert_int_equal(run_get(3, 0), result(1, SC_HV_UNKNOWN_REGISTER_NAME));
	assert_int_equal(outcome.output_size, 16);
	assert_int_equal(outcome.refused_register, 0xdead);
	assert_int_equal(output[2], 0xeeeeeeeeeeeeeeee);
}

static void set_stops_at_the_first_failure(void **state)
{
	(void)state;
	add_element(0, SC_REG_GUEST_CRASH_P0, 7);
	add_element(1, SC_REG_REFERENCE_TSC, 0x1001);
	add_element(2, SC_REG_TIME_REF_COUNT, 0);
	add_element(3, SC_REG_GUEST_CLOCK, 1);
	assert_int_equal(run_set(4, 0), result(2, SC_HV_INVALID_PARAMETER));
	assert_int_equal(outcome.output_size, 0);
	assert_int_equal(outcome.effects, SC_EFFECT_PAGE);
	assert_int_equal(partition.crash[0], 7);
	assert_int_equal(partition.reference_tsc, 0x1001);
	assert_int_equal(partition.guest_clock, 0);
}

static void starts_where_it_is_told(void **state)
{
	(void)state;
	add_name(0, 0xdead);
	add_name(1, 0xdead);
	add_name(2, SC_REG_VP_INDEX);
	assert_int_equal(run_get(3, 2), result(3, SC_HV_SUCCESS));
	assert_int_equal(outcome.output_size, 16);
	assert_int_equal(output[0], 2);
	add_element(0, SC_REG_GUEST_CRASH_P0, 7);
	add_element(1, SC_REG_GUEST_CRASH_P0 + 1, 8);
	assert_int_equal(run_set(2, 1), result(2, SC_HV_SUCCESS));
	assert_int_equal(partition.crash[0], 0);
	assert_int_equal(partition.crash[1], 8);
	/* A failure counts from the beginning of the list. */
	assert_int_equal(run_get(3, 1), result(1, SC_HV_UNKNOWN_REGISTER_NAME));
	assert_int_equal(outcome.output_size, 0);
}

static void partition_must_be_the_own(void **state)
{
	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	header_of()->partition_id = 1;
	assert_int_equal(run_get(1, 0), SC_HV_INVALID_PARTITION_ID);
	assert_non_null(outcome.refused);
	assert_int_equal(outcome.output_size, 0);
}

static void vp_index_must_exist(void **state)
{
	static const uint32_t wrong[] = { 4, 5, 0x7fffffff, 0xfffffffd, 0xffffffff };

	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	for (uint32_t vp = 0; vp < 4; vp++) {
		header_of()->vp_index = vp;
		assert_int_equal(run_get(1, 0), result(1, SC_HV_SUCCESS));
		assert_int_equal(output[0], vp);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		header_of()->vp_index = wrong[i];
		assert_int_equal(run_get(1, 0), SC_HV_INVALID_VP_INDEX);
	}
}

static void trust_level_must_be_0(void **state)
{
	static const uint8_t wrong[] = { 0x01, 0x0f, 0x11, 0x20, 0x80, 0xff };

	(void)state;
	add_name(0, SC_REG_VP_INDEX);
	header_of()->input_vtl = 0x10;
	assert_int_equal(run_get(1, 0), result(1, SC_HV_SUCCESS));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		header_of()->input_vtl = wrong[i];
		assert_int_equal(run_get(1, 0), SC_HV_INVALID_PARAMETER);
	}
}

static void padding_is_ignored(void **state)
{
	(void)state;
	memset(header_of()->reserved, 0xff, sizeof(header_of()->reserved));
	add_name(0, SC_REG_VP_INDEX);
	assert_int_equal(run_get(1, 0), result(1, SC_HV_SUCCESS));
	/* The padding behind a name and the value's upper half are all ones here. */
	add_element(0, SC_REG_GUEST_CRASH_P0, 5);
	assert_int_equal(run_set(1, 0), result(1, SC_HV_SUCCESS));
	assert_int_equal(partition.crash[0], 5);
}

static void effects_add_up(void **state)
{
	(void)state;
	add_element(0, SC_REG_REFERENCE_TSC, 0x1001);
	add_element(1, SC_REG_STIMER0_COUNT, 100);
	add_element(2, SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED);
	add_element(3, SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY);
	assert_int_equal(run_set(4, 0), result(4, SC_HV_SUCCESS));
	assert_int_equal(outcome.effects, SC_EFFECT_PAGE | SC_EFFECT_TIMER | SC_EFFECT_GUEST_CLOCK | SC_EFFECT_CRASH);
	assert_int_equal(partition.vcpu[2].timer[0].count, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_register, set_up),
		cmocka_unit_test_setup(several_registers, set_up),
		cmocka_unit_test_setup(get_stops_at_the_first_failure, set_up),
		cmocka_unit_test_setup(set_stops_at_the_first_failure, set_up),
		cmocka_unit_test_setup(starts_where_it_is_told, set_up),
		cmocka_unit_test_setup(partition_must_be_the_own, set_up),
		cmocka_unit_test_setup(vp_index_must_exist, set_up),
		cmocka_unit_test_setup(trust_level_must_be_0, set_up),
		cmocka_unit_test_setup(padding_is_ignored, set_up),
		cmocka_unit_test_setup(effects_add_up, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
