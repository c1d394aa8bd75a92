/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPUs' timers.
 *
 * Policy: a vCPU that was stopped while it programmed its timer has computed a number of ticks and not yet set it: such
 * a guest is not moved at this instant. It is told by its program counter, and by a deadline that is later than the
 * event for which the kernel says it is.
 */
#include "deadline.h"
#include "planner.h"

static bool is_programming(const struct sc_kernel *kernel, uint64_t pc)
{
	for (uint32_t n = 0; n < SC_FUNCTION_COUNT; n++)
		if (pc >= kernel->code[n].start && pc < kernel->code[n].end)
			return true;
	return false;
}

/* How far CLOCK_MONOTONIC is, in ns. */
static uint64_t monotonic(const struct planner *planner)
{
	const struct keeper *keeper = &planner->keeper[0];

	return sc_keeper_mono_base(&planner->epoch) +
	       (uint64_t)(sc_keeper_read(keeper, &keeper->mono, planner->change->from_ticks) >> keeper->mono.shift);
}

/* Whether it is the offset of a CPU, and that one is up. */
static bool is_online(struct planner *planner, uint64_t tpidr)
{
	for (uint32_t cpu = 0; tpidr && cpu < planner->cpu_count; cpu++)
		if (planner->percpu[cpu] == tpidr)
			return sc_planner_online(planner, cpu);
	return false;
}

static void check_vcpu(struct planner *planner, const struct sc_vcpu_timers *timers)
{
	uint64_t event;
	int64_t ns;

	sc_planner_expect(planner, is_online(planner, timers->tpidr), SC_REFUSED_BUSY,
			  "a vCPU is none of the CPUs that the kernel says are up");
	sc_planner_expect(planner, !is_programming(planner->kernel, timers->pc), SC_REFUSED_BUSY,
			  "a vCPU is about to program its timer");
	event = sc_planner_get(planner, sc_planner_event(planner, timers->tpidr), SC_EVENT_NEXT_EVENT);
	if (planner->err)
		return;
	/* Both are below 2^63; what a guest has forged gives some number. */
	ns = (int64_t)(event - monotonic(planner));
	sc_planner_expect(planner,
			  !sc_deadline_is_late(timers, planner->change->from_ticks, planner->change->from_hz, ns),
			  SC_REFUSED_BUSY, "a vCPU's timer is set later than to the kernel's next event");
}

/* Each vCPU that is on is one that is up; so many there must be. */
static void check_count(struct planner *planner, uint32_t on)
{
	uint32_t online = 0;

	for (uint32_t cpu = 0; !planner->err && cpu < planner->cpu_count; cpu++)
		online += sc_planner_online(planner, cpu);
	sc_planner_expect(planner, online == on, SC_REFUSED_BUSY, "the kernel is about to bring a CPU up or down");
}

void sc_plan_timers(struct planner *planner)
{
	const struct sc_guest_port *guest = planner->kernel->space.guest;
	uint32_t on = 0;

	for (uint32_t n = 0; !planner->err && n < guest->vcpu_count; n++) {
		struct sc_vcpu_plan *vcpu = &planner->plan->vcpus[n];
		struct sc_vcpu_timers timers = { 0 };

		*vcpu = (struct sc_vcpu_plan){ .on = guest->timers(guest->context, n, &timers) };
		if (!vcpu->on)
			continue;
		on++;
		check_vcpu(planner, &timers);
		sc_deadline_move(&timers, planner->change, &vcpu->timers);
	}
	check_count(planner, on);
}
