/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that sleep for random times by clock_nanosleep and by timerfd, and hold each sleep against the guest's clock
 * and against truth.
 *
 * Policy: a correct sleep on one host is only counted. One that spanned a migration, and the first few that look wrong,
 * are printed with both ends, because only the judge knows how the two hosts' clocks relate.
 */
#ifndef TEST_GUEST_PROBE_SLEEPERS_H
#define TEST_GUEST_PROBE_SLEEPERS_H

#include <stdint.h>

#include "probe_truth.h"

/*
 * Starts `count` threads, half of each kind; `seed` replays their durations. Sleeps may be later by `silence_ns`, in
 * which the probe itself keeps everything from running. Returns 0, or -errno.
 */
int sleepers_start(const struct truth *truth, unsigned int count, uint64_t seed, int64_t silence_ns);

/* Looks for lost sleeps and prints the "@sleeps" line: how many ended, were early, early by truth, lost; latest in ns.
 */
void sleepers_report(void);

#endif
