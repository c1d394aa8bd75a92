/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This host's facts, by KVM: what it can, and what a vCPU says it is.
 *
 * Policy: a vCPU is made as those of machines are, so that what is told is what their guests see. A KVM that does not
 * say which bits can be written (before Linux 6.7) lets none be.
 */
#include "host/host.h"

#include "host/kvm_api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define GICD_IIDR 0x0008u
#define GIC_VERSION 3u
/* Function ids that a machine of facts forwards: none matters. */
#define FUNCTIONS 0x80000000u

static uint32_t capability(int kvm, long number)
{
	int result = kvm_call(kvm, KVM_CHECK_EXTENSION, (void *)number);

	return result > 0 ? (uint32_t)result : 0;
}

/* What can only be asked of a machine is asked of this one. */
static void capabilities_get(const struct host_vm *vm, uint32_t table[FACTS_CAPABILITIES])
{
	static const long numbers[FACTS_CAPABILITIES] = {
		[FACTS_COUNTER_OFFSET] = KVM_CAP_COUNTER_OFFSET,
		[FACTS_WRITABLE_MASKS] = KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES,
		[FACTS_WRITABLE_MIDR] = KVM_CAP_ARM_WRITABLE_IMP_ID_REGS,
		[FACTS_ADDRESS_BITS] = KVM_CAP_ARM_VM_IPA_SIZE,
		[FACTS_STOLEN_TIME] = KVM_CAP_STEAL_TIME,
		[FACTS_EL1_32BIT] = KVM_CAP_ARM_EL1_32BIT,
		[FACTS_PMU] = KVM_CAP_ARM_PMU_V3,
		[FACTS_SVE] = KVM_CAP_ARM_SVE,
		[FACTS_POINTER_AUTHENTICATION] = KVM_CAP_ARM_PTRAUTH_ADDRESS,
		[FACTS_MTE] = KVM_CAP_ARM_MTE,
		[FACTS_PTP] = KVM_CAP_PTP_KVM,
		[FACTS_SYSTEM_SUSPEND] = KVM_CAP_ARM_SYSTEM_SUSPEND,
		[FACTS_NESTED] = KVM_CAP_ARM_EL2,
	};

	for (uint32_t n = 0; n < FACTS_CAPABILITIES; n++)
		table[n] = capability(vm->kvm, numbers[n]);
}

/* The masks of all registers by their place, as KVM_ARM_FEATURE_ID_RANGE_IDX(); all 0 if they are not told. */
static void masks_get(const struct host_vm *vm, uint64_t masks[KVM_ARM_FEATURE_ID_RANGE_SIZE])
{
	struct reg_mask_range range = { .addr = (uintptr_t)masks, .range = KVM_ARM_FEATURE_ID_RANGE };

	memset(masks, 0, KVM_ARM_FEATURE_ID_RANGE_SIZE * sizeof(*masks));
	kvm_call(vm->vm, KVM_ARM_GET_REG_WRITABLE_MASKS, &range);
}

/* Of a register that identity_is_one(). KVM's firmware registers can be lowered before the first run, all of them. */
static uint64_t writable_of(const struct host_vm *vm, uint64_t id, const uint64_t *masks)
{
	uint64_t op1 = id >> 11 & 7, crm = id >> 3 & 15;

	if ((id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM64_SYSREG)
		return UINT64_MAX;
	if (identity_is_implementation(id) && !capability(vm->kvm, KVM_CAP_ARM_WRITABLE_IMP_ID_REGS))
		return 0;
	return masks[(op1 - (op1 == 3)) << 6 | crm << 3 | (id & 7)];
}

int host_vcpu_list_identity(const struct host_vm *vm, struct host_vcpu *vcpu, struct identity *identity,
			    struct error *error)
{
	uint64_t masks[KVM_ARM_FEATURE_ID_RANGE_SIZE];
	struct kvm_reg_list *list = NULL;
	int result = kvm_list_registers(vcpu->fd, &list, error);

	identity->count = 0;
	masks_get(vm, masks);
	for (uint64_t n = 0; !result && n < list->n; n++) {
		struct identity_register reg = { .id = list->reg[n] };

		if (!identity_is_one(reg.id))
			continue;
		reg.writable = writable_of(vm, reg.id, masks);
		result = kvm_get_register(vcpu->fd, reg.id, &reg.value);
		if (result || !identity_set(identity, &reg))
			result = error_set(error, result ? -result : E2BIG,
					   "KVM does not give register 0x%llx of a vCPU, or more than are expected",
					   (unsigned long long)reg.id);
	}
	free(list);
	return result;
}

int host_vcpu_get_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	return kvm_get_register(vcpu->fd, id, value);
}

int host_vcpu_set_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t value)
{
	return kvm_set_register(vcpu->fd, id, &value);
}

static void gic_get(const struct host_vm *vm, struct host_facts *facts)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
		.attr = GICD_IIDR,
		.addr = (uintptr_t)&facts->gic_iidr,
	};

	facts->gic = GIC_VERSION;
	kvm_call(vm->gic, KVM_GET_DEVICE_ATTR, &attr);
}

static int machine_facts(struct host_vm *vm, struct host_facts *facts, struct error *error)
{
	struct host_vcpu vcpu;
	int result = host_vcpu_create(vm, &vcpu, 0, true, error);

	if (result)
		return result;
	result = host_vcpu_list_identity(vm, &vcpu, &facts->identity, error);
	if (!result)
		result = host_gic_create(vm, error);
	if (!result)
		gic_get(vm, facts);
	capabilities_get(vm, facts->capability);
	host_vcpu_destroy(&vcpu);
	return result;
}

void host_vm_free_implementation(struct host_vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_WRITABLE_IMP_ID_REGS };

	kvm_call(vm->vm, KVM_ENABLE_CAP, &cap);
}

int host_get_facts(struct host_facts *facts, struct error *error)
{
	struct host_vm vm;
	struct utsname names;
	int result = host_vm_create(&vm, FUNCTIONS, error);

	if (result)
		return result;
	/* Then the masks have what a machine can be told if KVM is asked for it. */
	host_vm_free_implementation(&vm);
	*facts = (struct host_facts){ .counter_hz = host_counter_hz(), .page_size = host_page_size() };
	if (!uname(&names)) {
		snprintf(facts->name, sizeof(facts->name), "%s", names.nodename);
		snprintf(facts->kernel, sizeof(facts->kernel), "%s", names.release);
	}
	result = host_address_bits(&facts->address_bits, error);
	if (!result)
		result = machine_facts(&vm, facts, error);
	host_vm_destroy(&vm);
	return result;
}
