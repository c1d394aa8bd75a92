// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the truth clock and the guest's clocks together. Policy: each guest clock is read on both sides of the truth
 * clock and its middle counts; the outermost pair decides which try was the least disturbed.
 */
#include "probe_truth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000ll
#define SAMPLE_TRIES 4

/* The kernel's encoding of a file descriptor as a dynamic POSIX clock (linux/posix-timers.h). */
static clockid_t clock_of_descriptor(int fd)
{
	return (clockid_t)((~(unsigned int)fd << 3) | 3);
}

int truth_open(struct truth *truth, const char *source)
{
	if (strcmp(source, "realtime") == 0) {
		truth->clock = CLOCK_REALTIME;
		return 0;
	}
	int fd = open(source, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	truth->clock = clock_of_descriptor(fd);
	struct timespec now;

	return clock_gettime(truth->clock, &now) == 0 ? 0 : -errno;
}

int64_t truth_clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0) {
		perror("probe: clock_gettime");
		exit(1);
	}
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

uint64_t truth_rate(void)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

static uint64_t counter(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(count) : : "memory");
	return count;
}

int64_t truth_read(const struct truth *truth, uint64_t *hz)
{
	int64_t ns;

	do {
		*hz = truth_rate();
		ns = truth_clock_ns(truth->clock);
	} while (*hz != truth_rate());
	return ns;
}

static int64_t middle(int64_t before, int64_t after)
{
	return before + (after - before) / 2;
}

/* One try. Returns the time between the outermost readings in ns, or -1 if the guest moved meanwhile. */
static int64_t sample_try(const struct truth *truth, struct truth_sample *sample)
{
	uint64_t hz = truth_rate();
	int64_t boot = truth_clock_ns(CLOCK_BOOTTIME);
	int64_t real = truth_clock_ns(CLOCK_REALTIME);
	int64_t mono = truth_clock_ns(CLOCK_MONOTONIC);
	uint64_t cnt = counter();
	int64_t ptp = truth_clock_ns(truth->clock);
	uint64_t cnt_after = counter();
	int64_t mono_after = truth_clock_ns(CLOCK_MONOTONIC);
	int64_t real_after = truth_clock_ns(CLOCK_REALTIME);
	int64_t boot_after = truth_clock_ns(CLOCK_BOOTTIME);

	*sample = (struct truth_sample){
		.hz = hz,
		.ptp = ptp,
		.mono = middle(mono, mono_after),
		.boot = middle(boot, boot_after),
		.real = middle(real, real_after),
		.cnt = cnt + (cnt_after - cnt) / 2,
		.width = mono_after - mono,
	};
	return truth_rate() == hz ? boot_after - boot : -1;
}

struct truth_sample truth_sample_take(const struct truth *truth)
{
	struct truth_sample best, next;
	int64_t best_outer = -1;

	for (int tries = 0; tries < SAMPLE_TRIES || best_outer < 0; tries++) {
		int64_t outer = sample_try(truth, &next);

		/* The host of the latest try is the one that counts. */
		if (outer >= 0 && (best_outer < 0 || next.hz != best.hz || outer < best_outer)) {
			best = next;
			best_outer = outer;
		}
	}
	return best;
}
