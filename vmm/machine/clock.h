/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest time, and the only owner of everything it consists of: the counter offset, the reference TSC page, the
 * synthetic timers with their messages, and the wake-up for the next of them.
 *
 * Policy: all decisions are the core's; this file holds its lock, gives it the counter and carries out what it asks. An
 * expiry is raised as a level where the guest has declared that its handler rewrites the timer, else as an edge through
 * the pending latch, for which all vCPUs must be out of the guest: clock_needs_latch(), clock_latch(). A message always
 * goes with an edge: both are given at once, or both wait while the interrupt is active or the slot is taken.
 */
#ifndef VMM_MACHINE_CLOCK_H
#define VMM_MACHINE_CLOCK_H

#include "base/lock.h"
#include "host/host.h"
#include "host/memory.h"

#include <pthread.h>
#include <stdbool.h>

struct clock {
	struct lock lock;
	struct host_vm *vm;
	struct memory *memory;
	struct sc_partition partition;
	struct sc_stop_point stop; /* while stopped */
	uint64_t offset;	   /* guest counter = host counter - offset, modulo 2^64 */
	bool stopped;
	sc_ns_t latch_retry; /* until the next try, while interrupts are active */
	int timer;	     /* readable when a synthetic timer may be due */
	bool aimed;	     /* the timer is armed for `aim`, and has not fired */
	sc_ref_t aim;
	sc_ref_t raised[SC_VCPU_MAX][SC_STIMER_COUNT]; /* when a line was asserted, or loaded so */
	int guest_event_fd;	  /* readable when the guest has declared something of its clock, or holds */
	uint32_t refusals_logged; /* register accesses of the guest that were refused and logged */
};

/* The policies by the names that users write; false if it is neither. */
bool clock_policy_parse(const char *text, enum sc_clock_policy *policy);
const char *clock_policy_name(enum sc_clock_policy policy);

/* Guest time starts at 0, stopped. */
int clock_init(struct clock *clock, struct host_vm *vm, struct memory *memory, uint32_t vcpus, struct error *error);
void clock_destroy(struct clock *clock);

/* The guest's side of it as at the start, lines down; guest time goes on, or stays stopped. All vCPUs are parked. */
void clock_reset(struct clock *clock);

/*
 * Stops guest time at this moment, and starts it again with the gap since then counted or not. All vCPUs are out of the
 * guest. Stopping twice keeps the first moment.
 */
void clock_stop(struct clock *clock);
int clock_start(struct clock *clock, enum sc_clock_policy policy, struct error *error);

/* A hypercall of a vCPU; the effects on time are carried out, those on other things are in the outcome. */
void clock_hypercall(struct clock *clock, uint32_t vcpu, const struct sc_call *call, const void *input, void *output,
		     struct sc_call_outcome *outcome);

/* After clock->timer became readable: raises what is due as a level, and sets the next wake-up. */
void clock_expire(struct clock *clock);

/* True if something is due that must go through the pending latch. */
bool clock_needs_latch(struct clock *clock);
/* Does that, unless time has been stopped meanwhile; all vCPUs are out of the guest. */
void clock_latch(struct clock *clock);

bool clock_is_stopped(struct clock *clock);

/* Reference time, now or where it stopped; the same for who has the lock. */
sc_ref_t clock_reference(struct clock *clock);
sc_ref_t clock_now(const struct clock *clock);
/* As sc_partition_follow(). */
struct sc_follow clock_follow(struct clock *clock, uint32_t online, enum sc_move move);
/* True if the guest's driver has declared that its clock is on the page. */
bool clock_is_prepared(struct clock *clock);
uint64_t clock_crash_register(struct clock *clock, uint32_t n);

/* Asks SC_ASK_* of the guest, by an interrupt if that is new. */
void clock_request(struct clock *clock, uint64_t asked);
/* True if a vCPU stands in a hold. */
bool clock_is_held(struct clock *clock);
/* Ends the hold, as sc_hold_end(); the caller gives the answer to the vCPU. False if there is none. */
bool clock_end_hold(struct clock *clock, uint64_t outcome, struct sc_hold_answer *answer);

/* As host_vm_set_counter_offset() has it. */
uint64_t clock_offset(struct clock *clock);

/* When a stopped clock stopped, by this host's counter. */
sc_ns_t clock_stopped_at(const struct clock *clock);

/* What the guest's counter read when it stopped. */
sc_ticks_t clock_stopped_counter(const struct clock *clock);

/* The rate of the counter that it is computed for; and of the one where a loaded clock stopped, as its record has it.
 */
uint32_t clock_hz(const struct clock *clock);
uint32_t clock_stopped_hz(const struct clock *clock);

/* The record of a stopped clock. */
int clock_save(struct clock *clock, struct buffer *state, struct error *error);

/* What clock_load() needs to know of the handoff: target counter = source counter + difference, in ns of each host. */
struct clock_handoff {
	int64_t difference_ns;
	enum sc_clock_policy policy;
	bool repair; /* a guest that does not follow is repaired: its architectural timers stay as they are until then
		      */
};

/*
 * Takes over another host's stopped clock: offset, page and timers are right from here on, before any vCPU runs. Tells
 * in *rebase how architectural timers move, and in *gap what passed between the stop and now.
 */
int clock_load(struct clock *clock, struct cursor *state, const struct clock_handoff *handoff,
	       struct host_rebase *rebase, sc_ns_t *gap, struct error *error);

/* Starts the wake-ups of a loaded clock; guest time already goes on. */
void clock_run_loaded(struct clock *clock);

#endif
