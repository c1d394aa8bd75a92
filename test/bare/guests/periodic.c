/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A periodic timer of 10 ms on each processor, with a handler that rewrites nothing: each expiry is one edge.
 *
 * Policy: runs for s= seconds (default 5); prints one line per processor and second. Passes if interrupts never exceed
 * the periods that have elapsed and at least one came each second.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define PERIOD 100000u /* 10 ms */
#define SECOND 10000000u

struct count {
	volatile uint64_t interrupts;
	bool passed;
};

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(4096)));
static struct count counts[MACHINE_CPUS_MAX];

static void handle(void *argument)
{
	struct count *count = argument;

	count->interrupts++;
}

static uint64_t now(void)
{
	sc_ref_t reference = { 0 };

	sc_guest_now(&guest, &reference);
	return reference.v;
}

/* At most one interrupt for each period, and one at least was new since `seen`. */
static bool check(struct count *count, uint64_t start, uint64_t seen)
{
	uint64_t interrupts = count->interrupts, periods = (now() - start) / PERIOD;

	print("@periodic cpu=%u interrupts=%u periods=%u\n", (uint64_t)cpu_self()->index, interrupts, periods);
	return interrupts > seen && interrupts <= periods;
}

static void run(void *argument)
{
	struct count *count = argument;
	uint64_t start, seen = 0, end;

	interrupt_enable(SC_STIMER0_INTID, handle, count);
	interrupts_unmask();
	if (sc_guest_timer_direct(&guest, 0, SC_GUEST_PERIODIC, SC_STIMER0_INTID))
		return;
	start = now();
	end = start + machine_option("s", 5) * SECOND;
	count->passed = !sc_guest_timer_set(&guest, 0, PERIOD);
	for (uint64_t next = start + SECOND; next <= end; next += SECOND) {
		while (now() < next)
			__asm__ volatile("wfi");
		count->passed &= check(count, start, seen);
		seen = count->interrupts;
	}
	sc_guest_timer_stop(&guest, 0);
	interrupts_mask();
}

bool guest_main(void)
{
	uint64_t limit_us = machine_option("s", 5) * 20000000;
	bool passed = true;

	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page))
		return false;
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		passed &= cpu_run(i, run, &counts[i]);
	run(&counts[0]);
	for (uint32_t i = 0; i < machine.cpu_count; i++)
		passed &= cpu_wait(i, limit_us) && counts[i].passed;
	return passed;
}
