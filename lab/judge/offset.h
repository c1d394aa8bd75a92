/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well the offset between two hosts' clocks was estimated in many migrations, over several runs: half of the guests
 * idle, half with a load on their memory.
 *
 * Policy: each migration is held against its own bound, and each bound against what the monitor's own round trip and
 * age allow; medians are taken over the idle half only, since load costs precision and is meant to.
 */
#ifndef LAB_JUDGE_OFFSET_H
#define LAB_JUDGE_OFFSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "run.h"

#define OFFSET_MAX MANIFEST_FILES_MAX
#define OFFSET_RATES_MAX MANIFEST_HOSTS_MAX

enum offset_load {
	OFFSET_IDLE,
	OFFSET_MEMORY,
	OFFSET_LOADS
};

extern const char *const offset_load_names[OFFSET_LOADS];

/* An offset estimate, with the migration that relied on it. */
struct offset {
	struct migration migration; /* its hosts are the two below, since those of its run do not last */
	struct manifest_host from, to;
	enum offset_load load;
};

struct offset_set {
	struct offset offsets[OFFSET_MAX];
	size_t count;
};

/* What is looked at over a half. */
enum offset_quantity {
	OFFSET_STEP,	   /* without its sign, ns */
	OFFSET_BOUND,	   /* ns */
	OFFSET_ROUND_TRIP, /* ns */
	OFFSET_DOWNTIME,   /* us */
	OFFSET_QUANTITIES
};

struct offset_spread {
	size_t count;
	int64_t least, median, most;
};

/* Adds the migrations of a judged run. False if there is no room. */
bool offset_add(struct offset_set *set, const struct run *run);

struct offset_spread offset_spread(const struct offset_set *set, enum offset_load load, enum offset_quantity quantity);

/* The most that the bound may be: half the round trip, drift over its age, and 2 us; ns. */
int64_t offset_bound_limit(const struct report *report);

/* Prints "PASS ..." or "FAIL ..." per criterion; `half` is the least number for each load. Returns whether all passed.
 */
bool offset_verdict(const struct offset_set *set, size_t half, FILE *out);

#endif
