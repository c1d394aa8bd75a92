/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The planner: reads the kernel's variables by the names of their members, and takes up what they are to be.
 *
 * Policy: the first refusal stays. After it nothing is read any more and nothing taken up, what is read is 0, and every
 * function may be called all the same; so what is planned reads like a list, and sc_plan_make() looks once, at the end.
 * A value is written only where it was read, in one aligned piece, and at most once. Each part of the kernel is
 * computed twice, for the old rate and for the new one: what it has must be what was computed for the old one, or it is
 * not known what it means.
 */
#ifndef REPAIR_PLANNER_H
#define REPAIR_PLANNER_H

#include "keeper.h"

#include <seaclock/repair.h>

struct planner {
	struct sc_kernel *kernel;
	const struct sc_rate_change *change;
	struct sc_plan *plan;
	struct sc_refusal *why;
	int err; /* of the first refusal */
	/* What one part finds and another one needs: */
	struct scale_clocksource source[2]; /* of the old rate and of the new one */
	uint64_t mask;			    /* of the counter */
	uint32_t clock_mode;		    /* of the clocksource, in the vDSO */
	uint64_t vdso;			    /* where the clocks of the vDSO lie */
	struct keeper keeper[2];
	struct keeper_epoch epoch;
	uint32_t cpu_count; /* numbers of CPUs are less */
	uint64_t *percpu;   /* added to the address of a variable that each CPU has; 0 if there is no such CPU */
};

/* Refuses, if nothing was refused yet. */
void sc_planner_refuse(struct planner *planner, enum sc_refusal_reason reason, const char *clause);

/* Refuses unless it is so. */
void sc_planner_expect(struct planner *planner, bool so, enum sc_refusal_reason reason, const char *clause);

/* A number of 1, 2, 4 or 8 bytes at a kernel address. */
uint64_t sc_planner_read(struct planner *planner, uint64_t va, uint32_t size);

/* What it is to be, of which its bytes count; if that is what it is, it is compared when the plan is carried out. */
void sc_planner_write(struct planner *planner, uint64_t va, uint32_t size, uint64_t value);

/* Whether the kernel's series has such a member; where what others have in its place is written anew. */
bool sc_planner_has(const struct planner *planner, enum sc_field field);

/* Where a member of the structure at an address lies. */
uint64_t sc_planner_at(const struct planner *planner, uint64_t base, enum sc_field field);

/* The number that is a member. */
uint64_t sc_planner_get(struct planner *planner, uint64_t base, enum sc_field field);
void sc_planner_set(struct planner *planner, uint64_t base, enum sc_field field, uint64_t value);

/* A sequence count that readers look at, which says that they have to begin anew; in motion it is odd, and refused. */
void sc_planner_bump(struct planner *planner, uint64_t base, enum sc_field field, const char *what);

/* ---- The kernel's CPUs (repair/events.c) ---- */

bool sc_planner_online(struct planner *planner, uint32_t cpu);

/* The clock event device of the CPU for which that is added. */
uint64_t sc_planner_event(struct planner *planner, uint64_t percpu);

/* ---- The parts of the kernel, in this order ---- */

void sc_plan_clocksource(struct planner *planner);
void sc_plan_timekeeper(struct planner *planner);
void sc_plan_vdso(struct planner *planner);
void sc_plan_sched(struct planner *planner);
void sc_plan_rates(struct planner *planner);
void sc_plan_events(struct planner *planner);
void sc_plan_timers(struct planner *planner);

#endif
