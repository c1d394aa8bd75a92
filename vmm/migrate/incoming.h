/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver's incoming side: takes connections, learns by TLS who calls, reads the one frame with which each begins,
 * answers questions, and hands a migration that may begin to whoever receives machines.
 *
 * Policy: nothing here ever waits for a peer, so a connection that says nothing disturbs neither a migration nor a
 * running guest; when there are too many, a new one pushes out the oldest. A connection asks one question. One
 * migration at a time: a second is refused. While the guest runs it stays open until the source has said SETTLED or a
 * time limit has passed, and then closes. On a migration's own connection nothing is said after DONE: there an ABORT
 * would be the promise that the guest never runs here.
 *
 * Who is not known yet has a place among few, little time, and a bound to what it may send (transport.h); it pushes out
 * its like and nobody else, and what it does wrong is counted rather than logged. A host is answered about its own
 * migrations: of others it hears that they are unknown, and changes nothing about them.
 */
#ifndef VMM_MIGRATE_INCOMING_H
#define VMM_MIGRATE_INCOMING_H

#include "migrate/call.h"
#include "migrate/channel.h"
#include "migrate/ledger.h"
#include "migrate/peers.h"
#include "transfer/limits.h"
#include "migrate/report.h"

#define INCOMING_CALLS 8u
/* Those whose handshake is under way, and how long it may take; an honest one on a busy host needs a tenth of it. */
#define INCOMING_STRANGERS 4u
#define INCOMING_STRANGER_MS 5000

/* A question has ended the migration that is under way: what it has taken is given back before the answer leaves. */
typedef void (*incoming_promise_fn)(void *context);

struct incoming {
	int listener;
	bool inherited; /* the listener: somebody else goes on listening on it */
	int events;	/* epoll: readable if there is something to serve */
	int timer;
	int hurry;					       /* another, for strangers */
	uint64_t calls;					       /* so far */
	struct call call[INCOMING_CALLS + INCOMING_STRANGERS]; /* the last ones are for strangers */
	struct ledger ledger;
	const struct handover_limits *limits;
	const struct credentials *own; /* NULL: without TLS */
	const struct peers *peers;     /* with TLS: who may send what */
	uint64_t strangers;	       /* that were refused so far, */
	char told[ERROR_TEXT_MAX];     /* and why the last one was of which the log tells */
	struct frame_hello hello;      /* of the migration that has called or is under way */
	struct transport caller;       /* its connection, until it is taken */
	const char *host;	       /* who began it */
	bool busy;		       /* a migration has called, is under way, or its guest runs here */
	bool ending;		       /* no migration is taken any more */
	incoming_promise_fn promise;   /* NULL: nobody */
	void *context;
	sc_ns_t owes_until; /* by then the last source has heard what became of its guest, or asks no more */
	bool settled;
	struct report report; /* if settled */
};

int incoming_open(struct incoming *incoming, const struct handover_limits *limits, struct error *error);
void incoming_close(struct incoming *incoming);
/* From now on by TLS, from hosts that are in the table. Both outlive the incoming side. */
void incoming_secure(struct incoming *incoming, const struct credentials *own, const struct peers *peers);
/* Takes connections at ADDRESS:PORT; and one that somebody else has accepted. */
int incoming_listen(struct incoming *incoming, const char *address, struct error *error);
void incoming_admit(struct incoming *incoming, int fd);

/* Does what can be done without waiting. */
void incoming_serve(struct incoming *incoming);

/* True if nobody has a connection. */
bool incoming_is_idle(const struct incoming *incoming);

/* True if somebody has one of whom it is known who he is, or without TLS what he wants. */
bool incoming_knows_caller(const struct incoming *incoming);

/* True if a migration has called: its connection and its HELLO. Until incoming_give_up() others are refused. */
bool incoming_take(struct incoming *incoming, struct channel *channel, struct frame_hello *hello);
/* -EACCES and a sentence if the migration's host may not send a machine of so many bytes. */
int incoming_check_memory(const struct incoming *incoming, uint64_t bytes, struct error *error);
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
