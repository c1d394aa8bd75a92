/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver's desk: takes connections, reads the one frame with which each begins, answers questions, and hands a
 * migration that may begin to whoever receives machines.
 *
 * Policy: nothing here ever waits for a peer, so a connection that says nothing disturbs neither a migration nor a
 * running guest; when there are too many, a new one pushes out the oldest. One migration at a time: a second is
 * refused. While the guest runs the desk stays until the source has said SETTLED or a time limit has passed, then it
 * closes.
 */
#ifndef VMM_MIGRATE_DESK_H
#define VMM_MIGRATE_DESK_H

#include "migrate/channel.h"
#include "migrate/ledger.h"
#include "migrate/report.h"

#define DESK_CALLS 8u

struct desk_call {
	int fd; /* -1: free */
	uint64_t number;
	bool answered; /* a question: what follows may be SETTLED, or nothing */
	size_t size;
	uint8_t bytes[FRAME_HEADER_SIZE + FRAME_CALL_MAX];
};

struct desk {
	int listener;
	int events; /* epoll: readable if there is something to serve */
	int timer;
	uint64_t calls; /* so far */
	struct desk_call call[DESK_CALLS];
	struct ledger ledger;
	const struct handover_limits *limits;
	struct frame_hello hello; /* of the migration that has called or is under way */
	int caller;		  /* its connection, until it is taken; -1 */
	bool busy;		  /* a migration has called, is under way, or its guest runs here */
	bool settled;
	struct report report; /* if settled */
};

int desk_open(struct desk *desk, const struct handover_limits *limits, struct error *error);
void desk_close(struct desk *desk);
/* Takes connections at ADDRESS:PORT; and one that somebody else has accepted, non-blocking. */
int desk_listen(struct desk *desk, const char *address, struct error *error);
void desk_admit(struct desk *desk, int fd);

/* Does what can be done without waiting. */
void desk_serve(struct desk *desk);

/* True if a migration has called: its connection and its HELLO. Until desk_release() others are refused. */
bool desk_take(struct desk *desk, struct channel *channel, struct frame_hello *hello);
/* The migration that was taken is over, and its guest will never run here. */
void desk_release(struct desk *desk);

/* The guest runs here: the desk takes the migration's connection over and awaits SETTLED on it, or on another. */
void desk_await_settled(struct desk *desk, struct channel *channel);

#endif
