/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUs' clock event devices, and what the kernel has written down of each CPU.
 *
 * Policy: a device of a CPU that is down is repaired as well. CPUs that never came up have none, nor a rate. Sources:
 * Linux 6.12, kernel/time/clockevents.c, drivers/clocksource/arm_arch_timer.c, arch/arm64/kernel/cpuinfo.c.
 */
#include "planner.h"

#define FEATURE_ONESHOT 2u

bool sc_planner_online(struct planner *planner, uint32_t cpu)
{
	uint64_t va = planner->kernel->address[SC_VAR_CPU_ONLINE] + cpu / 64 * 8ull;

	return sc_planner_read(planner, va, 8) >> cpu % 64 & 1;
}

uint64_t sc_planner_event(struct planner *planner, uint64_t percpu)
{
	return sc_planner_read(planner, planner->kernel->address[SC_VAR_TIMER_EVT], 8) + percpu;
}

static bool is_device(struct planner *planner, uint64_t va, const struct scale_event *event)
{
	return sc_planner_get(planner, va, SC_EVENT_SET_NEXT_EVENT) ==
		       planner->kernel->code[SC_FUNCTION_SET_NEXT_EVENT_VIRT].start &&
	       sc_planner_get(planner, va, SC_EVENT_FEATURES) & FEATURE_ONESHOT &&
	       sc_planner_get(planner, va, SC_EVENT_MULT) == event->scale.mult &&
	       sc_planner_get(planner, va, SC_EVENT_SHIFT) == event->scale.shift &&
	       sc_planner_get(planner, va, SC_EVENT_MIN_DELTA_NS) == event->min_ns &&
	       sc_planner_get(planner, va, SC_EVENT_MAX_DELTA_NS) == event->max_ns;
}

/* A CPU that is not up may be on its way. */
static void plan_device(struct planner *planner, uint64_t va, bool online)
{
	uint64_t min_ticks = sc_planner_get(planner, va, SC_EVENT_MIN_DELTA_TICKS);
	uint64_t max_ticks = sc_planner_get(planner, va, SC_EVENT_MAX_DELTA_TICKS);
	struct scale_event from = sc_scale_event(planner->change->from_hz, min_ticks, max_ticks);
	struct scale_event to = sc_scale_event(planner->change->to_hz, min_ticks, max_ticks);

	sc_planner_expect(planner, is_device(planner, va, &from), online ? SC_REFUSED_UNKNOWN : SC_REFUSED_BUSY,
			  "a CPU's clock event device is none of the counter's, or has another rate");
	sc_planner_set(planner, va, SC_EVENT_MULT, to.scale.mult);
	sc_planner_set(planner, va, SC_EVENT_SHIFT, to.scale.shift);
	sc_planner_set(planner, va, SC_EVENT_MIN_DELTA_NS, to.min_ns);
	sc_planner_set(planner, va, SC_EVENT_MAX_DELTA_NS, to.max_ns);
}

static void plan_info(struct planner *planner, uint64_t percpu)
{
	uint64_t va = planner->kernel->address[SC_VAR_CPU_DATA] + percpu;

	sc_planner_expect(planner, sc_planner_get(planner, va, SC_CPUINFO_CNTFRQ) == planner->change->from_hz,
			  SC_REFUSED_UNKNOWN, "a CPU has another CNTFRQ_EL0 than the counter's rate");
	sc_planner_set(planner, va, SC_CPUINFO_CNTFRQ, planner->change->to_hz);
}

static void plan_cpu(struct planner *planner, uint32_t cpu)
{
	uint64_t percpu = planner->percpu[cpu], event = sc_planner_event(planner, percpu);
	bool online = sc_planner_online(planner, cpu);
	bool was_up = percpu && sc_planner_get(planner, event, SC_EVENT_MULT);

	if (online) {
		uint64_t tick = planner->kernel->address[SC_VAR_TICK_DEVICE] + percpu;

		sc_planner_expect(planner, was_up && sc_planner_get(planner, tick, SC_TICK_EVTDEV) == event,
				  SC_REFUSED_UNKNOWN, "a CPU's tick does not come from the counter's timer");
	}
	if (was_up) {
		plan_device(planner, event, online);
		plan_info(planner, percpu);
	}
}

void sc_plan_events(struct planner *planner)
{
	for (uint32_t cpu = 0; !planner->err && cpu < planner->cpu_count; cpu++)
		plan_cpu(planner, cpu);
}
