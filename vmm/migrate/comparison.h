/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the hosts' clocks have been compared well enough for the guest to be stopped.
 *
 * Policy: the step that the guest's clock may make is bounded before it stands still. If the connection does not give
 * that bound in time, the migration fails with the bound that it gave.
 */
#ifndef VMM_MIGRATE_COMPARISON_H
#define VMM_MIGRATE_COMPARISON_H

#include "migrate/channel.h"
#include "migrate/report.h"

#include <seaclock/core.h>

struct comparison {
	struct sc_offset offset; /* of the two counters, from time stamps */
	uint32_t max_step_us;	 /* half the width that is allowed */
	int limit_ms;		 /* for it to become so, once nothing else is missing */
	sc_ns_t lacking_since;	 /* nothing else is missing; 0: something is */
};

/* Whether it is good enough now, and how good. */
bool comparison_fits(const struct comparison *comparison, uint64_t *half_width_us);

/* The same for a migration that lacks nothing else: -ETIME and a sentence once it has lacked this for too long. */
int comparison_check(struct comparison *comparison, bool *enough, struct error *error);
/* Something else is missing. */
void comparison_rest(struct comparison *comparison);

/*
 * What was known has aged while guest `name` was asked to hold: -ETIME and a sentence if it is not good enough any
 * more. One that is `held` stands still already, and is kept waiting only if that needs another look.
 */
int comparison_keep(struct comparison *comparison, struct channel *channel, const char *name, bool held,
		    struct error *error);

/*
 * What is known of the guest's clock, which started over there at `started`, by this host's counter in ns, with the
 * hosts' difference taken to be so: the bound of its step, as wide as the interval was then, and the stamp.
 */
void comparison_report(const struct comparison *comparison, sc_ns_t started, int64_t difference_ns,
		       struct report *report);

#endif
