/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One virtual machine: memory, vCPUs, interrupt controller, devices, guest time, and what may be done to it.
 *
 * Policy: every change of state goes through the functions here, under one lock. The guest's own end (power-off,
 * reboot, panic) and the operator's are one value, set once; `ended` becomes readable then.
 */
#ifndef VMM_MACHINE_MACHINE_H
#define VMM_MACHINE_MACHINE_H

#include "boot/boot.h"
#include "base/buffer.h"
#include "dev/virtio/window.h"
#include "machine/clock.h"
#include "machine/config.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/vcpu.h"

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_MIGRATING, /* runs, or stands still for the last part of its migration */
	MACHINE_SAVING,	   /* the same for a file */
	MACHINE_UNDECIDED, /* paused: a migration broke after GO, and the guest may be running on the other host */
	MACHINE_DISKLESS,  /* paused: its disks were given away, and cannot be taken back */
	MACHINE_RECEIVING, /* stands still: its contents come from another host or a file */
	MACHINE_RESETTING, /* stands still: it starts anew (restart.h) */
	MACHINE_ENDED,
};

enum machine_end {
	MACHINE_END_NONE,
	MACHINE_END_POWER_OFF,
	MACHINE_END_RESET,
	MACHINE_END_PANIC,
	MACHINE_END_MIGRATED,
	MACHINE_END_SAVED,
	MACHINE_END_STOPPED,
	MACHINE_END_FAILED,
};

/* How a machine came out of a file. */
struct machine_restored {
	uint32_t from_hz; /* where it was saved; 0: it does not come from a file */
	enum sc_level level;
	enum sc_clock_policy policy;
	uint64_t gap_ns;   /* from the stop there to the start here, which the guest's clock counts, or not */
	uint64_t bound_ns; /* of its error; SC_STATEMENT_UNKNOWN */
};

struct machine {
	struct machine_config config;
	struct machine_restored restored;
	struct host_vm vm;
	struct memory memory;
	struct virtio_window window; /* without memory in older models */
	struct clock clock;
	struct vcpu_set vcpus;
	struct identity untold; /* of one that arrives: what its vCPUs are on this host, before `config.cpu` */
	struct disks disks;
	struct nets nets;
	struct devices devices;
	struct lock lock; /* state, policy, growing, kernel, config.cpu */
	enum machine_state state;
	enum sc_clock_policy policy; /* as machine_policy() */
	bool disks_given;	     /* the guest does not run until they are taken back; atomic */
	bool ending;		     /* to end once it is no longer being migrated or saved */
	bool growing;		     /* the size of a disk is asked for, and may change in `config` */
	enum machine_end end;	     /* atomic */
	enum machine_end restart;    /* it is to start anew, or this is its end; atomic */
	uint32_t restarts;	     /* how often it has started anew; atomic */
	struct kernel kernel;	     /* the guest's, as last looked at */
	int ended;		     /* eventfd */
	int down;		     /* eventfd: readable once the guest has ended or is to start anew */
	int restarting;		     /* eventfd, for the thread of the timers: `restart` can be carried out */
	int closing;		     /* eventfd, for the same */
	int tick;		     /* timer of the devices' ticks, for that thread */
	pthread_t timers;
	bool timers_started;
	bool follows;		     /* the guest's clock, as last logged; atomic */
	uint32_t guest_lines_logged; /* of those that a guest can provoke */
	uint32_t restarts_logged;
	uint32_t crashes_logged;
};

/* A machine that stands still, paused, without contents. */
int machine_create(struct machine *machine, const struct machine_config *config, struct console *console,
		   struct error *error);
void machine_destroy(struct machine *machine);

/* Loads a kernel, or firmware, and what belongs to it; what the tables say of the machine comes from the machine. */
int machine_boot(struct machine *machine, const struct boot_source *source, struct error *error);

/*
 * The machine as at power-on, in place: vCPUs, interrupt controller, synthetic timers, devices, which are quiesced
 * then: a disk that does not answer is waited for until the machine has ended, -EINTR. All vCPUs are parked outside the
 * guest and stay so. Memory keeps its contents, and reference time goes on: it never goes back.
 */
int machine_reset(struct machine *machine, struct error *error);

/* Guest time and vCPUs stop; and go on, with the gap counted or not. -EBUSY in a state that does not allow it. */
int machine_pause(struct machine *machine, struct error *error);
int machine_resume(struct machine *machine, enum sc_clock_policy policy, bool force, struct error *error);

/*
 * Whose the disks are, by their locks, and the file of the firmware's variables with them. A machine is made without
 * having them; whatever makes its guest run takes them first, and takes all or none: -EBUSY and a sentence if somebody
 * else has one. To give them away all that was written reaches the medium first; -EIO and a sentence, and they are
 * kept, if it does not. The devices are quiesced. File systems are waited for, DISKS_LOCK_MS, without the machine's
 * lock: -ETIMEDOUT and a sentence; disks that were to be given away count as given then.
 */
int machine_take_disks(struct machine *machine, struct error *error);
int machine_give_disks(struct machine *machine, struct error *error);
/* Gives back what was taken for a guest that has not run here. */
void machine_drop_disks(struct machine *machine);
bool machine_has_disks(const struct machine *machine);

/*
 * How the clock of a machine that stands still shall go on: what resuming it uses unless the operator says otherwise
 * then. SC_CLOCK_FREEZE until it is set, and again whenever the machine runs.
 */
enum sc_clock_policy machine_policy(struct machine *machine);
void machine_set_policy(struct machine *machine, enum sc_clock_policy policy);

/* From paused to receiving, before anybody can ask for it to run. */
void machine_begin_receiving(struct machine *machine);
/* A received guest goes on: its clock has been loaded and already runs. */
void machine_run_loaded(struct machine *machine);

/*
 * After something for which the vCPUs were held and guest time stopped: both go on. If somebody else has a disk, or the
 * host does not let time go on, the guest stays as it is, and the log says so; -errno.
 */
int machine_go_on(struct machine *machine, enum sc_clock_policy policy);

/*
 * From running to migrating, and out of it: to running, or to undecided; to diskless or paused instead of running if
 * the disks could not be taken back or guest time could not go on. -EBUSY if it does not run.
 */
int machine_begin_migration(struct machine *machine, struct error *error);
/* From undecided to migrating, to ask the other host; it still stands still. -EBUSY if it is not undecided. */
int machine_begin_question(struct machine *machine, struct error *error);
void machine_end_migration(struct machine *machine, enum machine_state state);

/* The same for a save, from running or paused, which is told in *before. */
int machine_begin_save(struct machine *machine, enum machine_state *before, struct error *error);
void machine_end_save(struct machine *machine, enum machine_state before);

/*
 * From running to resetting, if the machine is to start anew: false if it is not, or not now. From resetting to
 * running, unless the machine has ended meanwhile: all vCPUs are parked.
 */
bool machine_begin_restart(struct machine *machine);
void machine_end_restart(struct machine *machine);

/* The guest's hold, if there is one, ends with SC_HOLD_*; all vCPUs are held. -errno if KVM fails us. */
int machine_end_hold(struct machine *machine, uint64_t outcome, struct error *error);

/* The size of a disk, in bytes, before it was asked for and now. */
struct machine_growth {
	uint64_t before, after;
};

/*
 * A disk of this number, from 0, was made larger outside: the guest is told. -EINVAL if there is none, or it has
 * shrunk; -EBUSY unless the machine runs or is paused. A disk that does not answer is waited for, 20 s: -ETIMEDOUT, and
 * then the guest is told once it does. No migration or save begins before it has answered.
 */
int machine_grow(struct machine *machine, uint32_t disk, struct machine_growth *growth, struct error *error);

/* The operator asks the guest to end, by the power button. -EBUSY unless it runs; -ENOTSUP: it has none. */
int machine_press(struct machine *machine, struct error *error);

/* The operator ends the machine; -EBUSY while it is being migrated, saved or received. */
int machine_stop(struct machine *machine, struct error *error);
/* An order that cannot be refused: a machine that is being migrated or saved ends once that is over, if it is still
 * here. */
void machine_stop_soon(struct machine *machine);

/* The first call decides. */
void machine_finish(struct machine *machine, enum machine_end end);
/*
 * The guest is down, and the machine starts anew as soon as it runs, neither migrates nor is being saved; if it cannot
 * start anew, `otherwise` is its end. From a vCPU's thread, whose guest never goes on.
 */
void machine_restart(struct machine *machine, enum machine_end otherwise);
/* 0 if the guest is still what it was; else that it cannot be `what`, for it has ended or is to start anew. */
int machine_check_alive(struct machine *machine, const char *what, struct error *error);

/* A consistent look from outside. */
enum machine_state machine_get_state(struct machine *machine);
enum machine_end machine_get_end(struct machine *machine);
const char *machine_state_name(enum machine_state state);
/*
 * What the guest can follow, by a look at it: the vCPUs are held for a moment, since their power state is asked for.
 * One that can still be asked may just take a vCPU online or offline, and is given a second to be done.
 */
struct sc_follow machine_follow(struct machine *machine, enum sc_move move);
/* The same from what is known, without a wait for the guest: a vCPU that has just come or gone shows the next time. */
struct sc_follow machine_known_follow(struct machine *machine);
/* Of a guest that goes as it stands from one rate to another: of one that keeps its rate, as if it could be asked. */
struct sc_follow machine_follow_moving(struct machine *machine, uint32_t from_hz, uint32_t to_hz);
const char *machine_level_name(enum sc_level level);
bool machine_level_parse(const char *name, enum sc_level *level);

#endif
