/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of vCPUs: see the header. */
#include "machine/exit.h"

#include "base/log.h"
#include "machine/crash.h"
#include "machine/hypercall.h"

#include <string.h>

static void exit_mmio(struct machine *machine, uint32_t vcpu, const struct host_exit *exit)
{
	/* EDK2 stores into its own code, which takes it without a change. */
	if (bus_access(&machine->devices.bus, exit->gpa, exit->size, exit->write, exit->data) &&
	    !memory_is_rom(&machine->memory, exit->gpa))
		log_guest(&machine->guest_lines_logged, "%s: vCPU %u %s %u bytes at 0x%llx, where nothing is",
			  machine->config.name, vcpu, exit->write ? "writes" : "reads", exit->size,
			  (unsigned long long)exit->gpa);
}

/* The guest has declared its clocksource. Only a change of whether it can follow is logged, not each one for a move. */
static void exit_note_clock(struct machine *machine)
{
	bool follows = clock_follow(&machine->clock, 0, SC_MOVE_ASKED).level != SC_LEVEL_NONE;

	if (__atomic_exchange_n(&machine->follows, follows, __ATOMIC_RELAXED) != follows)
		log_guest(&machine->guest_lines_logged, "%s: the guest's clock %s a move to another counter rate",
			  machine->config.name, follows ? "follows" : "no longer follows");
}

/* The guest is down: what its description says of that. */
static void exit_act(struct machine *machine, enum config_action action, enum machine_end end)
{
	if (action == CONFIG_RESET)
		machine_restart(machine, end);
	else
		machine_finish(machine, end);
}

static enum vcpu_next exit_hypercall(struct machine *machine, struct host_vcpu *vcpu, const struct host_exit *exit)
{
	uint32_t effects = 0;
	int result = exit->smc ? hypercall_refuse(vcpu)
			       : hypercall_handle(&machine->clock, &machine->memory, vcpu, exit->w0, &effects);

	if (result) {
		log_line("%s: KVM does not give the registers of vCPU %u (%s)", machine->config.name, vcpu->index,
			 strerror(-result));
		machine_finish(machine, MACHINE_END_FAILED);
		return VCPU_HALTS;
	}
	if (effects & SC_EFFECT_GUEST_CLOCK)
		exit_note_clock(machine);
	if (effects & SC_EFFECT_HOLD)
		return VCPU_WAITS;
	if (!(effects & SC_EFFECT_CRASH))
		return VCPU_RUNS;
	crash_report(machine->config.name, &machine->clock, &machine->memory, &machine->crashes_logged);
	exit_act(machine, machine->config.on_panic, MACHINE_END_PANIC);
	return VCPU_HALTS;
}

enum vcpu_next exit_handle(void *context, uint32_t vcpu, const struct host_exit *exit)
{
	struct machine *machine = context;

	switch (exit->kind) {
	case HOST_EXIT_INTERRUPTED:
		return VCPU_RUNS;
	case HOST_EXIT_MMIO:
		exit_mmio(machine, vcpu, exit);
		return VCPU_RUNS;
	case HOST_EXIT_HYPERCALL:
		return exit_hypercall(machine, &machine->vcpus.vcpu[vcpu].host, exit);
	case HOST_EXIT_SHUTDOWN:
		machine_finish(machine, MACHINE_END_POWER_OFF);
		return VCPU_HALTS;
	case HOST_EXIT_RESET:
		exit_act(machine, machine->config.on_reboot, MACHINE_END_RESET);
		return VCPU_HALTS;
	case HOST_EXIT_UNKNOWN:
		break;
	}
	log_line("%s: vCPU %u left the guest for KVM's reason %u, which this monitor does not know",
		 machine->config.name, vcpu, exit->reason);
	machine_finish(machine, MACHINE_END_FAILED);
	return VCPU_HALTS;
}
