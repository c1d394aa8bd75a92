/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a synthetic timer costs its guest, measured by a guest that is nothing else: a timer set and a register read,
 * which go out to the monitor and back, beside a call that KVM answers itself and a read of the counter.
 *
 * Policy: a bare guest; prints one line a run, NAME NS; medians and ratios are for bench/lab-bench. Calls are timed in
 * batches with CNTVCT_EL0.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define RUNS 9
#define BATCH 400

#define PSCI_VERSION 0x84000000u

/* So far away that it never comes. */
#define DISTANT_TIME (1ull << 60)

static struct sc_guest guest;

static void do_counter_read(void)
{
	counter_read();
}

static void do_timer_set(void)
{
	sc_guest_timer_set(&guest, 0, DISTANT_TIME);
}

static void do_register_get(void)
{
	uint64_t now;

	sc_guest_get(&guest, SC_REG_TIME_REF_COUNT, &now);
}

static void do_kvm_call(void)
{
	psci_call(PSCI_VERSION, 0, 0, 0);
}

static void measure(const char *name, void (*once)(void))
{
	for (unsigned int run = 0; run < RUNS; run++) {
		uint64_t ticks = counter_read();

		for (unsigned int i = 0; i < BATCH; i++)
			once();
		ticks = counter_read() - ticks;
		print("%s %u\n", name, ticks * 1000000000ull / counter_hz() / BATCH);
	}
}

bool guest_main(void)
{
	if (sc_guest_detect(&guest, SC_GUEST_SMCCC, machine.rsdp) || sc_guest_identify(&guest, 1ull << 63) ||
	    sc_guest_timer_direct(&guest, 0, SC_GUEST_ONE_SHOT, SC_STIMER0_INTID))
		return false;
	measure("counter_read", do_counter_read);
	measure("kvm_call", do_kvm_call);
	measure("register_get", do_register_get);
	measure("stimer_set", do_timer_set);
	return !sc_guest_timer_stop(&guest, 0);
}
