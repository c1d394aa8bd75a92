/* SPDX-License-Identifier: BSD-2-Clause */
/* Register hypercalls: see the header. */
#include "machine/hypercall.h"

#include <errno.h>
#include <string.h>

/* SMCCC: the function is not known. */
#define SMCCC_NOT_SUPPORTED UINT64_MAX

/* The highest register that holds input, X17, and those below. */
#define CALL_REGISTERS 18u

union call_block {
	uint64_t word[SC_CALL_PAGE_MAX / sizeof(uint64_t)];
	uint8_t byte[SC_CALL_PAGE_MAX];
};

static uint32_t words_of(size_t size)
{
	return (uint32_t)((size + sizeof(uint64_t) - 1) / sizeof(uint64_t));
}

/* The vCPU's registers as far as they have been read. */
struct registers {
	struct host_vcpu *vcpu;
	uint32_t known; /* bit n: Xn */
	uint64_t x[CALL_REGISTERS];
};

/* Each register is read once. */
static int registers_get(struct registers *registers, uint32_t n, uint64_t *value)
{
	int result = registers->known >> n & 1 ? 0 : host_vcpu_get_x(registers->vcpu, n, &registers->x[n]);

	registers->known |= (uint32_t)!result << n;
	*value = registers->x[n];
	return result;
}

static int registers_set(struct host_vcpu *vcpu, uint32_t first, uint32_t count, const uint64_t *values)
{
	int result = 0;

	for (uint32_t n = 0; !result && n < count; n++)
		result = host_vcpu_set_x(vcpu, first + n, values[n]);
	return result;
}

static int call_read_registers(const struct sc_call *call, struct registers *registers, union call_block *input)
{
	uint32_t first = sc_call_input_register(call), count = words_of(call->input_size);
	int result = 0;

	for (uint32_t n = 0; !result && n < count; n++) {
		input->word[n] = 0;
		if (sc_call_input_is_used(call, n))
			result = registers_get(registers, first + n, &input->word[n]);
	}
	return result;
}

/* *bad is set if the call names memory that is not RAM. */
static int call_read_input(const struct sc_call *call, struct memory *memory, struct registers *registers,
			   union call_block *input, bool *bad)
{
	if (call->fast)
		return call_read_registers(call, registers, input);
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

static int call_carry_out(struct clock *clock, struct memory *memory, struct registers *registers,
			  const struct sc_call *call, struct sc_call_outcome *outcome)
{
	struct host_vcpu *vcpu = registers->vcpu;
	union call_block input, output;
	bool bad = false;
	int result = call_read_input(call, memory, registers, &input, &bad);

	if (result)
		return result;
	if (bad) {
		outcome->result = SC_HV_INVALID_PARAMETER;
		return 0;
	}
	clock_hypercall(clock, vcpu->index, call, input.byte, output.byte, outcome);
	return call_write_output(call, memory, vcpu, &output, outcome->output_size);
}

/* X0 to X3, as far as the convention that W0 tells has them. */
static int call_read_head(struct registers *registers, uint32_t w0, uint64_t x[4])
{
	bool smccc = w0 == SC_HVC_FUNCTION_ID;
	int result = 0;

	x[0] = w0;
	x[3] = 0;
	for (uint32_t n = smccc; !result && n < 3u + smccc; n++)
		result = registers_get(registers, n, &x[n]);
	return result;
}

int hypercall_handle(struct clock *clock, struct memory *memory, struct host_vcpu *vcpu, uint32_t w0, uint32_t *effects)
{
	struct registers registers = { .vcpu = vcpu };
	struct sc_call_outcome outcome = { 0 };
	struct sc_call call;
	uint64_t x[4];
	int result = call_read_head(&registers, w0, x);

	if (result)
		return result;
	outcome.result = sc_call_decode_registers(x, &call);
	if (outcome.result == SC_HV_SUCCESS)
		result = call_carry_out(clock, memory, &registers, &call, &outcome);
	*effects = outcome.effects;
	return result ? result : host_vcpu_set_x(vcpu, 0, outcome.result);
}

int hypercall_refuse(struct host_vcpu *vcpu)
{
	return host_vcpu_set_x(vcpu, 0, SMCCC_NOT_SUPPORTED);
}
