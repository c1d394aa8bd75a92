/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source takes its disks back after a failure.
 *
 * Policy: the target gives them back by itself as soon as it knows that it will not run the guest: it is waited for as
 * long as it may take to find that out, and no longer.
 */
#ifndef VMM_MIGRATE_RETAKE_H
#define VMM_MIGRATE_RETAKE_H

#include "machine/machine.h"
#include "transfer/limits.h"

/* Waits until the machine has its disks, or the time is over: machine_has_disks() tells which. */
void retake_disks(struct machine *machine, const struct handover_limits *limits);

#endif
