/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control words: every check of a hypercall before its input is read, and where input and output lie.
 *
 * Policy: one table row per rule, the rest of each call being right.
 */
#include <seaclock/core.h>

#include "unit.h"

#define GET SC_HVCALL_GET_VP_REGISTERS
#define SET SC_HVCALL_SET_VP_REGISTERS
#define REPS(count, start) ((uint64_t)(count) << SC_CALL_REP_COUNT_SHIFT | (uint64_t)(start) << SC_CALL_REP_START_SHIFT)

static void control_word_is_checked(void **state)
{
	static const struct {
		uint64_t control;
		uint64_t status;
	} cases[] = {
		{ SC_CALL_GET_ONE, SC_HV_SUCCESS },
		{ SC_CALL_SET_ONE, SC_HV_SUCCESS },
		{ SC_CALL_FAST | REPS(1, 0) | 0x4f, SC_HV_INVALID_HYPERCALL_CODE },
		{ SC_CALL_FAST | REPS(1, 0) | 0xbeef, SC_HV_INVALID_HYPERCALL_CODE },
		{ 0, SC_HV_INVALID_HYPERCALL_CODE },
		/* Repetitions: none, start at or past the end. */
		{ SC_CALL_FAST | GET, SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | SET, SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | GET | REPS(2, 1), SC_HV_SUCCESS },
		{ SC_CALL_FAST | GET | REPS(2, 2), SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | GET | REPS(2, 0xfff), SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | GET | REPS(0, 1), SC_HV_INVALID_HYPERCALL_INPUT },
		/* As many as the registers hold. */
		{ SC_CALL_FAST | GET | REPS(5, 0), SC_HV_SUCCESS },
		{ SC_CALL_FAST | GET | REPS(6, 0), SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | GET | REPS(6, 5), SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | GET | REPS(0xfff, 0), SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_FAST | SET | REPS(3, 0), SC_HV_SUCCESS },
		{ SC_CALL_FAST | SET | REPS(4, 0), SC_HV_INVALID_HYPERCALL_INPUT },
		/* A variable header, nested. */
		{ SC_CALL_GET_ONE | 1ull << 17, SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_GET_ONE | 1ull << 26, SC_HV_INVALID_HYPERCALL_INPUT },
		{ SC_CALL_GET_ONE | SC_CALL_NESTED, SC_HV_INVALID_HYPERCALL_INPUT },
	};
	struct sc_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(sc_call_decode(cases[i].control, 0, 0, &call), cases[i].status);
}

static void reserved_bits_are_refused(void **state)
{
	static const int bits[] = { 27, 28, 29, 30, 44, 45, 46, 47, 60, 61, 62, 63 };
	struct sc_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		assert_int_equal(sc_call_decode(SC_CALL_GET_ONE | 1ull << bits[i], 0, 0, &call),
				 SC_HV_INVALID_HYPERCALL_INPUT);
}

static void fast_call_of_linux(void **state)
{
	struct sc_call call;

	(void)state;
	assert_int_equal(sc_call_decode(SC_CALL_GET_ONE, ~0ull, 0xfffffffe, &call), SC_HV_SUCCESS);
	assert_true(call.fast);
	assert_int_equal(call.reps, 1);
	assert_int_equal(call.input_size, 20);
	assert_int_equal(call.output_size, 16);
	assert_int_equal(sc_call_output_register(&call), 6);
	assert_int_equal(sc_call_decode(SC_CALL_SET_ONE, ~0ull, 0xfffffffe, &call), SC_HV_SUCCESS);
	assert_int_equal(call.input_size, 48);
	assert_int_equal(call.output_size, 0);
}

static void fast_output_follows_whole_pairs(void **state)
{
	struct sc_call call;

	(void)state;
	/* 16 + 4 * 4 bytes fill two pairs, one name more begins a third. */
	assert_int_equal(sc_call_decode(SC_CALL_FAST | GET | REPS(4, 0), 0, 0, &call), SC_HV_SUCCESS);
	assert_int_equal(sc_call_output_register(&call), 6);
	assert_int_equal(sc_call_decode(SC_CALL_FAST | GET | REPS(5, 0), 0, 0, &call), SC_HV_SUCCESS);
	assert_int_equal(sc_call_output_register(&call), 8);
	/* The values before the rep start keep their place. */
	assert_int_equal(sc_call_decode(SC_CALL_FAST | GET | REPS(5, 3), 0, 0, &call), SC_HV_SUCCESS);
	assert_int_equal(sc_call_output_register(&call), 14);
	assert_int_equal(call.input_size, 36);
	assert_int_equal(call.output_size, 32);
	assert_int_equal(call.reps, 2);
}

/* UEFI of Hyper-V: HVC #1 with the control word in X0; GET answers in X15 and X16. */
static void native_convention(void **state)
{
	const uint64_t get[4] = { SC_CALL_GET_ONE, ~0ull, 0xfffffffe, SC_REG_TIME_REF_COUNT };
	const uint64_t memory[4] = { GET | REPS(10, 4), 0x40001008, 0x40002000, 0x40003000 };
	const uint64_t late[4] = { SC_CALL_FAST | GET | REPS(5, 3) };
	struct sc_call call;

	(void)state;
	assert_int_equal(sc_call_decode_registers(get, &call), SC_HV_SUCCESS);
	assert_true(call.native);
	assert_int_equal(call.input_size, 20);
	assert_int_equal(sc_call_input_register(&call), 1);
	assert_int_equal(sc_call_output_register(&call), 15);
	assert_int_equal(sc_call_decode_registers(late, &call), SC_HV_SUCCESS);
	assert_int_equal(sc_call_output_register(&call), 13);
	assert_int_equal(sc_call_decode_registers(memory, &call), SC_HV_SUCCESS);
	assert_int_equal(call.input_gpa, 0x40001008);
	assert_int_equal(call.output_gpa, 0x40002000 + 4 * 16);
}

/* Which words of a fast call's input are looked at, bit n for word n. */
static uint32_t used(uint64_t control)
{
	uint32_t words = 0;
	struct sc_call call;

	assert_int_equal(sc_call_decode(SC_CALL_FAST | control, 0, 0, &call), SC_HV_SUCCESS);
	for (uint32_t n = 0; n < (call.input_size + 7) / 8; n++)
		words |= (uint32_t)sc_call_input_is_used(&call, n) << n;
	return words;
}

static void words_of_the_input_that_are_used(void **state)
{
	(void)state;
	/* Header; name, padding, value, its upper half. */
	assert_int_equal(used(SET | REPS(1, 0)), 0x17);
	assert_int_equal(used(SET | REPS(3, 0)), 0x1557);
	assert_int_equal(used(SET | REPS(3, 1)), 0x1543);
	assert_int_equal(used(SET | REPS(3, 2)), 0x1403);
	/* Two names a word. */
	assert_int_equal(used(GET | REPS(1, 0)), 0x7);
	assert_int_equal(used(GET | REPS(4, 0)), 0xf);
	assert_int_equal(used(GET | REPS(4, 1)), 0xf);
	assert_int_equal(used(GET | REPS(4, 2)), 0xb);
	assert_int_equal(used(GET | REPS(4, 3)), 0xb);
}

static void smccc_convention(void **state)
{
	const uint64_t get[4] = { SC_HVC_FUNCTION_ID, SC_CALL_GET_ONE, ~0ull, 0xfffffffe };
	/* The upper half of X0 is no part of a function id. */
	const uint64_t memory[4] = { 0xffffffffull << 32 | SC_HVC_FUNCTION_ID, GET | REPS(10, 4), 0x40001008,
				     0x40002000 };
	struct sc_call call;

	(void)state;
	assert_int_equal(sc_call_decode_registers(get, &call), SC_HV_SUCCESS);
	assert_false(call.native);
	assert_int_equal(sc_call_input_register(&call), 2);
	assert_int_equal(sc_call_output_register(&call), 6);
	assert_int_equal(sc_call_decode_registers(memory, &call), SC_HV_SUCCESS);
	assert_int_equal(call.input_gpa, 0x40001008);
	assert_int_equal(call.output_gpa, 0x40002000 + 4 * 16);
}

static void bad_calls_of_either_convention(void **state)
{
	static const uint64_t calls[][4] = {
		{ 0 },
		{ 0x4f | REPS(1, 0) },
		{ SC_HVC_FUNCTION_ID },
		/* The function id of another owner, and HVC #0 without its own. */
		{ 0x46000002, SC_CALL_GET_ONE },
		{ 0, SC_CALL_GET_ONE },
	};
	struct sc_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_int_equal(sc_call_decode_registers(calls[i], &call), SC_HV_INVALID_HYPERCALL_CODE);
}

static void memory_form_says_where(void **state)
{
	struct sc_call call;

	(void)state;
	assert_int_equal(sc_call_decode(GET | REPS(10, 4), 0x40001008, 0x40002000, &call), SC_HV_SUCCESS);
	assert_false(call.fast);
	assert_int_equal(call.input_gpa, 0x40001008);
	assert_int_equal(call.input_size, 16 + 40);
	assert_int_equal(call.output_gpa, 0x40002000 + 4 * 16);
	assert_int_equal(call.output_size, 6 * 16);
	assert_int_equal(call.reps, 6);
}

static void lists_are_aligned_within_a_page_and_apart(void **state)
{
	static const struct {
		uint64_t control, input, output;
		uint64_t status;
	} cases[] = {
		{ GET | REPS(1, 0), 0x1000, 0x2000, SC_HV_SUCCESS },
		{ GET | REPS(1, 0), 0x1004, 0x2000, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(1, 0), 0x1000, 0x2001, SC_HV_INVALID_ALIGNMENT },
		/* Up to the end of a page, and past it. */
		{ GET | REPS(2, 0), 0x1fe8, 0x2fe0, SC_HV_SUCCESS },
		{ GET | REPS(3, 0), 0x1fe8, 0x2f00, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(2, 0), 0x1000, 0x2fe8, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(256, 0), 0x1000, 0x2000, SC_HV_SUCCESS },
		{ GET | REPS(257, 0), 0x1000, 0x2000, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(257, 256), 0x1000, 0x2000, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(0xfff, 0), 0x1000, 0x2000, SC_HV_INVALID_ALIGNMENT },
		{ SET | REPS(127, 0), 0x1000, 0, SC_HV_SUCCESS },
		{ SET | REPS(128, 0), 0x1000, 0, SC_HV_INVALID_ALIGNMENT },
		/* Overlap by a few bytes, and side by side. */
		{ GET | REPS(1, 0), 0x1000, 0x1000, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(1, 0), 0x1000, 0x1010, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(1, 0), 0x1000, 0x1018, SC_HV_SUCCESS },
		{ GET | REPS(1, 0), 0x1008, 0x1000, SC_HV_INVALID_ALIGNMENT },
		{ GET | REPS(1, 0), 0x1010, 0x1000, SC_HV_SUCCESS },
		/* The last page of all, and an output that SET does not have. */
		{ GET | REPS(1, 0), 0xfffffffffffff000, 0xfffffffffffffff0, SC_HV_SUCCESS },
		{ SET | REPS(1, 0), 0x1000, 0x1001, SC_HV_SUCCESS },
	};
	struct sc_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(sc_call_decode(cases[i].control, cases[i].input, cases[i].output, &call),
				 cases[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_word_is_checked), cmocka_unit_test(reserved_bits_are_refused),
		cmocka_unit_test(fast_call_of_linux),	   cmocka_unit_test(fast_output_follows_whole_pairs),
		cmocka_unit_test(native_convention),	   cmocka_unit_test(words_of_the_input_that_are_used),
		cmocka_unit_test(smccc_convention),	   cmocka_unit_test(bad_calls_of_either_convention),
		cmocka_unit_test(memory_form_says_where),  cmocka_unit_test(lists_are_aligned_within_a_page_and_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
