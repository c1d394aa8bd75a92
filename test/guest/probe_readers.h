/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads, one on each of the first two vCPUs, that read the clocks and look for steps backwards.
 *
 * Policy: a clock must not go back within a thread nor between vCPUs: a reading is compared with the thread's own last
 * one and with the newest reading of any thread that had been published before this one began.
 */
#ifndef TEST_GUEST_PROBE_READERS_H
#define TEST_GUEST_PROBE_READERS_H

/* Starts the threads: bursts of `burst` readings with `pause_us` between them. Returns 0, or -errno. */
int readers_start(unsigned int burst, unsigned int pause_us);

/* Prints the "@reads" line: readings of each thread, steps backwards within a thread and across vCPUs, the worst in ns.
 */
void readers_report(void);

#endif
