/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's interface of Linux 6.4 where the C library's kernel headers may be older, and two helpers for every file that
 * speaks to KVM.
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

/* The slot of memory behind those of a guest's RAM and ROM, which have the numbers below. */
#define WINDOW_SLOT HOST_RAM_MAX

/* An ioctl that answers 0 or more, or -errno. */
int kvm_call(int fd, unsigned long request, void *argument);

/* One register of a vCPU, whatever its size. */
int kvm_get_register(int vcpu, uint64_t id, void *value);
int kvm_set_register(int vcpu, uint64_t id, const void *value);

#endif
