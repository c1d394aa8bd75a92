/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that an operator has made larger: its size is asked for in a thread of its own, so that the monitor keeps
 * answering while a server does not.
 *
 * Policy: one at a time.
 */
#ifndef VMM_CONTROL_GROWTH_H
#define VMM_CONTROL_GROWTH_H

#include "machine/machine.h"

struct growth {
	struct machine *machine;
	pthread_t thread;
	bool started; /* and not yet joined */
	bool over;    /* only the answer is left to do; atomic */
	int client;   /* the connection to answer */
	uint32_t disk;
};

/* On 0 it owns the client's connection. -EBUSY if another one is under way. */
int growth_start(struct growth *growth, struct machine *machine, int client, uint32_t disk, struct error *error);

/* Waits for one that is under way. */
void growth_join(struct growth *growth);

#endif
