/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that looks, over and over, at whatever must be right after a migration besides the clocks and the timers:
 * the vDSO, delay loops, event streams, sched_clock, stamps of the log, processor time, warnings, and the driver's own
 * state.
 */
#ifndef TEST_GUEST_PROBE_LEVEL_H
#define TEST_GUEST_PROBE_LEVEL_H

#include "probe_truth.h"

/*
 * Starts the thread: a "@level" line and a "@module" line every `period_ms`. Needs seaclock_inspect.ko. Returns 0, or
 * -errno.
 */
int level_start(const struct truth *truth, unsigned int period_ms);

#endif
