/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two busy loops pinned to one vCPU, in a process of their own: does the scheduler share the vCPU evenly, and is the
 * processor time it accounts right?
 *
 * Policy: the loops call nothing but the clock of their own processor time, so that only the guest's scheduler decides;
 * the parent reads what they note in shared memory, and their CLOCK_PROCESS_CPUTIME_ID by clock_getcpuclockid.
 */
#ifndef TEST_GUEST_PROBE_BUSY_H
#define TEST_GUEST_PROBE_BUSY_H

#include "probe_truth.h"

/* Starts the process on the last vCPU that is online. Returns 0, or -errno. */
int busy_start(void);

/* Prints the "@busy" line: truth (ns), accounted processor time (ns), work and processor time (ns) of both loops. */
void busy_report(const struct truth *truth);

/* Ends the process. */
void busy_stop(void);

#endif
