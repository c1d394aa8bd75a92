/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measurements that need a process of their own: whether the vDSO serves the clocks, and what processor time the kernel
 * accounts to a busy loop.
 */
#ifndef TEST_GUEST_PROBE_CHILD_H
#define TEST_GUEST_PROBE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "probe_truth.h"

/* Processor time of a busy loop and the true time that it took; ns. Both 0: the loop was held up or moved. */
struct child_time {
	int64_t cpu, truth;
};

/* Whether a process that a system call for the time would kill has read all clocks and survived. */
bool child_uses_vdso(void);

/* Runs a loop that nothing of normal priority disturbs, for a fifth of a second. */
struct child_time child_time_take(const struct truth *truth);

#endif
