/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An operator asks what a guest's kernel is: it is looked for in a thread of its own, so that the monitor keeps
 * answering meanwhile.
 *
 * Policy: one at a time.
 */
#ifndef VMM_CONTROL_INSPECTION_H
#define VMM_CONTROL_INSPECTION_H

#include "machine/machine.h"

#include <jansson.h>

struct inspection {
	struct machine *machine;
	pthread_t thread;
	bool started; /* and not yet joined */
	bool over;    /* only the answer is left to do; atomic */
	int client;   /* the connection to answer */
};

/* On 0 it owns the client's connection. -EBUSY if another one is under way. */
int inspection_start(struct inspection *inspection, struct machine *machine, int client, struct error *error);

/* Waits for one that is under way. */
void inspection_join(struct inspection *inspection);

/* As doc/control.md has it. */
json_t *kernel_json(const struct kernel *kernel);

#endif
