/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a vCPU as bytes, and back.
 *
 * Policy: everything that KVM lists travels, except the counters, whose one owner is the counter offset. Identification
 * registers go first, for KVM derives from them what the others may hold. What this host's KVM refuses is named in the
 * sentence; nothing is skipped silently. Pending architectural timers are re-aimed at the new counter rate.
 */
#include "host/host.h"

#include "host/identity.h"
#include "host/kvm_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTER_SIZE_MAX 256u
#define REGISTERS_MAX 4096u

static size_t register_size(uint64_t id)
{
	return (size_t)1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

static bool register_is_counter(uint64_t id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT;
}

static bool register_is_compare_value(uint64_t id)
{
	return id == KVM_REG_ARM_TIMER_CVAL || id == KVM_REG_ARM_PTIMER_CVAL;
}

/* op0 3, CRn 0: identification and feature registers. */
static bool register_is_identification(uint64_t id)
{
	uint64_t op0 = (id & KVM_REG_ARM64_SYSREG_OP0_MASK) >> KVM_REG_ARM64_SYSREG_OP0_SHIFT;

	return (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM64_SYSREG && op0 == 3 &&
	       !(id & KVM_REG_ARM64_SYSREG_CRN_MASK);
}

int kvm_list_registers(int vcpu, struct kvm_reg_list **list, struct error *error)
{
	struct kvm_reg_list count = { .n = 0 };
	int result;

	/* Asked with no room it answers -E2BIG and the number. */
	kvm_call(vcpu, KVM_GET_REG_LIST, &count);
	*list = calloc(1, sizeof(**list) + count.n * sizeof((*list)->reg[0]));
	if (!*list)
		return error_set(error, ENOMEM, "no memory for a list of %llu registers", (unsigned long long)count.n);
	(*list)->n = count.n;
	result = kvm_call(vcpu, KVM_GET_REG_LIST, *list);
	if (result < 0)
		return error_set(error, -result, "KVM does not list its registers (%s)", strerror(-result));
	return 0;
}

static int register_save(struct host_vcpu *vcpu, uint64_t id, struct buffer *state, struct error *error)
{
	uint8_t value[REGISTER_SIZE_MAX];
	int result = kvm_get_register(vcpu->fd, id, value);

	if (result)
		return error_set(error, -result, "KVM does not give register 0x%llx (%s)", (unsigned long long)id,
				 strerror(-result));
	buffer_put_u64(state, id);
	buffer_put_block(state, value, register_size(id));
	return 0;
}

static int registers_save(struct host_vcpu *vcpu, const struct kvm_reg_list *list, bool identification,
			  struct buffer *state, struct error *error)
{
	for (uint64_t i = 0; i < list->n; i++) {
		uint64_t id = list->reg[i];
		int result;

		if (register_is_counter(id) || register_is_identification(id) != identification)
			continue;
		result = register_save(vcpu, id, state, error);
		if (result)
			return result;
	}
	return 0;
}

static uint32_t registers_count(const struct kvm_reg_list *list)
{
	uint32_t count = 0;

	for (uint64_t i = 0; i < list->n; i++)
		count += !register_is_counter(list->reg[i]);
	return count;
}

static int vcpu_save_events(struct host_vcpu *vcpu, struct buffer *state, struct error *error)
{
	struct kvm_mp_state power;
	struct kvm_vcpu_events events;
	int result = kvm_call(vcpu->fd, KVM_GET_MP_STATE, &power);

	if (!result)
		result = kvm_call(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	if (result)
		return error_set(error, -result, "KVM does not give the state of vCPU %u (%s)", vcpu->index,
				 strerror(-result));
	buffer_put_u32(state, power.mp_state);
	buffer_put_block(state, &events, sizeof(events));
	return 0;
}

int host_vcpu_save(struct host_vcpu *vcpu, struct buffer *state, struct error *error)
{
	struct kvm_reg_list *list = NULL;
	int result = kvm_list_registers(vcpu->fd, &list, error);

	if (!result)
		result = vcpu_save_events(vcpu, state, error);
	if (!result) {
		buffer_put_u32(state, registers_count(list));
		result = registers_save(vcpu, list, true, state, error);
	}
	if (!result)
		result = registers_save(vcpu, list, false, state, error);
	free(list);
	if (!result && buffer_failed(state))
		return error_set(error, ENOMEM, "no memory for the state of vCPU %u", vcpu->index);
	return result;
}

static int state_damaged(struct error *error)
{
	return error_set(error, EPROTO, "the state of a vCPU in the stream is damaged");
}

static int vcpu_load_events(struct host_vcpu *vcpu, struct cursor *state, struct error *error)
{
	struct kvm_mp_state power = { .mp_state = cursor_u32(state) };
	struct kvm_vcpu_events events;
	size_t size;
	const void *place = cursor_block(state, &size);
	int result;

	if (!place || size != sizeof(events))
		return state_damaged(error);
	memcpy(&events, place, sizeof(events));
	result = kvm_call(vcpu->fd, KVM_SET_MP_STATE, &power);
	if (!result)
		result = kvm_call(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	if (result)
		return error_set(error, -result,
				 "this host's KVM refuses the power state or pending errors of vCPU %u (%s)",
				 vcpu->index, strerror(-result));
	return 0;
}

static void compare_value_rebase(uint8_t *value, const struct host_rebase *rebase)
{
	sc_ticks_t deadline;

	memcpy(&deadline.v, value, sizeof(deadline.v));
	deadline = sc_rate_convert_deadline(deadline, rebase->counter, rebase->from_hz, rebase->counter, rebase->to_hz);
	memcpy(value, &deadline.v, sizeof(deadline.v));
}

/* As the architecture writes it where an operator may look it up, else as KVM numbers it. */
static const char *register_name(uint64_t id, char text[IDENTITY_NAME_SIZE])
{
	if (identity_is_one(id) || (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM64_SYSREG)
		return identity_name(id, text);
	snprintf(text, IDENTITY_NAME_SIZE, "0x%llx", (unsigned long long)id);
	return text;
}

/*
 * The first field that stands in the way, and whether less of it would do; nothing if none does. What a KVM lets be
 * written, here or where the guest comes from, is not asked: so it may do.
 */
static void field_tell(char *text, size_t size, uint64_t id, uint64_t sent, uint64_t own)
{
	const struct identity_register there = { .id = id, .value = sent, .writable = UINT64_MAX };
	const struct identity_register here = { .id = id, .value = own, .writable = UINT64_MAX };
	struct identity_field field;
	enum identity_verdict verdict = IDENTITY_FITS;
	char name[IDENTITY_NAME_SIZE];

	text[0] = '\0';
	if (identity_is_one(id))
		verdict = identity_judge(sent, &there, &here, &field);
	if (verdict != IDENTITY_FITS)
		snprintf(text, size, ": its %s is 0x%llx, and 0x%llx here%s", identity_field_name(&field, name),
			 (unsigned long long)identity_field_get(&field, sent),
			 (unsigned long long)identity_field_get(&field, own),
			 verdict == IDENTITY_LEVEL ? ", so a machine of the hosts' baseline (--cpu) may fit" : "");
}

static int register_refused(struct host_vcpu *vcpu, uint64_t id, const uint8_t *value, int result, struct error *error)
{
	uint64_t sent = 0, own = 0;
	char name[IDENTITY_NAME_SIZE], field[160];

	if (register_size(id) == sizeof(own)) {
		memcpy(&sent, value, sizeof(sent));
		kvm_get_register(vcpu->fd, id, &own);
	}
	field_tell(field, sizeof(field), id, sent, own);
	return error_set(
		error, -result,
		"this host's KVM refuses the guest's register %s: the guest has 0x%llx, a guest here 0x%llx (%s)%s; "
		"choose a host with the same processor and a kernel at least as new",
		register_name(id, name), (unsigned long long)sent, (unsigned long long)own, strerror(-result), field);
}

static int register_load(struct host_vcpu *vcpu, struct cursor *state, const struct host_rebase *rebase,
			 struct error *error)
{
	uint8_t value[REGISTER_SIZE_MAX];
	uint64_t id = cursor_u64(state);
	size_t size;
	const void *place = cursor_block(state, &size);
	int result;

	if (!place || size > sizeof(value) || size != register_size(id))
		return state_damaged(error);
	memcpy(value, place, size);
	if (register_is_compare_value(id))
		compare_value_rebase(value, rebase);
	result = kvm_set_register(vcpu->fd, id, value);
	return result ? register_refused(vcpu, id, value, result, error) : 0;
}

int host_vcpu_load(struct host_vcpu *vcpu, struct cursor *state, const struct host_rebase *rebase, struct error *error)
{
	int result = vcpu_load_events(vcpu, state, error);
	uint32_t count = cursor_u32(state);

	if (!result && count > REGISTERS_MAX)
		return state_damaged(error);
	for (uint32_t i = 0; !result && i < count; i++)
		result = register_load(vcpu, state, rebase, error);
	return result;
}
