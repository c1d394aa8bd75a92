/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A save that an operator asked for, in a thread of its own, so that the monitor keeps answering.
 *
 * Policy: one at a time, which the machine's state ensures. The file is the client's, which opens it, passes it on and
 * gives it its name; this end only writes, and ends the save if the client has gone before that. The answer is sent
 * before the machine ends.
 */
#ifndef VMM_CONTROL_SAVING_H
#define VMM_CONTROL_SAVING_H

#include "control/descriptors.h"
#include "machine/machine.h"
#include "transfer/gate.h"

struct saving {
	pthread_t thread;
	bool started;	  /* and not yet joined */
	struct gate gate; /* while started */
};

struct saving_order {
	const char *path; /* from the root, which the file will have */
	enum sc_clock_policy policy;
	bool repair; /* as struct save_options has it, and the next */
	bool force;
};

/*
 * On 0 it owns the client's connection, and the one descriptor that came with the request: a new and empty file.
 */
int saving_start(struct saving *saving, struct machine *machine, int client, struct descriptors *passed,
		 const struct saving_order *order, struct error *error);

/* The machine is to end: calls off a save that is under way, unless the file is complete. */
void saving_call_off(struct saving *saving);

/* Waits for a save that is under way. */
void saving_join(struct saving *saving);

#endif
