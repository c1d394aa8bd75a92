/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's real-time clock as a device: a PL031 that runs with the host's CLOCK_REALTIME.
 *
 * Policy: it is a wall clock. It shows the host's time, and what the guest has set it off by, whatever became of guest
 * time meanwhile: after a move, a restore or a pause it is as right as the host that it is on. An alarm comes up to a
 * second late. Only firmware and device trees know it; Linux has no driver that finds a PL031 by ACPI.
 */
#ifndef VMM_DEV_RTC_H
#define VMM_DEV_RTC_H

#include "dev/device.h"
#include "dev/pl031.h"

struct rtc {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct pl031 pl031;
	bool running;
};

void rtc_init(struct rtc *rtc, const struct device_line *line);

#endif
