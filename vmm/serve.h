/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's life from start to end: its control socket, its console's input, signals, and the incoming side of the
 * receiver as long as that is open.
 *
 * Policy: one thread waits for all of it. SIGINT and SIGTERM stop the machine as `seaclock stop` does.
 */
#ifndef VMM_SERVE_H
#define VMM_SERVE_H

#include "control.h"
#include "migrate/incoming.h"

#include <poll.h>

enum {
	SERVE_END,
	SERVE_SIGNAL,
	SERVE_CONTROL,
	SERVE_CONSOLE,
	SERVE_INCOMING,
	SERVE_WAITS
};

struct serve {
	struct machine *machine;
	struct control control;
	struct incoming *incoming; /* of the receiver that the machine came by; NULL: it did not */
	struct pollfd wait[SERVE_WAITS];
	uint8_t byte;	 /* from the console */
	bool byte_waits; /* the guest had no room for it */
	bool input_ended;
	bool settled; /* the incoming side's report has been noted */
};

/* The signals that end a machine, for all threads: call before the first thread is made. */
void serve_block_signals(void);
/* A descriptor that is readable once one of them has come; -1 and errno. */
int serve_signals_open(void);

/* Opens all that is needed, so that nothing fails later: -EEXIST if a machine of this name is running. */
int serve_open(struct serve *serve, struct machine *machine, struct error *error);
void serve_close(struct serve *serve);

/* Serves the machine until its end. */
enum machine_end serve_run(struct serve *serve);

#endif
