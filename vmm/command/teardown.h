/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a machine in its monitor, which has a limit.
 *
 * Policy: whatever is to be ended may wait for the kernel: a thread that reads a disk whose server is away for ever
 * does not come back, nor does one that closes the console's file on such a server. If the machine has not ended, and
 * its console is not closed, within TEARDOWN_MS, which is longer than disks are waited for on the way, the program ends
 * all the same, with a line in the log: the kernel keeps what it must. Nothing is lost by that, for the guest does not
 * run any more and nobody counts on its disks.
 */
#ifndef VMM_COMMAND_TEARDOWN_H
#define VMM_COMMAND_TEARDOWN_H

#include "base/name.h"
#include "dev/console.h"

#include <pthread.h>
#include <stdbool.h>

#define TEARDOWN_MS 20000

struct teardown {
	char name[NAME_SIZE];
	struct console *console;
	int status;
	int limit_ms;
	int over; /* eventfd */
	bool begun;
	pthread_t thread;
};

/*
 * Before the machine is taken down: from here on there is `limit_ms`, and then the program ends with `status`. Does
 * nothing if it has begun before. A host that has no thread for it goes without.
 */
void teardown_begin(struct teardown *teardown, const char *name, struct console *console, int status, int limit_ms);
/* The machine is no more, and its console is closed. */
void teardown_end(struct teardown *teardown);

#endif
