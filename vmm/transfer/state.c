/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything of a machine that is not memory: see the header. */
#include "transfer/state.h"

#include <errno.h>

static int state_damaged(struct error *error)
{
	return error_set(error, EPROTO, "the machine's state in the stream is damaged");
}

int state_save_registers(struct machine *machine, struct buffer *state, struct error *error)
{
	for (uint32_t n = 0; n < machine->vcpus.count; n++) {
		int result = host_vcpu_save(&machine->vcpus.vcpu[n].host, state, error);

		if (result)
			return result;
	}
	return host_gic_save(&machine->vm, machine->vcpus.count, state, error);
}

static int state_load_registers(struct machine *machine, struct cursor *cursor, const struct host_rebase *rebase,
				struct error *error)
{
	for (uint32_t n = 0; n < machine->vcpus.count; n++) {
		int result = host_vcpu_load(&machine->vcpus.vcpu[n].host, cursor, rebase, error);

		if (result)
			return result;
	}
	return host_gic_load(&machine->vm, machine->vcpus.count, cursor, error);
}

int state_try_registers(struct machine *machine, const void *data, size_t size, struct error *error)
{
	static const struct host_rebase unmoved = { .from_hz = SC_REF_HZ, .to_hz = SC_REF_HZ };
	struct cursor cursor = cursor_make(data, size);
	int result = state_load_registers(machine, &cursor, &unmoved, error);

	if (!result && !cursor_finish(&cursor))
		return state_damaged(error);
	return result;
}

int state_save(struct machine *machine, const struct clock_handoff *handoff, struct buffer *state, struct error *error)
{
	int result;

	buffer_put_u64(state, (uint64_t)handoff->difference_ns);
	buffer_put_u32(state, handoff->policy);
	result = clock_save(&machine->clock, state, error);
	if (!result)
		result = state_save_registers(machine, state, error);
	if (result)
		return result;
	machine_save_console(machine, state);
	return buffer_failed(state) ? error_set(error, ENOMEM, "no memory for the machine's state") : 0;
}

static int handoff_take(struct cursor *cursor, struct clock_handoff *handoff, struct error *error)
{
	uint32_t policy;

	handoff->difference_ns = (int64_t)cursor_u64(cursor);
	policy = cursor_u32(cursor);
	if (cursor->failed || policy > SC_CLOCK_FREEZE)
		return state_damaged(error);
	handoff->policy = (enum sc_clock_policy)policy;
	return 0;
}

int state_handoff(const void *data, size_t size, struct clock_handoff *handoff, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);

	return handoff_take(&cursor, handoff, error);
}

int state_load_with(struct machine *machine, const void *data, size_t size, const struct clock_handoff *handoff,
		    sc_ns_t *gap, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	struct clock_handoff saved;
	struct host_rebase rebase;
	int result = handoff_take(&cursor, &saved, error);

	if (!result)
		result = clock_load(&machine->clock, &cursor, handoff, &rebase, gap, error);
	if (!result)
		result = state_load_registers(machine, &cursor, &rebase, error);
	if (!result && (machine_load_console(machine, &cursor) || !cursor_finish(&cursor)))
		return state_damaged(error);
	return result;
}

int state_load(struct machine *machine, const void *data, size_t size, sc_ns_t *gap, struct error *error)
{
	struct clock_handoff handoff;
	int result = state_handoff(data, size, &handoff, error);

	return result ? result : state_load_with(machine, data, size, &handoff, gap, error);
}
