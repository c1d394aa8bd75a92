/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side that gives a machine away: pre-copy, then the stop, the state, and the handover.
 *
 * Policy: whatever can fail fails before GO, and then the guest runs on here with nothing lost. GO counts as sent
 * before its first byte is written: from there on the guest may run on the other side, so without DONE this side stays
 * paused and the operator decides. At most one side ever runs.
 */
#ifndef VMM_MIGRATE_SOURCE_H
#define VMM_MIGRATE_SOURCE_H

#include "machine.h"
#include "migrate/channel.h"

struct source_report {
	uint32_t from_hz;
	uint32_t to_hz;
	enum sc_level level;
	uint32_t rounds;
	uint64_t bytes;
	uint64_t round_trip_ns;
	uint64_t stated_bound_ns; /* bound of the clock's step: difference of the hosts' clocks, aged until the clock's
				   start */
	uint64_t gap_ns;	  /* which the guest's clock counts under SC_CLOCK_ADVANCE */
	uint64_t downtime_ns;	  /* from the order to stop to DONE */
};

enum source_result {
	SOURCE_MOVED,	  /* the guest runs on the other host */
	SOURCE_FAILED,	  /* it runs on here */
	SOURCE_UNDECIDED, /* it stays paused here */
};

/* Told after each round; to show progress. */
typedef void (*source_progress_fn)(void *context, uint32_t round, uint64_t pages_left, uint64_t bytes);

struct source_options {
	bool force; /* also when the guest cannot follow the change of rate */
	source_progress_fn progress;
	void *context;
};

/* The machine is in state MACHINE_MIGRATING; the caller sets the state that follows. */
enum source_result source_run(struct machine *machine, struct channel *channel, const struct source_options *options,
			      struct source_report *report, struct error *error);

/* Whether a guest of that level may go from one rate to another; -EPERM and the sentence if not. */
int source_check_rate(const char *name, enum sc_level level, uint32_t from_hz, uint32_t to_hz, struct error *error);

#endif
