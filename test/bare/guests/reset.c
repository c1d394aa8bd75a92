/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that resets its machine again and again, and finds it as at power-on each time: memory, interrupt controller,
 * timers, synthetic interrupts and timers, reference page, UART, processors. Before each reset it has changed all of
 * that. Reference time alone goes on.
 *
 * Policy: nothing survives in memory, so reference time tells what is next: each way to reset has a quarter of ms=
 * (default 4000), and the first boot behind them is the last. Boots are counted by whoever reads the console, one line
 * a boot. mib= is the machine's memory. The first boot is a power-on: the same is expected of it and of a reset.
 */
#include "bare.h"
#include "reference.h"

#define VMCLOCK_INTID 38u
#define RAM_BASE 0x40000000ull
#define MIB 0x100000ull
#define FREE_BASE (RAM_BASE + 16 * MIB) /* from here on there is neither the guest nor what it was booted with */
#define TABLES_SIZE 0x10000ull		/* at the end of RAM */
#define STRIDE MIB
#define WHOLE 0x10000ull /* of which every word is looked at */
#define DIRT 0xd1d1d1d1d1d1d1d1ull

#define GICD_CTLR 0x0000
#define GICD_CTLR_GROUPS 0x3u
#define GICD_TYPER 0x0004
#define GIC_IGROUPR 0x0080
#define GIC_ISENABLER 0x0100
#define GIC_ISPENDR 0x0200
#define GIC_ISACTIVER 0x0300
#define GIC_IPRIORITYR 0x0400
#define GIC_ICFGR 0x0c00
#define GICD_IROUTER 0x6000
#define GICR_SGI 0x10000
#define GICR_STRIDE 0x20000u
#define SGIS 0xffffu /* enabled from the start */
#define EDGES 0xaaaaaaaau
#define LEVELS 0u

#define UART_FLAGS 0x18
#define UART_IBRD 0x24
#define UART_LCR_H 0x2c
#define UART_CR 0x30
#define UART_IFLS 0x34
#define UART_IMSC 0x38

#define PSCI_CPU_OFF 0x84000002u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_OFF 1u
#define PSCI_SYSTEM_RESET 0x84000009u
#define RESET_LIMIT_US 20000000u

#define TIMER_ENABLE 1u /* the other bits mean nothing without it */
#define MESSAGE_INTID 20u
#define CNTV_INTID 27u
#define CNTP_INTID 30u
#define SPI 40u
#define SINT 2u

/* Who ends this boot, and how. */
enum way {
	WAY_FIRST,     /* the first processor resets the machine, with the other at work */
	WAY_OTHER,     /* the other does, with the first at work */
	WAY_FIRST_OFF, /* the other does, with the first switched off */
	WAY_CRASH,     /* the other tells of a crash */
	WAYS
};

static enum way chosen;

static struct sc_message slots[2][SC_SINT_COUNT] __attribute__((aligned(4096)));
static bool wrong;
static volatile bool at_work;

static void expect(const char *what, uint64_t where, uint64_t seen, uint64_t wanted)
{
	if (seen == wanted)
		return;
	print("@reset bad %s at=%x seen=%x wanted=%x\n", what, where, seen, wanted);
	wrong = true;
}

/* ---- As at power-on ---- */

/* Of the 32 interrupts from n * 32 on, those that may be pending: VMClock notifies from the start, whoever listens. */
static uint32_t may_be_pending(uint32_t n)
{
	return n == VMCLOCK_INTID / 32 ? 1u << VMCLOCK_INTID % 32 : 0;
}

static void expect_frame(const char *what, uintptr_t frame, uint32_t first, uint32_t intids)
{
	for (uint32_t n = first / 32; n < (first + intids) / 32; n++) {
		expect(what, GIC_IGROUPR + 4 * n, mmio_read(frame + GIC_IGROUPR + 4 * n), UINT32_MAX);
		expect(what, GIC_ISENABLER + 4 * n, mmio_read(frame + GIC_ISENABLER + 4 * n), n ? 0 : SGIS);
		expect(what, GIC_ISPENDR + 4 * n, mmio_read(frame + GIC_ISPENDR + 4 * n) & ~may_be_pending(n), 0);
		expect(what, GIC_ISACTIVER + 4 * n, mmio_read(frame + GIC_ISACTIVER + 4 * n), 0);
	}
	for (uint32_t n = first; n < first + intids; n += 4)
		expect(what, GIC_IPRIORITYR + n, mmio_read(frame + GIC_IPRIORITYR + n), 0);
	for (uint32_t n = first; n < first + intids; n += 16)
		expect(what, GIC_ICFGR + n / 4, mmio_read(frame + GIC_ICFGR + n / 4), n == 16 ? LEVELS : EDGES);
}

static void expect_gic(void)
{
	uint32_t intids = ((mmio_read(machine.gicd + GICD_TYPER) & 0x1f) + 1) * 32;

	expect("distributor", GICD_CTLR, mmio_read(machine.gicd + GICD_CTLR) & GICD_CTLR_GROUPS, 0);
	expect_frame("distributor", machine.gicd, 32, intids - 32);
	for (uint32_t n = 32; n < intids; n++)
		expect("route", n, mmio_read(machine.gicd + GICD_IROUTER + 8 * n), 0);
	for (uint32_t n = 0; n < machine.cpu_count; n++)
		expect_frame("redistributor", machine.gicr[0].base + n * GICR_STRIDE + GICR_SGI, 0, 32);
}

static void expect_interface(void)
{
	uint64_t mask, group0, group1, active;

	__asm__ volatile("mrs %0, s3_0_c4_c6_0" : "=r"(mask));
	__asm__ volatile("mrs %0, s3_0_c12_c12_6" : "=r"(group0));
	__asm__ volatile("mrs %0, s3_0_c12_c12_7" : "=r"(group1));
	__asm__ volatile("mrs %0, s3_0_c12_c9_0" : "=r"(active));
	expect("ICC_PMR", 0, mask, 0);
	expect("ICC_IGRPEN0", 0, group0, 0);
	expect("ICC_IGRPEN1", 0, group1, 0);
	expect("ICC_AP1R0", 0, active, 0);
}

/* Of registers whose value at power-on is nobody's business, those that the guest has filled with dirt. */
static void expect_processor(void)
{
	uint64_t virtual, physical, control, thread, context;

	__asm__ volatile("mrs %0, cntv_ctl_el0" : "=r"(virtual));
	__asm__ volatile("mrs %0, cntp_ctl_el0" : "=r"(physical));
	__asm__ volatile("mrs %0, cntkctl_el1" : "=r"(control));
	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(thread));
	__asm__ volatile("mrs %0, contextidr_el1" : "=r"(context));
	expect("CNTV_CTL", 0, virtual & TIMER_ENABLE, 0);
	expect("CNTP_CTL", 0, physical & TIMER_ENABLE, 0);
	expect("CNTKCTL", 0, control, 0);
	if (thread == DIRT || (uint32_t)context == (uint32_t)DIRT)
		expect("TPIDR, CONTEXTIDR", 0, thread, context);
	for (uint32_t n = 1; n < machine.cpu_count; n++)
		expect("power of processor", n, psci_call(PSCI_AFFINITY_INFO, machine.mpidr[n], 0, 0), PSCI_OFF);
}

static void expect_uart(void)
{
	expect("UART", UART_IBRD, mmio_read(machine.uart + UART_IBRD), 0);
	expect("UART", UART_LCR_H, mmio_read(machine.uart + UART_LCR_H), 0x70);
	expect("UART", UART_CR, mmio_read(machine.uart + UART_CR), 0x301);
	expect("UART", UART_IFLS, mmio_read(machine.uart + UART_IFLS), 0x12);
	expect("UART", UART_IMSC, mmio_read(machine.uart + UART_IMSC), 0);
}

void guest_power_on(void)
{
	if (!machine.gicd || !machine.uart)
		verdict(false, "the machine has no GIC or no UART");
	expect_uart();
	expect_gic();
	expect_interface();
	expect_processor();
}

static void expect_register(uint32_t name, uint64_t wanted)
{
	uint64_t value = ~wanted;

	(void)sc_guest_get(&hypervisor, name, &value);
	expect("register", name, value, wanted);
}

/* The hypervisor's registers of the calling processor, of a guest that has said who it is. */
static void expect_registers(void)
{
	expect_register(SC_REG_SCONTROL, 0);
	expect_register(SC_REG_SIMP, 0);
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		expect_register(SC_REG_SINT0 + n, SC_SINT_MASKED);
	for (uint32_t n = SC_REG_STIMER0_CONFIG; n <= SC_REG_STIMER3_COUNT; n++)
		expect_register(n, 0);
}

static uint64_t memory_end(void)
{
	return RAM_BASE + machine_option("mib", 128) * MIB - TABLES_SIZE;
}

static void expect_memory(void)
{
	for (uint64_t at = FREE_BASE; at < FREE_BASE + WHOLE; at += 8)
		expect("memory", at, *(volatile uint64_t *)(uintptr_t)at, 0);
	for (uint64_t at = FREE_BASE + WHOLE; at < memory_end(); at += STRIDE)
		expect("memory", at, *(volatile uint64_t *)(uintptr_t)at, 0);
}

/* ---- Dirt ---- */

static void dirty_memory(void)
{
	for (uint64_t at = FREE_BASE; at < FREE_BASE + WHOLE; at += 8)
		*(volatile uint64_t *)(uintptr_t)at = DIRT;
	for (uint64_t at = FREE_BASE + WHOLE; at < memory_end(); at += STRIDE)
		*(volatile uint64_t *)(uintptr_t)at = DIRT;
}

/* Synthetic timers that expire again and again, one that waits, and messages that nobody takes. */
static bool dirty_timers(void)
{
	struct sc_message *page = slots[cpu_self()->index];

	return !sc_guest_timer_direct(&hypervisor, 0, SC_GUEST_PERIODIC, SC_STIMER0_INTID) &&
	       !sc_guest_messages_enable(&hypervisor, (uintptr_t)page) &&
	       !sc_guest_sint_enable(&hypervisor, SINT, MESSAGE_INTID) &&
	       !sc_guest_timer_message(&hypervisor, 1, SC_GUEST_PERIODIC, SINT) &&
	       !sc_guest_timer_direct(&hypervisor, 2, SC_GUEST_ONE_SHOT, SC_STIMER0_INTID) &&
	       !sc_guest_timer_set(&hypervisor, 0, MS) && !sc_guest_timer_set(&hypervisor, 1, MS) &&
	       !sc_guest_timer_set(&hypervisor, 2, reference_now() + 1000 * SECOND);
}

/* One of the architecture's timers has expired, and its line is up; the other will in 10 ms. */
static void dirty_processor(void)
{
	uint64_t soon = counter_read() + counter_hz() / 100;

	__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1" : : "r"(1ull), "r"(1ull));
	__asm__ volatile("msr cntp_cval_el0, %0\n\tmsr cntp_ctl_el0, %1" : : "r"(soon), "r"(1ull));
	__asm__ volatile("msr cntkctl_el1, %0" : : "r"(0x3ull));
	__asm__ volatile("msr tpidr_el0, %0\n\tmsr contextidr_el1, %0\n\tisb" : : "r"(DIRT));
}

/* Interrupts that are enabled, pending and active, private and shared, with priorities, levels and a route. */
static void dirty_gic(void)
{
	uintptr_t frame = cpu_self()->gicr + GICR_SGI;
	uint64_t intid;

	mmio_write(frame + GIC_ISENABLER, 1u << CNTV_INTID | 1u << CNTP_INTID | 1u << SC_STIMER0_INTID);
	mmio_write(frame + GIC_ISPENDR, 1u << 3 | 1u << 21);
	mmio_write(frame + GIC_ISACTIVER, 1u << 22);
	mmio_write(machine.gicd + GIC_IPRIORITYR + SPI, 0x20202020u);
	mmio_write(machine.gicd + GIC_ICFGR + SPI / 4, LEVELS);
	mmio_write(machine.gicd + GICD_IROUTER + 8 * SPI, 1);
	mmio_write(machine.gicd + GIC_ISENABLER + 4, UINT32_MAX);
	mmio_write(machine.gicd + GIC_ISPENDR + 4, 0xff00u);
	mmio_write(machine.gicd + GIC_ISACTIVER + 4, 0xf0f0u);
	/* One is acknowledged and never ends. */
	__asm__ volatile("mrs %0, s3_0_c12_c12_0\n\tdsb sy" : "=r"(intid) : : "memory");
}

static void dirty_uart(void)
{
	mmio_write(machine.uart + UART_IBRD, 0x1234);
	mmio_write(machine.uart + UART_IFLS, 0);
	mmio_write(machine.uart + UART_LCR_H, 0);
	mmio_write(machine.uart + UART_IMSC, 0x7ff);
}

static bool dirty_own(void)
{
	bool done = dirty_timers();

	dirty_processor();
	dirty_gic();
	return done;
}

/* ---- The reset ---- */

static void reset(void)
{
	struct limit limit = limit_start(RESET_LIMIT_US);

	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	while (!limit_over(&limit))
		;
	verdict(false, "the machine is not reset");
}

static bool is_off(uint32_t index)
{
	return psci_call(PSCI_AFFINITY_INFO, machine.mpidr[index], 0, 0) == PSCI_OFF;
}

static void crash(void)
{
	(void)sc_guest_set(&hypervisor, SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY);
	verdict(false, "the machine goes on after a crash");
}

/* The second processor: it calls the hypervisor without pause until the machine is reset, by whomever. */
static void work(void *argument)
{
	enum way way = *(const enum way *)argument;
	uint64_t value;
	struct limit limit = limit_start(RESET_LIMIT_US);

	expect_registers();
	if (!dirty_own())
		verdict(false, "the second processor's timers do not start");
	at_work = true;
	if (way == WAY_OTHER)
		reset();
	if (way == WAY_CRASH)
		crash();
	while (!(way == WAY_FIRST_OFF && is_off(0)) && !limit_over(&limit))
		(void)sc_guest_get(&hypervisor, SC_REG_TIME_REF_COUNT, &value);
	if (way == WAY_FIRST_OFF)
		reset();
}

static bool begin(enum way way)
{
	struct limit limit = limit_start(RESET_LIMIT_US);

	chosen = way;
	dirty_memory();
	if (!reference_start() || !dirty_own() || !cpu_run(1, work, &chosen))
		return false;
	while (!at_work && !limit_over(&limit))
		;
	dirty_uart();
	return at_work;
}

bool guest_main(void)
{
	uint64_t end = machine_option("ms", 4000) * MS, now = 0, way;

	if (sc_guest_detect(&hypervisor, SC_GUEST_SMCCC, machine.rsdp) || machine.cpu_count < 2)
		return false;
	(void)sc_guest_get(&hypervisor, SC_REG_TIME_REF_COUNT, &now);
	way = now * WAYS / end;
	print("@boot reference=%u way=%u\n", now, way);
	expect_register(SC_REG_GUEST_OS_ID, 0);
	if (sc_guest_identify(&hypervisor, 1ull << 63))
		return false;
	expect_register(SC_REG_REFERENCE_TSC, 0);
	expect_register(SC_REG_GUEST_CLOCK, 0);
	expect_registers();
	expect_memory();
	if (wrong || now >= end)
		return !wrong;
	if (!begin((enum way)way))
		verdict(false, "the machine takes no dirt");
	if (way == WAY_FIRST_OFF)
		psci_call(PSCI_CPU_OFF, 0, 0, 0);
	if (way == WAY_FIRST)
		reset();
	/* At the next instruction the monitor's answer may be under way. */
	for (;;)
		(void)mmio_read(machine.uart + UART_FLAGS);
}
