/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's life from start to end: its control socket, its console's input, signals.
 *
 * Policy: one thread waits for all of it. SIGINT and SIGTERM stop the machine as `seaclock stop` does.
 */
#ifndef VMM_SERVE_H
#define VMM_SERVE_H

#include "control.h"

#include <poll.h>

enum {
	SERVE_END,
	SERVE_SIGNAL,
	SERVE_CONTROL,
	SERVE_CONSOLE,
	SERVE_WAITS
};

struct serve {
	struct machine *machine;
	struct control control;
	struct pollfd wait[SERVE_WAITS];
	uint8_t byte;	 /* from the console */
	bool byte_waits; /* the guest had no room for it */
	bool input_ended;
};

/* The signals that end a machine, for all threads: call before the first thread is made. */
void serve_block_signals(void);

/* Opens all that is needed, so that nothing fails later: -EEXIST if a machine of this name is running. */
int serve_open(struct serve *serve, struct machine *machine, struct error *error);
void serve_close(struct serve *serve);

/* Serves the machine until its end. */
enum machine_end serve_run(struct serve *serve);

#endif
