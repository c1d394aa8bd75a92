/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds the VMClock page against the host's clock as KVM tells it: `vmclock TIMES`, about a second apart; or does so by
 * the kernel's driver: `vmclock driver TIMES`; or tells of disruptions, by that driver, for as long as it runs:
 * `vmclock watch`.
 *
 * Policy: a kernel before 6.13 has no driver for the page, so it is read where it lies, by /dev/mem, as the driver
 * would read it. The host's clock is asked for between two readings of the counter: `off` is how far it is, in ns,
 * outside of what the page says of the two.
 */
#include "device_clock.h"
#include "vmclock_driver.h"
#include "vmclock_page.h"

#include "base/layout.h"

#include <seaclock/page.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static int compare(const struct vmclock_page *page, int host)
{
	uint64_t before = sc_counter_read().v, after, told, low, high;
	struct timespec now;

	if (clock_gettime(device_clock(host), &now))
		return -1;
	after = sc_counter_read().v;
	told = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	low = vmclock_page_time(page, before);
	high = vmclock_page_time(page, after);
	printf("@vmclock status=%u marker=%llu generation=%llu sequence=%u period_shift=%u width=%llu off=%llu\n",
	       page->clock_status, (unsigned long long)page->disruption_marker, (unsigned long long)page->generation,
	       page->sequence, page->period_shift, (unsigned long long)(high - low),
	       (unsigned long long)(told < low	  ? low - told
				    : told > high ? told - high
						  : 0));
	return 0;
}

static int by_memory(long times)
{
	int memory = open("/dev/mem", O_RDONLY | O_CLOEXEC), host = open("/dev/ptp0", O_RDONLY | O_CLOEXEC);
	const void *shared = mmap(NULL, LAYOUT_VMCLOCK_SIZE, PROT_READ, MAP_SHARED, memory, (off_t)LAYOUT_VMCLOCK_BASE);

	if (host < 0 || shared == MAP_FAILED) {
		perror("vmclock: /dev/ptp0 or the page cannot be read");
		return 1;
	}
	for (; times-- > 0; sleep(times > 0)) {
		struct vmclock_page page = vmclock_page_take(shared);

		if (page.magic != VMCLOCK_MAGIC || compare(&page, host)) {
			fprintf(stderr, "vmclock: no page, or no time from the host\n");
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "watch"))
		return vmclock_driver_watch();
	if (argc > 2 && !strcmp(argv[1], "driver"))
		return vmclock_driver_compare(strtol(argv[2], NULL, 10));
	return by_memory(argc > 1 ? strtol(argv[1], NULL, 10) : 1);
}
