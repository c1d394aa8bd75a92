/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cooperative guest must have after each migration besides correct clocks and timers: the speed of the vDSO, and
 * everything in its kernel that depends on the counter's rate.
 *
 * Policy: every picture that the guest took in the leg after a migration counts. The vDSO is the exception: it is
 * unused once the next migration is being prepared, and until the guest is back on the raw counter. What could not be
 * measured is wrong.
 */
#ifndef LAB_JUDGE_COOPERATIVE_H
#define LAB_JUDGE_COOPERATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "run.h"
#include "statistics.h"

/* What followed one migration. */
struct cooperative {
	size_t pictures;
	bool vdso_used;			      /* from some picture on, until the next migration was prepared */
	int64_t udelay_min_ns, udelay_max_ns; /* of the shortest delay that each picture found */
	bool events_right;		      /* on each CPU, in each picture */
	bool timer_rate_right;		      /* in each picture */
	struct statistics_rate sched;	      /* relative to truth, as are the next two; 0: unknown */
	struct statistics_rate log;	      /* of the stamps in the kernel's log */
	struct statistics_rate cpu;	      /* of a busy loop's processor time */
	int64_t new_warnings;		      /* since before the migration */
};

/* Of migration number `index` of a judged run. */
struct cooperative cooperative_judge(const struct run *run, size_t index);

/* The divider that the kernel sets for one event every 100 us on a counter of this rate. */
int64_t cooperative_divider(int64_t hz);

/*
 * Prints "PASS ..." or "FAIL ..." per criterion, then for each consumer of the counter's rate in the kernel a line "ROW
 * CASE CONSUMER PASS|FAIL" for scripts. Returns whether all passed.
 */
bool cooperative_verdict(const struct run *run, FILE *out);

#endif
