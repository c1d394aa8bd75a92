/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plans: made part by part, and whole or not at all.
 *
 * Policy: see planner.h. Nothing is written here.
 */
#include "memory.h"
#include "planner.h"
#include "refusal.h"
#include "writes.h"

/* As many as KVM has vCPUs for a guest. */
#define CPUS_MAX 512u
/* At most: of all there is once, about 110 are used; and of each CPU. */
#define WRITES_ONCE 160u
#define WRITES_EACH 5u

_Static_assert((WRITES_ONCE + WRITES_EACH * CPUS_MAX) * sizeof(struct sc_write) +
			       CPUS_MAX * (sizeof(struct sc_vcpu_plan) + sizeof(uint64_t)) + 16 <=
		       SC_PLAN_ARENA_SIZE,
	       "the arena has room for any plan");

static bool is_rate(uint32_t hz)
{
	return hz >= SC_RATE_MIN_HZ && hz <= SC_RATE_MAX_HZ;
}

/* What is added to the address of a variable that each CPU has. */
static int read_offsets(struct planner *planner, struct sc_arena *arena)
{
	uint64_t va = planner->kernel->address[SC_VAR_PERCPU_OFFSET];

	planner->percpu = sc_arena_take(arena, planner->cpu_count * sizeof(*planner->percpu), planner->why);
	if (!planner->percpu)
		return -SC_REFUSED_SPACE;
	for (uint32_t cpu = 0; cpu < planner->cpu_count; cpu++)
		planner->percpu[cpu] = sc_planner_read(planner, va + 8ull * cpu, 8);
	return planner->err;
}

/* The lists, for as many CPUs as the kernel has. */
static int open(struct planner *planner, struct sc_arena *arena)
{
	uint32_t vcpus = planner->kernel->space.guest->vcpu_count;
	int err;

	planner->cpu_count = (uint32_t)sc_planner_read(planner, planner->kernel->address[SC_VAR_CPU_COUNT], 4);
	sc_planner_expect(planner, planner->cpu_count > 0 && planner->cpu_count <= CPUS_MAX, SC_REFUSED_UNKNOWN,
			  "the kernel has more CPUs than are taken, or none");
	if (planner->err)
		return planner->err;
	planner->plan->vcpus = sc_arena_take(arena, (uint64_t)vcpus * sizeof(*planner->plan->vcpus), planner->why);
	if (!planner->plan->vcpus)
		return -SC_REFUSED_SPACE;
	err = read_offsets(planner, arena);
	return err ? err
		   : sc_writes_begin(planner->plan, WRITES_ONCE + WRITES_EACH * planner->cpu_count, arena,
				     planner->why);
}

static int make(struct planner *planner, struct sc_arena *arena)
{
	if (!is_rate(planner->change->from_hz) || !is_rate(planner->change->to_hz))
		return refusal_set(planner->why, SC_REFUSED_UNKNOWN,
				   "counters of less than 1 MHz or more than 2 GHz are not known", NULL, NULL);
	planner->err = open(planner, arena);
	sc_plan_clocksource(planner);
	sc_plan_timekeeper(planner);
	sc_plan_vdso(planner);
	sc_plan_sched(planner);
	sc_plan_rates(planner);
	sc_plan_events(planner);
	sc_plan_timers(planner);
	return planner->err;
}

int sc_plan_make(struct sc_kernel *kernel, const struct sc_rate_change *change, struct sc_arena *arena,
		 struct sc_plan *plan, struct sc_refusal *why)
{
	struct planner planner = { .kernel = kernel, .change = change, .plan = plan, .why = why };
	const size_t used = arena->used;
	int err;

	*plan = (struct sc_plan){ 0 };
	/* What was translated last may have been mapped elsewhere since. */
	kernel->space.leaf_size = 0;
	err = make(&planner, arena);
	if (!err)
		return 0;
	arena->used = used;
	*plan = (struct sc_plan){ 0 };
	return err;
}
