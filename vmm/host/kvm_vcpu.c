/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs by KVM: creation, running, interrupting.
 *
 * Policy: an exit leaves its unfinished work (the answer to a load, the step past an instruction) to the next entry of
 * the guest. A stop therefore always enters once more with immediate_exit set, so that a stopped vCPU has no state
 * outside its registers.
 */
#include "host/host.h"

#include "host/kvm_api.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define KICK_SIGNAL SIGUSR1

#define CORE_REGISTER(name) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))

int kvm_get_register(int vcpu, uint64_t id, void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return kvm_call(vcpu, KVM_GET_ONE_REG, &reg);
}

int kvm_set_register(int vcpu, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return kvm_call(vcpu, KVM_SET_ONE_REG, &reg);
}

static int vcpu_init(struct host_vm *vm, struct host_vcpu *vcpu, bool on)
{
	struct kvm_vcpu_init init;
	int result = kvm_call(vm->vm, KVM_ARM_PREFERRED_TARGET, &init);

	if (result < 0)
		return result;
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (!on)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	return kvm_call(vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

static int vcpu_map(struct host_vm *vm, struct host_vcpu *vcpu)
{
	int size = kvm_call(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	void *run;

	if (size < 0)
		return size;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	vcpu->run = run;
	vcpu->run_size = (size_t)size;
	return 0;
}

int host_vcpu_create(struct host_vm *vm, struct host_vcpu *vcpu, uint32_t index, bool on, struct error *error)
{
	int result;

	*vcpu = (struct host_vcpu){ .fd = -1, .index = index };
	vcpu->fd = result = kvm_call(vm->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)index);
	if (result >= 0)
		result = vcpu_map(vm, vcpu);
	if (result >= 0)
		result = vcpu_init(vm, vcpu, on);
	if (result >= 0)
		return 0;
	host_vcpu_destroy(vcpu);
	return error_set(error, -result, "KVM cannot create vCPU %u (%s)", index, strerror(-result));
}

int host_vcpu_reset(struct host_vm *vm, struct host_vcpu *vcpu, bool on, struct error *error)
{
	int result = vcpu_init(vm, vcpu, on);

	return result < 0 ? error_set(error, -result, "KVM cannot reset vCPU %u (%s)", vcpu->index, strerror(-result))
			  : 0;
}

void host_vcpu_destroy(struct host_vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	*vcpu = (struct host_vcpu){ .fd = -1 };
}

int host_vcpu_set_stolen(struct host_vcpu *vcpu, uint64_t gpa, struct error *error)
{
	struct kvm_device_attr attr = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL,
		.attr = KVM_ARM_VCPU_PVTIME_IPA,
		.addr = (uintptr_t)&gpa,
	};
	int result = kvm_call(vcpu->fd, KVM_SET_DEVICE_ATTR, &attr);

	if (result == -ENXIO)
		return error_set(error, EOPNOTSUPP,
				 "this host's KVM cannot tell a guest of stolen time: its kernel was built without "
				 "CONFIG_SCHED_INFO");
	return result < 0 ? error_set(error, -result, "KVM refuses the record of stolen time of vCPU %u (%s)",
				      vcpu->index, strerror(-result))
			  : 0;
}

int host_vcpu_set_entry(struct host_vcpu *vcpu, uint64_t pc, uint64_t x0, struct error *error)
{
	int result = kvm_set_register(vcpu->fd, CORE_REGISTER(regs.pc), &pc);

	if (!result)
		result = host_vcpu_set_x(vcpu, 0, x0);
	if (result)
		return error_set(error, -result, "KVM refuses the entry point of the guest (%s)", strerror(-result));
	return 0;
}

int host_vcpu_get_x(struct host_vcpu *vcpu, uint32_t n, uint64_t *value)
{
	return kvm_get_register(vcpu->fd, CORE_REGISTER(regs.regs[0]) + 2ull * n, value);
}

int host_vcpu_set_x(struct host_vcpu *vcpu, uint32_t n, uint64_t value)
{
	return kvm_set_register(vcpu->fd, CORE_REGISTER(regs.regs[0]) + 2ull * n, &value);
}

int host_vcpu_is_on(struct host_vcpu *vcpu, bool *on)
{
	struct kvm_mp_state state;
	int result = kvm_call(vcpu->fd, KVM_GET_MP_STATE, &state);

	if (!result)
		*on = state.mp_state != KVM_MP_STATE_STOPPED;
	return result;
}

int host_vcpu_get_tables(struct host_vcpu *vcpu, struct host_tables *tables)
{
	int result = kvm_get_register(vcpu->fd, ARM64_SYS_REG(3, 0, 2, 0, 1), &tables->ttbr1);

	if (!result)
		result = kvm_get_register(vcpu->fd, ARM64_SYS_REG(3, 0, 2, 0, 2), &tables->tcr);
	if (!result)
		result = kvm_get_register(vcpu->fd, ARM64_SYS_REG(3, 0, 1, 0, 0), &tables->sctlr);
	return result;
}

#define CNTKCTL_EL1 ARM64_SYS_REG(3, 0, 14, 1, 0)

int host_vcpu_get_timers(struct host_vcpu *vcpu, struct host_timers *timers)
{
	const struct {
		uint64_t id;
		uint64_t *value;
	} wanted[] = {
		{ CORE_REGISTER(regs.pc), &timers->pc },
		{ ARM64_SYS_REG(3, 0, 13, 0, 4), &timers->tpidr },
		{ KVM_REG_ARM_TIMER_CTL, &timers->cntv_ctl },
		{ KVM_REG_ARM_TIMER_CVAL, &timers->cntv_cval },
		{ KVM_REG_ARM_PTIMER_CTL, &timers->cntp_ctl },
		{ KVM_REG_ARM_PTIMER_CVAL, &timers->cntp_cval },
		{ CNTKCTL_EL1, &timers->cntkctl },
	};
	int result = 0;

	for (size_t n = 0; !result && n < sizeof(wanted) / sizeof(wanted[0]); n++)
		result = kvm_get_register(vcpu->fd, wanted[n].id, wanted[n].value);
	return result;
}

int host_vcpu_set_timers(struct host_vcpu *vcpu, const struct host_timers *timers)
{
	int result = kvm_set_register(vcpu->fd, KVM_REG_ARM_TIMER_CVAL, &timers->cntv_cval);

	if (!result)
		result = kvm_set_register(vcpu->fd, KVM_REG_ARM_PTIMER_CVAL, &timers->cntp_cval);
	if (!result)
		result = kvm_set_register(vcpu->fd, CNTKCTL_EL1, &timers->cntkctl);
	return result;
}

static void exit_set_hypercall(const struct kvm_run *run, struct host_exit *exit)
{
	uint64_t flags;

	/* Older headers call the first half of the flags `longmode`, after the only other user of this exit. */
	memcpy(&flags, (const char *)&run->hypercall.ret + sizeof(run->hypercall.ret), sizeof(flags));
	exit->kind = HOST_EXIT_HYPERCALL;
	exit->smc = flags & KVM_HYPERCALL_EXIT_SMC;
	exit->w0 = (uint32_t)run->hypercall.nr;
}

static void exit_set_mmio(struct kvm_run *run, struct host_exit *exit)
{
	exit->kind = HOST_EXIT_MMIO;
	exit->gpa = run->mmio.phys_addr;
	exit->size = run->mmio.len;
	exit->write = run->mmio.is_write;
	exit->data = run->mmio.data;
}

static enum host_exit_kind exit_system_event(const struct kvm_run *run)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return HOST_EXIT_SHUTDOWN;
	case KVM_SYSTEM_EVENT_RESET:
		return HOST_EXIT_RESET;
	default:
		return HOST_EXIT_UNKNOWN;
	}
}

static void exit_set(struct kvm_run *run, struct host_exit *exit)
{
	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		exit_set_mmio(run, exit);
		break;
	case KVM_EXIT_HYPERCALL:
		exit_set_hypercall(run, exit);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		exit->kind = exit_system_event(run);
		exit->reason = run->exit_reason;
		break;
	default:
		exit->kind = HOST_EXIT_UNKNOWN;
		exit->reason = run->exit_reason;
	}
}

int host_vcpu_run(struct host_vcpu *vcpu, struct host_exit *exit)
{
	int result = kvm_call(vcpu->fd, KVM_RUN, NULL);

	*exit = (struct host_exit){ .kind = HOST_EXIT_INTERRUPTED };
	if (result == -EINTR || result == -EAGAIN)
		return 0;
	if (result < 0)
		return result;
	exit_set(vcpu->run, exit);
	return 0;
}

static void kick_ignore(int signal)
{
	(void)signal; /* its arrival alone ends KVM_RUN */
}

void host_vcpu_allow_kicks(void)
{
	struct sigaction action = { .sa_handler = kick_ignore };
	sigset_t kick;

	/* Handler and mask are there when a thread begins: without the handler the signal would end the process. */
	sigaction(KICK_SIGNAL, &action, NULL);
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

void host_vcpu_kick(struct host_vcpu *vcpu, pthread_t thread)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(thread, KICK_SIGNAL);
}

void host_vcpu_unkick(struct host_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}
