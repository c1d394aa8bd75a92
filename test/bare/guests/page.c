/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every vCPU reads the page without pause: no reading may be before one that any vCPU has had already.
 *
 * Policy: s= seconds (default 5). The latest reading of all is shared; a reader takes it, reads the clock, compares,
 * and offers its own. One line per vCPU.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define SECOND 10000000ull

static struct sc_guest guest;
static struct sc_reference_tsc_page page __attribute__((aligned(4096)));
static uint64_t latest, end;

struct count {
	uint64_t readings;
	uint64_t backwards;
	uint64_t worst;
};

static struct count counts[MACHINE_CPUS_MAX];

static void offer(uint64_t now)
{
	uint64_t seen = __atomic_load_n(&latest, __ATOMIC_RELAXED);

	while (seen < now &&
	       !__atomic_compare_exchange_n(&latest, &seen, now, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void hammer(void *argument)
{
	struct count *count = argument;
	sc_ref_t now = { 0 };
	uint64_t seen;

	while (now.v < end) {
		seen = __atomic_load_n(&latest, __ATOMIC_ACQUIRE);
		if (sc_guest_now(&guest, &now))
			return;
		count->readings++;
		if (now.v < seen) {
			count->backwards++;
			count->worst = seen - now.v > count->worst ? seen - now.v : count->worst;
		}
		offer(now.v);
	}
}

bool guest_main(void)
{
	uint64_t seconds = machine_option("s", 5);
	bool passed = true;
	sc_ref_t now;

	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_page_enable(&guest, &page, (uintptr_t)&page) || sc_guest_now(&guest, &now))
		return false;
	end = now.v + seconds * SECOND;
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		passed &= cpu_run(i, hammer, &counts[i]);
	hammer(&counts[0]);
	for (uint32_t i = 0; i < machine.cpu_count; i++) {
		passed &= cpu_wait(i, seconds * 10000000);
		print("@page cpu=%u readings=%u backwards=%u worst=%u\n", (uint64_t)i, counts[i].readings,
		      counts[i].backwards, counts[i].worst);
		passed &= counts[i].readings > 0 && counts[i].backwards == 0;
	}
	return passed;
}
