/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors and time limits: the start of C, PSCI, and a mailbox for each processor.
 *
 * Policy: a processor that has been switched on stays on and waits for work in WFE.
 */
#include "bare.h"

#define PSCI_CPU_ON 0xc4000003u
#define START_LIMIT_US 20000000
#define STACK_SIZE 16384

#define MPIDR_AFFINITY 0xff00ffffffull

struct machine machine;
static struct cpu cpus[MACHINE_CPUS_MAX];
static uint8_t stacks[MACHINE_CPUS_MAX][STACK_SIZE] __attribute__((aligned(16)));

void secondary_start(void);
void bare_start(const void *tree);
void cpu_main(struct cpu *cpu);

uint64_t counter_read(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
	return ticks;
}

uint64_t counter_hz(void)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

struct limit limit_start(uint64_t microseconds)
{
	return (struct limit){ .seen = counter_read(), .left_us = microseconds };
}

bool limit_over(struct limit *limit)
{
	uint64_t now = counter_read(), ticks = now - limit->seen + limit->rest, hz = counter_hz() / 1000000;
	uint64_t passed = ticks / hz;

	limit->seen = now;
	limit->rest = ticks % hz;
	limit->left_us = passed < limit->left_us ? limit->left_us - passed : 0;
	return limit->left_us == 0;
}

struct cpu *cpu_self(void)
{
	struct cpu *cpu;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

static void cpu_set_self(struct cpu *cpu)
{
	__asm__ volatile("msr tpidr_el1, %0" : : "r"(cpu));
}

uint64_t psci_call(uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	register uint64_t r0 __asm__("x0") = function;
	register uint64_t r1 __asm__("x1") = x1;
	register uint64_t r2 __asm__("x2") = x2;
	register uint64_t r3 __asm__("x3") = x3;

	if (machine.psci_smc)
		__asm__ volatile("smc #0"
				 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
				 :
				 : "x4", "x5", "x6", "x7", "memory");
	else
		__asm__ volatile("hvc #0"
				 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
				 :
				 : "x4", "x5", "x6", "x7", "memory");
	return r0;
}

void cpu_main(struct cpu *cpu)
{
	cpu_set_self(cpu);
	gic_start(cpu);
	for (;;) {
		while (!__atomic_load_n(&cpu->busy, __ATOMIC_ACQUIRE))
			__asm__ volatile("wfe");
		cpu->work(cpu->argument);
		__atomic_store_n(&cpu->busy, false, __ATOMIC_RELEASE);
	}
}

static bool cpu_start(struct cpu *cpu, uint32_t index)
{
	if (cpu->stack_end)
		return true;
	cpu->index = index;
	cpu->stack_end = (uintptr_t)&stacks[index][STACK_SIZE];
	/* It reads its stack's address with the MMU on, so the caches agree. */
	return psci_call(PSCI_CPU_ON, machine.mpidr[index], (uintptr_t)secondary_start, (uintptr_t)cpu) == 0;
}

bool cpu_run(uint32_t index, void (*work)(void *argument), void *argument)
{
	struct cpu *cpu = &cpus[index];

	if (index == 0 || index >= machine.cpu_count || __atomic_load_n(&cpu->busy, __ATOMIC_ACQUIRE))
		return false;
	cpu->work = work;
	cpu->argument = argument;
	__atomic_store_n(&cpu->busy, true, __ATOMIC_RELEASE);
	if (!cpu_start(cpu, index))
		return false;
	__asm__ volatile("dsb ish\n\tsev" : : : "memory");
	return true;
}

bool cpu_wait(uint32_t index, uint64_t microseconds)
{
	struct limit limit = limit_start(microseconds);

	while (__atomic_load_n(&cpus[index].busy, __ATOMIC_ACQUIRE))
		if (limit_over(&limit))
			return false;
	return true;
}

/* The boot processor becomes number 0, wherever the tables list it. */
static void boot_cpu_first(void)
{
	uint64_t own;

	__asm__("mrs %0, mpidr_el1" : "=r"(own));
	own &= MPIDR_AFFINITY;
	if (!machine.cpu_count)
		machine.cpu_count = 1;
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		if (machine.mpidr[i] == own)
			machine.mpidr[i] = machine.mpidr[0];
	machine.mpidr[0] = own;
}

static bool word_starts(const char *text, const char *name)
{
	while (*name && *text == *name) {
		text++;
		name++;
	}
	return !*name && *text == '=';
}

uint64_t machine_option(const char *name, uint64_t otherwise)
{
	const char *text = machine.command_line;
	bool begins = true;
	uint64_t value = 0;

	for (; text && *text; text++) {
		if (begins && word_starts(text, name)) {
			while (*text++ != '=')
				;
			for (; *text >= '0' && *text <= '9'; text++)
				value = value * 10 + (uint64_t)(*text - '0');
			return value;
		}
		begins = *text == ' ';
	}
	return otherwise;
}

__attribute__((weak)) void guest_power_on(void)
{
}

void bare_start(const void *tree)
{
	uintptr_t efi_system_table = 0;
	bool passed;

	tree_read(&machine, tree, &efi_system_table);
	if (efi_system_table)
		acpi_read(&machine, efi_system_table);
	boot_cpu_first();
	cpus[0].stack_end = 1; /* it runs on a stack of its own */
	cpu_set_self(&cpus[0]);
	guest_power_on();
	gic_start(&cpus[0]);
	passed = guest_main();
	verdict(passed, passed ? "all is well" : "see above");
}
