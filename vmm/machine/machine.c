/* SPDX-License-Identifier: BSD-2-Clause */
/* One virtual machine: see the header. */
#include "machine/machine.h"

#include "machine/crash.h"
#include "machine/hypercall.h"
#include "base/layout.h"
#include "base/log.h"
#include "base/pace.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * A vCPU that comes online has no timer for some ms; a loaded host takes longer over it. All vCPUs stop for each look,
 * so the pauses grow: 10 ms, twice that, and so on, 1.3 s together.
 */
#define HOTPLUG_PAUSE_MS 10
#define HOTPLUG_PAUSE_MAX_MS 640

/* ---- Exits ---- */

static void machine_mmio(struct machine *machine, uint32_t vcpu, const struct host_exit *exit)
{
	int result;

	pthread_mutex_lock(&machine->devices);
	result = bus_access(&machine->bus, exit->gpa, exit->size, exit->write, exit->data);
	pthread_mutex_unlock(&machine->devices);
	if (result)
		log_guest(&machine->strange, "%s: vCPU %u %s %u bytes at 0x%llx, where nothing is",
			  machine->config.name, vcpu, exit->write ? "writes" : "reads", exit->size,
			  (unsigned long long)exit->gpa);
}

/* The guest has declared what its clock rests on: whether that follows is news, not each change for a move. */
static void machine_note_clock(struct machine *machine)
{
	bool follows = clock_follow(&machine->clock, 0, SC_MOVE_ASKED).level != SC_LEVEL_NONE;

	if (__atomic_exchange_n(&machine->follows, follows, __ATOMIC_RELAXED) != follows)
		log_guest(&machine->strange, "%s: the guest's clock %s a move to another counter rate",
			  machine->config.name, follows ? "follows" : "no longer follows");
}

static enum vcpu_next machine_hypercall(struct machine *machine, struct host_vcpu *vcpu, const struct host_exit *exit)
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
		machine_note_clock(machine);
	if (effects & SC_EFFECT_HOLD)
		return VCPU_WAITS;
	if (!(effects & SC_EFFECT_CRASH))
		return VCPU_RUNS;
	crash_report(machine->config.name, &machine->clock, &machine->memory);
	machine_finish(machine, MACHINE_END_PANIC);
	return VCPU_HALTS;
}

static enum vcpu_next machine_exit(void *context, uint32_t vcpu, const struct host_exit *exit)
{
	struct machine *machine = context;

	switch (exit->kind) {
	case HOST_EXIT_INTERRUPTED:
		return VCPU_RUNS;
	case HOST_EXIT_MMIO:
		machine_mmio(machine, vcpu, exit);
		return VCPU_RUNS;
	case HOST_EXIT_HYPERCALL:
		return machine_hypercall(machine, &machine->vcpus.vcpu[vcpu].host, exit);
	case HOST_EXIT_SHUTDOWN:
		machine_finish(machine, MACHINE_END_POWER_OFF);
		return VCPU_HALTS;
	case HOST_EXIT_RESET:
		machine_finish(machine, MACHINE_END_RESET);
		return VCPU_HALTS;
	case HOST_EXIT_UNKNOWN:
		break;
	}
	log_line("%s: vCPU %u left the guest for KVM's reason %u, which this monitor does not know",
		 machine->config.name, vcpu, exit->reason);
	machine_finish(machine, MACHINE_END_FAILED);
	return VCPU_HALTS;
}

/* ---- Timers ---- */

/* Raises what is due. */
static void machine_expire(struct machine *machine)
{
	clock_expire(&machine->clock);
	if (!clock_needs_latch(&machine->clock))
		return;
	vcpus_hold(&machine->vcpus);
	clock_latch(&machine->clock);
	vcpus_release(&machine->vcpus);
}

/* False if the machine closes meanwhile. */
static bool machine_rest(struct machine *machine, sc_ns_t rest)
{
	struct pollfd closing = { .fd = machine->closing, .events = POLLIN };
	const struct timespec limit = { .tv_nsec = (long)rest.v };

	return !rest.v || ppoll(&closing, 1, &limit, NULL) <= 0;
}

static void *machine_timers(void *context)
{
	struct machine *machine = context;
	struct pace pace = { 0 };
	struct pollfd wait[2] = {
		{ .fd = machine->clock.timer, .events = POLLIN },
		{ .fd = machine->closing, .events = POLLIN },
	};

	for (;;) {
		sc_ns_t began;

		if (poll(wait, 2, -1) < 0 && errno != EINTR) {
			log_line("%s: waiting for its timers failed (%s)", machine->config.name, strerror(errno));
			machine_finish(machine, MACHINE_END_FAILED);
			break;
		}
		if (wait[1].revents)
			break;
		began = host_monotonic();
		machine_expire(machine);
		if (!machine_rest(machine, pace_work(&pace, began, host_monotonic())))
			break;
	}
	return NULL;
}

/* ---- Life ---- */

/* Function ids that the guest's calls may have: KVM keeps those of fast calls, which begin here, for itself. */
#define MACHINE_FUNCTIONS 0x80000000u

static int machine_create_vm(struct machine *machine, struct error *error)
{
	const struct machine_config *config = &machine->config;
	int result = host_vm_create(&machine->vm, MACHINE_FUNCTIONS, error);

	if (!result)
		result = memory_create(&machine->memory, config->memory_size, error);
	if (!result)
		result =
			host_vm_set_ram(&machine->vm, LAYOUT_RAM_BASE, machine->memory.ram, config->memory_size, error);
	if (!result)
		result = vcpus_create(&machine->vcpus, &machine->vm, config->vcpus, true, machine_exit, machine, error);
	if (!result)
		result = host_gic_create(&machine->vm, error);
	if (!result)
		result = clock_init(&machine->clock, &machine->vm, &machine->memory, config->vcpus, error);
	return result;
}

static int machine_start_threads(struct machine *machine, struct error *error)
{
	int result;

	machine->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->closing = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->ended < 0 || machine->closing < 0)
		return error_set(error, errno, "no event descriptor (%s)", strerror(errno));
	result = vcpus_start(&machine->vcpus, error);
	if (result)
		return result;
	result = pthread_create(&machine->timers, NULL, machine_timers, machine);
	if (result)
		return error_set(error, result, "no thread for the timers (%s)", strerror(result));
	machine->timers_started = true;
	return 0;
}

int machine_create(struct machine *machine, const struct machine_config *config, struct console *console,
		   struct error *error)
{
	int result;

	*machine = (struct machine){ .config = *config, .console = console, .ended = -1, .closing = -1 };
	machine->vm.kvm = machine->vm.vm = machine->vm.gic = -1;
	machine->clock.timer = machine->clock.answered = -1;
	machine->state = MACHINE_PAUSED;
	machine->policy = SC_CLOCK_FREEZE;
	pthread_mutex_init(&machine->lock, NULL);
	result = machine_create_console(machine, error);
	if (!result)
		result = machine_create_vm(machine, error);
	if (!result)
		result = machine_start_threads(machine, error);
	if (result)
		machine_destroy(machine);
	return result;
}

static void machine_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void machine_destroy(struct machine *machine)
{
	if (machine->timers_started) {
		eventfd_write(machine->closing, 1);
		pthread_join(machine->timers, NULL);
	}
	if (machine->vcpus.count)
		vcpus_destroy(&machine->vcpus);
	clock_destroy(&machine->clock);
	host_vm_destroy(&machine->vm);
	memory_destroy(&machine->memory);
	machine_close(machine->ended);
	machine_close(machine->closing);
	pthread_mutex_destroy(&machine->devices);
	pthread_mutex_destroy(&machine->typing);
	pthread_mutex_destroy(&machine->lock);
}

int machine_boot(struct machine *machine, const struct boot_source *source, struct error *error)
{
	struct boot_entry entry;
	int result = boot_load(source, machine->memory.ram, machine->memory.size, &entry, error);

	return result ? result : host_vcpu_set_entry(&machine->vcpus.vcpu[0].host, entry.pc, entry.x0, error);
}

/* ---- State ---- */

const char *machine_state_name(enum machine_state state)
{
	static const char *const names[] = {
		[MACHINE_RUNNING] = "running", [MACHINE_PAUSED] = "paused",	  [MACHINE_MIGRATING] = "migrating",
		[MACHINE_SAVING] = "saving",   [MACHINE_UNDECIDED] = "undecided", [MACHINE_RECEIVING] = "receiving",
		[MACHINE_ENDED] = "ended",
	};

	return names[state];
}

const char *machine_level_name(enum sc_level level)
{
	static const char *const names[] = {
		[SC_LEVEL_NONE] = "none",
		[SC_LEVEL_REFERENCE] = "reference",
		[SC_LEVEL_COOPERATIVE] = "cooperative",
	};

	return names[level];
}

/* With the lock: whether it is in the state and has not ended meanwhile. */
static bool machine_is(struct machine *machine, enum machine_state state)
{
	return machine->state == state && machine_get_end(machine) == MACHINE_END_NONE;
}

/* With the lock. */
static int machine_busy(struct machine *machine, const char *what, struct error *error)
{
	bool ended = machine_get_end(machine) != MACHINE_END_NONE;

	return error_set(error, EBUSY, "%s is %s: it cannot be %s now", machine->config.name,
			 machine_state_name(ended ? MACHINE_ENDED : machine->state), what);
}

int machine_pause(struct machine *machine, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->state == MACHINE_RUNNING) {
		vcpus_hold(&machine->vcpus);
		clock_stop(&machine->clock);
		machine->state = MACHINE_PAUSED;
	} else if (machine->state != MACHINE_PAUSED) {
		result = machine_busy(machine, "paused", error);
	}
	pthread_mutex_unlock(&machine->lock);
	return result;
}

enum sc_clock_policy machine_policy(struct machine *machine)
{
	enum sc_clock_policy policy;

	pthread_mutex_lock(&machine->lock);
	policy = machine->policy;
	pthread_mutex_unlock(&machine->lock);
	return policy;
}

void machine_set_policy(struct machine *machine, enum sc_clock_policy policy)
{
	pthread_mutex_lock(&machine->lock);
	machine->policy = policy;
	pthread_mutex_unlock(&machine->lock);
}

/* Guest time starts, and then the vCPUs; -errno if it cannot, and then they stay where they are. */
static int machine_release(struct machine *machine, enum sc_clock_policy policy, struct error *error)
{
	int result = clock_start(&machine->clock, policy, error);

	if (!result)
		vcpus_release(&machine->vcpus);
	return result;
}

/* With the lock. */
static int machine_continue(struct machine *machine, enum sc_clock_policy policy, struct error *error)
{
	int result;

	/* A migration that broke in the handover may have left a guest that prepared, and a hold. */
	clock_ask(&machine->clock, SC_ASK_NOTHING);
	result = machine_end_hold(machine, SC_HOLD_CALLED_OFF, error);
	if (!result)
		result = machine_release(machine, policy, error);
	if (result)
		return result;
	machine->state = MACHINE_RUNNING;
	machine->policy = SC_CLOCK_FREEZE;
	machine_thaw_input(machine);
	return 0;
}

void machine_go_on(struct machine *machine, enum sc_clock_policy policy)
{
	struct error error;

	if (!machine_release(machine, policy, &error))
		return;
	machine_set_policy(machine, policy);
	log_line("%s stays paused, for its clock cannot be started (%s): `seaclock resume %s` tries again",
		 machine->config.name, error.text, machine->config.name);
}

/* With the lock: what a machine is after something for which it stood still. No vCPU runs while time stands. */
static enum machine_state machine_state_after(struct machine *machine, enum machine_state wanted)
{
	return wanted == MACHINE_RUNNING && clock_is_stopped(&machine->clock) ? MACHINE_PAUSED : wanted;
}

int machine_resume(struct machine *machine, enum sc_clock_policy policy, bool force, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->state == MACHINE_PAUSED || (machine->state == MACHINE_UNDECIDED && force))
		result = machine_continue(machine, policy, error);
	else if (machine->state == MACHINE_UNDECIDED)
		result = error_set(
			error, EBUSY,
			"%s may be running on the other host, since the migration broke after the handover: make "
			"sure that it does not, then resume it with --force, or stop it here",
			machine->config.name);
	else if (machine->state != MACHINE_RUNNING)
		result = machine_busy(machine, "resumed", error);
	pthread_mutex_unlock(&machine->lock);
	return result;
}

void machine_begin_receiving(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	machine->state = MACHINE_RECEIVING;
	pthread_mutex_unlock(&machine->lock);
}

/* The one place where a guest begins on a new host: what tells the network where it is now belongs here. */
void machine_run_loaded(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	/* Known from here on, though nobody asks now. */
	vcpus_online(&machine->vcpus);
	clock_run_loaded(&machine->clock);
	machine->state = MACHINE_RUNNING;
	vcpus_release(&machine->vcpus);
	pthread_mutex_unlock(&machine->lock);
}

int machine_begin_migration(struct machine *machine, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine_is(machine, MACHINE_RUNNING))
		machine->state = MACHINE_MIGRATING;
	else
		result = machine_busy(machine, "migrated", error);
	pthread_mutex_unlock(&machine->lock);
	return result;
}

int machine_begin_question(struct machine *machine, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine_is(machine, MACHINE_UNDECIDED))
		machine->state = MACHINE_MIGRATING;
	else
		result = machine_busy(machine, "resumed", error);
	pthread_mutex_unlock(&machine->lock);
	return result;
}

/* A migration or a save is over: the end that was ordered meanwhile comes now. */
static void machine_catch_up(struct machine *machine)
{
	bool ending;

	pthread_mutex_lock(&machine->lock);
	ending = machine->ending;
	pthread_mutex_unlock(&machine->lock);
	if (ending)
		machine_finish(machine, MACHINE_END_STOPPED);
}

void machine_end_migration(struct machine *machine, enum machine_state state)
{
	pthread_mutex_lock(&machine->lock);
	if (machine->state == MACHINE_MIGRATING)
		machine->state = machine_state_after(machine, state);
	pthread_mutex_unlock(&machine->lock);
	/* What is typed may still have to follow an undecided one. */
	if (state != MACHINE_UNDECIDED)
		machine_thaw_input(machine);
	machine_catch_up(machine);
}

int machine_begin_save(struct machine *machine, enum machine_state *before, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	*before = machine->state;
	if (machine_is(machine, MACHINE_RUNNING) || machine_is(machine, MACHINE_PAUSED))
		machine->state = MACHINE_SAVING;
	else
		result = machine_busy(machine, "saved", error);
	pthread_mutex_unlock(&machine->lock);
	return result;
}

void machine_end_save(struct machine *machine, enum machine_state before)
{
	pthread_mutex_lock(&machine->lock);
	machine->state = machine_state_after(machine, before);
	pthread_mutex_unlock(&machine->lock);
	machine_thaw_input(machine);
	machine_catch_up(machine);
}

int machine_end_hold(struct machine *machine, uint64_t outcome, struct error *error)
{
	struct sc_hold_answer answer;
	int result = 0;

	if (clock_end_hold(&machine->clock, outcome, &answer))
		result = vcpus_answer(&machine->vcpus, &answer);
	if (!result)
		return 0;
	return error_set(error, -result, "KVM does not take the registers of vCPU %u (%s)", answer.vp,
			 strerror(-result));
}

int machine_stop(struct machine *machine, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&machine->lock);
	if (machine->state == MACHINE_MIGRATING || machine->state == MACHINE_SAVING ||
	    machine->state == MACHINE_RECEIVING)
		result = machine_busy(machine, "stopped", error);
	pthread_mutex_unlock(&machine->lock);
	if (!result)
		machine_finish(machine, MACHINE_END_STOPPED);
	return result;
}

void machine_stop_soon(struct machine *machine)
{
	bool busy;

	pthread_mutex_lock(&machine->lock);
	busy = machine->state == MACHINE_MIGRATING || machine->state == MACHINE_SAVING;
	machine->ending = true;
	pthread_mutex_unlock(&machine->lock);
	if (!busy)
		machine_finish(machine, MACHINE_END_STOPPED);
}

void machine_finish(struct machine *machine, enum machine_end end)
{
	enum machine_end none = MACHINE_END_NONE;

	/* Without the lock: a vCPU's thread comes here while somebody who has the lock waits for it to be held. */
	if (__atomic_compare_exchange_n(&machine->end, &none, end, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		eventfd_write(machine->ended, 1);
}

enum machine_end machine_get_end(struct machine *machine)
{
	return __atomic_load_n(&machine->end, __ATOMIC_SEQ_CST);
}

enum machine_state machine_get_state(struct machine *machine)
{
	enum machine_state state;

	if (machine_get_end(machine) != MACHINE_END_NONE)
		return MACHINE_ENDED;
	pthread_mutex_lock(&machine->lock);
	state = machine->state;
	pthread_mutex_unlock(&machine->lock);
	return state;
}

/* With the vCPUs' power states as they are. */
static struct sc_follow machine_look(struct machine *machine, enum sc_move move)
{
	struct sc_follow follow = clock_follow(&machine->clock, 0, move);

	/* A guest whose clock does not follow need not be held to know that. */
	if (follow.level == SC_LEVEL_NONE)
		return follow;
	vcpus_hold(&machine->vcpus);
	follow = clock_follow(&machine->clock, vcpus_online(&machine->vcpus), move);
	vcpus_release(&machine->vcpus);
	return follow;
}

struct sc_follow machine_follow(struct machine *machine, enum sc_move move)
{
	struct sc_follow follow = machine_look(machine, move);

	for (int pause_ms = HOTPLUG_PAUSE_MS; pause_ms <= HOTPLUG_PAUSE_MAX_MS; pause_ms *= 2) {
		if (follow.obstacle != SC_OBSTACLE_TIMER || move != SC_MOVE_ASKED || clock_is_stopped(&machine->clock))
			break;
		poll(NULL, 0, pause_ms);
		follow = machine_look(machine, move);
	}
	return follow;
}

struct sc_follow machine_known_follow(struct machine *machine)
{
	return clock_follow(&machine->clock, vcpus_known_online(&machine->vcpus), SC_MOVE_ASKED);
}

struct sc_follow machine_follow_moving(struct machine *machine, uint32_t from_hz, uint32_t to_hz)
{
	return machine_follow(machine, from_hz == to_hz ? SC_MOVE_ASKED : SC_MOVE_AS_STANDS);
}
