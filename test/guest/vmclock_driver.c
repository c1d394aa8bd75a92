/* SPDX-License-Identifier: BSD-2-Clause */
/* VMClock by Linux's own driver: see the header. */
#include "vmclock_driver.h"

#include "vmclock_page.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptp_clock.h>

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000
#define PAGE_BYTES 4096
/* The page is written every 16 s at the least; a guest that moves waits longer. */
#define NEWS_LIMIT_MS 60000

struct driver {
	int device; /* /dev/vmclock0 */
	const volatile struct vmclock_page *mapped;
	int vmclock; /* the PTP clocks */
	int kvm;
};

static int fail(const char *what)
{
	printf("@driver error=%s: %s\n", what, strerror(errno));
	return 1;
}

/* The PTP clock that is called `name`. */
static int clock_open(const char *name)
{
	char path[64], called[64] = "";
	glob_t found;
	int fd = -1;

	if (glob("/sys/class/ptp/ptp*", 0, NULL, &found))
		return -1;
	for (size_t n = 0; n < found.gl_pathc && fd < 0; n++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/clock_name", found.gl_pathv[n]);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(called, sizeof(called), file) && !strncmp(called, name, strlen(name))) {
			snprintf(path, sizeof(path), "/dev/%s", strrchr(found.gl_pathv[n], '/') + 1);
			fd = open(path, O_RDONLY | O_CLOEXEC);
		}
		fclose(file);
	}
	globfree(&found);
	return fd;
}

static int driver_open(struct driver *driver)
{
	driver->device = open("/dev/vmclock0", O_RDONLY | O_CLOEXEC);
	if (driver->device < 0)
		return fail("/dev/vmclock0");
	driver->mapped = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, driver->device, 0);
	return driver->mapped == MAP_FAILED ? fail("mmap") : 0;
}

/* Reading tells the driver which update has been seen. */
static bool driver_read(const struct driver *driver, struct vmclock_page *page)
{
	return pread(driver->device, page, sizeof(*page), 0) == sizeof(*page) && page->magic == VMCLOCK_MAGIC;
}

/* How long the next notification took, in ms; -1: none came. */
static long driver_wait(const struct driver *driver)
{
	struct pollfd device = { .fd = driver->device, .events = POLLIN };
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	if (poll(&device, 1, NEWS_LIMIT_MS) != 1 || !(device.revents & POLLIN))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / NS_PER_MS;
}

static long long ns_of(const struct ptp_clock_time *time)
{
	return time->sec * NS_PER_S + time->nsec;
}

/* The clock minus CLOCK_REALTIME, at one value of the counter. */
static bool precise(int clock, long long *difference)
{
	struct ptp_sys_offset_precise stamp = { 0 };

	if (clock < 0 || ioctl(clock, PTP_SYS_OFFSET_PRECISE, &stamp))
		return false;
	*difference = ns_of(&stamp.device) - ns_of(&stamp.sys_realtime);
	return true;
}

/* The same, by two readings of CLOCK_REALTIME, `width` apart. */
static bool extended(int clock, long long *difference, long long *width)
{
	struct ptp_sys_offset_extended stamp = { .n_samples = 1 };

	if (ioctl(clock, PTP_SYS_OFFSET_EXTENDED, &stamp))
		return false;
	*width = ns_of(&stamp.ts[0][2]) - ns_of(&stamp.ts[0][0]);
	*difference = ns_of(&stamp.ts[0][1]) - ns_of(&stamp.ts[0][0]) - *width / 2;
	return true;
}

/* Whether mapping shows what reading gave; an update may lie between the two. */
static bool driver_is_same(const struct driver *driver, struct vmclock_page *page)
{
	for (int n = 0; n < 3; n++) {
		struct vmclock_page mapped = vmclock_page_take(driver->mapped);

		if (!memcmp(&mapped, page, sizeof(mapped)))
			return true;
		if (mapped.sequence == page->sequence || !driver_read(driver, page))
			return false;
	}
	return false;
}

static int driver_tell(const struct driver *driver, struct vmclock_page *page, long waited, bool idle)
{
	long long host, exact, wide, width;
	long long tai = (int16_t)page->tai_offset_s;
	bool same = driver_is_same(driver, page);

	if (!precise(driver->kvm, &host) || !precise(driver->vmclock, &exact))
		return fail("PTP_SYS_OFFSET_PRECISE");
	if (!extended(driver->vmclock, &wide, &width))
		return fail("PTP_SYS_OFFSET_EXTENDED");
	printf("@driver marker=%llu generation=%llu status=%u tai=%lld hz=%llu maxerror=%lld waited_ms=%ld idle=%d "
	       "same=%d "
	       "precise=%lld extended=%lld width=%lld\n",
	       (unsigned long long)page->disruption_marker, (unsigned long long)page->generation, page->clock_status,
	       tai, (unsigned long long)vmclock_page_hz(page),
	       page->flags & VMCLOCK_TIME_MAXERROR_VALID ? (long long)page->time_maxerror_ns : -1, waited, idle, same,
	       exact + tai * NS_PER_S - host, wide + tai * NS_PER_S - host, width);
	return 0;
}

int vmclock_driver_compare(long times)
{
	struct driver driver = { .vmclock = clock_open("vmclock"), .kvm = clock_open("KVM") };
	struct vmclock_page page;

	if (driver_open(&driver))
		return 1;
	while (times-- > 0) {
		struct pollfd device = { .fd = driver.device, .events = POLLIN };
		bool idle = driver_read(&driver, &page) && !poll(&device, 1, 0);
		long waited = driver_wait(&driver);

		if (!driver_read(&driver, &page))
			return fail("read");
		if (driver_tell(&driver, &page, waited, idle))
			return 1;
	}
	return 0;
}

int vmclock_driver_watch(void)
{
	struct driver driver = { 0 };
	struct vmclock_page page;
	uint64_t marker;

	if (driver_open(&driver) || !driver_read(&driver, &page))
		return 1;
	for (;;) {
		marker = page.disruption_marker;
		if (driver_wait(&driver) < 0 || !driver_read(&driver, &page))
			return fail("poll");
		if (page.disruption_marker != marker)
			printf("@disruption marker=%llu generation=%llu\n", (unsigned long long)page.disruption_marker,
			       (unsigned long long)page.generation);
		fflush(stdout);
	}
}
