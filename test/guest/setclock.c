/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets CLOCK_REALTIME from the host's clock: `setclock [DEVICE]`, by default /dev/ptp0, which is KVM's.
 *
 * Policy: a guest that boots without firmware and without a battery-backed clock starts in 1970; this is its only
 * source. Read and set at once, so that the error is that of two system calls.
 */
#include "device_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	const char *device = argc > 1 ? argv[1] : "/dev/ptp0";
	struct timespec now;
	int fd = open(device, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || clock_gettime(device_clock(fd), &now) || clock_settime(CLOCK_REALTIME, &now)) {
		fprintf(stderr, "setclock: the clock is not set, no time from %s: %s\n", device, strerror(errno));
		return 1;
	}
	return 0;
}
