/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does not answer: threads that take every vCPU, or one vCPU with its interrupts off, for a while.
 */
#ifndef TEST_GUEST_PROBE_REFUSE_H
#define TEST_GUEST_PROBE_REFUSE_H

/* What is done in turn, with `pause_s` before each; a length of 0: not at all. Seconds. */
struct refuse_plan {
	unsigned int starve_s; /* every vCPU busy at the highest priority there is */
	unsigned int lock_s;   /* vCPU 1 with interrupts off, needs seaclock_inspect.ko */
	unsigned int pause_s;
};

/*
 * Starts the thread; each turn is announced and ended by a "@refuse" line with its number. Returns 0, or -errno. The
 * caller must not rely on anything to run in time meanwhile.
 */
int refuse_start(const struct refuse_plan *plan);

#endif
