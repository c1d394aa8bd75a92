/* SPDX-License-Identifier: BSD-2-Clause */
/* The vCPUs of a machine: see the header. */
#include "machine/vcpu.h"

#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <string.h>

int vcpus_create(struct vcpu_set *set, struct host_vm *vm, uint32_t count, bool first_on, vcpu_exit_fn on_exit,
		 void *machine, struct error *error)
{
	*set = (struct vcpu_set){ .holds = 1, .on_exit = on_exit, .machine = machine };
	lock_init(&set->lock, LOCK_VCPUS);
	pthread_cond_init(&set->changed, NULL);
	for (; set->count < count; set->count++) {
		struct vcpu *vcpu = &set->vcpu[set->count];
		int result = host_vcpu_create(vm, &vcpu->host, set->count, first_on && !set->count, error);

		if (result) {
			vcpus_destroy(set);
			return result;
		}
		vcpu->set = set;
		vcpu->on = first_on && !set->count;
	}
	return 0;
}

static void vcpu_set_on(struct vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->on, on, __ATOMIC_RELAXED);
}

/* A vCPU that does not answer counts as on: the stricter reading. */
static bool vcpu_ask_on(struct vcpu *vcpu)
{
	bool on = true;

	if (host_vcpu_is_on(&vcpu->host, &on))
		on = true;
	vcpu_set_on(vcpu, on);
	return on;
}

/* With the lock held. False when the thread is to end. */
static bool vcpu_park(struct vcpu_set *set, const struct vcpu *vcpu)
{
	set->parked++;
	pthread_cond_broadcast(&set->changed);
	while ((set->holds || set->halted || vcpu->waits) && !set->ending)
		lock_wait(&set->lock, &set->changed);
	set->parked--;
	return !set->ending;
}

/*
 * Waits while the vCPU is held. False when the thread is to end. With unfinished work it runs although it is held: the
 * kick that belongs to the hold lets it do that work and nothing else. A guest that does not go on may be reset, and
 * then such work must not be left to its new life, so its vCPUs are kicked here.
 */
static bool vcpu_may_run(struct vcpu_set *set, struct vcpu *vcpu)
{
	bool run = true;

	lock_take(&set->lock);
	if (set->halted && vcpu->unfinished && !set->ending)
		host_vcpu_kick(&vcpu->host, pthread_self());
	else if ((set->holds && !vcpu->unfinished) || set->halted || set->ending || vcpu->waits)
		run = vcpu_park(set, vcpu);
	lock_drop(&set->lock);
	return run;
}

/* What an exit leads to. A call without an answer leaves nothing to the next entry of the guest. */
static void vcpu_follow(struct vcpu_set *set, struct vcpu *vcpu, enum vcpu_next next)
{
	if (next == VCPU_RUNS)
		return;
	lock_take(&set->lock);
	if (next == VCPU_HALTS) {
		set->halted = true;
	} else {
		vcpu->unfinished = false;
		vcpu->waits = true;
	}
	lock_drop(&set->lock);
}

/* With nobody holding the vCPU, the kick was for a look only. */
static void vcpu_look(struct vcpu_set *set, struct vcpu *vcpu)
{
	if (!__atomic_exchange_n(&vcpu->looks, false, __ATOMIC_SEQ_CST))
		return;
	vcpu_ask_on(vcpu);
	lock_take(&set->lock);
	if (!set->holds && !set->ending)
		host_vcpu_unkick(&vcpu->host);
	lock_drop(&set->lock);
}

static void vcpu_step(struct vcpu_set *set, struct vcpu *vcpu)
{
	struct host_exit exit;
	int result = host_vcpu_run(&vcpu->host, &exit);

	if (result) {
		log_line("KVM cannot run vCPU %u (%s)", vcpu->host.index, strerror(-result));
		exit = (struct host_exit){ .kind = HOST_EXIT_UNKNOWN };
	}
	vcpu->unfinished = !result && exit.kind != HOST_EXIT_INTERRUPTED;
	if (exit.kind == HOST_EXIT_INTERRUPTED)
		return vcpu_look(set, vcpu);
	vcpu_set_on(vcpu, true);
	vcpu_follow(set, vcpu, set->on_exit(set->machine, vcpu->host.index, &exit));
}

static void *vcpu_thread(void *argument)
{
	struct vcpu *vcpu = argument;

	thread_number(vcpu->host.index);
	while (vcpu_may_run(vcpu->set, vcpu))
		vcpu_step(vcpu->set, vcpu);
	return NULL;
}

int vcpus_start(struct vcpu_set *set, struct error *error)
{
	host_vcpu_allow_kicks();
	for (uint32_t n = 0; n < set->count; n++) {
		struct vcpu *vcpu = &set->vcpu[n];
		int result = thread_start(&vcpu->thread, THREAD_VCPU, vcpu_thread, vcpu);

		if (result)
			return error_set(error, result, "no thread for vCPU %u (%s)", n, strerror(result));
		vcpu->started = true;
	}
	return 0;
}

static void vcpus_kick(struct vcpu_set *set)
{
	for (uint32_t n = 0; n < set->count; n++)
		if (set->vcpu[n].started)
			host_vcpu_kick(&set->vcpu[n].host, set->vcpu[n].thread);
}

static uint32_t vcpus_started(const struct vcpu_set *set)
{
	uint32_t started = 0;

	for (uint32_t n = 0; n < set->count; n++)
		started += set->vcpu[n].started;
	return started;
}

void vcpus_park(struct vcpu_set *set)
{
	lock_take(&set->lock);
	if (!set->holds++)
		vcpus_kick(set);
	while (set->parked < vcpus_started(set))
		lock_wait(&set->lock, &set->changed);
	lock_drop(&set->lock);
}

void vcpus_step_aside(struct vcpu_set *set)
{
	lock_take(&set->lock);
	set->aside++;
	set->parked++;
	pthread_cond_broadcast(&set->changed);
	lock_drop(&set->lock);
}

void vcpus_step_back(struct vcpu_set *set)
{
	lock_take(&set->lock);
	set->aside--;
	set->parked--;
	lock_drop(&set->lock);
}

int vcpus_settle(struct vcpu_set *set)
{
	int result;

	lock_take(&set->lock);
	while (!set->aside && set->parked < vcpus_started(set))
		lock_wait(&set->lock, &set->changed);
	result = set->aside ? -EBUSY : 0;
	lock_drop(&set->lock);
	return result;
}

void vcpus_unpark(struct vcpu_set *set)
{
	lock_take(&set->lock);
	if (!--set->holds) {
		for (uint32_t n = 0; n < set->count; n++)
			host_vcpu_unkick(&set->vcpu[n].host);
		pthread_cond_broadcast(&set->changed);
	}
	lock_drop(&set->lock);
}

void vcpus_reset(struct vcpu_set *set)
{
	lock_take(&set->lock);
	set->halted = false;
	for (uint32_t n = 0; n < set->count; n++) {
		set->vcpu[n].waits = set->vcpu[n].unfinished = false;
		vcpu_set_on(&set->vcpu[n], !n);
	}
	lock_drop(&set->lock);
}

void vcpus_destroy(struct vcpu_set *set)
{
	lock_take(&set->lock);
	set->ending = true;
	vcpus_kick(set);
	pthread_cond_broadcast(&set->changed);
	lock_drop(&set->lock);
	for (uint32_t n = 0; n < set->count; n++) {
		if (set->vcpu[n].started)
			pthread_join(set->vcpu[n].thread, NULL);
		host_vcpu_destroy(&set->vcpu[n].host);
	}
	set->count = 0;
	pthread_cond_destroy(&set->changed);
	lock_destroy(&set->lock);
}

int vcpus_answer(struct vcpu_set *set, const struct sc_hold_answer *answer)
{
	struct vcpu *vcpu = &set->vcpu[answer->vp];
	int result = host_vcpu_set_x(&vcpu->host, 0, answer->result);

	for (uint32_t n = 0; !result && n < 2; n++)
		result = host_vcpu_set_x(&vcpu->host, SC_HOLD_OUTPUT_REGISTER + n, answer->value[n]);
	if (result)
		return result;
	lock_take(&set->lock);
	vcpu->waits = false;
	lock_drop(&set->lock);
	return 0;
}

uint32_t vcpus_online(struct vcpu_set *set)
{
	uint32_t online = 0;

	for (uint32_t n = 0; n < set->count; n++)
		online |= (uint32_t)vcpu_ask_on(&set->vcpu[n]) << n;
	return online;
}

uint32_t vcpus_known_online(struct vcpu_set *set)
{
	uint32_t online = 0;

	lock_take(&set->lock);
	for (uint32_t n = 0; n < set->count; n++) {
		struct vcpu *vcpu = &set->vcpu[n];

		online |= (uint32_t)__atomic_load_n(&vcpu->on, __ATOMIC_RELAXED) << n;
		/* What is held was asked by those who hold it, if they needed to know. */
		if (set->holds || !vcpu->started)
			continue;
		__atomic_store_n(&vcpu->looks, true, __ATOMIC_SEQ_CST);
		host_vcpu_kick(&vcpu->host, vcpu->thread);
	}
	lock_drop(&set->lock);
	return online;
}
