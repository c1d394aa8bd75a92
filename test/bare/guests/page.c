/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every vCPU reads the page without pause: no reading may be before one that any vCPU has had already.
 *
 * Policy: runs as course.c says. The latest reading of all is shared; a reader takes it, reads the clock, compares,
 * and offers its own. One line per vCPU, at the end.
 */
#include "bare.h"
#include "reference.h"

/* Readings between two looks at the time left. */
#define BATCH 1000u

#define WAIT_LIMIT_US 20000000u

static uint64_t latest;

struct count {
	uint64_t readings;
	uint64_t backwards;
	uint64_t back_by;
};

static struct count counts[MACHINE_CPUS_MAX];

static void offer(uint64_t now)
{
	uint64_t seen = __atomic_load_n(&latest, __ATOMIC_RELAXED);

	while (seen < now &&
	       !__atomic_compare_exchange_n(&latest, &seen, now, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void hammer(void *argument)
{
	struct count *count = argument;
	struct course course = course_start();
	uint64_t seen, now;

	if (!reference_movable())
		return;
	while (count->backwards == 0 && (++count->readings % BATCH || !course_over(&course))) {
		seen = __atomic_load_n(&latest, __ATOMIC_ACQUIRE);
		now = reference_now();
		if (now < seen) {
			count->backwards++;
			count->back_by = seen - now;
		}
		offer(now);
	}
}

bool guest_main(void)
{
	bool passed = reference_start();

	for (uint32_t i = 1; passed && i < machine.cpu_count; i++)
		passed = cpu_run(i, hammer, &counts[i]);
	if (!passed)
		return false;
	hammer(&counts[0]);
	for (uint32_t i = 0; i < machine.cpu_count; i++) {
		passed &= cpu_wait(i, WAIT_LIMIT_US);
		print("@page cpu=%u readings=%u backwards=%u by=%u\n", (uint64_t)i, counts[i].readings,
		      counts[i].backwards, counts[i].back_by);
		passed &= counts[i].readings > BATCH && counts[i].backwards == 0;
	}
	return passed;
}
