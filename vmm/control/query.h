/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request whose answer takes a while, in a thread of its own, so that the monitor keeps answering meanwhile.
 *
 * Policy: one of a kind at a time; a second one is refused, and does not wait.
 */
#ifndef VMM_CONTROL_QUERY_H
#define VMM_CONTROL_QUERY_H

#include "base/thread.h"
#include "machine/machine.h"

#include <jansson.h>

struct query {
	struct machine *machine;
	pthread_t thread;
	bool started; /* and not yet joined */
	bool over;    /* only the answer is left to do; atomic */
	int client;   /* the connection to answer */
};

/* Whether one is under way; if not, the last one has been waited for. */
bool query_is_busy(struct query *query);

/* Of one that is not busy: 0, and it owns the client's connection; or a positive errno, and there is no thread. */
int query_start(struct query *query, struct machine *machine, int client, enum thread_kind kind,
		void *(*run)(void *argument), void *argument);

/* The last thing that its thread does: sends the line, which it takes over, and closes the connection. */
void query_answer(struct query *query, json_t *line);

/* Waits for one that is under way. */
void query_join(struct query *query);

#endif
