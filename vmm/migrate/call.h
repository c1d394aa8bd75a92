/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a receiver's incoming side: what it is, and the one frame that it is about to say.
 *
 * Policy: nothing here waits. What is sent finds room at once, because the connection has taken nothing yet, or the
 * peer is none.
 */
#ifndef VMM_MIGRATE_CALL_H
#define VMM_MIGRATE_CALL_H

#include "migrate/transport.h"
#include "transfer/frame.h"

/* What a connection is. */
enum call_kind {
	CALL_NEW,      /* it has not said what it wants */
	CALL_ANSWERED, /* a question: what follows may be SETTLED, or nothing */
	CALL_RUNNING,  /* that of the migration whose guest runs here: SETTLED may follow */
	CALL_REFUSED,  /* that of a migration after READY that was given up: its end tells that the source knows */
	CALL_STRANGER, /* its handshake is under way */
	CALL_LEAVING,  /* a stranger that has been told why it is refused, until it has heard that */
};

struct call {
	struct transport transport; /* its fd is -1: free */
	const char *host;	    /* who it is; "" without TLS */
	uint64_t number;
	enum call_kind kind;
	sc_ns_t until;	    /* CALL_STRANGER, CALL_LEAVING: it is closed then */
	struct frame_id id; /* CALL_REFUSED */
	size_t size;
	uint8_t bytes[FRAME_HEADER_SIZE + FRAME_CALL_MAX];
};

/* What the two sides of a connection have to do if only one of them speaks TLS. */
#define CALL_BOTH_ALIKE "say --plain on both sides, or on neither"

/* It is free afterwards, if it was not before. */
void call_close(struct call *call);
/* A small frame; true if it has left. */
bool call_send(struct transport *transport, enum frame_type type, const void *data, size_t size);
/* What is left unread when a connection is closed makes TCP reset it, and the peer might never see its sentence. */
void call_drain(const struct call *call);

/* Bytes that the call's frame still lacks, as far as it is known; -EPROTO if it can be none. */
int call_wants(const struct call *call, struct frame *frame, size_t *wants, struct error *error);
/* True if more may be there; a call that has ended is closed. */
bool call_read(struct call *call, size_t wants);

#endif
