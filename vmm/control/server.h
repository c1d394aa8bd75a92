/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's end of the control socket: one request and its answers for each connection (doc/control.md), or a
 * console.
 *
 * Policy: only the monitor's own user and root can connect, and each order is logged with the user who gave it. The
 * monitor never waits for a client: it serves one when its line is complete, and drops the oldest of more than
 * CONTROL_CLIENTS that have sent no whole line.
 */
#ifndef VMM_CONTROL_SERVER_H
#define VMM_CONTROL_SERVER_H

#include "control/attachment.h"
#include "control/descriptors.h"
#include "control/growth.h"
#include "control/inspection.h"
#include "control/line.h"
#include "control/migration.h"
#include "control/naming.h"
#include "control/saving.h"

#define CONTROL_CLIENTS 16u

/* Somebody whose request is not complete yet. */
struct control_client {
	int fd; /* -1: nobody */
	uint64_t number;
	size_t size;
	char line[CONTROL_LINE_MAX];
	struct descriptors passed;
};

struct control {
	struct machine *machine;
	int listener;
	int events; /* epoll: readable when control_serve() has something to do */
	bool leave; /* set by `stop --now`: the program must end without waiting for anything */
	uint64_t clients;
	struct control_client client[CONTROL_CLIENTS];
	struct naming naming;
	struct migration migration;
	struct saving saving;
	struct growth growth;
	struct query inspection;
	struct attachment attachment[ATTACHMENT_PORTS];
};

/*
 * Opens the socket; -EEXIST if a machine of this name is running. One that `succeeds` another process, which still has
 * the name, gets that from it once the guest runs here (naming.h).
 */
int control_open(struct control *control, struct machine *machine, bool succeeds, struct error *error);
/* Waits for what is under way in a thread of its own, tells who is attached to a console, and gives the name up. */
void control_close(struct control *control);

/* For a program that ends at once: removes the socket and waits for nothing. */
void control_remove(const struct control *control);

/* The machine is to end: calls off a migration or save that is under way, if that is still possible. */
void control_call_off(struct control *control);

/*
 * Takes what clients have sent, and answers the requests that are complete; a migration, a save or a look at a disk's
 * size goes on in a thread of its own.
 */
void control_serve(struct control *control);

/* In how many ms control_serve() has something to do without an event, -1: not at all. */
int control_retry_ms(const struct control *control);

#endif
