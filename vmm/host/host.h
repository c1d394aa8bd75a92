/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host as the monitor sees it: virtual machines, their state, interrupts, memory, time.
 *
 * Policy: the only door to ioctl, mmap, timerfd and clock_gettime; everything above builds and is tested on any machine
 * against the fake in test/fake/. Nothing here knows Hyper-V or a policy of time. Functions return 0 or -errno and,
 * where they take one, leave a sentence in *error.
 */
#ifndef VMM_HOST_HOST_H
#define VMM_HOST_HOST_H

#include "base/buffer.h"
#include "base/error.h"
#include "host/facts.h"

#include <pthread.h>
#include <seaclock/core.h>

/* ---- Time and memory (time.c, timer.c, allocation.c, cache.c) ---- */

/* The host's system counter, as its guests see it with offset 0, and its rate by CNTFRQ_EL0. */
sc_ticks_t host_counter(void);
uint32_t host_counter_hz(void);

/* The counter as ns since it was 0, at its stated rate. */
sc_ns_t host_counter_ns(void);

/* The time since the host booted, also that in which it was suspended, as the counter has it; slewed by NTP. */
sc_ns_t host_monotonic(void);

/* How much of a processor the calling thread has had since it was started. */
sc_ns_t host_thread_time(void);

/* CLOCK_REALTIME, the counter with it, and the kernel's bound of its error if it is synchronised. */
struct sc_statement host_statement(void);

/* CLOCK_REALTIME alone, since 1970. */
sc_ns_t host_realtime(void);

/* The leap second that the kernel knows of. */
enum host_leap {
	HOST_LEAP_NONE,
	HOST_LEAP_INSERT,   /* comes at the end of this day, */
	HOST_LEAP_DELETE,   /* or this day lacks its last one */
	HOST_LEAP_NOW,	    /* an inserted one is under way */
	HOST_LEAP_INSERTED, /* was there, a moment ago */
	HOST_LEAP_DELETED,
};

/* How CLOCK_REALTIME is steered, from adjtimex(2). */
struct host_discipline {
	bool synchronised;
	bool slewing;		     /* it is being set right at a rate that is not its own */
	int64_t frequency;	     /* it is faster than the counter at its stated rate by this, in ppm / 2^16 */
	uint64_t estimated_error_ns; /* if it is synchronised */
	enum host_leap leap;
	int32_t tai_offset_s; /* TAI - UTC; 0: not known */
};

struct host_discipline host_discipline(void);

/* A file descriptor that becomes readable once the delay has passed by host_monotonic(); -errno. */
int host_timer_create(void);
void host_timer_arm(int timer, sc_ns_t delay);
void host_timer_disarm(int timer);
/* Takes the expiry, if there is one, so that the descriptor is no longer readable. */
void host_timer_acknowledge(int timer);

/* Zeroed, page-aligned memory; NULL. */
void *host_memory_allocate(uint64_t size);
void host_memory_free(void *memory, uint64_t size);
/* All zero again, as if it had just been allocated: its pages go back to the host. */
void host_memory_clear(void *memory, uint64_t size);

/*
 * After a store: whoever reads the memory past the caches finds it there, and what is stored later comes later there.
 * Guests do that with their caches off, and where they take memory for a device, on processors without FEAT_S2FWB.
 */
void host_clean(const void *place, size_t size);

void host_random(void *buffer, size_t size);

/* Pages of this host's kernel, in bytes. */
uint32_t host_page_size(void);

/*
 * What this host has left for a guest's memory, in bytes, as its kernel estimates it; UINT64_MAX if it does not say.
 * Room in the address space is found out by allocating.
 */
uint64_t host_memory_available(void);

/* ---- Virtual machines (kvm.c) ---- */

#define HOST_RAM_MAX 4u

/* One piece of a guest's memory. */
struct host_ram {
	uint64_t gpa; /* a multiple of 64 KiB, as `size` is */
	uint64_t size;
	void *memory;
	bool rom; /* the guest's stores to it are exits */
};

struct host_vm {
	int kvm;
	int vm;
	int gic;
	struct host_ram ram[HOST_RAM_MAX];
	uint32_t rams;
	struct host_ram window; /* of size 0: none */
};

struct host_vcpu {
	int fd;
	struct kvm_run *run;
	size_t run_size;
	uint32_t index;
};

/* Checks what this host's KVM can do and says in one sentence what is missing. */
int host_check(struct error *error);

/* Bits of a guest's physical addresses: what each machine is made with, and what this host's KVM can give at most. */
#define HOST_ADDRESS_BITS 40u
int host_address_bits(uint32_t *bits, struct error *error);

/* This host's facts, but for the monitor's own; a machine is made for that, and is gone afterwards. */
int host_get_facts(struct host_facts *facts, struct error *error);

/* A machine without vCPUs whose hypercalls below `functions`, as SMCCC function ids, come to the monitor. */
int host_vm_create(struct host_vm *vm, uint32_t functions, struct error *error);
void host_vm_destroy(struct host_vm *vm);

/*
 * Before the first vCPU is made: lets MIDR_EL1, REVIDR_EL1 and AIDR_EL1 be written as host_vcpu_set_identity() does, by
 * a KVM that can (Linux 6.15). Under another they stay what they are.
 */
void host_vm_free_implementation(struct host_vm *vm);

/* One more piece of RAM, of at most HOST_RAM_MAX, while the dirty log is off. */
int host_vm_add_ram(struct host_vm *vm, uint64_t gpa, void *ram, uint64_t size, struct error *error);

/*
 * The same for memory that the guest can only read. Its stores there are MMIO exits; while the ROM is hidden its loads
 * are as well. -errno: it is as it was. vCPUs may run meanwhile; threads take turns.
 */
int host_vm_add_rom(struct host_vm *vm, uint64_t gpa, void *rom, uint64_t size, struct error *error);
int host_vm_show_rom(struct host_vm *vm, uint64_t gpa, bool shown);

/*
 * The one window where the guest reads registers of devices as memory: as ROM, also in host_vm_show_rom(), and beside
 * the pieces above; no dirty log knows it. What is stored there a guest has to see although it takes the place for a
 * device, and its loads for such that no cache answers: see host_clean().
 */
int host_vm_add_window(struct host_vm *vm, uint64_t gpa, void *window, uint64_t size, struct error *error);

/*
 * The guest's counter, both views: guest = host counter - offset, modulo 2^64. No vCPU may be running; another thread
 * that reads the registers of one is waited for, about a second (busy.h).
 */
int host_vm_set_counter_offset(struct host_vm *vm, uint64_t offset, struct error *error);

/*
 * Dirty pages of the RAM since the last call, a bit for each 4096 bytes of each piece, in the order in which they were
 * added; the first call after enabling has those since then. A host of larger pages sets the bits of all that it holds.
 * Those of ROM are 0.
 */
int host_vm_set_dirty_log(struct host_vm *vm, bool enabled, struct error *error);
int host_vm_get_dirty_log(struct host_vm *vm, uint64_t *bitmap, struct error *error);

/*
 * Before the first vCPU runs: a store of `value`, 4 bytes, at a guest physical address outside RAM signals the eventfd,
 * and is no exit. -errno if KVM cannot do it: then it is one.
 */
int host_vm_set_bell(struct host_vm *vm, uint64_t gpa, uint32_t value, int event);

/*
 * From now on, or no longer, the eventfd raises the line of an SPI whenever it is signalled, and no thread of the
 * monitor need run for that. Nothing but host_vm_set_spi() lowers it; for an SPI that the guest has made edge-triggered
 * each signal is one edge. -errno if KVM cannot do it.
 */
int host_vm_set_call(struct host_vm *vm, uint32_t intid, int event, bool on);

/* Drives an interrupt line: a shared one, or one of a vCPU's own. */
int host_vm_set_spi(struct host_vm *vm, uint32_t intid, bool level);
int host_vm_set_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid, bool level);

/* ---- vCPUs (kvm_vcpu.c) ---- */

/* `on`: starts when run; else it waits for the guest to turn it on by PSCI. Create all of them before the GIC. */
int host_vcpu_create(struct host_vm *vm, struct host_vcpu *vcpu, uint32_t index, bool on, struct error *error);
void host_vcpu_destroy(struct host_vcpu *vcpu);
/* All registers as at power-on; `on` as above. */
int host_vcpu_reset(struct host_vm *vm, struct host_vcpu *vcpu, bool on, struct error *error);

/*
 * Has KVM tell the guest how long the vCPU wanted to run and could not, in HOST_STOLEN_SIZE bytes of guest memory at
 * `gpa`, a multiple of that, if the guest asks for it (Arm DEN0057A, PV_TIME_ST). KVM adds to what stands there, so
 * that the record goes on with the memory on another host. Once in a vCPU's life; -EOPNOTSUPP: this host cannot.
 */
#define HOST_STOLEN_SIZE 64u
int host_vcpu_set_stolen(struct host_vcpu *vcpu, uint64_t gpa, struct error *error);

/* What a vCPU says it is, with the bits that KVM lets it have otherwise before any vCPU has run. */
int host_vcpu_list_identity(const struct host_vm *vm, struct host_vcpu *vcpu, struct identity *identity,
			    struct error *error);
/* One of these registers: -errno; set before any vCPU has run, as KVM takes it. */
int host_vcpu_get_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t *value);
int host_vcpu_set_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t value);

int host_vcpu_set_entry(struct host_vcpu *vcpu, uint64_t pc, uint64_t x0, struct error *error);
int host_vcpu_get_x(struct host_vcpu *vcpu, uint32_t n, uint64_t *value);
int host_vcpu_set_x(struct host_vcpu *vcpu, uint32_t n, uint64_t value);
int host_vcpu_is_on(struct host_vcpu *vcpu, bool *on);

/* What decides how a vCPU outside the guest translates the kernel's addresses: TTBR1_EL1, TCR_EL1, SCTLR_EL1. -errno.
 */
struct host_tables {
	uint64_t ttbr1;
	uint64_t tcr;
	uint64_t sctlr;
};

int host_vcpu_get_tables(struct host_vcpu *vcpu, struct host_tables *tables);

/* The architectural timers of a vCPU outside the guest, as the guest has set them, and where it was stopped. -errno. */
struct host_timers {
	uint64_t pc;
	uint64_t tpidr; /* TPIDR_EL1 */
	uint64_t cntv_ctl;
	uint64_t cntv_cval;
	uint64_t cntp_ctl;
	uint64_t cntp_cval;
	uint64_t cntkctl;
};

int host_vcpu_get_timers(struct host_vcpu *vcpu, struct host_timers *timers);
/* The compare values and CNTKCTL_EL1; the others stay as they are. */
int host_vcpu_set_timers(struct host_vcpu *vcpu, const struct host_timers *timers);

enum host_exit_kind {
	HOST_EXIT_INTERRUPTED, /* by host_vcpu_kick(): no work of the guest is unfinished */
	HOST_EXIT_MMIO,
	HOST_EXIT_HYPERCALL,
	HOST_EXIT_SHUTDOWN,
	HOST_EXIT_RESET,
	HOST_EXIT_UNKNOWN,
};

struct host_exit {
	enum host_exit_kind kind;
	uint64_t gpa;	 /* MMIO */
	uint32_t size;	 /* MMIO */
	bool write;	 /* MMIO */
	uint8_t *data;	 /* MMIO: to take from, or to leave the answer in before the next run */
	bool smc;	 /* HYPERCALL: by SMC, not HVC */
	uint32_t w0;	 /* HYPERCALL: the lower half of X0 */
	uint32_t reason; /* UNKNOWN: the number KVM gave */
};

/* Runs the guest until it needs something. */
int host_vcpu_run(struct host_vcpu *vcpu, struct host_exit *exit);

/* To be called before the first thread that runs a vCPU is made: a kick may come before such a thread has run. */
void host_vcpu_allow_kicks(void);

/*
 * Makes the vCPU's thread leave the guest, or not enter it, with HOST_EXIT_INTERRUPTED, however the two race;
 * unfinished work of its last exit is finished before. It holds until host_vcpu_unkick().
 */
void host_vcpu_kick(struct host_vcpu *vcpu, pthread_t thread);
void host_vcpu_unkick(struct host_vcpu *vcpu);

/* ---- State (kvm_registers.c, kvm_gic.c); all vCPUs stopped ---- */

/* How pending architectural timers move with the counter. At equal rates they stay where they are. */
struct host_rebase {
	sc_ticks_t counter; /* the guest's counter when it stopped: where old and new rate meet */
	uint32_t from_hz;
	uint32_t to_hz;
};

/* All registers of a vCPU but the counters, identification registers first. */
int host_vcpu_save(struct host_vcpu *vcpu, struct buffer *state, struct error *error);
int host_vcpu_load(struct host_vcpu *vcpu, struct cursor *state, const struct host_rebase *rebase, struct error *error);

/* The GICv3, created after the last vCPU. Other threads that read vCPUs are waited for as above. */
int host_gic_create(struct host_vm *vm, struct error *error);
/* As at power-on. */
int host_gic_reset(struct host_vm *vm, uint32_t vcpus, struct error *error);
int host_gic_save(struct host_vm *vm, uint32_t vcpus, struct buffer *state, struct error *error);
int host_gic_load(struct host_vm *vm, uint32_t vcpus, struct cursor *state, struct error *error);

/*
 * One edge on a PPI, as the pending latch of the vCPU's redistributor. -EAGAIN while the interrupt is active, for a
 * latch set then is lost at its end, or while another thread reads a vCPU's state: the caller tries again later.
 * -EALREADY if the guest has not yet taken the last edge: the two are one interrupt.
 */
int host_gic_latch_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid);

#endif
