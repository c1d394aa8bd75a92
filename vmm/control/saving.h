/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A save that an operator asked for, in a thread of its own, so that the monitor keeps answering.
 *
 * Policy: one at a time, which the machine's state ensures. The answer is sent before the machine ends.
 */
#ifndef VMM_CONTROL_SAVING_H
#define VMM_CONTROL_SAVING_H

#include "machine/machine.h"
#include "transfer/gate.h"

struct saving {
	pthread_t thread;
	bool started;	  /* and not yet joined */
	struct gate gate; /* while started */
};

/* On 0 it owns the client's connection. `path` must be absolute. */
int saving_start(struct saving *saving, struct machine *machine, int client, const char *path,
		 enum sc_clock_policy policy, bool force, struct error *error);

/* The machine is to end: calls off a save that is under way, unless the file is complete. */
void saving_call_off(struct saving *saving);

/* Waits for a save that is under way. */
void saving_join(struct saving *saving);

#endif
