/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's guest as repair/ sees it: its RAM, and what its vCPUs' registers were when they were read.
 *
 * Policy: what is written counts as the guest's own store, so that pre-copy and saved files have it.
 */
#ifndef VMM_MACHINE_KERNEL_PORT_H
#define VMM_MACHINE_KERNEL_PORT_H

#include "base/error.h"
#include "host/host.h"

#include <seaclock/repair.h>

struct machine;

struct kernel_port {
	struct sc_guest_port guest; /* refers to the port, which stays where it is */
	struct machine *machine;
	uint32_t restarts; /* in which of the machine's lives it was opened */
	uint32_t online;   /* bit n: vCPU n is on */
	struct host_tables tables[SC_VCPU_MAX];
	struct host_timers timers[SC_VCPU_MAX];
};

/* Opens it, and reads where the tables of vCPUs that may run are: they are parked for a moment. -errno and a sentence.
 */
int kernel_port_open(struct kernel_port *port, struct machine *machine, struct error *error);

/* Reads the timers, as a plan needs them, and anew which vCPUs are on. All of them are parked. -errno and a sentence.
 */
int kernel_port_read_timers(struct kernel_port *port, struct error *error);

/* Sets the timers that a plan has for the vCPUs. All of them are parked. -errno and a sentence: some may be set. */
int kernel_port_set_timers(struct kernel_port *port, const struct sc_plan *plan, struct error *error);

#endif
