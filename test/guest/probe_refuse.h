/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does not answer: threads that take every vCPU, or one vCPU with its interrupts off, while it is asked.
 */
#ifndef TEST_GUEST_PROBE_REFUSE_H
#define TEST_GUEST_PROBE_REFUSE_H

/*
 * Refuses until the hypervisor has asked for something and no longer does, for at most `seconds`, and prints a
 * "@refuse" line before and after. Kinds: "starve", every vCPU is busy at the highest priority there is; "lock", vCPU 1
 * has its interrupts off. Both need seaclock_inspect.ko. Returns 0, or -errno: -EINVAL for another kind. The caller
 * must not rely on anything to run in time meanwhile.
 */
int refuse(const char *kind, unsigned int seconds);

#endif
