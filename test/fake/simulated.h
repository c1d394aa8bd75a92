/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite's port beside the core: a machine of two vCPUs that is simulated.
 *
 * Policy: the smallest monitor that there can be. Time is a number that calls and waits move on; a delivery happens
 * when time has reached it; guest addresses are pointers. A migration is a stop and a resume at another rate. One
 * machine at a time.
 */
#ifndef FAKE_SIMULATED_H
#define FAKE_SIMULATED_H

#include "../conformance/conformance.h"

struct simulated {
	uint32_t hz;
	uint32_t other_hz;   /* behind every other migration */
	sc_ticks_t start;    /* the counter when the machine is created */
	uint64_t call_ticks; /* that a hypercall takes */
	uint64_t late;	     /* units after which the monitor serves what is due */
	sc_ns_t gap;	     /* of a migration */
	enum sc_clock_policy policy;
};

/* A new machine, some time after its start; false if the core refuses it. */
bool simulated_begin(const struct simulated *machine);

#endif
