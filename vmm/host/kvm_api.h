/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's interface of Linux 6.4 and newer where the C library's kernel headers may be older, and two helpers for every
 * file that speaks to KVM.
 *
 * Policy: only names that the headers of Debian 12 lack, from Documentation/virt/kvm/api.rst and devices/vm.rst.
 */
#ifndef VMM_HOST_KVM_API_H
#define VMM_HOST_KVM_API_H

#include "host/host.h"

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_CAP_COUNTER_OFFSET
#define KVM_CAP_COUNTER_OFFSET 227
struct kvm_arm_counter_offset {
	__u64 counter_offset;
	__u64 reserved;
};
#define KVM_ARM_SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct kvm_arm_counter_offset)
#endif

#ifndef KVM_ARM_VM_SMCCC_CTRL
#define KVM_ARM_VM_SMCCC_CTRL 0
#define KVM_ARM_VM_SMCCC_FILTER 0
enum kvm_smccc_filter_action {
	KVM_SMCCC_FILTER_HANDLE,
	KVM_SMCCC_FILTER_DENY,
	KVM_SMCCC_FILTER_FWD_TO_USER,
};
struct kvm_smccc_filter {
	__u32 base;
	__u32 nr_functions;
	__u8 action;
	__u8 pad[15];
};
#define KVM_HYPERCALL_EXIT_SMC (1u << 0)
#endif

/* Linux 6.7; the registers are those of IDENTITY_SYSTEM() with op0 3, CRn 0. */
#ifndef KVM_ARM_GET_REG_WRITABLE_MASKS
#define KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES 230
#define KVM_ARM_FEATURE_ID_RANGE 0
#define KVM_ARM_FEATURE_ID_RANGE_SIZE (3 * 8 * 8)
struct reg_mask_range {
	__u64 addr;
	__u32 range;
	__u32 reserved[13];
};
#define KVM_ARM_GET_REG_WRITABLE_MASKS _IOR(KVMIO, 0xb6, struct reg_mask_range)
#endif

/* Linux 6.15 and 6.16. */
#ifndef KVM_CAP_ARM_WRITABLE_IMP_ID_REGS
#define KVM_CAP_ARM_WRITABLE_IMP_ID_REGS 239
#endif
#ifndef KVM_CAP_ARM_EL2
#define KVM_CAP_ARM_EL2 240
#endif

/* The slot of memory behind those of a guest's RAM and ROM, which have the numbers below. */
#define WINDOW_SLOT HOST_RAM_MAX

/* An ioctl that answers 0 or more, or -errno. */
int kvm_call(int fd, unsigned long request, void *argument);

/* One register of a vCPU, whatever its size. */
int kvm_get_register(int vcpu, uint64_t id, void *value);
int kvm_set_register(int vcpu, uint64_t id, const void *value);

/* The registers of the vCPU; the caller frees *list, on an error too. */
int kvm_list_registers(int vcpu, struct kvm_reg_list **list, struct error *error);

#endif
