/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake of vmm/host/host.h: hosts, virtual machines and vCPUs under the test's full control.
 *
 * Policy: all hosts share one time, which only the test moves; each has its own counter. A thread works for the host
 * that it chose, or else for the host of the first object that it touched, so that source and target of a migration can
 * live in one process. What host.h forbids (state taken from a vCPU that is inside the guest or has unfinished work,
 * two machines inside the guest at once) ends the program with a sentence.
 */
#ifndef FAKE_HOST_FAKE_H
#define FAKE_HOST_FAKE_H

#include "host/host.h"
#include "base/layout.h"

/* Machines forward all yielding calls, as the monitor asks for. */
#define FAKE_FUNCTIONS 0x80000000u

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Calls that can be made to fail. */
enum fake_call {
	FAKE_CHECK,
	FAKE_TIMER_CREATE,
	FAKE_MEMORY,
	FAKE_VM_CREATE,
	FAKE_SET_RAM,
	FAKE_SET_WINDOW,
	FAKE_COUNTER_OFFSET,
	FAKE_SET_DIRTY_LOG,
	FAKE_GET_DIRTY_LOG,
	FAKE_SET_CALL,
	FAKE_SET_PPI,
	FAKE_GIC_CREATE,
	FAKE_GIC_RESET,
	FAKE_GIC_SAVE,
	FAKE_GIC_LOAD,
	FAKE_LATCH,
	FAKE_VCPU_CREATE,
	FAKE_SET_IDENTITY,
	FAKE_STOLEN,
	FAKE_VCPU_RESET,
	FAKE_VCPU_RUN,
	FAKE_GET_X,
	FAKE_SET_X,
	FAKE_IS_ON,
	FAKE_GET_TABLES,
	FAKE_GET_TIMERS,
	FAKE_SET_TIMERS,
	FAKE_VCPU_SAVE,
	FAKE_VCPU_LOAD,
	FAKE_CALLS
};

struct fake_vcpu;

/* What a guest does inside a vCPU, about once a ms; see fake_vcpu_set_guest(). */
typedef void (*fake_guest_fn)(struct fake_vcpu *vcpu, void *context);

struct fake_failure {
	uint32_t skip; /* calls that still succeed */
	uint32_t times;
	int err;
};

/* Registers of a fake vCPU in its saved state, by id. */
enum fake_register {
	FAKE_REGISTER_FEATURES = 1, /* as the host's */
	FAKE_REGISTER_PC,
	FAKE_REGISTER_CVAL, /* an architectural timer: moves with the counter */
	FAKE_REGISTER_X0,
	FAKE_REGISTERS = FAKE_REGISTER_X0 + 31 /* behind them comes the machine's MIDR_EL1, which is no register here */
};

struct fake_host {
	uint32_t hz;	  /* as it states */
	int32_t ppm;	  /* how much faster it really is */
	uint64_t counter; /* at time 0 */
	uint64_t features;
	uint32_t page_size;
	uint32_t address_bits;
	struct identity identity; /* of its processors, and what its KVM lets be written */
	uint64_t available;	  /* memory, bytes */
	bool synchronised;	  /* with a largest error of realtime_error_ns; */
	int64_t realtime_off_ns;  /* how far it really is from true time */
	uint64_t realtime_error_ns;
	struct host_discipline discipline; /* but for whether it is synchronised */
	uint64_t entries;		   /* see fake_host_entries() */
	struct fake_failure fail[FAKE_CALLS];
	fake_guest_fn guest;	   /* of each new vCPU, with no context; NULL: none */
	struct host_tables tables; /* of each new vCPU */
	struct host_timers timers;
};

struct fake_ram {
	uint64_t gpa;
	uint64_t size;
	uint8_t *memory;
	uint64_t *dirty; /* while logging, a bit for each page of the host */
	bool rom;
	bool hidden;
};

/* A store that signals an eventfd. */
struct fake_bell {
	uint64_t gpa;
	uint32_t value;
	int event;
};

#define FAKE_BELLS_MAX 64u

struct fake_vm {
	bool used;
	struct fake_host *host;
	uint64_t offset;
	struct identity identity; /* the host's, or what the machine was told */
	bool has_vcpus;
	bool implementation_free; /* of it, MIDR_EL1 and its like can be written as the host's KVM says */
	struct fake_ram ram[HOST_RAM_MAX];
	uint32_t rams;
	struct fake_ram window; /* of size 0: none */
	uint8_t *past_caches;	/* what is in its memory where no cache answers */
	bool logging;
	uint32_t inside;   /* vCPUs that are inside the guest */
	uint32_t occupied; /* this many more calls that lock all vCPUs will find one in use */
	uint32_t touches;  /* calls of threads to vCPUs that are not theirs */
	bool has_run;
	uint32_t level[SC_VCPU_MAX];  /* a bit a PPI */
	uint32_t active[SC_VCPU_MAX]; /* the same */
	uint32_t latched[SC_VCPU_MAX][32];
	bool spi[LAYOUT_INTERRUPTS];
	uint32_t edges[LAYOUT_INTERRUPTS]; /* how often it rose; atomic */
	struct fake_bell bell[FAKE_BELLS_MAX];
	uint32_t bells;
	int call[LAYOUT_INTERRUPTS]; /* the eventfd that raises an SPI, and 1; 0: none does */
};

/* What a scripted exit does: registers that the guest has set, and the exit. */
struct fake_exit {
	struct host_exit exit;
	uint64_t x[18];	 /* HYPERCALL: X0 to X17 */
	uint8_t data[8]; /* MMIO: what it writes */
};

#define FAKE_SCRIPT_MAX 64u

struct fake_vcpu {
	struct fake_vm *vm;
	uint32_t index;
	bool on;
	bool kicked;
	bool inside;	  /* the guest */
	pthread_t thread; /* that runs it, once it has been run */
	bool has_thread;
	bool unfinished;   /* an MMIO exit was not yet completed by another entry, */
	bool loads;	   /* which puts its data into X0; a store leaves the registers alone */
	uint64_t stolen;   /* where its stolen time is told; 0: nowhere */
	uint32_t accesses; /* to X registers, each a system call */
	uint64_t registers[FAKE_REGISTERS];
	struct host_tables tables; /* no part of its saved state, */
	struct host_timers timers; /* nor are these */
	uint8_t data[8];
	struct fake_exit script[FAKE_SCRIPT_MAX];
	uint32_t first;
	uint32_t count;
	fake_guest_fn guest; /* runs while no scripted exit is left */
	void *context;
};

/* ---- Time and hosts ---- */

/* For the setup of a test: time is 0, timers and machines of an earlier test are gone, this thread has a 100 MHz host.
 */
void fake_reset(void);
struct fake_host fake_host_make(uint32_t hz, uint64_t counter);
/* Of a processor with this MIDR_EL1, under a KVM that lets most of it be lowered, and MIDR_EL1 not. */
struct identity fake_identity_make(uint32_t midr);
/* With the lock held: as KVM takes a register of a machine, -errno. */
int fake_identity_write(struct fake_vm *vm, uint64_t id, uint64_t value);
/* The host of this thread. */
void fake_host_use(struct fake_host *host);
struct fake_host *fake_host_current(void);

/* True time is at least this much after 1970. */
#define FAKE_EPOCH_NS 1700000000000000000ull

uint64_t fake_time(void);
void fake_time_advance(uint64_t ns);
/* From now on time also advances by itself, at each reading of a clock. */
void fake_time_set_step(uint64_t ns);
/*
 * From now on time is the machine's CLOCK_MONOTONIC, for programs that are tested as processes: those of one machine
 * share it, and timers come within about a ms. Random numbers are random from then on, too.
 */
void fake_time_follow_machine(void);

/* The delay until a timer becomes readable; UINT64_MAX if it is not armed. */
uint64_t fake_timer_left(int timer);

/* How often a timer was armed or disarmed. */
uint32_t fake_timer_settings(int timer);

/* After `skip` more calls of this kind `times` calls fail with err. */
void fake_fail(struct fake_host *host, enum fake_call call, uint32_t skip, uint32_t times, int err);
/* From now on each call first asks this, which has 0 or -errno for it. */
void fake_set_fault(int (*fault)(enum fake_call call));

/* ---- Machines ---- */

struct fake_vm *fake_vm_of(const struct host_vm *vm);
/* A store of the guest, which the dirty log sees. */
void fake_guest_write(const struct host_vm *vm, uint64_t gpa, const void *data, size_t size);
/* The same from inside the guest. */
void fake_vm_write(struct fake_vm *vm, uint64_t gpa, const void *data, size_t size);
/* Whether the guest can read this ROM as memory. */
bool fake_vm_shows(const struct host_vm *vm, uint64_t gpa);
/*
 * A load of the guest that comes to no exit, because there is a window with registers, which is not hidden. The guest
 * takes it for a device.
 */
bool fake_vm_load(const struct fake_vm *vm, uint64_t gpa, uint32_t size, uint64_t *value);
/* Raises the lines whose events have been signalled (host_vm_set_call()). */
void fake_vm_deliver(const struct host_vm *vm);
/* A store of 4 bytes as KVM takes it: true if it signals an eventfd, and so is no exit. */
bool fake_vm_ring(const struct host_vm *vm, uint64_t gpa, uint32_t value);
/* The next `times` calls that lock all vCPUs of the machine are refused, as if another thread read a vCPU's registers.
 */
void fake_vm_occupy(const struct host_vm *vm, uint32_t times);
/* How often a thread asked for, or changed, the state of a vCPU that another one runs. */
uint32_t fake_vm_touches(const struct host_vm *vm);
/* From now on no two machines may be inside the guest at the same time. */
void fake_watch_exclusive(bool on);
/* Machines inside the guest. */
uint32_t fake_machines_inside(void);
/* How often a vCPU went into a guest there. */
uint64_t fake_host_entries(const struct fake_host *host);

/* ---- vCPUs ---- */

struct fake_vcpu *fake_vcpu_of(const struct host_vcpu *vcpu);
void fake_vcpu_script(const struct host_vcpu *vcpu, const struct fake_exit *exit);
/* The same from inside the guest, whose next turn comes when all of them have been taken. */
void fake_vcpu_push(struct fake_vcpu *vcpu, const struct fake_exit *exit);
void fake_vcpu_set_guest(const struct host_vcpu *vcpu, fake_guest_fn guest, void *context);
/* Until all scripted exits were taken and the vCPU is inside the guest again; false after 5 s. */
bool fake_vcpu_wait(const struct host_vcpu *vcpu);
/* Until the vCPU is inside the guest, or out of it; false after 5 s. */
bool fake_vcpu_wait_inside(const struct host_vcpu *vcpu, bool inside);
uint64_t fake_vcpu_register(const struct host_vcpu *vcpu, uint32_t id);
void fake_vcpu_set_register(const struct host_vcpu *vcpu, uint32_t id, uint64_t value);
void fake_vcpu_set_tables(const struct host_vcpu *vcpu, const struct host_tables *tables);
void fake_vcpu_set_timers(const struct host_vcpu *vcpu, const struct host_timers *timers);

/* ---- Inside the fake ---- */

extern pthread_mutex_t fake_lock;
extern pthread_cond_t fake_changed;

_Noreturn void fake_violation(const char *what);
/* With the lock: 0, or the error that the test ordered. */
int fake_call_fails(struct fake_host *host, enum fake_call call);
/* The thread works for this host unless it chose another. */
void fake_host_adopt(struct fake_host *host);
void fake_vm_reset(void);
/* Whether one piece of its memory has all of it. */
bool fake_vm_has(const struct fake_vm *vm, uint64_t gpa, uint64_t size);
/* With the lock. */
void fake_vm_enter(struct fake_vm *vm);
void fake_vm_leave(struct fake_vm *vm);

#endif
