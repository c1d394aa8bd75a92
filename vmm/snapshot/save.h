/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine into a file: the records of the migration stream, HELLO, MACHINE, CLOCKED, PAGES and ZEROES, STATE, and
 * DONE as the end.
 *
 * Policy: the file is there before the guest is stopped, and the guest stands still until all of it is on the disk. It
 * gets its name before its seal: so a file with a seal is found by its name, whoever dies when. On any error the guest
 * goes on as it was, and its clock counts the time that it stood.
 */
#ifndef VMM_SNAPSHOT_SAVE_H
#define VMM_SNAPSHOT_SAVE_H

#include "machine/machine.h"
#include "transfer/gate.h"
#include "transfer/limits.h"
#include "transfer/wait.h"

/* Told about once a second. */
typedef void (*save_progress_fn)(void *context, uint64_t bytes_left);

/* All but the seal is on the disk: 0 once the file has its name. */
typedef int (*save_name_fn)(void *context, struct error *error);

struct save_options {
	int fd;				      /* a new and empty file, which stays the caller's */
	const char *path;		      /* that it will have */
	bool repair;			      /* a guest that does not follow has to be one that can be repaired */
	bool force;			      /* also when a guest that was asked to prepare has not done so */
	struct gate *gate;		      /* who calls the save off; NULL: nobody */
	const struct wait_watch *client;      /* that may go; NULL: none */
	enum sc_clock_policy policy;	      /* what restoring does unless it is told otherwise */
	const struct handover_limits *limits; /* of what the guest is asked for */
	save_progress_fn progress;	      /* NULL: nobody is told */
	save_name_fn name;		      /* NULL: it has its name */
	void *context;
};

struct save_report {
	uint32_t hz;
	enum sc_level level;
	uint64_t bytes;	     /* of the file */
	uint64_t stopped_ns; /* for which the guest stood still, if it ran */
};

/* A wait_watch_fn for the gate: -ECANCELED and the sentence. */
int save_on_cancel(void *context, struct error *error);

/* The machine is in state MACHINE_SAVING; the caller ends it on success, and else sets the state that it had. */
int save_run(struct machine *machine, const struct save_options *options, struct save_report *report,
	     struct error *error);

#endif
