/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of a machine, and what may follow on which.
 *
 * Policy: every change of state is made here, with the machine's lock. No vCPU runs while guest time stands.
 */
#include "base/log.h"
#include "host/deadline.h"
#include "machine/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

const char *machine_state_name(enum machine_state state)
{
	static const char *const names[] = {
		[MACHINE_RUNNING] = "running",	 [MACHINE_PAUSED] = "paused",	    [MACHINE_MIGRATING] = "migrating",
		[MACHINE_SAVING] = "saving",	 [MACHINE_UNDECIDED] = "undecided", [MACHINE_RECEIVING] = "receiving",
		[MACHINE_DISKLESS] = "diskless", [MACHINE_RESETTING] = "resetting", [MACHINE_ENDED] = "ended",
	};

	return names[state];
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

/* With the lock: -EBUSY while the size of a disk is asked for, also if nobody waits for its answer any more. */
static int machine_check_growth(struct machine *machine, const char *what, struct error *error)
{
	bool growing = machine->growing;

	for (uint32_t n = 0; n < machine->devices.disks; n++)
		growing |= block_see(&machine->devices.disk[n]).resizing;
	if (!growing)
		return 0;
	return error_set(error, EBUSY, "the size of a disk of %s is being asked for: it cannot be %s now",
			 machine->config.name, what);
}

int machine_pause(struct machine *machine, struct error *error)
{
	int result = 0;

	lock_take(&machine->lock);
	if (machine->state == MACHINE_RUNNING) {
		vcpus_park(&machine->vcpus);
		clock_stop(&machine->clock);
		machine->state = MACHINE_PAUSED;
	} else if (machine->state != MACHINE_PAUSED) {
		result = machine_busy(machine, "paused", error);
	}
	lock_drop(&machine->lock);
	return result;
}

enum sc_clock_policy machine_policy(struct machine *machine)
{
	enum sc_clock_policy policy;

	lock_take(&machine->lock);
	policy = machine->policy;
	lock_drop(&machine->lock);
	return policy;
}

void machine_set_policy(struct machine *machine, enum sc_clock_policy policy)
{
	lock_take(&machine->lock);
	machine->policy = policy;
	lock_drop(&machine->lock);
}

/* What the guest has ordered while the machine did not run can be done now. */
static void restart_wake(const struct machine *machine)
{
	if (__atomic_load_n(&machine->restart, __ATOMIC_SEQ_CST) != MACHINE_END_NONE)
		eventfd_write(machine->restarting, 1);
}

/* The disks, and the files that devices write by themselves, of which a message tells what they are. */
static int machine_lock_disks(struct machine *machine, struct error *error)
{
	sc_ns_t end = deadline_after_ms(DISKS_LOCK_MS);
	struct error ignored;
	int result = disks_lock(&machine->disks, error);

	if (result)
		return result;
	result = devices_lock(&machine->devices, deadline_left_ms(end), error);
	if (result)
		disks_unlock(&machine->disks, &ignored);
	return result;
}

static int machine_unlock_disks(struct machine *machine, struct error *error)
{
	sc_ns_t end = deadline_after_ms(DISKS_LOCK_MS);
	struct error ignored;
	int first = disks_unlock(&machine->disks, error);
	int result = devices_unlock(&machine->devices, deadline_left_ms(end), first ? &ignored : error);

	return first ? first : result;
}

int machine_take_disks(struct machine *machine, struct error *error)
{
	int result = machine_lock_disks(machine, error);

	__atomic_store_n(&machine->disks_given, result != 0, __ATOMIC_RELAXED);
	return result;
}

int machine_give_disks(struct machine *machine, struct error *error)
{
	int result = devices_settled(&machine->devices, error);

	if (result)
		return result;
	__atomic_store_n(&machine->disks_given, true, __ATOMIC_RELAXED);
	return machine_unlock_disks(machine, error);
}

void machine_drop_disks(struct machine *machine)
{
	struct error error;

	__atomic_store_n(&machine->disks_given, true, __ATOMIC_RELAXED);
	if (machine_unlock_disks(machine, &error))
		log_line("%s: %s", machine->config.name, error.text);
}

bool machine_has_disks(const struct machine *machine)
{
	return !__atomic_load_n(&machine->disks_given, __ATOMIC_RELAXED);
}

/*
 * Guest time starts, then devices and vCPUs of a machine that has its disks; -errno if that cannot be, and then they
 * stay where they are.
 */
static int machine_release(struct machine *machine, enum sc_clock_policy policy, struct error *error)
{
	int result = clock_start(&machine->clock, policy, error);

	if (result)
		return result;
	devices_start(&machine->devices);
	vcpus_unpark(&machine->vcpus);
	return 0;
}

/* With the lock. */
static int machine_continue(struct machine *machine, enum sc_clock_policy policy, struct error *error)
{
	int result;

	/* A migration that broke in the handover may have left a guest that prepared, and a hold. */
	clock_request(&machine->clock, SC_ASK_NOTHING);
	result = machine_end_hold(machine, SC_HOLD_CALLED_OFF, error);
	if (!result)
		result = machine_release(machine, policy, error);
	if (result)
		return result;
	machine->state = MACHINE_RUNNING;
	machine->policy = SC_CLOCK_FREEZE;
	restart_wake(machine);
	return 0;
}

int machine_go_on(struct machine *machine, enum sc_clock_policy policy)
{
	struct error error;
	int result = machine_has_disks(machine) ? 0 : machine_take_disks(machine, &error);

	if (!result)
		result = machine_release(machine, policy, &error);
	if (!result)
		return 0;
	machine_set_policy(machine, policy);
	log_line("%s stays paused, for %s (%s): `seaclock resume %s` tries again", machine->config.name,
		 machine_has_disks(machine) ? "its clock cannot be started" : "its disks cannot be taken back",
		 error.text, machine->config.name);
	return result;
}

/* With the lock: what a machine is after something for which it stood still. No vCPU runs while time stands. */
static enum machine_state machine_state_after(struct machine *machine, enum machine_state wanted)
{
	if (wanted != MACHINE_RUNNING && wanted != MACHINE_PAUSED)
		return wanted;
	if (!machine_has_disks(machine))
		return MACHINE_DISKLESS;
	return clock_is_stopped(&machine->clock) ? MACHINE_PAUSED : wanted;
}

/* With the lock: 0 if it can be resumed, or runs already, *stands: it does not. */
static int machine_check_resume(struct machine *machine, bool force, bool *stands, struct error *error)
{
	*stands = machine->state == MACHINE_PAUSED || machine->state == MACHINE_DISKLESS ||
		  (machine->state == MACHINE_UNDECIDED && force);
	if (*stands || machine->state == MACHINE_RUNNING || machine->state == MACHINE_RESETTING)
		return 0;
	if (machine->state == MACHINE_UNDECIDED)
		return error_set(
			error, EBUSY,
			"%s may be running on the other host, since the migration broke after the handover: make "
			"sure that it does not, then resume it with --force, or stop it here",
			machine->config.name);
	return machine_busy(machine, "resumed", error);
}

int machine_resume(struct machine *machine, enum sc_clock_policy policy, bool force, struct error *error)
{
	bool stands, taken = false;
	int result;

	lock_take(&machine->lock);
	result = machine_check_resume(machine, force, &stands, error);
	lock_drop(&machine->lock);
	if (result || !stands)
		return result;
	/* Without the lock, for a file system may be waited for; so what was seen may be over by then. */
	if (!machine_has_disks(machine)) {
		result = machine_take_disks(machine, error);
		taken = !result;
	}
	if (result)
		return result;
	lock_take(&machine->lock);
	result = machine_check_resume(machine, force, &stands, error);
	if (!result && stands)
		result = machine_continue(machine, policy, error);
	lock_drop(&machine->lock);
	if (!stands && taken)
		machine_drop_disks(machine);
	return result;
}

void machine_begin_receiving(struct machine *machine)
{
	lock_take(&machine->lock);
	machine->state = MACHINE_RECEIVING;
	lock_drop(&machine->lock);
}

/* The one place where a guest begins on a new host: what tells the network where it is now belongs here. */
void machine_run_loaded(struct machine *machine)
{
	lock_take(&machine->lock);
	/* Known from here on, though nobody asks now. */
	vcpus_online(&machine->vcpus);
	clock_run_loaded(&machine->clock);
	machine->state = MACHINE_RUNNING;
	devices_start(&machine->devices);
	vcpus_unpark(&machine->vcpus);
	lock_drop(&machine->lock);
}

int machine_begin_migration(struct machine *machine, struct error *error)
{
	int result;

	lock_take(&machine->lock);
	if (!machine_is(machine, MACHINE_RUNNING))
		result = machine_busy(machine, "migrated", error);
	else
		result = machine_check_growth(machine, "migrated", error);
	if (!result)
		machine->state = MACHINE_MIGRATING;
	lock_drop(&machine->lock);
	return result;
}

int machine_begin_question(struct machine *machine, struct error *error)
{
	int result = 0;

	lock_take(&machine->lock);
	if (machine_is(machine, MACHINE_UNDECIDED))
		machine->state = MACHINE_MIGRATING;
	else
		result = machine_busy(machine, "resumed", error);
	lock_drop(&machine->lock);
	return result;
}

/* A migration or a save is over: the end, or the new start, that was ordered meanwhile comes now. */
static void machine_catch_up(struct machine *machine)
{
	bool ending;

	lock_take(&machine->lock);
	ending = machine->ending;
	lock_drop(&machine->lock);
	if (ending)
		machine_finish(machine, MACHINE_END_STOPPED);
	restart_wake(machine);
}

void machine_end_migration(struct machine *machine, enum machine_state state)
{
	lock_take(&machine->lock);
	if (machine->state == MACHINE_MIGRATING)
		machine->state = machine_state_after(machine, state);
	lock_drop(&machine->lock);
	machine_catch_up(machine);
}

int machine_begin_save(struct machine *machine, enum machine_state *before, struct error *error)
{
	int result;

	lock_take(&machine->lock);
	*before = machine->state;
	if (!machine_is(machine, MACHINE_RUNNING) && !machine_is(machine, MACHINE_PAUSED))
		result = machine_busy(machine, "saved", error);
	else
		result = machine_check_growth(machine, "saved", error);
	if (!result)
		machine->state = MACHINE_SAVING;
	lock_drop(&machine->lock);
	return result;
}

void machine_end_save(struct machine *machine, enum machine_state before)
{
	lock_take(&machine->lock);
	machine->state = machine_state_after(machine, before);
	lock_drop(&machine->lock);
	machine_catch_up(machine);
}

bool machine_begin_restart(struct machine *machine)
{
	bool begins;

	lock_take(&machine->lock);
	begins = machine_is(machine, MACHINE_RUNNING) &&
		 __atomic_load_n(&machine->restart, __ATOMIC_SEQ_CST) != MACHINE_END_NONE;
	if (begins)
		machine->state = MACHINE_RESETTING;
	lock_drop(&machine->lock);
	return begins;
}

void machine_end_restart(struct machine *machine)
{
	lock_take(&machine->lock);
	if (machine_is(machine, MACHINE_RESETTING)) {
		machine->state = MACHINE_RUNNING;
		devices_start(&machine->devices);
		vcpus_unpark(&machine->vcpus);
	}
	lock_drop(&machine->lock);
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

/* The other side of a migration has looked at the size that there was. */
static int machine_begin_growth(struct machine *machine, struct error *error)
{
	int result;

	lock_take(&machine->lock);
	if (!machine_is(machine, MACHINE_RUNNING) && !machine_is(machine, MACHINE_PAUSED))
		result = machine_busy(machine, "given a larger disk", error);
	else
		result = machine_check_growth(machine, "given a larger disk", error);
	machine->growing |= !result;
	lock_drop(&machine->lock);
	return result;
}

static void machine_end_growth(struct machine *machine)
{
	lock_take(&machine->lock);
	machine->growing = false;
	lock_drop(&machine->lock);
}

int machine_grow(struct machine *machine, uint32_t disk, struct machine_growth *growth, struct error *error)
{
	uint64_t *size;
	int result;

	if (disk >= machine->devices.disks)
		return error_set(error, EINVAL,
				 "%s has no disk %" PRIu32 ": it has %" PRIu32 ", and the first one is disk 0",
				 machine->config.name, disk, machine->devices.disks);
	result = machine_begin_growth(machine, error);
	if (result)
		return result;
	size = &machine->config.disk[disk].size;
	/* Not as described, for a size may have come too late for that. */
	growth->before = block_see(&machine->devices.disk[disk]).size;
	result = block_resize(&machine->devices.disk[disk], error);
	if (!result)
		*size = machine->disks.disk[disk]->size;
	growth->after = *size;
	machine_end_growth(machine);
	return result;
}

int machine_press(struct machine *machine, struct error *error)
{
	int result = 0;

	lock_take(&machine->lock);
	if (!machine->devices.full)
		result = error_set(error, ENOTSUP,
				   "%s has no power button, for it was first run by an older version of Seaclock: end "
				   "it from within, or with `seaclock stop`",
				   machine->config.name);
	else if (machine_is(machine, MACHINE_RUNNING))
		button_press(&machine->devices.button);
	else
		result = machine_busy(machine, "shut down", error);
	lock_drop(&machine->lock);
	return result;
}

int machine_stop(struct machine *machine, struct error *error)
{
	int result = 0;

	lock_take(&machine->lock);
	if (machine->state == MACHINE_MIGRATING || machine->state == MACHINE_SAVING ||
	    machine->state == MACHINE_RECEIVING)
		result = machine_busy(machine, "stopped", error);
	lock_drop(&machine->lock);
	if (!result)
		machine_finish(machine, MACHINE_END_STOPPED);
	return result;
}

void machine_stop_soon(struct machine *machine)
{
	bool busy;

	lock_take(&machine->lock);
	busy = machine->state == MACHINE_MIGRATING || machine->state == MACHINE_SAVING;
	machine->ending = true;
	lock_drop(&machine->lock);
	if (!busy)
		machine_finish(machine, MACHINE_END_STOPPED);
}

void machine_finish(struct machine *machine, enum machine_end end)
{
	enum machine_end none = MACHINE_END_NONE;

	/* Without the lock: a vCPU's thread comes here while somebody who has the lock waits for it to be held. */
	if (!__atomic_compare_exchange_n(&machine->end, &none, end, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	eventfd_write(machine->down, 1);
	eventfd_write(machine->ended, 1);
}

void machine_restart(struct machine *machine, enum machine_end otherwise)
{
	/* Without the lock, as above. */
	__atomic_store_n(&machine->restart, otherwise, __ATOMIC_SEQ_CST);
	eventfd_write(machine->down, 1);
	eventfd_write(machine->restarting, 1);
}

int machine_check_alive(struct machine *machine, const char *what, struct error *error)
{
	enum machine_end restart = __atomic_load_n(&machine->restart, __ATOMIC_SEQ_CST);

	if (machine_get_end(machine) != MACHINE_END_NONE)
		return error_set(error, ESHUTDOWN, "%s has ended: it cannot be %s", machine->config.name, what);
	if (restart != MACHINE_END_NONE)
		return error_set(error, EBUSY, "%s starts anew here, for its guest has %s: it cannot be %s before",
				 machine->config.name, restart == MACHINE_END_PANIC ? "crashed" : "reset it", what);
	return 0;
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
	lock_take(&machine->lock);
	state = machine->state;
	lock_drop(&machine->lock);
	return state;
}
