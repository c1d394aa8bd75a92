/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The transparent level: an unmodified Linux kernel is found in a guest's memory and judged, from outside, and what
 * repairs it is written there.
 *
 * Policy: pure. No I/O, no globals, no allocation but from an arena that the caller gives. Memory and registers of the
 * guest come through a small port, so any monitor can use this. All that is read may be forged: every address, offset,
 * count and length is checked before it is used, all work is bounded, and nothing outside the guest's RAM is asked for.
 * What is not known is refused. Finding, judging and planning write nothing; only sc_plan_apply() and sc_plan_revert()
 * do, all of a plan or nothing.
 *
 * Threads: a function uses nothing but what it is given, so several may run at once, each with an arena, a port and
 * results of its own. The port's functions are called by the thread that called, and by no other.
 */
#ifndef SEACLOCK_REPAIR_H
#define SEACLOCK_REPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Refusals (repair/refusal.c) ---- */

/* Why a kernel is refused; functions return 0 or one of these, negated. */
enum sc_refusal_reason {
	SC_REFUSED_MEMORY = 1, /* an address leads nowhere, or to what is not RAM */
	SC_REFUSED_DAMAGED,    /* what was found contradicts itself */
	SC_REFUSED_ABSENT,     /* what is needed is not there */
	SC_REFUSED_UNKNOWN,    /* whole, but not a kernel whose layout and meaning are known */
	SC_REFUSED_SPACE,      /* the arena is too small */
	SC_REFUSED_BUSY,       /* not at this point: let the guest run for a millisecond, stop it and try again */
};

#define SC_REFUSAL_MAX 160u

/* One clause, such as "the kernel has no symbol tk_core". What the guest has a say in is printable ASCII. */
struct sc_refusal {
	enum sc_refusal_reason reason;
	char text[SC_REFUSAL_MAX];
};

/* ---- The port ---- */

/* What decides how a vCPU translates kernel addresses: TTBR1_EL1, TCR_EL1 and SCTLR_EL1. */
struct sc_vcpu_tables {
	uint64_t ttbr1;
	uint64_t tcr;
	uint64_t sctlr;
};

/* What a vCPU's timers are set to, as the guest reads them, and where it was stopped. */
struct sc_vcpu_timers {
	uint64_t pc;
	uint64_t tpidr;	    /* TPIDR_EL1: tells which of the kernel's CPUs the vCPU is */
	uint64_t cntv_ctl;  /* CNTV_CTL_EL0 */
	uint64_t cntv_cval; /* CNTV_CVAL_EL0 */
	uint64_t cntp_ctl;  /* CNTP_CTL_EL0 */
	uint64_t cntp_cval; /* CNTP_CVAL_EL0 */
	uint64_t cntkctl;   /* CNTKCTL_EL1 */
};

/*
 * A guest, as its monitor shows it. Addresses are intermediate physical ones, sizes are in bytes. Little-endian hosts
 * only.
 */
struct sc_guest_port {
	void *context;
	uint32_t vcpu_count;

	/* Whether [address, address + size) is all RAM. The sum does not overflow, and size > 0. */
	bool (*is_ram)(void *context, uint64_t address, uint64_t size);

	/* Copies what is_ram() has said yes to. False if it cannot be had. */
	bool (*read)(void *context, uint64_t address, void *to, size_t size);

	/*
	 * The first range of RAM that ends behind `from`, for a search: true, and *start < *end, *end > from, *end at
	 * most 2^52. RAM that was never touched may be left out. False if there is none.
	 */
	bool (*next)(void *context, uint64_t from, uint64_t *start, uint64_t *end);

	/* False if the vCPU is powered off. */
	bool (*tables)(void *context, uint32_t vcpu, struct sc_vcpu_tables *tables);

	/*
	 * Stores into what is_ram() has said yes to, as something that the guest has written (a log of dirty pages has
	 * it). False if that is not possible; then nothing of it is stored. Only sc_plan_apply() and sc_plan_revert()
	 * need it.
	 */
	bool (*write)(void *context, uint64_t address, const void *from, size_t size);

	/* False if the vCPU is powered off. Only sc_plan_make() needs it. */
	bool (*timers)(void *context, uint32_t vcpu, struct sc_vcpu_timers *timers);
};

/*
 * Scratch memory, 8-byte aligned; `used` is 0 at first. But for a plan, nothing that a function returns lies in it, so
 * it can be freed, or used again from 0, as soon as the function has returned.
 */
struct sc_arena {
	uint8_t *memory;
	size_t size;
	size_t used;
};

/* Enough for any kernel that is taken: its types, an index of them, and small change. */
#define SC_REPAIR_ARENA_SIZE (24u << 20)

/* ---- A kernel's layout (repair/layout.c) ---- */

/* A series of kernels: what 6.12.117 and 6.12.3 have in common. */
struct sc_series {
	uint32_t major;
	uint32_t minor;
};

/* The kernel's structures that are used; what a series calls them is in repair/series.c. */
enum sc_struct {
	SC_STRUCT_CORE,
	SC_STRUCT_TIMEKEEPER,
	SC_STRUCT_READ_BASE,
	SC_STRUCT_FAST,
	SC_STRUCT_TIMESPEC,
	SC_STRUCT_NTP,
	SC_STRUCT_CLOCKSOURCE,
	SC_STRUCT_SCHED,
	SC_STRUCT_SCHED_READ,
	SC_STRUCT_VDSO,
	SC_STRUCT_VDSO_CLOCK,
	SC_STRUCT_VDSO_TIME,
	SC_STRUCT_EVENT,
	SC_STRUCT_TICK,
	SC_STRUCT_KVM_INFO,
	SC_STRUCT_TIMECOUNTER,
	SC_STRUCT_CYCLECOUNTER,
	SC_STRUCT_FTR_ENTRY,
	SC_STRUCT_FTR,
	SC_STRUCT_CPUINFO,
	SC_STRUCT_COUNT,
};

/* Members of the kernel's structures; which of them a series has is in repair/series.c. */
enum sc_field {
	/* tk_core, or struct tk_data */
	SC_CORE_SEQ,
	SC_CORE_TIMEKEEPER,
	SC_CORE_SHADOW,
	SC_CORE_LOCK,
	/* struct timekeeper */
	SC_TK_MONO,
	SC_TK_RAW,
	SC_TK_XTIME_SEC,
	SC_TK_KTIME_SEC,
	SC_TK_WALL_TO_MONOTONIC,
	SC_TK_OFFS_REAL,
	SC_TK_OFFS_BOOT,
	SC_TK_TAI_OFFSET,
	SC_TK_CS_WAS_CHANGED_SEQ,
	SC_TK_RAW_SEC,
	SC_TK_MONOTONIC_TO_BOOT,
	SC_TK_CYCLE_INTERVAL,
	SC_TK_XTIME_INTERVAL,
	SC_TK_XTIME_REMAINDER,
	SC_TK_RAW_INTERVAL,
	SC_TK_NTP_TICK,
	SC_TK_NTP_ERROR,
	SC_TK_NTP_ERROR_SHIFT,
	SC_TK_NTP_ERR_MULT,
	SC_TK_COARSE_NSEC,
	SC_TK_CS_TICK_ADJ,
	SC_TK_CS_NS_TO_CYC_MULT,
	SC_TK_SKEW_DELTA,
	/* struct tk_read_base */
	SC_READ_BASE_CLOCK,
	SC_READ_BASE_MASK,
	SC_READ_BASE_CYCLE_LAST,
	SC_READ_BASE_MULT,
	SC_READ_BASE_SHIFT,
	SC_READ_BASE_XTIME_NSEC,
	SC_READ_BASE_BASE,
	SC_READ_BASE_BASE_REAL,
	/* struct tk_fast */
	SC_FAST_SEQ,
	SC_FAST_BASE,
	/* struct timespec64 */
	SC_TIMESPEC_SEC,
	SC_TIMESPEC_NSEC,
	/* struct ntp_data */
	SC_NTP_TICK_LENGTH,
	SC_NTP_CS_TICK_ADJ,
	/* struct clocksource */
	SC_CLOCKSOURCE_MASK,
	SC_CLOCKSOURCE_MULT,
	SC_CLOCKSOURCE_SHIFT,
	SC_CLOCKSOURCE_MAX_IDLE_NS,
	SC_CLOCKSOURCE_MAXADJ,
	SC_CLOCKSOURCE_MAX_CYCLES,
	SC_CLOCKSOURCE_NAME,
	SC_CLOCKSOURCE_FREQ_KHZ,
	SC_CLOCKSOURCE_VDSO_CLOCK_MODE,
	/* struct clock_data, struct clock_read_data */
	SC_SCHED_SEQ,
	SC_SCHED_READ_DATA,
	SC_SCHED_WRAP_KT,
	SC_SCHED_RATE,
	SC_SCHED_EPOCH_NS,
	SC_SCHED_EPOCH_CYC,
	SC_SCHED_MASK,
	SC_SCHED_MULT,
	SC_SCHED_SHIFT,
	/* struct vdso_data, or vdso_time_data with vdso_clock; struct vdso_timestamp */
	SC_VDSO_CLOCKS,
	SC_VDSO_AUX_CLOCKS,
	SC_VDSO_SEQ,
	SC_VDSO_CLOCK_MODE,
	SC_VDSO_CYCLE_LAST,
	SC_VDSO_MASK,
	SC_VDSO_MULT,
	SC_VDSO_SHIFT,
	SC_VDSO_BASETIME,
	SC_VDSO_TIME_SEC,
	SC_VDSO_TIME_NSEC,
	/* struct clock_event_device, tick_device */
	SC_EVENT_SET_NEXT_EVENT,
	SC_EVENT_NEXT_EVENT,
	SC_EVENT_MAX_DELTA_NS,
	SC_EVENT_MIN_DELTA_NS,
	SC_EVENT_MULT,
	SC_EVENT_SHIFT,
	SC_EVENT_FEATURES,
	SC_EVENT_MIN_DELTA_TICKS,
	SC_EVENT_MAX_DELTA_TICKS,
	SC_TICK_EVTDEV,
	/* struct arch_timer_kvm_info, timecounter, cyclecounter */
	SC_KVM_INFO_TIMECOUNTER,
	SC_TIMECOUNTER_CYCLE_LAST,
	SC_TIMECOUNTER_NSEC,
	SC_TIMECOUNTER_MASK,
	SC_TIMECOUNTER_FRAC,
	SC_CYCLECOUNTER_MASK,
	SC_CYCLECOUNTER_MULT,
	SC_CYCLECOUNTER_SHIFT,
	/* struct __ftr_reg_entry, arm64_ftr_reg, cpuinfo_arm64 */
	SC_FTR_ENTRY_SYS_ID,
	SC_FTR_ENTRY_REG,
	SC_FTR_SYS_VAL,
	SC_CPUINFO_CNTFRQ,
	SC_FIELD_COUNT,
};

/* Where a member lies in its structure, in bytes; size 0 if the series has none. */
struct sc_place {
	uint32_t offset;
	uint32_t size; /* of an array, of all of it */
};

struct sc_layout {
	struct sc_series series;
	uint64_t fingerprint; /* of all members of all structures that are used: names, offsets, sizes, types */
	uint32_t size[SC_STRUCT_COUNT]; /* in bytes; 0 if the series has no such structure */
	struct sc_place field[SC_FIELD_COUNT];
};

/* ---- Finding and judging a kernel (repair/kernel.c) ---- */

/* What the kernel's variables are called in a series is in repair/series.c. */
enum sc_variable {
	SC_VAR_CORE,
	SC_VAR_SHADOW,
	SC_VAR_LOCK,
	SC_VAR_FAST_MONO,
	SC_VAR_FAST_RAW,
	SC_VAR_NTP,
	SC_VAR_SUSPENDED,
	SC_VAR_CLOCKSOURCE,
	SC_VAR_SCHED,
	SC_VAR_VDSO,
	SC_VAR_TIMER_RATE,
	SC_VAR_LPJ,
	SC_VAR_LPJ_FINE,
	SC_VAR_TICK_DEVICE,
	SC_VAR_TIMER_EVT,
	SC_VAR_PERCPU_OFFSET,
	SC_VAR_CPU_COUNT,
	SC_VAR_CPU_ONLINE,
	SC_VAR_CPU_DATA,
	SC_VAR_BOOT_CPU_DATA,
	SC_VAR_FTR_REGS,
	SC_VAR_KVM_INFO,
	SC_VAR_CYCLECOUNTER,
	SC_VARIABLE_COUNT,
};

/* The kernel's functions that convert between time and ticks in several steps: a vCPU in one of them is not moved. */
enum sc_function {
	SC_FUNCTION_PROGRAM_EVENT,
	SC_FUNCTION_PROGRAM_MIN_DELTA,
	SC_FUNCTION_SET_NEXT_EVENT_VIRT,
	SC_FUNCTION_SET_NEXT_EVENT_PHYS,
	SC_FUNCTION_COUNT,
};

/* Kernel addresses, from the first instruction to behind the last. */
struct sc_code {
	uint64_t start;
	uint64_t end;
};

/* Translation of kernel addresses, as a vCPU has it set up. */
struct sc_space {
	const struct sc_guest_port *guest;
	uint64_t table; /* physical address of the first table */
	uint32_t granule_bits;
	uint32_t va_bits;
	uint32_t pa_bits;
	bool wide;	  /* descriptors have 52-bit addresses */
	uint64_t leaf_va; /* what was translated last */
	uint64_t leaf_pa;
	uint64_t leaf_size; /* 0: nothing yet */
};

#define SC_RELEASE_MAX 65u  /* as struct new_utsname has it */
#define SC_BUILD_ID_MAX 41u /* of 20 bytes, in hexadecimal */

struct sc_kernel {
	char release[SC_RELEASE_MAX];	     /* such as 6.12.117+deb12-cloud-arm64 */
	char build_id[SC_BUILD_ID_MAX];	     /* may be empty */
	uint64_t address[SC_VARIABLE_COUNT]; /* kernel addresses; 0 if the series has no such variable */
	struct sc_code code[SC_FUNCTION_COUNT];
	struct sc_space space;
	struct sc_layout layout;
	const char *known_by; /* the build that made the layout known */
};

/*
 * Finds the Linux kernel that a guest's vCPUs run, and judges whether it is one whose layout and meaning are known. 0,
 * or a negated sc_refusal_reason, the clause in *why and *kernel all zero. The guest may run meanwhile: what it changes
 * then is seen as it was before or after, or has its kernel refused. `kernel->space` keeps the pointer to the guest.
 */
int sc_kernel_find(const struct sc_guest_port *guest, struct sc_arena *arena, struct sc_kernel *kernel,
		   struct sc_refusal *why);

/*
 * The name of the clocksource that the kernel's clock is read from at this moment, such as "arch_sys_counter", with the
 * guest as in sc_kernel_find(). A negated reason, the clause, and an empty name.
 */
#define SC_CLOCKSOURCE_TEXT_MAX 32u /* as Linux has it (CS_NAME_LEN) */
int sc_kernel_clocksource(struct sc_kernel *kernel, char name[SC_CLOCKSOURCE_TEXT_MAX], struct sc_refusal *why);

/*
 * The same judgement of a kernel's Image file (not compressed), by its banner and its BTF: release, layout and known_by
 * are set, and whether symbols are there is not said. A negated reason, the clause, and *kernel all zero; but if only
 * the layout is not known, -SC_REFUSED_UNKNOWN, and release and layout are set, with a layout.series.major that is not
 * 0.
 */
int sc_kernel_of_image(const void *image, size_t size, struct sc_arena *arena, struct sc_kernel *kernel,
		       struct sc_refusal *why);

/* ---- Planning and writing a repair (repair/plan.c, repair/writes.c, repair/apply.c) ---- */

/*
 * How the guest's counter changes while the guest is stopped: at one instant it reads from_ticks at from_hz and
 * to_ticks at to_hz. Both its counters, the virtual and the physical one, read the same. Rates are from 1 MHz to 2 GHz.
 */
struct sc_rate_change {
	uint32_t from_hz;
	uint32_t to_hz;
	uint64_t from_ticks;
	uint64_t to_ticks;
};

/* A value in guest memory, little-endian. */
struct sc_write {
	uint64_t address; /* intermediate physical, a multiple of the size */
	uint64_t before;  /* what is there */
	uint64_t after;	  /* what is to be there; if that is the same, it is only compared */
	uint32_t size;	  /* 1, 2, 4 or 8 bytes */
};

/* The timers that a vCPU is to have; `pc` and `tpidr` are what they were. */
struct sc_vcpu_plan {
	bool on; /* else it is powered off, and has none to be set */
	struct sc_vcpu_timers timers;
};

/*
 * What a repair changes. The lists are in the arena. The vCPUs' registers are the caller's to set, when the writes are
 * done: sc_plan_apply() and sc_plan_revert() have nothing to do with them.
 */
struct sc_plan {
	struct sc_write *writes; /* by address; none overlap */
	uint32_t write_count;
	uint32_t write_max;
	struct sc_vcpu_plan *vcpus; /* as many as the port has */
};

/*
 * Plans how the guest goes on at another rate: all its clocks go on from where they are, never back, and forward by 1
 * ns at most, coarse ones by a tick of the slower rate and a millionth of the time since the kernel's last update.
 * Timers expire when they would have, and what else the kernel has computed from the rate is computed anew. All vCPUs
 * are stopped, and stay so until the plan is carried out; `kernel` is what sc_kernel_find() has found of it, and the
 * guest may have run since. Reads only. When the guest goes on, its CNTFRQ_EL0 must read to_hz.
 *
 * 0; or a negated reason, the clause, an empty plan, and the arena as it was. With -SC_REFUSED_BUSY another instant
 * will do, mostly a millisecond later: the kernel was about to change what is repaired. A guest can stay so, and the
 * caller limits its tries. -SC_REFUSED_UNKNOWN also if the kernel's numbers are not those that a kernel at from_hz has.
 */
#define SC_PLAN_ARENA_SIZE (128u << 10) /* enough for 512 vCPUs */
int sc_plan_make(struct sc_kernel *kernel, const struct sc_rate_change *change, struct sc_arena *arena,
		 struct sc_plan *plan, struct sc_refusal *why);

/*
 * Carries a plan out. First all of it is compared with what is there: if anything differs, -SC_REFUSED_BUSY, and
 * nothing is written. If the port cannot store something, -SC_REFUSED_MEMORY, and what was stored is taken back; a port
 * that cannot store that either leaves the guest half written, and it must not run. The guest must be stopped, and have
 * been since the plan.
 */
int sc_plan_apply(const struct sc_guest_port *guest, const struct sc_plan *plan, struct sc_refusal *why);

/* Takes back what sc_plan_apply() has stored, the same way: all of it, if it all is there still. */
int sc_plan_revert(const struct sc_guest_port *guest, const struct sc_plan *plan, struct sc_refusal *why);

#endif
