/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's life from start to end: its control socket, its console's input, signals, and the receiver that it
 * arrived through, for as long as that is open.
 *
 * Policy: one thread waits for all of it, and for nothing else. SIGINT, SIGTERM, SIGHUP and Ctrl-A x end the machine:
 * at once, or when a migration or save that can no longer be called off is over. Of the host's files, this thread has
 * the control folder once the machine runs.
 */
#ifndef VMM_COMMAND_SERVE_H
#define VMM_COMMAND_SERVE_H

#include "control/server.h"
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

/* The exit status after `stop`, with and without --now. */
#define SERVE_EXIT_STOPPED 6

struct serve {
	struct machine *machine;
	struct control control;
	struct incoming
		*incoming; /* the receiver this machine arrived through; NULL if it was booted or restored here */
	const char *peer;  /* then, from where, in numbers */
	struct pollfd wait[SERVE_WAITS];
	bool input_ended;
	bool settled; /* the incoming side's report has been noted */
	int reach;    /* rules for this thread (host/landlock.h); -1: none */
};

/* Opens all that is needed, so that nothing fails later: -EEXIST, and `succeeds`, as for control_open(). */
int serve_open(struct serve *serve, struct machine *machine, bool succeeds, struct error *error);
void serve_close(struct serve *serve);

/* Serves the clients of the control socket; `stop --now` ends the program here. */
void serve_control(struct serve *serve);

/* Serves the machine, which runs, until its end. */
enum machine_end serve_run(struct serve *serve);

#endif
