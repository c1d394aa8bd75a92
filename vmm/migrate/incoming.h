/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver's incoming side: takes connections, reads the one frame with which each begins, answers questions, and
 * hands a migration that may begin to whoever receives machines.
 *
 * Policy: nothing here ever waits for a peer, so a connection that says nothing disturbs neither a migration nor a
 * running guest; when there are too many, a new one pushes out the oldest. A connection asks one question. One
 * migration at a time: a second is refused. While the guest runs it stays open until the source has said SETTLED or a
 * time limit has passed, and then closes. On a migration's own connection nothing is said after DONE: there an ABORT
 * would be the promise that the guest never runs here.
 */
#ifndef VMM_MIGRATE_INCOMING_H
#define VMM_MIGRATE_INCOMING_H

#include "migrate/channel.h"
#include "migrate/ledger.h"
#include "transfer/limits.h"
#include "migrate/report.h"

#define INCOMING_CALLS 8u

/* What a connection is. */
enum incoming_kind {
	INCOMING_NEW,	   /* it has not said what it wants */
	INCOMING_ANSWERED, /* a question: what follows may be SETTLED, or nothing */
	INCOMING_RUNNING,  /* that of the migration whose guest runs here: SETTLED may follow */
	INCOMING_REFUSED,  /* that of a migration after READY that was given up: its end tells that the source knows */
};

/* A question has ended the migration that is under way: what it has taken is given back before the answer leaves. */
typedef void (*incoming_promise_fn)(void *context);

struct incoming_call {
	int fd; /* -1: free */
	uint64_t number;
	enum incoming_kind kind;
	struct frame_id id; /* INCOMING_REFUSED */
	size_t size;
	uint8_t bytes[FRAME_HEADER_SIZE + FRAME_CALL_MAX];
};

struct incoming {
	int listener;
	int events; /* epoll: readable if there is something to serve */
	int timer;
	uint64_t calls; /* so far */
	struct incoming_call call[INCOMING_CALLS];
	struct ledger ledger;
	const struct handover_limits *limits;
	struct frame_hello hello;    /* of the migration that has called or is under way */
	int caller;		     /* its connection, until it is taken; -1 */
	bool busy;		     /* a migration has called, is under way, or its guest runs here */
	bool ending;		     /* no migration is taken any more */
	incoming_promise_fn promise; /* NULL: nobody */
	void *context;
	sc_ns_t owes_until; /* by then the last source has heard what became of its guest, or asks no more */
	bool settled;
	struct report report; /* if settled */
};

int incoming_open(struct incoming *incoming, const struct handover_limits *limits, struct error *error);
void incoming_close(struct incoming *incoming);
/* Takes connections at ADDRESS:PORT; and one that somebody else has accepted, non-blocking. */
int incoming_listen(struct incoming *incoming, const char *address, struct error *error);
void incoming_admit(struct incoming *incoming, int fd);

/* Does what can be done without waiting. */
void incoming_serve(struct incoming *incoming);

/* True if a migration has called: its connection and its HELLO. Until incoming_give_up() others are refused. */
bool incoming_take(struct incoming *incoming, struct channel *channel, struct frame_hello *hello);
/* Who is told when a question ends the migration that was taken; NULL: nobody. */
void incoming_tell(struct incoming *incoming, incoming_promise_fn promise, void *context);
/*
 * The migration that was taken is over, and its guest will never run here: says so, with the reason. Takes the
 * migration's connection over if the source may need that word, else leaves it to the caller.
 */
void incoming_give_up(struct incoming *incoming, struct channel *channel, const struct error *reason);

/* The guest runs here: takes the migration's connection over and awaits SETTLED on it, or on another. */
void incoming_await_settled(struct incoming *incoming, struct channel *channel);

#endif
