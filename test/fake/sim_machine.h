/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated machine of two vCPUs around the core: the conformance suite's port for a unit test.
 *
 * Policy: the smallest possible monitor. Time is a number that calls and waits advance; a delivery happens when time
 * has reached it; guest addresses are pointers. A migration is a stop and a resume at another rate. There is one
 * machine at a time.
 */
#ifndef FAKE_SIM_MACHINE_H
#define FAKE_SIM_MACHINE_H

#include "../conformance/conformance.h"

struct sim_machine {
	uint32_t hz;
	uint32_t other_hz;   /* behind every other migration */
	sc_ticks_t start;    /* the counter when the machine is created */
	uint64_t call_ticks; /* that a hypercall takes */
	uint64_t late;	     /* units after which the monitor serves what is due */
	sc_ns_t gap;	     /* of a migration */
	enum sc_clock_policy policy;
};

/* A new machine, some time after its start; false if the core refuses it. */
bool sim_machine_begin(const struct sim_machine *machine);

#endif
