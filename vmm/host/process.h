/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a monitor gives up for its whole process before it has a machine.
 *
 * Policy: nothing here can be taken back, and nothing is left out in silence: what cannot be given up is an error.
 * Source: prctl(2), setrlimit(2), core(5).
 */
#ifndef VMM_HOST_PROCESS_H
#define VMM_HOST_PROCESS_H

#include "base/error.h"

#include <stdint.h>

/* Descriptors that a process may have at most: more than a machine with all of its disks and clients ever has. */
#define PROCESS_FILES_MAX 1024u

/*
 * From here on no program that the process starts gains rights, no process of the same user may trace it or read its
 * memory, it leaves no core, and it has at most PROCESS_FILES_MAX descriptors unless it raises that itself. Before
 * memory_create(), whose view of touched pages the kernel would refuse afterwards. -errno: a part of it may have been
 * done.
 */
int process_harden(struct error *error);

/* Keeps memory, whole pages of it, out of children and out of cores, whatever else this host allows. */
void process_withhold(void *memory, uint64_t size);

#endif
