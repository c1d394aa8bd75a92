/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The two hypercalls, HvCallGetVpRegisters and HvCallSetVpRegisters, in fast and memory form.
 *
 * Policy: the guest is not trusted: every length is checked before any element is looked at. Padding is not checked,
 * because Linux leaves stack contents in it.
 */
#include "register.h"

#define HEADER_SIZE 16u
#define GET_SIZE 4u
#define SET_SIZE 32u
#define VALUE_SIZE 16u
#define PAIR_SIZE 16u

/* input_vtl: bits 3:0 name a trust level, bit 4 says that they do, 7:5 are reserved. There is level 0 only. */
#define INPUT_VTL_USE_TARGET 0x10u

static bool is_get(const struct sc_call *call)
{
	return (call->control & SC_CALL_CODE_MASK) == SC_HVCALL_GET_VP_REGISTERS;
}

static uint32_t rep_count(uint64_t control)
{
	return control >> SC_CALL_REP_COUNT_SHIFT & SC_CALL_REP_MASK;
}

static uint32_t rep_start(uint64_t control)
{
	return control >> SC_CALL_REP_START_SHIFT & SC_CALL_REP_MASK;
}

static size_t round_to_pair(size_t size)
{
	return (size + PAIR_SIZE - 1) / PAIR_SIZE * PAIR_SIZE;
}

static uint64_t check_control(uint64_t control)
{
	uint64_t code = control & SC_CALL_CODE_MASK;

	if (code != SC_HVCALL_GET_VP_REGISTERS && code != SC_HVCALL_SET_VP_REGISTERS)
		return SC_HV_INVALID_HYPERCALL_CODE;
	if (control & (SC_CALL_RESERVED_MASK | SC_CALL_NESTED | SC_CALL_VARHEAD_MASK))
		return SC_HV_INVALID_HYPERCALL_INPUT;
	/* With a count of 0 every start is past it. */
	if (rep_start(control) >= rep_count(control))
		return SC_HV_INVALID_HYPERCALL_INPUT;
	return SC_HV_SUCCESS;
}

/* True if the whole list lies in one page of the guest, on an 8-byte boundary. */
static bool list_aligned(uint64_t gpa, size_t size)
{
	return gpa % 8 == 0 && gpa % SC_HV_PAGE_SIZE + size <= SC_HV_PAGE_SIZE;
}

/* Both lists are known to be aligned, so neither sum wraps beyond 0, the end of the last page. */
static bool lists_overlap(uint64_t input, size_t input_size, uint64_t output, size_t output_size)
{
	return input < output ? output - input < input_size : input - output < output_size;
}

uint64_t sc_call_decode(uint64_t control, uint64_t x2, uint64_t x3, struct sc_call *call)
{
	uint64_t status = check_control(control);
	uint32_t count = rep_count(control), start = rep_start(control);
	size_t output_size;

	if (status != SC_HV_SUCCESS)
		return status;
	*call = (struct sc_call){ .control = control, .fast = control & SC_CALL_FAST, .reps = count - start };
	call->input_size = HEADER_SIZE + (size_t)count * (is_get(call) ? GET_SIZE : SET_SIZE);
	output_size = is_get(call) ? (size_t)count * VALUE_SIZE : 0;
	/* The lists begin with repetition 0; a call that starts later leaves what is before in the output alone. */
	call->output_size = is_get(call) ? (size_t)call->reps * VALUE_SIZE : 0;
	if (call->fast)
		return round_to_pair(call->input_size) + output_size <= SC_CALL_BLOCK_MAX
			       ? SC_HV_SUCCESS
			       : SC_HV_INVALID_HYPERCALL_INPUT;
	call->input_gpa = x2;
	if (!list_aligned(x2, call->input_size))
		return SC_HV_INVALID_ALIGNMENT;
	if (!output_size)
		return SC_HV_SUCCESS;
	call->output_gpa = x3 + (uint64_t)start * VALUE_SIZE;
	if (!list_aligned(x3, output_size) || lists_overlap(x2, call->input_size, x3, output_size))
		return SC_HV_INVALID_ALIGNMENT;
	return SC_HV_SUCCESS;
}

uint64_t sc_call_decode_registers(const uint64_t x[4], struct sc_call *call)
{
	bool native = (uint32_t)x[0] != SC_HVC_FUNCTION_ID;
	uint64_t status = native ? sc_call_decode(x[0], x[1], x[2], call) : sc_call_decode(x[1], x[2], x[3], call);

	if (status == SC_HV_SUCCESS)
		call->native = native;
	return status;
}

uint32_t sc_call_input_register(const struct sc_call *call)
{
	return call->native ? 1 : 2;
}

bool sc_call_input_is_used(const struct sc_call *call, uint32_t n)
{
	uint32_t start = rep_start(call->control), offset = n * 8;

	if (offset < HEADER_SIZE)
		return true;
	offset -= HEADER_SIZE;
	if (is_get(call))
		return offset + 8 > start * GET_SIZE;
	/* A name with padding behind it, padding, the value and its upper half. */
	return offset >= start * SET_SIZE && n % 2 == 0;
}

uint32_t sc_call_output_register(const struct sc_call *call)
{
	uint32_t first = sc_call_input_register(call), skipped = rep_start(call->control) * (VALUE_SIZE / 8);

	if (call->native)
		return first + SC_CALL_BLOCK_MAX / 8 - rep_count(call->control) * (VALUE_SIZE / 8) + skipped;
	return first + (uint32_t)(round_to_pair(call->input_size) / 8) + skipped;
}

/* Finds the vCPU that the call is about. */
static uint64_t check_header(const struct sc_vp_registers_header *header, struct sc_register_access *access)
{
	if (header->partition_id != SC_PARTITION_ID_SELF) {
		access->refused = "a partition may only name itself";
		return SC_HV_INVALID_PARTITION_ID;
	}
	access->target = header->vp_index == SC_VP_INDEX_SELF ? access->caller : header->vp_index;
	if (access->target >= access->partition->vcpu_count) {
		access->refused = "there is no such vCPU";
		return SC_HV_INVALID_VP_INDEX;
	}
	if (header->input_vtl & ~INPUT_VTL_USE_TARGET) {
		access->refused = "there is no virtual trust level but 0";
		return SC_HV_INVALID_PARAMETER;
	}
	return SC_HV_SUCCESS;
}

/* Repetition n of the list; its output, if any, goes to `output`. */
static uint64_t run_get(struct sc_register_access *access, const uint8_t *list, uint32_t n, uint8_t *output)
{
	struct sc_register_value value;
	uint64_t status;

	memcpy(&access->name, list + (size_t)n * GET_SIZE, sizeof(access->name));
	status = sc_register_get(access, &value);
	if (status == SC_HV_SUCCESS)
		memcpy(output, &value, VALUE_SIZE);
	return status;
}

static uint64_t run_set(struct sc_register_access *access, const uint8_t *list, uint32_t n)
{
	struct sc_set_vp_register element;

	memcpy(&element, list + (size_t)n * SET_SIZE, sizeof(element));
	access->name = element.name;
	return sc_register_set(access, element.value_low);
}

void sc_call_run(struct sc_partition *partition, uint32_t vp, const struct sc_call *call, const void *input,
		 void *output, sc_ticks_t counter, struct sc_call_outcome *outcome)
{
	struct sc_register_access access = { .partition = partition, .caller = vp };
	const uint8_t *list = (const uint8_t *)input + HEADER_SIZE;
	uint32_t start = rep_start(call->control), done = 0;
	struct sc_vp_registers_header header;
	uint64_t status;

	access.alone = call->fast && !call->native && rep_count(call->control) == 1;
	access.now = sc_clock_read(&partition->clock, counter);
	memcpy(&header, input, sizeof(header));
	status = check_header(&header, &access);
	while (status == SC_HV_SUCCESS && done < call->reps) {
		status = is_get(call)
				 ? run_get(&access, list, start + done, (uint8_t *)output + (size_t)done * VALUE_SIZE)
				 : run_set(&access, list, start + done);
		if (status == SC_HV_SUCCESS)
			done++;
	}
	*outcome = (struct sc_call_outcome){
		.result = status | (uint64_t)(start + done) << SC_RESULT_REPS_SHIFT,
		.output_size = is_get(call) ? (size_t)done * VALUE_SIZE : 0,
		.effects = access.effects,
		.refused = access.refused,
		.refused_register = access.name,
	};
}
