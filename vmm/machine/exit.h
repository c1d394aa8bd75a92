/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine does when a vCPU leaves the guest: accesses to devices, hypercalls, power.
 *
 * Policy: nothing that a guest does here ends the program; at most its machine ends.
 */
#ifndef VMM_MACHINE_EXIT_H
#define VMM_MACHINE_EXIT_H

#include "machine/machine.h"

/* A vcpu_exit_fn; the context is the machine. */
enum vcpu_next exit_handle(void *context, uint32_t vcpu, const struct host_exit *exit);

#endif
