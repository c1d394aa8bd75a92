/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that takes vCPU 1 offline and brings it back, over and over, by the kernel's own switch in sysfs.
 */
#ifndef TEST_GUEST_PROBE_HOTPLUG_H
#define TEST_GUEST_PROBE_HOTPLUG_H

/* Starts the thread: vCPU 1 changes its state every `period_ms` milliseconds. Returns 0, or -errno. */
int hotplug_start(unsigned int period_ms);

/* Prints the "@hotplug" line: times that vCPU 1 went offline and online, and attempts that the kernel refused. */
void hotplug_report(void);

#endif
