/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest whose RAM has the timekeeping of a Linux of a series that is known, in order, at any rate and any moment; and
 * its clocks as that kernel, or user space, would read them.
 *
 * Policy: members lie where Debian's kernels have them. What is put there, and what is read, is computed here in the
 * kernel's terms, not by what repair/ has for it; of clocksources and devices the numbers are those that such kernels
 * print when they boot, so only the rates in the table can be had.
 */
#ifndef FAKE_LINUX_CLOCK_H
#define FAKE_LINUX_CLOCK_H

#include "linux_layout.h"
#include "linux_ram.h"

#define LINUX_CLOCK_CPUS 4u
#define LINUX_CLOCK_RAM 0x40000000u
#define LINUX_CLOCK_RAM_SIZE (4u << 20)
/* Where the variables begin, at which kernel address, and what each of them has room for. */
#define LINUX_CLOCK_DATA (LINUX_CLOCK_RAM + 0x300000)
#define LINUX_CLOCK_VA 0xfffffff080400000u
#define LINUX_CLOCK_ROOM 0x400u
/* What each CPU has of its own lies so far from that of the one before. */
#define LINUX_CLOCK_PERCPU 0x8000u
#define LINUX_CLOCK_DATA_SIZE (LINUX_CLOCK_PERCPU * (LINUX_CLOCK_CPUS + 2))

/* The rates that there are. */
#define LINUX_CLOCK_RATES 12u
extern const uint32_t linux_clock_rates[LINUX_CLOCK_RATES];

/* A moment. */
struct linux_clock_state {
	enum linux_series series;
	uint32_t hz;
	uint64_t count;	    /* of the counter */
	uint64_t since;	    /* ticks since the timekeeper was updated */
	uint64_t xtime_sec; /* at that update, as what follows */
	uint64_t raw_sec;
	uint32_t xtime_ns; /* less than a second */
	uint32_t raw_ns;
	int64_t to_mono_sec;
	uint32_t to_mono_ns;
	int64_t to_boot_sec;
	uint32_t to_boot_ns;
	int32_t tai_offset;
	int32_t adjusted_ppb; /* by NTP */
	int32_t skewed_ppb;   /* to even an offset out; only of a series that has that apart */
	uint32_t err_mult;    /* 0 or 1 */
	uint32_t cpus;	      /* that the kernel knows */
	uint32_t up;	      /* so many of them are, and the others never were */
};

struct linux_clock {
	struct linux_ram ram; /* the first: the port's context */
	struct sc_guest_port guest;
	struct sc_kernel kernel;
	struct sc_vcpu_timers timers[LINUX_CLOCK_CPUS];
	uint32_t on; /* bit n: vCPU n is */
};

/* A moment like any other, of a guest with two CPUs, one of which is up. */
struct linux_clock_state linux_clock_usual(uint32_t hz);

void linux_clock_begin(struct linux_clock *clock, const struct linux_clock_state *state);
void linux_clock_end(struct linux_clock *clock);

/* The number of a member of the variable, or of what lies at an address; and where it lies. */
uint64_t linux_clock_get(struct linux_clock *clock, uint64_t va, enum sc_field field);
void linux_clock_put(struct linux_clock *clock, uint64_t va, enum sc_field field, uint64_t value);
uint64_t linux_clock_load(struct linux_clock *clock, uint64_t va, uint32_t size);
void linux_clock_store(struct linux_clock *clock, uint64_t va, uint64_t value, uint32_t size);
uint64_t linux_clock_at(const struct linux_clock *clock, uint64_t va, enum sc_field field);

/* The timekeeper, its shadow, and the clocks of the vDSO: 0, and 1 for what is raw. */
uint64_t linux_clock_keeper(const struct linux_clock *clock);
uint64_t linux_clock_shadow(const struct linux_clock *clock);
uint64_t linux_clock_vdso(const struct linux_clock *clock, uint32_t which);

/* The clock event device of a CPU, and its part of a variable that each has. */
uint64_t linux_clock_event(const struct linux_clock *clock, uint32_t cpu);
uint64_t linux_clock_percpu(uint32_t cpu);

/* ---- The clocks at a count, in units of 2^-32 ns ---- */

typedef unsigned __int128 linux_time;

enum linux_reader {
	LINUX_MONO,   /* by the timekeeper */
	LINUX_SHADOW, /* by its shadow */
	LINUX_FAST_0, /* by the copies for readers that may not wait */
	LINUX_FAST_1,
	LINUX_VDSO_MONO, /* by user space */
	LINUX_VDSO_REAL,
	LINUX_VDSO_BOOT,
	LINUX_VDSO_TAI,
	LINUX_COARSE_REAL,
	LINUX_COARSE_MONO,
	LINUX_RAW,
	LINUX_FAST_RAW_0,
	LINUX_FAST_RAW_1,
	LINUX_VDSO_RAW,
	LINUX_SCHED_0,
	LINUX_SCHED_1,
	LINUX_TIMECOUNTER,
	LINUX_READERS,
};

linux_time linux_clock_read(struct linux_clock *clock, enum linux_reader reader, uint64_t count);

#endif
