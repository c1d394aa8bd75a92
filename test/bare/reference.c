/* SPDX-License-Identifier: BSD-2-Clause */
/* Reference time: see the header. */
#include "reference.h"
#include "bare.h"

#define TIMER 3u

struct sc_guest hypervisor;
static struct sc_reference_tsc_page page __attribute__((aligned(4096)));

bool reference_start(void)
{
	return !sc_guest_detect(&hypervisor, SC_GUEST_SMCCC, machine.rsdp) &&
	       !sc_guest_identify(&hypervisor, 1ull << 63) &&
	       !sc_guest_page_enable(&hypervisor, &page, (uintptr_t)&page);
}

uint64_t reference_now(void)
{
	sc_ref_t now = { 0 };

	(void)sc_guest_now(&hypervisor, &now);
	return now.v;
}

uint32_t reference_sequence(void)
{
	return __atomic_load_n(&page.sequence, __ATOMIC_ACQUIRE);
}

bool reference_movable(void)
{
	return !sc_guest_timer_direct(&hypervisor, TIMER, SC_GUEST_ONE_SHOT, SC_STIMER0_INTID);
}
