/* SPDX-License-Identifier: BSD-2-Clause */
/* Register hypercalls: see the header. */
#include "hypercall.h"

#include <errno.h>
#include <string.h>

/* SMCCC: the function is not known. */
#define SMCCC_NOT_SUPPORTED UINT64_MAX

union call_block {
	uint64_t word[SC_CALL_PAGE_MAX / sizeof(uint64_t)];
	uint8_t byte[SC_CALL_PAGE_MAX];
};

static uint32_t words_of(size_t size)
{
	return (uint32_t)((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));
}

static int registers_get(struct host_vcpu *vcpu, uint32_t first, uint32_t count, uint64_t *values)
{
	int result = 0;

	for (uint32_t n = 0; !result && n < count; n++)
		result = host_vcpu_get_x(vcpu, first + n, &values[n]);
	return result;
}

static int registers_set(struct host_vcpu *vcpu, uint32_t first, uint32_t count, const uint64_t *values)
{
	int result = 0;

	for (uint32_t n = 0; !result && n < count; n++)
		result = host_vcpu_set_x(vcpu, first + n, values[n]);
	return result;
}

/* *bad is set if the call names memory that is not RAM. */
static int call_read_input(const struct sc_call *call, struct memory *memory, struct host_vcpu *vcpu,
			   union call_block *input, bool *bad)
{
	if (call->fast)
		return registers_get(vcpu, sc_call_input_register(call), words_of(call->input_size), input->word);
	*bad = !memory_read(memory, call->input_gpa, input->byte, call->input_size) ||
	       (call->output_size && !memory_span(memory, call->output_gpa, call->output_size));
	return 0;
}

static int call_write_output(const struct sc_call *call, struct memory *memory, struct host_vcpu *vcpu,
			     const union call_block *output, size_t size)
{
	if (call->fast)
		return registers_set(vcpu, sc_call_output_register(call), words_of(size), output->word);
	if (size)
		memory_write(memory, call->output_gpa, output->byte, size);
	return 0;
}

static int call_carry_out(struct clock *clock, struct memory *memory, struct host_vcpu *vcpu,
			  const struct sc_call *call, struct sc_call_outcome *outcome)
{
	union call_block input, output;
	bool bad = false;
	int result = call_read_input(call, memory, vcpu, &input, &bad);

	if (result)
		return result;
	if (bad) {
		outcome->result = SC_HV_INVALID_PARAMETER;
		return 0;
	}
	clock_hypercall(clock, vcpu->index, call, input.byte, output.byte, outcome);
	return call_write_output(call, memory, vcpu, &output, outcome->output_size);
}

int hypercall_handle(struct clock *clock, struct memory *memory, struct host_vcpu *vcpu, uint32_t *effects)
{
	struct sc_call_outcome outcome = { 0 };
	struct sc_call call;
	uint64_t x[4];
	int result = registers_get(vcpu, 0, 4, x);

	if (result)
		return result;
	outcome.result = sc_call_decode_registers(x, &call);
	if (outcome.result == SC_HV_SUCCESS)
		result = call_carry_out(clock, memory, vcpu, &call, &outcome);
	*effects = outcome.effects;
	return result ? result : host_vcpu_set_x(vcpu, 0, outcome.result);
}

int hypercall_refuse(struct host_vcpu *vcpu)
{
	return host_vcpu_set_x(vcpu, 0, SMCCC_NOT_SUPPORTED);
}
