/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits that serve others meanwhile: signals, clients, and whatever else may end a wait.
 *
 * Policy: a thread of the monitor that waits for one thing goes on serving what is watched, and what is watched may end
 * the wait.
 */
#ifndef VMM_TRANSFER_WAIT_H
#define VMM_TRANSFER_WAIT_H

#include "base/error.h"

#include <stdbool.h>

#include <seaclock/core.h>

/* Called while `fd` is readable; 0 if the wait is to go on, else -errno and the sentence that ends it. */
typedef int (*wait_watch_fn)(void *context, struct error *error);

struct wait_watch {
	int fd;
	wait_watch_fn fn;
	void *context;
};

/* At most, for one wait. */
#define WAIT_WATCHES 3

/* Serves what is watched, without waiting. */
int wait_look(const struct wait_watch *watch, unsigned int watches, struct error *error);

/*
 * Waits until `fd` is ready for `events` of poll(), at most until the deadline, and serves what is watched meanwhile. 0
 * with *ready, which is false once the deadline has passed, whatever `fd` is; -errno if something watched ends the
 * wait.
 */
int wait_ready(int fd, short events, sc_ns_t deadline, const struct wait_watch *watch, unsigned int watches,
	       bool *ready, struct error *error);

#endif
