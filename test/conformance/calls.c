/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: control words, headers, both forms, and where output goes.
 *
 * Policy: run once for each calling convention. A malformed call is answered by a status and changes nothing.
 */
#include "conformance.h"

#define REPS(count, start) ((uint64_t)(count) << SC_CALL_REP_COUNT_SHIFT | (uint64_t)(start) << SC_CALL_REP_START_SHIFT)

#define FILLER 0x5a5a5a5a5a5a5a5aull

static struct port_call call_of(const struct trial *trial, uint64_t control)
{
	struct port_call call = { .convention = trial->convention, .control = control };

	for (uint32_t i = 0; i < SC_GUEST_BLOCK; i++)
		call.block[i] = FILLER + i;
	call.block[0] = SC_PARTITION_ID_SELF;
	call.block[1] = SC_VP_INDEX_SELF;
	return call;
}

/* A call in memory form whose input has `words` words behind the header; returns where they are. */
static uint64_t *call_in_memory(const struct trial *trial, struct port_call *call, uint64_t control)
{
	uint64_t *input = port_memory(PAGE_INPUT);

	*call = call_of(trial, control);
	input[0] = SC_PARTITION_ID_SELF;
	input[1] = SC_VP_INDEX_SELF;
	call->block[0] = port_gpa(PAGE_INPUT);
	call->block[1] = port_gpa(PAGE_OUTPUT);
	return &input[2];
}

static bool result_word(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_GET_ONE);

	call.block[2] = SC_REG_VP_INDEX;
	port_call(&call);
	return expect(trial, call.result, 1ull << SC_RESULT_REPS_SHIFT);
}

static bool result_failed_reps(struct trial *trial)
{
	struct port_call call;
	uint64_t *list = call_in_memory(trial, &call, SC_HVCALL_GET_VP_REGISTERS | REPS(3, 0));

	list[0] = SC_REG_GUEST_OS_ID | (uint64_t)SC_REG_VP_INDEX << 32;
	list[1] = 0x7777;
	port_call(&call);
	return expect(trial, call.result >> SC_RESULT_REPS_SHIFT, 2) &&
	       expect_true(trial, call.result & SC_RESULT_STATUS_MASK, call.result);
}

static bool output_registers(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_GET_ONE);
	uint32_t output = trial->convention == SC_GUEST_SMCCC ? 4 : SC_GUEST_BLOCK - 2;

	call.block[2] = SC_REG_GUEST_OS_ID;
	port_call(&call);
	for (uint32_t i = 3; i < SC_GUEST_BLOCK; i++)
		if (i != output && i != output + 1 && !expect(trial, call.block[i], FILLER + i))
			return false;
	return expect(trial, call.block[output], OS_ID) && expect(trial, call.block[output + 1], 0);
}

static bool padding(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_GET_ONE);

	call.block[2] = SC_REG_VP_INDEX | FILLER << 32;
	port_call(&call);
	return expect(trial, call.result, 1ull << SC_RESULT_REPS_SHIFT);
}

static bool memory_list(struct trial *trial)
{
	const uint64_t *output = port_memory(PAGE_OUTPUT);
	struct port_call call;
	uint64_t *list = call_in_memory(trial, &call, SC_HVCALL_GET_VP_REGISTERS | REPS(3, 0));

	list[0] = SC_REG_GUEST_OS_ID | (uint64_t)SC_REG_VP_INDEX << 32;
	list[1] = SC_REG_GUEST_OS_ID;
	port_call(&call);
	return expect(trial, call.result, 3ull << SC_RESULT_REPS_SHIFT) && expect(trial, output[0], OS_ID) &&
	       expect(trial, output[2], port_vcpu()) && expect(trial, output[4], OS_ID);
}

static bool rep_start(struct trial *trial)
{
	uint64_t *output = port_memory(PAGE_OUTPUT);
	struct port_call call;
	uint64_t *list = call_in_memory(trial, &call, SC_HVCALL_GET_VP_REGISTERS | REPS(2, 1));

	list[0] = 0x7777 | (uint64_t)SC_REG_GUEST_OS_ID << 32;
	output[0] = FILLER;
	port_call(&call);
	return expect(trial, call.result, 2ull << SC_RESULT_REPS_SHIFT) && expect(trial, output[0], FILLER) &&
	       expect(trial, output[2], OS_ID);
}

static bool memory_set(struct trial *trial)
{
	struct port_call call;
	uint64_t *list = call_in_memory(trial, &call, SC_HVCALL_SET_VP_REGISTERS | REPS(2, 0));
	uint64_t kept = trial_get(trial, SC_REG_REFERENCE_TSC);

	list[0] = SC_REG_GUEST_OS_ID;
	list[2] = OS_ID + 1;
	list[4] = SC_REG_REFERENCE_TSC;
	list[6] = kept;
	port_call(&call);
	return expect(trial, call.result, 2ull << SC_RESULT_REPS_SHIFT) &&
	       expect(trial, trial_get(trial, SC_REG_GUEST_OS_ID), OS_ID + 1) &&
	       expect(trial, trial_get(trial, SC_REG_REFERENCE_TSC), kept);
}

static bool fast_two(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_FAST | SC_HVCALL_GET_VP_REGISTERS | REPS(2, 0));
	uint32_t output = trial->convention == SC_GUEST_SMCCC ? 4 : SC_GUEST_BLOCK - 4;

	call.block[2] = SC_REG_GUEST_OS_ID | (uint64_t)SC_REG_VP_INDEX << 32;
	port_call(&call);
	return expect(trial, call.result, 2ull << SC_RESULT_REPS_SHIFT) && expect(trial, call.block[output], OS_ID) &&
	       expect(trial, call.block[output + 2], port_vcpu());
}

static bool set_high_ignored(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_SET_ONE);

	call.block[2] = SC_REG_GUEST_OS_ID;
	call.block[4] = OS_ID + 2;
	port_call(&call);
	return expect(trial, call.result, 1ull << SC_RESULT_REPS_SHIFT) &&
	       expect(trial, trial_get(trial, SC_REG_GUEST_OS_ID), OS_ID + 2);
}

/* By HVC #1 the bit makes the control word look like a call to the hypervisor's own services, which say -1. */
static bool nested(struct trial *trial)
{
	struct port_call call = call_of(trial, SC_CALL_GET_ONE | SC_CALL_NESTED);

	call.block[2] = SC_REG_VP_INDEX;
	port_call(&call);
	return expect_true(trial, call.result == SC_HV_INVALID_HYPERCALL_INPUT || call.result == UINT64_MAX,
			   call.result);
}

static const struct conformance_case cases[] = {
	{ .name = "call.plain",
	  .clause = "TLFS hypercall interface",
	  .expects = "an ordinary GET succeeds",
	  STEPS(CALL(SC_HV_SUCCESS, .vp = 0)) },
	{ .name = "call.code-unknown",
	  .clause = "TLFS hypercall interface",
	  .expects = "an unknown call code is refused as such",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_CODE, .control = SC_CALL_FAST | REPS(1, 0) | 0xbeef)) },
	{ .name = "call.code-zero",
	  .clause = "TLFS hypercall interface",
	  .expects = "call code 0 is refused as unknown",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_CODE, .control = SC_CALL_FAST | REPS(1, 0) | 0)) },
	{ .name = "call.reps-zero",
	  .clause = "TLFS hypercall interface",
	  .expects = "a rep call with count 0 is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(0, 0) | SC_HVCALL_GET_VP_REGISTERS)) },
	{ .name = "call.start-at-count",
	  .clause = "TLFS hypercall interface",
	  .expects = "the first repetition must be below their number",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 1) | SC_HVCALL_GET_VP_REGISTERS)) },
	{ .name = "call.start-past-count",
	  .clause = "TLFS hypercall interface",
	  .expects = "a first repetition past their number is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 2) | SC_HVCALL_GET_VP_REGISTERS)) },
	{ .name = "call.variable-header",
	  .clause = "TLFS hypercall interface",
	  .expects = "a variable header is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 17)) },
	{ .name = "call.variable-header-top",
	  .clause = "TLFS hypercall interface",
	  .expects = "the same for its last bit",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 26)) },
	{ .name = "call.reserved-bit-27",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 27)) },
	{ .name = "call.reserved-bit-30",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 30)) },
	{ .name = "call.reserved-bit-44",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 44)) },
	{ .name = "call.reserved-bit-47",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 47)) },
	{ .name = "call.reserved-bit-60",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 60)) },
	{ .name = "call.reserved-bit-63",
	  .clause = "TLFS hypercall interface",
	  .expects = "a reserved bit of the control word is refused",
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS | 1ull << 63)) },
	{ .name = "call.nested",
	  .clause = "TLFS hypercall interface",
	  .expects = "a call to a nested hypervisor is refused, as input or as unknown",
	  .run = nested },
	{ .name = "call.fast-too-long",
	  .clause = "TLFS hypercall interface",
	  .expects = "a fast call that needs more than its registers is refused",
	  .needs = NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_INVALID_HYPERCALL_INPUT,
		     .control = SC_CALL_FAST | REPS(6, 0) | SC_HVCALL_GET_VP_REGISTERS)) },
	{ .name = "call.partition",
	  .clause = "TLFS hypercall interface",
	  .expects = "another partition cannot be named",
	  STEPS(CALL(SC_HV_INVALID_PARTITION_ID, .partition = 1)) },
	{ .name = "call.vp-absent",
	  .clause = "TLFS hypercall interface",
	  .expects = "a vCPU that the machine does not have is refused",
	  STEPS(CALL(SC_HV_INVALID_VP_INDEX, .vp = SC_VP_INDEX_SELF ^ 4095)) },
	{ .name = "call.vp-any",
	  .clause = "TLFS hypercall interface",
	  .expects = "a register access needs one vCPU: HV_ANY_VP is refused",
	  STEPS(CALL(SC_HV_INVALID_VP_INDEX, .vp = SC_VP_INDEX_SELF ^ 0xffffffffu)) },
	{ .name = "call.vp-own-number",
	  .clause = "TLFS hypercall interface",
	  .expects = "a vCPU may name itself by number",
	  STEPS(CALL(SC_HV_SUCCESS, .vp = SC_VP_INDEX_SELF ^ 0u, .name = SC_REG_VP_INDEX)) },
	{ .name = "call.vtl-other",
	  .clause = "TLFS virtual secure mode",
	  .expects = "trust level 1 is refused",
	  .needs = NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_INVALID_PARAMETER, .vtl = 0x11)) },
	{ .name = "call.vtl-zero",
	  .clause = "TLFS virtual secure mode",
	  .expects = "trust level 0 may be named",
	  STEPS(CALL(SC_HV_SUCCESS, .vtl = 0x10)) },
	{ .name = "call.vtl-reserved",
	  .clause = "TLFS virtual secure mode",
	  .expects = "reserved bits of the trust level are refused",
	  .needs = NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_INVALID_PARAMETER, .vtl = 0x20)) },
	{ .name = "call.other-timers",
	  .clause = "doc/abi.md",
	  .expects = "the timers of another vCPU are out of reach",
	  .needs = NEED_VCPUS | NEED_DIRECT | NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_ACCESS_DENIED, .vp = SC_VP_INDEX_SELF ^ 1u, .name = CONFIG(0))) },
	{ .name = "call.other-synic",
	  .clause = "doc/abi.md",
	  .expects = "the SynIC of another vCPU is out of reach",
	  .needs = NEED_VCPUS | NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_ACCESS_DENIED, .vp = SC_VP_INDEX_SELF ^ 1u, .name = SC_REG_SCONTROL)) },
	{ .name = "call.memory",
	  .clause = "TLFS hypercall interface",
	  .expects = "an ordinary GET in memory succeeds",
	  STEPS(CALL(SC_HV_SUCCESS, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true)) },
	{ .name = "call.memory-input-alignment",
	  .clause = "TLFS hypercall interface",
	  .expects = "input not on 8 bytes is refused",
	  STEPS(CALL(SC_HV_INVALID_ALIGNMENT, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .input_at = 4)) },
	{ .name = "call.memory-output-alignment",
	  .clause = "TLFS hypercall interface",
	  .expects = "output not on 8 bytes is refused",
	  STEPS(CALL(SC_HV_INVALID_ALIGNMENT, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .output_at = 4)) },
	{ .name = "call.memory-input-crosses",
	  .clause = "TLFS hypercall interface",
	  .expects = "input across a page is refused",
	  STEPS(CALL(SC_HV_INVALID_ALIGNMENT, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .input_at = 4096 - 8)) },
	{ .name = "call.memory-output-crosses",
	  .clause = "TLFS hypercall interface",
	  .expects = "output across a page is refused",
	  STEPS(CALL(SC_HV_INVALID_ALIGNMENT, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .output_at = 4096 - 8)) },
	{ .name = "call.memory-overlap",
	  .clause = "TLFS hypercall interface",
	  .expects = "output over the input is refused",
	  STEPS(CALL(SC_HV_INVALID_ALIGNMENT, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .overlap = true, .output_at = 8)) },
	{ .name = "call.memory-adjacent",
	  .clause = "TLFS hypercall interface",
	  .expects = "output right behind the input is taken",
	  STEPS(CALL(SC_HV_SUCCESS, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true, .overlap = true,
		     .output_at = 24)) },
	{ .name = "call.memory-page-end",
	  .clause = "TLFS hypercall interface",
	  .expects = "lists may end at a page's end",
	  STEPS(CALL(SC_HV_SUCCESS, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .input_at = 4096 - 24, .output_at = 4096 - 16)) },
	{ .name = "call.memory-input-nowhere",
	  .clause = "TLFS hypercall interface",
	  .expects = "input that is not RAM is refused",
	  .needs = NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_INVALID_PARAMETER, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .input_nowhere = true)) },
	{ .name = "call.memory-output-nowhere",
	  .clause = "TLFS hypercall interface",
	  .expects = "output that is not RAM is refused",
	  .needs = NEED_SEACLOCK,
	  STEPS(CALL(SC_HV_INVALID_PARAMETER, .control = REPS(1, 0) | SC_HVCALL_GET_VP_REGISTERS, .memory = true,
		     .output_nowhere = true)) },
	{ .name = "call.result-word",
	  .clause = "TLFS hypercall interface",
	  .expects = "success of one repetition is 2^32",
	  .run = result_word },
	{ .name = "call.result-failed-reps",
	  .clause = "TLFS hypercall interface",
	  .expects = "a failing list counts the repetitions before",
	  .run = result_failed_reps },
	{ .name = "call.output-registers",
	  .clause = "TLFS hypercall interface",
	  .expects = "output is where this convention has it, the other registers are left alone",
	  .run = output_registers },
	{ .name = "call.padding",
	  .clause = "TLFS hypercall interface",
	  .expects = "what lies in the padding of a GET does not matter",
	  .run = padding },
	{ .name = "call.memory-list",
	  .clause = "TLFS hypercall interface",
	  .expects = "a list of registers in memory is answered in order",
	  .run = memory_list },
	{ .name = "call.rep-start",
	  .clause = "TLFS hypercall interface",
	  .expects = "repetitions before the first are neither run nor written",
	  .run = rep_start },
	{ .name = "call.memory-set",
	  .clause = "TLFS hypercall interface",
	  .expects = "a list in memory sets registers",
	  .run = memory_set },
	{ .name = "call.fast-two",
	  .clause = "TLFS hypercall interface",
	  .expects = "two registers by one fast call",
	  .run = fast_two },
	{ .name = "call.set-high-ignored",
	  .clause = "doc/abi.md",
	  .expects = "the upper half of a written value is ignored",
	  .needs = NEED_SEACLOCK,
	  .run = set_high_ignored },
};

const struct conformance_table conformance_calls = TABLE(cases);
