/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GICv3, private interrupts only: the distributor is switched on, each processor has its redistributor and interface.
 *
 * Policy: group 1, one priority, no preemption, end of interrupt drops and deactivates. An interrupt that nobody
 * enabled is acknowledged, ended and disabled. Source: GIC architecture specification, IHI 0069.
 */
#include "bare.h"

#define GICD_CTLR 0x0000
#define GICD_CTLR_GROUP1_ARE 0x12u
#define GICR_TYPER 0x0008
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_LAST (1u << 4)
#define GICR_WAKER 0x0014
#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)
#define GICR_SGI 0x10000
#define GICR_IGROUPR0 (GICR_SGI + 0x0080)
#define GICR_ISENABLER0 (GICR_SGI + 0x0100)
#define GICR_ICENABLER0 (GICR_SGI + 0x0180)
#define GICR_ISPENDR0 (GICR_SGI + 0x0200)
#define GICR_ICPENDR0 (GICR_SGI + 0x0280)
#define GICR_IPRIORITYR (GICR_SGI + 0x0400)
#define GICR_STRIDE 0x20000u
#define WAKE_LIMIT_US 1000000

#define ICC_SRE_EL1 "s3_0_c12_c12_5"
#define ICC_PMR_EL1 "s3_0_c4_c6_0"
#define ICC_IGRPEN1_EL1 "s3_0_c12_c12_7"
#define ICC_CTLR_EL1 "s3_0_c12_c12_4"
#define ICC_IAR1_EL1 "s3_0_c12_c12_0"
#define ICC_EOIR1_EL1 "s3_0_c12_c12_1"

/* The redistributor whose affinity is the processor's. */
static uintptr_t gicr_find(uint64_t mpidr)
{
	uint32_t affinity = (uint32_t)(mpidr >> 32 << 24 | (mpidr & 0xffffff));

	for (uint32_t region = 0; region < machine.gicr_count; region++) {
		uintptr_t base = machine.gicr[region].base, end = base + machine.gicr[region].size;

		while (base < end) {
			uint32_t type = mmio_read(base + GICR_TYPER);

			if (mmio_read(base + GICR_TYPER + 4) == affinity)
				return base;
			if (type & GICR_TYPER_LAST)
				break;
			base += type & GICR_TYPER_VLPIS ? 2 * GICR_STRIDE : GICR_STRIDE;
		}
	}
	return 0;
}

static void interface_start(void)
{
	__asm__ volatile("msr " ICC_SRE_EL1 ", %0\n\tisb" : : "r"(1ull));
	__asm__ volatile("msr " ICC_PMR_EL1 ", %0" : : "r"(0xf0ull));
	__asm__ volatile("msr " ICC_CTLR_EL1 ", %0" : : "r"(0ull));
	__asm__ volatile("msr " ICC_IGRPEN1_EL1 ", %0\n\tisb" : : "r"(1ull));
}

bool gic_start(struct cpu *cpu)
{
	struct limit limit = limit_start(WAKE_LIMIT_US);

	if (!machine.gicd)
		return false;
	cpu->gicr = gicr_find(machine.mpidr[cpu->index]);
	if (!cpu->gicr)
		return false;
	mmio_write(machine.gicd + GICD_CTLR, GICD_CTLR_GROUP1_ARE);
	mmio_write(cpu->gicr + GICR_WAKER, mmio_read(cpu->gicr + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	while (mmio_read(cpu->gicr + GICR_WAKER) & GICR_WAKER_ASLEEP)
		if (limit_over(&limit))
			return false;
	mmio_write(cpu->gicr + GICR_ICENABLER0, UINT32_MAX);
	mmio_write(cpu->gicr + GICR_ICPENDR0, UINT32_MAX);
	mmio_write(cpu->gicr + GICR_IGROUPR0, UINT32_MAX);
	for (uint32_t i = 0; i < INTERRUPTS; i += 4)
		mmio_write(cpu->gicr + GICR_IPRIORITYR + i, 0x80808080u);
	interface_start();
	return true;
}

void interrupt_enable(uint32_t intid, void (*handler)(void *argument), void *argument)
{
	struct cpu *cpu = cpu_self();

	cpu->line[intid].handler = handler;
	cpu->line[intid].argument = argument;
	if (cpu->gicr)
		mmio_write(cpu->gicr + GICR_ISENABLER0, 1u << intid);
}

void interrupt_disable(uint32_t intid)
{
	struct cpu *cpu = cpu_self();

	if (cpu->gicr)
		mmio_write(cpu->gicr + GICR_ICENABLER0, 1u << intid);
}

bool interrupt_pending(uint32_t intid)
{
	struct cpu *cpu = cpu_self();

	return cpu->gicr && mmio_read(cpu->gicr + GICR_ISPENDR0) & 1u << intid;
}

void interrupt_clear(uint32_t intid)
{
	struct cpu *cpu = cpu_self();

	if (cpu->gicr)
		mmio_write(cpu->gicr + GICR_ICPENDR0, 1u << intid);
}

void trap_interrupt(struct frame *frame)
{
	struct cpu *cpu = cpu_self();
	uint64_t intid;

	(void)frame;
	__asm__ volatile("mrs %0, " ICC_IAR1_EL1 "\n\tdsb sy" : "=r"(intid) : : "memory");
	if (intid >= INTERRUPTS)
		return;
	if (cpu->line[intid].handler)
		cpu->line[intid].handler(cpu->line[intid].argument);
	else
		interrupt_disable((uint32_t)intid);
	__asm__ volatile("msr " ICC_EOIR1_EL1 ", %0\n\tisb" : : "r"(intid) : "memory");
}
