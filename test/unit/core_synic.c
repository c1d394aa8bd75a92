/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The synthetic interrupt controller: its registers, which values they take, and when a message may go where.
 *
 * Policy: registers are written by hypercalls, in the fast form of one repetition; the way of a message is asked of
 * sc_partition_pending with one timer that is due.
 */
#include <seaclock/core.h>

#include <string.h>

#include "unit.h"

#define SINT 2u
#define INTID 20u
#define PAGE 0x40003000ull

static struct sc_partition partition;
static struct sc_call_outcome outcome;

/* vCPU 1 of two, whose timer 3 sends a message to SINT 2 and is due. */
static int set_up(void **state)
{
	struct sc_stimer *timer = &partition.vcpu[1].timer[3];

	(void)state;
	assert_int_equal(sc_partition_init(&partition, 2, 100000000, sc_ticks(0)), 0);
	partition.guest_os_id = 1;
	sc_stimer_set_count(timer, 5, sc_ref(0));
	sc_stimer_set_config(timer, SC_STIMER_ENABLE | (uint64_t)SINT << SC_STIMER_SINT_SHIFT, sc_ref(0));
	assert_true(sc_partition_expire(&partition, sc_ticks(1000)));
	return 0;
}

/* One access of vCPU 1 to the registers of `vp`; the status. */
static uint64_t access_of(uint64_t control, uint32_t vp, uint32_t name, uint64_t value, uint64_t output[2])
{
	const struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF, .vp_index = vp };
	const struct sc_set_vp_register element = { .name = name, .value_low = value };
	uint64_t input[6];
	struct sc_call call;

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, &element, sizeof(element));
	assert_int_equal(sc_call_decode(control, 0, 0, &call), SC_HV_SUCCESS);
	sc_call_run(&partition, 1, &call, input, output, sc_ticks(1000), &outcome);
	return outcome.result & SC_RESULT_STATUS_MASK;
}

static uint64_t set(uint32_t name, uint64_t value)
{
	return access_of(SC_CALL_SET_ONE, SC_VP_INDEX_SELF, name, value, NULL);
}

static uint64_t get(uint32_t name)
{
	uint64_t output[2] = { ~0ull, ~0ull };

	assert_int_equal(access_of(SC_CALL_GET_ONE, SC_VP_INDEX_SELF, name, 0, output), SC_HV_SUCCESS);
	assert_int_equal(output[1], 0);
	return output[0];
}

static bool pending(struct sc_delivery *delivery)
{
	uint32_t cursor = 0;

	return sc_partition_pending(&partition, &cursor, delivery);
}

/* Everything is on. */
static void turn_on(void)
{
	assert_int_equal(set(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_SIMP, PAGE | SC_SIMP_ENABLE), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_SINT0 + SINT, INTID), SC_HV_SUCCESS);
}

static void values_at_reset(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		assert_int_equal(get(SC_REG_SINT0 + n), 0x10000);
	assert_int_equal(get(SC_REG_SCONTROL), 0);
	assert_int_equal(get(SC_REG_SVERSION), 1);
	assert_int_equal(get(SC_REG_SIEFP), 0);
	assert_int_equal(get(SC_REG_SIMP), 0);
	assert_int_equal(get(SC_REG_EOM), 0);
}

/* Bits that mean nothing are kept, as software that writes back what it read expects. */
static void values_are_kept_as_written(void **state)
{
	(void)state;
	assert_int_equal(set(SC_REG_SCONTROL, 0xabc1), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_SIMP, 0x40003fff), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_SIEFP, 0x40004ffe), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_SINT15, 1ull << 63 | 0xff00 | 16), SC_HV_SUCCESS);
	assert_int_equal(set(SC_REG_EOM, 77), SC_HV_SUCCESS);
	assert_int_equal(get(SC_REG_SCONTROL), 0xabc1);
	assert_int_equal(get(SC_REG_SIMP), 0x40003fff);
	assert_int_equal(get(SC_REG_SIEFP), 0x40004ffe);
	assert_int_equal(get(SC_REG_SINT15), 1ull << 63 | 0xff00 | 16);
	assert_int_equal(get(SC_REG_EOM), 0);
}

static void every_write_has_the_effect(void **state)
{
	static const uint32_t names[] = { SC_REG_SINT0, SC_REG_SCONTROL, SC_REG_SIEFP, SC_REG_SIMP, SC_REG_EOM };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(set(names[i], SC_SINT_MASKED), SC_HV_SUCCESS);
		assert_int_equal(outcome.effects, SC_EFFECT_SYNIC);
		get(names[i]);
		assert_int_equal(outcome.effects, 0);
	}
}

static void each_vcpu_has_its_own(void **state)
{
	uint64_t output[2];

	(void)state;
	turn_on();
	assert_int_equal(partition.vcpu[1].synic.simp, PAGE | SC_SIMP_ENABLE);
	assert_int_equal(partition.vcpu[0].synic.simp, 0);
	for (uint32_t name = SC_REG_SINT0; name <= SC_REG_EOM; name++) {
		assert_int_equal(access_of(SC_CALL_GET_ONE, 0, name, 0, output), SC_HV_ACCESS_DENIED);
		assert_int_equal(access_of(SC_CALL_GET_ONE, 1, name, 0, output), SC_HV_SUCCESS);
		if (name != SC_REG_SVERSION)
			assert_int_equal(access_of(SC_CALL_SET_ONE, 0, name, SC_SINT_MASKED, NULL),
					 SC_HV_ACCESS_DENIED);
	}
	assert_int_equal(set(SC_REG_SVERSION, 1), SC_HV_INVALID_PARAMETER);
}

static void sint_values(void **state)
{
	static const struct {
		uint64_t value;
		uint64_t status;
	} cases[] = {
		{ 16, SC_HV_SUCCESS },
		{ 31, SC_HV_SUCCESS },
		{ 15, SC_HV_INVALID_PARAMETER },
		{ 0, SC_HV_INVALID_PARAMETER },
		{ 32, SC_HV_INVALID_PARAMETER },
		{ 0xff, SC_HV_INVALID_PARAMETER },
		/* Driven by KVM. */
		{ 25, SC_HV_INVALID_PARAMETER },
		{ 27, SC_HV_INVALID_PARAMETER },
		{ 30, SC_HV_INVALID_PARAMETER },
		/* Without an interrupt the INTID means nothing. */
		{ SC_SINT_MASKED, SC_HV_SUCCESS },
		{ SC_SINT_MASKED | 27, SC_HV_SUCCESS },
		{ SC_SINT_POLLING, SC_HV_SUCCESS },
		{ SC_SINT_POLLING | 0xff, SC_HV_SUCCESS },
		/* Not offered, masked or not. */
		{ SC_SINT_AUTO_EOI | 20, SC_HV_INVALID_PARAMETER },
		{ SC_SINT_AUTO_EOI | SC_SINT_MASKED, SC_HV_INVALID_PARAMETER },
		{ SC_SINT_AS_INTERCEPT | 20, SC_HV_INVALID_PARAMETER },
		{ SC_SINT_PROXY | 20, SC_HV_INVALID_PARAMETER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t before = get(SC_REG_SINT0 + SINT);

		assert_int_equal(set(SC_REG_SINT0 + SINT, cases[i].value), cases[i].status);
		assert_int_equal(!outcome.refused, !cases[i].status);
		assert_int_equal(outcome.effects, cases[i].status ? 0 : SC_EFFECT_SYNIC);
		assert_int_equal(get(SC_REG_SINT0 + SINT), cases[i].status ? before : cases[i].value);
	}
}

static void message_waits_for_all_three(void **state)
{
	struct sc_delivery delivery;

	(void)state;
	assert_false(pending(&delivery));
	set(SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
	assert_false(pending(&delivery));
	set(SC_REG_SIMP, PAGE | SC_SIMP_ENABLE);
	assert_false(pending(&delivery));
	set(SC_REG_SINT0 + SINT + 1, INTID);
	assert_false(pending(&delivery));
	set(SC_REG_SINT0 + SINT, INTID);
	assert_true(pending(&delivery));
	assert_int_equal(delivery.vp, 1);
	assert_int_equal(delivery.timer, 3);
	assert_true(delivery.message);
	assert_true(delivery.interrupt);
	assert_int_equal(delivery.intid, INTID);
	assert_int_equal(delivery.slot_gpa, PAGE + SINT * 256);
}

static void each_of_the_three_stops_messages(void **state)
{
	struct sc_delivery delivery;

	(void)state;
	turn_on();
	assert_true(pending(&delivery));
	set(SC_REG_SCONTROL, 0);
	assert_false(pending(&delivery));
	turn_on();
	set(SC_REG_SIMP, PAGE);
	assert_false(pending(&delivery));
	turn_on();
	set(SC_REG_SINT0 + SINT, SC_SINT_MASKED | INTID);
	assert_false(pending(&delivery));
	/* Nothing was lost. */
	turn_on();
	assert_true(pending(&delivery));
}

static void polled_messages_have_no_interrupt(void **state)
{
	struct sc_delivery delivery;

	(void)state;
	turn_on();
	set(SC_REG_SINT0 + SINT, SC_SINT_POLLING | INTID);
	assert_true(pending(&delivery));
	assert_true(delivery.message);
	assert_false(delivery.interrupt);
	assert_int_equal(delivery.slot_gpa, PAGE + SINT * 256);
	/* Masked and polled is masked. */
	set(SC_REG_SINT0 + SINT, SC_SINT_POLLING | SC_SINT_MASKED);
	assert_false(pending(&delivery));
}

static void page_bits_are_no_address(void **state)
{
	struct sc_delivery delivery;

	(void)state;
	turn_on();
	set(SC_REG_SIMP, PAGE | 0xfff);
	assert_true(pending(&delivery));
	assert_int_equal(delivery.slot_gpa, PAGE + SINT * 256);
	/* Any address is taken; whether it is memory is the caller's matter. */
	assert_int_equal(set(SC_REG_SIMP, ~0ull), SC_HV_SUCCESS);
	assert_true(pending(&delivery));
	assert_int_equal(delivery.slot_gpa, ~0xfffull + SINT * 256);
}

static void direct_timers_need_none_of_it(void **state)
{
	struct sc_stimer *timer = &partition.vcpu[1].timer[0];
	struct sc_delivery delivery;

	(void)state;
	/* A SINT in the configuration of a direct timer means nothing. */
	sc_stimer_set_count(timer, 5, sc_ref(0));
	sc_stimer_set_config(timer,
			     SC_STIMER_ENABLE | SC_STIMER_DIRECT | 31ull << SC_STIMER_INTID_SHIFT |
				     (uint64_t)SINT << SC_STIMER_SINT_SHIFT,
			     sc_ref(0));
	assert_true(sc_partition_expire(&partition, sc_ticks(1000)));
	assert_true(pending(&delivery));
	assert_int_equal(delivery.timer, 0);
	assert_false(delivery.message);
	assert_true(delivery.interrupt);
	assert_int_equal(delivery.intid, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(values_at_reset, set_up),
		cmocka_unit_test_setup(values_are_kept_as_written, set_up),
		cmocka_unit_test_setup(every_write_has_the_effect, set_up),
		cmocka_unit_test_setup(each_vcpu_has_its_own, set_up),
		cmocka_unit_test_setup(sint_values, set_up),
		cmocka_unit_test_setup(message_waits_for_all_three, set_up),
		cmocka_unit_test_setup(each_of_the_three_stops_messages, set_up),
		cmocka_unit_test_setup(polled_messages_have_no_interrupt, set_up),
		cmocka_unit_test_setup(page_bits_are_no_address, set_up),
		cmocka_unit_test_setup(direct_timers_need_none_of_it, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
