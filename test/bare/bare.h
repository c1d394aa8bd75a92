/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime of bare guests: processors, interrupts, print and verdict on any arm64 machine with a GICv3 and a PL011.
 *
 * Policy: one machine, so its description is global and constant after start. Guests define guest_main, which runs on
 * the boot processor with interrupts masked; when it returns, its verdict is printed and the machine is switched off.
 * Nothing waits without a limit. An exception that nobody expects is a verdict too.
 */
#ifndef TEST_BARE_H
#define TEST_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MACHINE_CPUS_MAX 8u
#define MACHINE_REGIONS_MAX 4u

/* Private interrupts, INTIDs 0 to 31: the only ones that are used. */
#define INTERRUPTS 32u

/* ---- The machine, as ACPI or the device tree describe it (acpi.c, tree.c) ---- */

struct machine {
	const void *rsdp; /* NULL: there is no ACPI */
	const char *command_line;
	uintptr_t uart; /* PL011; 0: none was found */
	uintptr_t gicd; /* 0: no GICv3 was found */
	struct {
		uintptr_t base;
		uint64_t size;
	} gicr[MACHINE_REGIONS_MAX];
	uint32_t gicr_count;
	bool psci_smc; /* PSCI is called by SMC, not by HVC */
	uint32_t cpu_count;
	uint64_t mpidr[MACHINE_CPUS_MAX]; /* affinity fields; the boot processor first, once it runs */
};

extern struct machine machine;

void tree_read(struct machine *described, const void *tree, uintptr_t *efi_system_table);
void acpi_read(struct machine *described, uintptr_t efi_system_table);

/* The number behind NAME= on the command line, or `otherwise`. */
uint64_t machine_option(const char *name, uint64_t otherwise);

/* ---- Device registers: plain loads and stores, which hypervisors can emulate; compilers choose others as well ---- */

static inline uint32_t mmio_read(uintptr_t address)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write(uintptr_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

/* ---- Print (print.c): %s, %u (64 bits), %x (64 bits), %c; any processor, not in handlers ---- */

void print(const char *format, ...);

/* Ends the machine with a verdict line; from any processor, any context. */
void verdict(bool passed, const char *reason) __attribute__((noreturn));

/* ---- Time limits by CNTVCT_EL0, which survive a change of the counter's rate ---- */

struct limit {
	uint64_t seen;	  /* counter */
	uint64_t left_us; /* of the time that may pass */
	uint64_t rest;	  /* ticks that do not make a microsecond yet */
};

uint64_t counter_read(void);
uint64_t counter_hz(void);
struct limit limit_start(uint64_t microseconds);
bool limit_over(struct limit *limit);

/* ---- How long a guest runs (course.c): s= seconds (5) behind the last of moves= (0) moves to another rate ---- */

struct course {
	struct limit limit;
	uint64_t hz;
	uint64_t moves;	  /* that are still to come */
	uint64_t seconds; /* behind the last of them */
};

struct course course_start(void);

/* True when the time is up; if a move does not come in time the machine ends with that verdict. */
bool course_over(struct course *course);

/* ---- Processors (cpu.c) ---- */

struct cpu {
	uintptr_t stack_end; /* known to head.S */
	uint32_t index;
	uintptr_t gicr;
	void (*work)(void *argument);
	void *argument;
	bool busy;
	struct {
		void (*handler)(void *argument);
		void *argument;
	} line[INTERRUPTS];
};

struct cpu *cpu_self(void);

/*
 * Has another processor, which is switched on if need be, call work(argument); false if it does not start or is busy.
 * cpu_wait: whether it has returned within the time.
 */
bool cpu_run(uint32_t index, void (*work)(void *argument), void *argument);
bool cpu_wait(uint32_t index, uint64_t microseconds);

/* A PSCI call by the machine's conduit. */
uint64_t psci_call(uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3);

/* ---- Interrupts of the calling processor (gic.c) ---- */

/* False if there is no GICv3. */
bool gic_start(struct cpu *cpu);

void interrupt_enable(uint32_t intid, void (*handler)(void *argument), void *argument);
void interrupt_disable(uint32_t intid);
bool interrupt_pending(uint32_t intid);
void interrupt_clear(uint32_t intid);

static inline void interrupts_unmask(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void interrupts_mask(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

/* ---- Exceptions (trap.c) ---- */

struct frame {
	uint64_t x[20];
	uint64_t x29;
	uint64_t x30;
	uint64_t elr;
	uint64_t spsr;
};

void trap_synchronous(struct frame *frame);
void trap_interrupt(struct frame *frame);
void trap_unexpected(struct frame *frame) __attribute__((noreturn));

/* HVC instructions that this machine did not know (an exception each): they returned -1 instead. */
extern uint32_t trap_unknown_calls;

/* ---- What the guest defines: true is a pass ---- */

bool guest_main(void);

/* It may also look at the machine before the runtime has touched the interrupt controller; on the boot processor. */
void guest_power_on(void);

#endif
