/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine from a file.
 *
 * Policy: nothing runs before all of the file has been read, held against its checksums and loaded. The rules for hosts
 * of different rates are those of a migration. How long ago the guest was stopped is known by CLOCK_REALTIME, here and
 * in the file, and as well as both hosts state it.
 */
#ifndef VMM_SNAPSHOT_RESTORE_H
#define VMM_SNAPSHOT_RESTORE_H

#include "machine/machine.h"
#include "transfer/admission.h"
#include "transfer/arrival.h"

struct restore_options {
	const char *path;
	const struct arrival_names *names;  /* NULL: as in the file */
	struct admission_terms terms;	    /* for a guest that may not follow the change of rate */
	const enum sc_clock_policy *policy; /* NULL: as the file says */
	uint32_t max_gap_s;		    /* that the guest's clocks may count; 0: however old the file is */
};

/*
 * Makes the machine and loads it; it stands still, its clock already goes on: machine_run_loaded() is next. What was
 * done is in machine->restored. On an error there is no machine.
 */
int restore_load(struct machine *machine, struct console *console, const struct restore_options *options,
		 struct error *error);

#endif
