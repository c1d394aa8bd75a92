/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What seaclock_inspect.ko shows of the kernel: delay loops, event streams, sched_clock.
 */
#ifndef TEST_GUEST_PROBE_INSPECT_H
#define TEST_GUEST_PROBE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

/* The event streams of all CPUs online: the smallest and the largest divider; -1 where a stream is off. */
struct inspect_events {
	int cpus;
	int least, most;
};

/* The shortest of 200 delays of a millisecond, by the counter; ns. It takes 200 ms. False if the module is missing. */
bool inspect_delay(int64_t *ns);

bool inspect_events(struct inspect_events *events);

/* sched_clock(); ns. */
bool inspect_clock(int64_t *ns);
/* What the kernel believes the rate of the counter to be. */
bool inspect_rate(int64_t *hz);

/* CLOCK_MONOTONIC_RAW minus reference time, and the width within which that is known; ns. */
bool inspect_raw(int64_t *difference, int64_t *width);

/* What the hypervisor asks of the guest, SC_ASK_*. */
bool inspect_asked(int64_t *asked);

/* Keeps the CPU of this thread with interrupts off until what was asked is withdrawn, at most `ms`. Returns 0, or
 * -errno. */
int inspect_lock(unsigned int ms);

#endif
