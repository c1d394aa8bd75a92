/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory as load: a thread that writes a block of memory over and over at a chosen rate, and checks each page against
 * what it wrote there last before it writes it anew.
 *
 * Policy: pages are written in order, so that what each must hold follows from one counter in a register of the thread,
 * and memory that is old as a whole is noticed as well.
 */
#ifndef TEST_GUEST_PROBE_MEMORY_H
#define TEST_GUEST_PROBE_MEMORY_H

/* Starts the thread: a block of `size_mib`, `rate_mib` MiB a second; both at least 1. Returns 0, or -errno. */
int memory_start(unsigned int size_mib, unsigned int rate_mib);

/*
 * Prints the "@memory" line: pages of the block, how many were checked and written so far, how many were wrong, and of
 * the first of those the number and the generation in which it should have been.
 */
void memory_report(void);

#endif
