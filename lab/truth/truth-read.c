// SPDX-License-Identifier: BSD-2-Clause
/*
 * The reading side of the truth clock, run on an emulated host while truth-writer runs on the machine beneath. The
 * truth is read before the counter, and it is stale by however long its writer or this program was held up: truth minus
 * counter is never too large by more than the counter's one period, so its maximum, over this window and the ones
 * before, is kept.
 *
 * An emulated counter ticks every floor(10^9 / rate) ns exactly, of the very clock that the truth is: the difference is
 * one constant for the host's life, even on a host whose stated rate is wrong. The host's CLOCK_REALTIME follows from
 * the counter, so the two are compared apart from the truth, at leisure, by upper and lower bounds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define PCI_DEVICES "/sys/bus/pci/devices"
#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110

static void die(const char *what, const char *why)
{
	fprintf(stderr, "truth-read: %s: %s\n", what, why);
	exit(1);
}

static int64_t counter_rate(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(v));
	return (int64_t)v;
}

static int64_t counter_read(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(v)::"memory");
	return (int64_t)v;
}

static int64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int device_open(const char *slot, const char *file, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", slot, file);
	return open(path, flags | O_CLOEXEC);
}

/* The number in one of the device's files, -1 if there is none. */
static long device_number(const char *slot, const char *file)
{
	char text[32] = "";
	int fd = device_open(slot, file, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 0) : -1;
}

/* Without a driver the device's memory is not decoded until it is enabled. */
static const _Atomic int64_t *device_map(const char *slot)
{
	int enable = device_open(slot, "enable", O_WRONLY);
	int memory = device_open(slot, "resource2", O_RDWR);
	void *p = MAP_FAILED;

	if (enable >= 0 && memory >= 0 && write(enable, "1", 1) == 1)
		p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, memory, 0);
	if (p == MAP_FAILED)
		die("cannot map the truth clock's memory", strerror(errno));
	close(enable);
	close(memory);
	return p;
}

static const _Atomic int64_t *truth_map(void)
{
	const _Atomic int64_t *truth = NULL;
	DIR *dir = opendir(PCI_DEVICES);
	struct dirent *e;

	if (!dir)
		die(PCI_DEVICES, strerror(errno));
	while (!truth && (e = readdir(dir)))
		if (device_number(e->d_name, "vendor") == IVSHMEM_VENDOR &&
		    device_number(e->d_name, "device") == IVSHMEM_DEVICE)
			truth = device_map(e->d_name);
	closedir(dir);
	if (!truth)
		die("no truth clock", "this host has no ivshmem device, so lab/lab did not start it");
	return truth;
}

/* The largest truth minus counter, in ns, over the given number of counter ticks, and of the maximum so far. */
static int64_t truth_offset(const _Atomic int64_t *truth, int64_t ticks, int64_t period, int64_t max)
{
	int64_t first = atomic_load(truth), end = counter_read() + ticks;
	int64_t t, c;

	do {
		t = atomic_load_explicit(truth, memory_order_relaxed);
		c = counter_read();
		if (t - c * period > max)
			max = t - c * period;
	} while (c < end);
	if (atomic_load(truth) == first)
		die("the truth clock stands still", "truth-writer does not run");
	return max;
}

/*
 * CLOCK_REALTIME minus counter, in ns, now: never below the largest difference to a counter read after it, never above
 * the smallest to one read before it. Their middle is returned. The samples take so little time that a clock which is
 * 100 ppm off moves by less than a counter period meanwhile.
 */
static int64_t realtime_offset(int64_t period)
{
	int64_t low = INT64_MIN, high = INT64_MAX;

	for (int i = 0; i < 1000; i++) {
		int64_t before = counter_read() * period;
		int64_t realtime = realtime_ns();
		int64_t after = counter_read() * period;

		if (realtime - after > low)
			low = realtime - after;
		if (realtime - before < high)
			high = realtime - before;
	}
	return low + (high - low) / 2;
}

int main(int argc, char **argv)
{
	int64_t rate = counter_rate(), period = NS_PER_S / rate;
	int64_t seconds, counter_offset;

	if (argc < 2 || argc > 3 || (seconds = strtol(argv[1], NULL, 10)) < 2 || seconds > 3600) {
		fprintf(stderr, "usage: truth-read SECONDS [COUNTER_OFFSET_SO_FAR], at least 2 s and at most 3600 s\n");
		return 2;
	}
	counter_offset = argc == 3 ? strtoll(argv[2], NULL, 10) : INT64_MIN;
	counter_offset = truth_offset(truth_map(), seconds * NS_PER_S / period, period, counter_offset);
	printf("realtime_offset_ns=%" PRId64 " window_s=%" PRId64 " at_realtime_ns=%" PRId64 " drift_ppb=%" PRId64
	       " counter_offset_ns=%" PRId64 " counter_period_ns=%" PRId64 "\n",
	       counter_offset - realtime_offset(period), seconds, realtime_ns(), period * rate - NS_PER_S,
	       counter_offset, period);
	return 0;
}
