/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side that gives a machine away: pre-copy, then the stop, the state, and the handover.
 *
 * Policy: whatever can fail fails before GO, most of it before the guest is paused, and then the guest runs on here
 * with nothing lost. GO counts as sent before its first byte is written: from there on only the target's word decides,
 * DONE, ABORT or an answer to the question; without it the guest stays paused here. The states are those of
 * migrate/handover.h.
 */
#ifndef VMM_MIGRATE_SOURCE_H
#define VMM_MIGRATE_SOURCE_H

#include "machine/machine.h"
#include "migrate/channel.h"
#include "transfer/gate.h"
#include "migrate/handover.h"
#include "transfer/limits.h"
#include "migrate/precopy.h"
#include "transfer/admission.h"
#include "migrate/report.h"

#define SOURCE_DOWNTIME_MS 300u
#define SOURCE_MAX_STEP_US 500u

struct source_options {
	const char *host;	       /* where the connection leads, in numbers, to ask there on a new one, */
	struct channel_terms *channel; /* the same way */
	struct admission_terms terms;  /* for a guest that may not follow the change of rate */
	enum sc_clock_policy policy;
	uint32_t downtime_ms;	      /* aimed at */
	uint32_t bandwidth_mib;	      /* a second, while the guest runs; 0: as much as there is */
	uint32_t max_step_us;	      /* the clocks must be compared to within so much before the guest is stopped */
	struct gate *gate;	      /* the operator may call the migration off */
	precopy_progress_fn progress; /* NULL: nobody */
	void *context;
	const struct handover_limits *limits;
};

/*
 * Migrates. The machine is in state MACHINE_MIGRATING; the caller sets the state that follows from the result:
 * SOURCE_RUNNING with a sentence if it failed, SOURCE_UNDECIDED or SOURCE_DISKLESS with one, SOURCE_GONE with the
 * report. After SOURCE_RUNNING the guest stands still if its clock could not be started: machine_end_migration() looks.
 */
enum source_state source_run(struct machine *machine, struct channel *channel, const struct source_options *options,
			     struct report *report, struct error *error);

/* Finds out whether the machine can move, and disturbs it for a moment only. 0 if it can. */
int source_try(struct machine *machine, struct channel *channel, const struct source_options *options,
	       struct report *report, struct error *error);

/*
 * Asks what became of a migration that ended as SOURCE_UNDECIDED, with the options and the report of then. The results
 * are as before: SOURCE_RUNNING means that the guest was let go on here.
 */
enum source_state source_ask_again(struct machine *machine, const struct source_options *options, struct report *report,
				   struct error *error);

#endif
