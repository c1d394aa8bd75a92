/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prepare and hold: what is asked, who waits, and how it is answered.
 *
 * Policy: the guest's half goes through the public call, in whatever form it may have.
 */
#include <seaclock/core.h>

#include <string.h>

#include "unit.h"

#define HZ 100000000u

static struct sc_partition partition;
static struct sc_call_outcome outcome;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(sc_partition_init(&partition, 2, HZ, sc_ticks(0)), 0);
	partition.guest_os_id = 1;
	return 0;
}

/* vCPU `vp` reads the registers `names`, in registers by HVC #0 or #1; the status. */
static uint64_t read_registers(uint32_t vp, bool native, const uint32_t *names, uint32_t count, uint64_t *output)
{
	uint64_t control = SC_CALL_FAST | (uint64_t)count << SC_CALL_REP_COUNT_SHIFT | SC_HVCALL_GET_VP_REGISTERS;
	const struct sc_vp_registers_header header = { SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0, { 0 } };
	uint64_t input[8] = { 0 };
	struct sc_call call;

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, names, count * sizeof(*names));
	assert_int_equal(sc_call_decode(control, 0, 0, &call), SC_HV_SUCCESS);
	call.native = native;
	sc_call_run(&partition, vp, &call, input, output, sc_ticks(0), &outcome);
	return outcome.result & SC_RESULT_STATUS_MASK;
}

static uint64_t read_hold(uint32_t vp, uint64_t output[2])
{
	const uint32_t name = SC_REG_HOLD;

	return read_registers(vp, false, &name, 1, output);
}

static void expect_migration(uint64_t asked, uint32_t hz)
{
	const uint32_t name = SC_REG_MIGRATION;
	uint64_t output[2];

	assert_int_equal(read_registers(0, false, &name, 1, output), SC_HV_SUCCESS);
	assert_int_equal(output[0], asked | (uint64_t)hz << 32);
	assert_int_equal(output[1], 34);
	assert_int_equal(outcome.effects, 0);
}

static void says_what_is_asked(void **state)
{
	struct sc_hold_answer answer;

	(void)state;
	expect_migration(SC_ASK_NOTHING, HZ);
	assert_true(sc_hold_ask(&partition, SC_ASK_PREPARE));
	assert_false(sc_hold_ask(&partition, SC_ASK_PREPARE));
	expect_migration(SC_ASK_PREPARE, HZ);
	assert_true(sc_hold_ask(&partition, SC_ASK_HOLD));
	expect_migration(SC_ASK_HOLD, HZ);
	assert_false(sc_hold_end(&partition, SC_HOLD_CALLED_OFF, &answer));
	expect_migration(SC_ASK_NOTHING, HZ);
	assert_false(sc_hold_ask(&partition, SC_ASK_NOTHING));
}

/* Not asked, or asked for less: nobody waits. */
static void returns_at_once(void **state)
{
	uint64_t output[2];

	(void)state;
	for (uint64_t asked = SC_ASK_NOTHING; asked < SC_ASK_HOLD; asked++) {
		sc_hold_ask(&partition, asked);
		assert_int_equal(read_hold(1, output), SC_HV_SUCCESS);
		assert_int_equal(outcome.effects, 0);
		assert_int_equal(output[0], HZ);
		assert_int_equal(output[1], SC_HOLD_CALLED_OFF);
		assert_false(partition.held);
	}
}

static void waits_for_one_answer(void **state)
{
	struct sc_hold_answer answer;
	uint64_t output[2];

	(void)state;
	sc_hold_ask(&partition, SC_ASK_HOLD);
	assert_int_equal(read_hold(1, output), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, SC_EFFECT_HOLD);
	assert_true(partition.held);
	/* Another one does not. */
	assert_int_equal(read_hold(0, output), SC_HV_SUCCESS);
	assert_int_equal(outcome.effects, 0);
	assert_int_equal(output[1], SC_HOLD_CALLED_OFF);
	assert_true(sc_hold_end(&partition, SC_HOLD_MOVED, &answer));
	assert_int_equal(answer.vp, 1);
	assert_int_equal(answer.result, 1ull << 32);
	assert_int_equal(answer.value[0], HZ);
	assert_int_equal(answer.value[1], SC_HOLD_MOVED);
	assert_int_equal(partition.asked, SC_ASK_NOTHING);
	assert_false(sc_hold_end(&partition, SC_HOLD_MOVED, &answer));
}

/* Answered with the rate of the side that goes on. */
static void returns_on_another_host(void **state)
{
	struct sc_stop_point stop;
	struct sc_partition moved;
	struct sc_hold_answer answer;
	uint8_t record[SC_RECORD_MAX];
	uint64_t output[2];
	sc_ticks_t counter;
	size_t size;

	(void)state;
	sc_hold_ask(&partition, SC_ASK_HOLD);
	read_hold(1, output);
	stop = sc_partition_stop(&partition, sc_ticks(5000));
	assert_int_equal(sc_record_save(&partition, &stop, record, sizeof(record), &size), 0);
	assert_int_equal(sc_record_load(record, size, &moved, &stop), 0);
	assert_int_equal(sc_partition_resume(&moved, &stop, 25000000, SC_CLOCK_ADVANCE, sc_ns(100), &counter), 0);
	assert_true(sc_hold_end(&moved, SC_HOLD_MOVED, &answer));
	assert_int_equal(answer.vp, 1);
	assert_int_equal(answer.value[0], 25000000);
}

/* In any other form it could not be answered later. */
static void is_read_alone(void **state)
{
	const uint32_t names[] = { SC_REG_HOLD, SC_REG_HOLD };
	uint64_t output[4];

	(void)state;
	sc_hold_ask(&partition, SC_ASK_HOLD);
	assert_int_equal(read_registers(0, false, names, 2, output), SC_HV_INVALID_PARAMETER);
	assert_int_equal(read_registers(0, true, names, 1, output), SC_HV_INVALID_PARAMETER);
	assert_non_null(outcome.refused);
	assert_false(partition.held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_what_is_asked, set_up),
		cmocka_unit_test_setup(returns_at_once, set_up),
		cmocka_unit_test_setup(waits_for_one_answer, set_up),
		cmocka_unit_test_setup(returns_on_another_host, set_up),
		cmocka_unit_test_setup(is_read_alone, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
