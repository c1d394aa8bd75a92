/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual machines by KVM on arm64: capabilities, memory, counter offset, interrupt lines.
 *
 * Policy: a host that lacks something is refused when the machine is made, never later.
 */
#include "host/host.h"

#include "base/busy.h"
#include "host/dirty_log.h"
#include "host/kvm_api.h"
#include "host/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* INTIDs of SPIs begin here. */
#define GIC_SPI_FIRST 32u

int kvm_call(int fd, unsigned long request, void *argument)
{
	int result = ioctl(fd, request, argument);

	return result < 0 ? -errno : result;
}

static int kvm_open(int *kvm, struct error *error)
{
	*kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (*kvm >= 0)
		return 0;
	if (errno == ENOENT)
		return error_set(error, ENOENT,
				 "/dev/kvm does not exist: this host has no KVM, or its firmware started "
				 "the kernel without EL2");
	return error_set(error, errno, "/dev/kvm cannot be opened (%s): use a user who may", strerror(errno));
}

static int kvm_check_capabilities(int kvm, struct error *error)
{
	static const struct {
		long number;
		const char *name;
		const char *since;
	} needed[] = {
		{ KVM_CAP_ARM_PSCI_0_2, "PSCI 0.2", "3.18" },
		{ KVM_CAP_ONE_REG, "access to single registers", "3.9" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit", "4.13" },
		{ KVM_CAP_COUNTER_OFFSET, "the counter offset", "6.4" },
	};

	if (kvm_call(kvm, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION)
		return error_set(error, EOPNOTSUPP, "this kernel's KVM has another interface than version %d",
				 KVM_API_VERSION);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (kvm_call(kvm, KVM_CHECK_EXTENSION, (void *)needed[i].number) <= 0)
			return error_set(error, EOPNOTSUPP, "this host's KVM lacks %s: Linux %s or newer has it",
					 needed[i].name, needed[i].since);
	return 0;
}

static int vm_check_filter(int vm, struct error *error)
{
	struct kvm_device_attr attr = { .group = KVM_ARM_VM_SMCCC_CTRL, .attr = KVM_ARM_VM_SMCCC_FILTER };

	if (kvm_call(vm, KVM_HAS_DEVICE_ATTR, &attr) < 0)
		return error_set(
			error, EOPNOTSUPP,
			"this host's KVM lacks the SMCCC filter, so hypercalls cannot reach the monitor: Linux 6.4 "
			"or newer has it");
	return 0;
}

static int vm_forward_hypercalls(int vm, uint32_t functions, struct error *error)
{
	struct kvm_smccc_filter filter = {
		.nr_functions = functions,
		.action = KVM_SMCCC_FILTER_FWD_TO_USER,
	};
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VM_SMCCC_CTRL,
		.attr = KVM_ARM_VM_SMCCC_FILTER,
		.addr = (uintptr_t)&filter,
	};
	int result = kvm_call(vm, KVM_SET_DEVICE_ATTR, &attr);

	if (result < 0)
		return error_set(error, -result, "KVM refuses to forward hypercalls 0 to 0x%x (%s)", functions - 1,
				 strerror(-result));
	return 0;
}

static int vm_open(struct host_vm *vm, struct error *error)
{
	int result = kvm_open(&vm->kvm, error);

	if (result)
		return result;
	result = kvm_check_capabilities(vm->kvm, error);
	if (result)
		return result;
	vm->vm = kvm_call(vm->kvm, KVM_CREATE_VM, NULL);
	if (vm->vm < 0)
		return error_set(error, -vm->vm, "KVM cannot create a virtual machine (%s)", strerror(-vm->vm));
	return vm_check_filter(vm->vm, error);
}

int host_vm_create(struct host_vm *vm, uint32_t functions, struct error *error)
{
	int result;

	*vm = (struct host_vm){ .kvm = -1, .vm = -1, .gic = -1 };
	result = vm_open(vm, error);
	if (!result)
		result = vm_forward_hypercalls(vm->vm, functions, error);
	if (result)
		host_vm_destroy(vm);
	return result;
}

int host_check(struct error *error)
{
	struct host_vm vm = { .kvm = -1, .vm = -1, .gic = -1 };
	int result = vm_open(&vm, error);

	host_vm_destroy(&vm);
	return result;
}

int host_address_bits(uint32_t *bits, struct error *error)
{
	int kvm;
	int result = kvm_open(&kvm, error);

	if (result)
		return result;
	/* A KVM that cannot be asked gives what every machine has. */
	result = kvm_call(kvm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_ARM_VM_IPA_SIZE);
	*bits = result > 0 ? (uint32_t)result : HOST_ADDRESS_BITS;
	close(kvm);
	return 0;
}

void host_vm_destroy(struct host_vm *vm)
{
	if (vm->gic >= 0)
		close(vm->gic);
	if (vm->vm >= 0)
		close(vm->vm);
	if (vm->kvm >= 0)
		close(vm->kvm);
	*vm = (struct host_vm){ .kvm = -1, .vm = -1, .gic = -1 };
}

static const struct host_ram *vm_slot(const struct host_vm *vm, uint32_t slot)
{
	return slot == WINDOW_SLOT ? &vm->window : &vm->ram[slot];
}

/* Each piece of memory has the slot of its number. KVM takes one of no size for an order to remove it. */
static int vm_call_slot(struct host_vm *vm, uint32_t slot, uint32_t flags, bool shown)
{
	const struct host_ram *ram = vm_slot(vm, slot);
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags | (ram->rom ? KVM_MEM_READONLY : 0),
		.guest_phys_addr = ram->gpa,
		.memory_size = shown ? ram->size : 0,
		.userspace_addr = (uintptr_t)ram->memory,
	};

	return kvm_call(vm->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int vm_set_slot(struct host_vm *vm, uint32_t slot, uint32_t flags, struct error *error)
{
	const struct host_ram *ram = vm_slot(vm, slot);
	int result = vm_call_slot(vm, slot, flags, true);

	if (result < 0)
		return error_set(error, -result, "KVM refuses %llu KiB of guest memory at 0x%llx (%s)",
				 (unsigned long long)(ram->size >> 10), (unsigned long long)ram->gpa,
				 strerror(-result));
	return 0;
}

int host_vm_add_ram(struct host_vm *vm, uint64_t gpa, void *ram, uint64_t size, struct error *error)
{
	assert(vm->rams < HOST_RAM_MAX);
	vm->ram[vm->rams] = (struct host_ram){ .gpa = gpa, .size = size, .memory = ram };
	return vm_set_slot(vm, vm->rams++, 0, error);
}

int host_vm_add_rom(struct host_vm *vm, uint64_t gpa, void *rom, uint64_t size, struct error *error)
{
	assert(vm->rams < HOST_RAM_MAX);
	vm->ram[vm->rams] = (struct host_ram){ .gpa = gpa, .size = size, .memory = rom, .rom = true };
	return vm_set_slot(vm, vm->rams++, 0, error);
}

int host_vm_add_window(struct host_vm *vm, uint64_t gpa, void *window, uint64_t size, struct error *error)
{
	assert(!vm->window.size);
	vm->window = (struct host_ram){ .gpa = gpa, .size = size, .memory = window, .rom = true };
	return vm_set_slot(vm, WINDOW_SLOT, 0, error);
}

int host_vm_show_rom(struct host_vm *vm, uint64_t gpa, bool shown)
{
	uint32_t slot = 0;

	if (vm->window.size && vm->window.gpa == gpa)
		return vm_call_slot(vm, WINDOW_SLOT, 0, shown);
	while (slot < vm->rams && !(vm->ram[slot].rom && vm->ram[slot].gpa == gpa))
		slot++;
	assert(slot < vm->rams);
	return vm_call_slot(vm, slot, 0, shown);
}

struct offset_attempt {
	int vm;
	struct kvm_arm_counter_offset argument;
};

static int offset_attempt(void *context)
{
	struct offset_attempt *attempt = context;

	return kvm_call(attempt->vm, KVM_ARM_SET_COUNTER_OFFSET, &attempt->argument);
}

int host_vm_set_counter_offset(struct host_vm *vm, uint64_t offset, struct error *error)
{
	struct offset_attempt attempt = { .vm = vm->vm, .argument = { .counter_offset = offset } };
	int result = busy_retry(offset_attempt, &attempt);

	if (result < 0)
		return error_set(error, -result, "KVM refuses the counter offset 0x%llx (%s)",
				 (unsigned long long)offset, strerror(-result));
	return 0;
}

/* What writes to ROM is the monitor alone, which keeps its own record of that. */
static int vm_log_slot(struct host_vm *vm, uint32_t slot, bool enabled, struct error *error)
{
	return vm->ram[slot].rom ? 0 : vm_set_slot(vm, slot, enabled ? KVM_MEM_LOG_DIRTY_PAGES : 0, error);
}

int host_vm_set_dirty_log(struct host_vm *vm, bool enabled, struct error *error)
{
	uint32_t slot = 0;
	int result = 0;

	for (; slot < vm->rams && !result; slot++)
		result = vm_log_slot(vm, slot, enabled, error);
	/* All or none: the caller of one that failed does not switch it off again. */
	for (struct error ignored; result && enabled && slot-- > 0;)
		vm_log_slot(vm, slot, false, &ignored);
	return result;
}

static int vm_get_slot_log(struct host_vm *vm, uint32_t slot, uint64_t *bitmap, struct error *error)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };
	int result;

	if (vm->ram[slot].rom) {
		memset(bitmap, 0, vm->ram[slot].size / MEMORY_PAGE_SIZE / 8);
		return 0;
	}
	result = kvm_call(vm->vm, KVM_GET_DIRTY_LOG, &log);
	return result < 0 ? error_set(error, -result, "KVM gives no dirty log (%s)", strerror(-result)) : 0;
}

int host_vm_get_dirty_log(struct host_vm *vm, uint64_t *bitmap, struct error *error)
{
	for (uint32_t slot = 0; slot < vm->rams; slot++) {
		int result = vm_get_slot_log(vm, slot, bitmap, error);

		if (result)
			return result;
		bitmap += dirty_log_spread(bitmap, vm->ram[slot].size, host_page_size());
	}
	return 0;
}

static int vm_set_line(struct host_vm *vm, uint32_t irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	return kvm_call(vm->vm, KVM_IRQ_LINE, &line);
}

int host_vm_set_bell(struct host_vm *vm, uint64_t gpa, uint32_t value, int event)
{
	struct kvm_ioeventfd bell = {
		.datamatch = value,
		.addr = gpa,
		.len = sizeof(value),
		.fd = event,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	return kvm_call(vm->vm, KVM_IOEVENTFD, &bell);
}

/*
 * KVM's numbers for SPIs begin at 0. On arm64 an event sets the level of such a line, in the context of whoever signals
 * it, and leaves it (kvm_arch_set_irq_inatomic, since Linux 5.9, once the GIC is initialised), as it has to for those
 * that are lowered at the end of the interrupt.
 */
int host_vm_set_call(struct host_vm *vm, uint32_t intid, int event, bool on)
{
	struct kvm_irqfd call = {
		.fd = (uint32_t)event,
		.gsi = intid - GIC_SPI_FIRST,
		.flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return kvm_call(vm->vm, KVM_IRQFD, &call);
}

int host_vm_set_spi(struct host_vm *vm, uint32_t intid, bool level)
{
	return vm_set_line(vm, KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid, level);
}

int host_vm_set_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid, bool level)
{
	return vm_set_line(vm, KVM_ARM_IRQ_TYPE_PPI << KVM_ARM_IRQ_TYPE_SHIFT | vcpu << KVM_ARM_IRQ_VCPU_SHIFT | intid,
			   level);
}
