/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cross-stamp of ptp_kvm: the host's clock and this guest's at the same counter value. One line for a script:
 * "@crossstamp error=NAME" if it is refused, else "@crossstamp difference=NS", the host's clock minus CLOCK_REALTIME.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/ptp_clock.h>

static long long crossstamp_ns(const struct ptp_clock_time *time)
{
	return time->sec * 1000000000ll + time->nsec;
}

int main(void)
{
	struct ptp_sys_offset_precise stamp = { 0 };
	int fd = open("/dev/ptp0", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, PTP_SYS_OFFSET_PRECISE, &stamp)) {
		printf("@crossstamp error=%s\n", strerrorname_np(errno));
		return 1;
	}
	printf("@crossstamp difference=%lld\n", crossstamp_ns(&stamp.device) - crossstamp_ns(&stamp.sys_realtime));
	return 0;
}
