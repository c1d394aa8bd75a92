/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock behind an open device, such as /dev/ptp0 (Linux: include/linux/posix-timers.h). */
#ifndef GUEST_DEVICE_CLOCK_H
#define GUEST_DEVICE_CLOCK_H

#include <time.h>

static inline clockid_t device_clock(int fd)
{
	return (clockid_t)(~(unsigned int)fd << 3 | 3);
}

#endif
