/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock handoffs of many migrations, over several runs: half of the guests idle, half with a load on their memory.
 *
 * Policy: each migration is held against its own bound, and each bound against what the monitor's own round trip and
 * age allow; medians are taken over the idle half only, since load costs precision and is meant to.
 */
#ifndef LAB_JUDGE_HANDOFF_H
#define LAB_JUDGE_HANDOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "run.h"

#define HANDOFF_MAX MANIFEST_FILES_MAX
#define HANDOFF_RATES_MAX MANIFEST_HOSTS_MAX

enum handoff_load {
	HANDOFF_IDLE,
	HANDOFF_MEMORY,
	HANDOFF_LOADS
};

extern const char *const handoff_load_names[HANDOFF_LOADS];

struct handoff {
	struct migration migration; /* its hosts are the two below, since those of its run do not last */
	struct manifest_host from, to;
	enum handoff_load load;
};

struct handoff_set {
	struct handoff handoffs[HANDOFF_MAX];
	size_t count;
};

/* What is looked at over a half. */
enum handoff_quantity {
	HANDOFF_STEP,	    /* without its sign, ns */
	HANDOFF_BOUND,	    /* ns */
	HANDOFF_ROUND_TRIP, /* ns */
	HANDOFF_DOWNTIME,   /* us */
	HANDOFF_QUANTITIES
};

struct handoff_spread {
	size_t count;
	int64_t least, median, most;
};

/* Adds the migrations of a judged run. False if there is no room. */
bool handoff_add(struct handoff_set *set, const struct run *run);

struct handoff_spread handoff_spread(const struct handoff_set *set, enum handoff_load load,
				     enum handoff_quantity quantity);

/* The most that the bound may be: half the round trip, drift over its age, and 2 us; ns. */
int64_t handoff_bound_limit(const struct report *report);

/* Prints "PASS ..." or "FAIL ..." per criterion; `half` is the least number for each load. Returns whether all passed.
 */
bool handoff_verdict(const struct handoff_set *set, size_t half, FILE *out);

#endif
