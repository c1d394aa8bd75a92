/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of one sleep: pure, so that the tests on the build machine can try it.
 */
#ifndef TEST_GUEST_PROBE_SLEEP_H
#define TEST_GUEST_PROBE_SLEEP_H

#include <stdbool.h>
#include <stdint.h>

/* A sleep is overdue when it has not ended this long after its due time; ns. */
#define SLEEP_OVERDUE_NS 5000000000ll

/* An overdue sleep is lost this much later, since a guest that stood still may look before the sleep ends; ns. */
#define SLEEP_GRACE_NS 1000000000ll

/* What the host's clock may gain or lose within one sleep; ns. */
#define SLEEP_TRUTH_TOLERANCE_NS 100000

/* One sleep; times in ns. Start: the truth is read first, then mono0. End: mono1 first, then the truth. */
struct sleep_record {
	const char *kind;
	int64_t duration;
	int64_t mono0, mono1; /* CLOCK_MONOTONIC */
	int64_t ptp0, ptp1;   /* the host's clock */
	uint64_t hz0, hz1;    /* the host's counter rate */
};

enum sleep_finding {
	SLEEP_GOOD,
	SLEEP_MOVED,	      /* began on one host and ended on another: the judge needs both ends */
	SLEEP_EARLY,	      /* by the guest's own clock */
	SLEEP_EARLY_BY_TRUTH, /* by the clock of the one host it ran on */
};

enum sleep_finding sleep_judge(const struct sleep_record *record);

/* The watch over one sleeper; all zero at first. */
struct sleep_watch {
	int64_t due;	       /* of the overdue sleep; 0: none */
	int64_t overdue_since; /* the look that found it */
	bool lost;
};

/*
 * Looks at the sleep that is due at `due` (0: none under way) at `now`, when nothing may have run for `silence`
 * meanwhile; ns. True if it is lost: once for each sleep, at the second look at the earliest.
 */
bool sleep_watch(struct sleep_watch *watch, int64_t due, int64_t now, int64_t silence);

#endif
