/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPUs of a machine: a thread each, and the means to hold all of them outside the guest.
 *
 * Policy: a hold is counted, so that two who need the guest to stand still at once do not let it go under each other. A
 * held vCPU has no state outside its registers. What an exit means is decided by the machine, in vcpu_exit_fn.
 */
#ifndef VMM_MACHINE_VCPU_H
#define VMM_MACHINE_VCPU_H

#include "base/lock.h"
#include "host/host.h"

#include <pthread.h>
#include <stdbool.h>

struct vcpu_set;

/* What follows for the vCPU from an exit. */
enum vcpu_next {
	VCPU_RUNS,
	VCPU_WAITS, /* until vcpus_answer() */
	VCPU_HALTS, /* with all others: the guest can never go on */
};

/* Carries out what an exit asks for. */
typedef enum vcpu_next (*vcpu_exit_fn)(void *machine, uint32_t vcpu, const struct host_exit *exit);

struct vcpu {
	struct vcpu_set *set;
	struct host_vcpu host;
	pthread_t thread;
	bool started;
	bool unfinished; /* its thread's own: the last exit is completed by the next entry */
	bool waits;	 /* for vcpus_answer(); with the set's lock */
	bool on;	 /* powered on, as last known; atomic */
	bool looks;	 /* its thread is to find that out when it leaves the guest; atomic */
};

struct vcpu_set {
	struct lock lock;
	pthread_cond_t changed;
	uint32_t count;
	uint32_t holds;
	uint32_t parked;
	uint32_t aside; /* of the parked */
	bool halted;	/* the guest can never go on */
	bool ending;
	vcpu_exit_fn on_exit;
	void *machine;
	struct vcpu vcpu[SC_VCPU_MAX];
};

/* vCPUs of `vm`, held once; the first is on if `first_on`. */
int vcpus_create(struct vcpu_set *set, struct host_vm *vm, uint32_t count, bool first_on, vcpu_exit_fn on_exit,
		 void *machine, struct error *error);
/* Ends the threads and the vCPUs; none are left. */
void vcpus_destroy(struct vcpu_set *set);

/* Starts the threads; they stay outside the guest while held. */
int vcpus_start(struct vcpu_set *set, struct error *error);

/* After vcpus_park() returns no vCPU is in the guest until as many vcpus_unpark() have been called. */
void vcpus_park(struct vcpu_set *set);
void vcpus_unpark(struct vcpu_set *set);

/*
 * For a vCPU's thread, while an exit is carried out: it waits for something outside, and may do so for long. Until it
 * steps back it counts as held outside the guest, though an access of the guest is unfinished.
 */
void vcpus_step_aside(struct vcpu_set *set);
void vcpus_step_back(struct vcpu_set *set);
/* Of vCPUs that are held: waits until none of them has anything unfinished. -EBUSY if one has stepped aside. */
int vcpus_settle(struct vcpu_set *set);

/* As after vcpus_create(), but for the registers: the first is on, none waits or has halted. All are parked. */
void vcpus_reset(struct vcpu_set *set);

/*
 * A held vCPU's call returns: X0 is `result`, X6 and X7 are `value`. It goes on when it is released. -errno if KVM
 * fails us; then it waits for ever.
 */
int vcpus_answer(struct vcpu_set *set, const struct sc_hold_answer *answer);

/* Bit n: vCPU n is powered on. All vCPUs are held. */
uint32_t vcpus_online(struct vcpu_set *set);

/*
 * The same as last known, without a wait for any vCPU or a call that one of KVM's could meet. Also has each vCPU that
 * runs look anew: what it finds is known the next time.
 */
uint32_t vcpus_known_online(struct vcpu_set *set);

#endif
