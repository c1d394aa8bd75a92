/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client on one of the guest's consoles: what the guest says goes to the client, what the client types to the guest
 * (doc/control.md).
 *
 * Policy: nobody waits for the client. Output is sent while at least three quarters of the socket's buffer are free, so
 * that the rest of the backlog and the end always have room; what a slow client misses is told. Input is read while the
 * guest has a place for it, and stays in the socket otherwise: none that was read is lost when the machine moves.
 */
#ifndef VMM_CONTROL_ATTACHMENT_H
#define VMM_CONTROL_ATTACHMENT_H

#include "base/output.h"
#include "machine/machine.h"

/* Output that is taken from the backlog at once. */
#define ATTACHMENT_PIECE 4096u

/* How often to look whether the guest has made room for input that waits, in ms. */
#define ATTACHMENT_RETRY_MS 10

/* One for each console, in this order. */
enum attachment_port {
	ATTACHMENT_UART,
	ATTACHMENT_VIRTIO,
	ATTACHMENT_PORTS
};

struct attachment {
	struct machine *machine;
	enum attachment_port port;
	int fd;		  /* the client's; -1: nobody */
	int wake;	  /* eventfd: the guest has said something */
	int events;	  /* epoll, which has both */
	uint32_t number;  /* for `fd` there; `wake` has the next */
	bool waits;	  /* input, for room in the guest */
	bool input_ended; /* the client sends no more */
	size_t sent;	  /* where in the piece begins what is still to be sent, */
	size_t size;	  /* and where it ends */
	uint8_t piece[OUTPUT_MARK_SIZE + ATTACHMENT_PIECE];
};

/* For a console of the machine: nobody is attached. Its events in `events` have `number` and the next. */
void attachment_init(struct attachment *attachment, struct machine *machine, enum attachment_port port, int events,
		     uint32_t number);

/*
 * Answers the client that it is attached, and owns its connection from then on. -EBUSY if somebody is, or if the
 * machine has not arrived yet, and -ENOTSUP if it has no such console.
 */
int attachment_open(struct attachment *attachment, int client, struct error *error);

/* One of its events, or its input waits: does what can be done now. */
void attachment_serve(struct attachment *attachment);

/*
 * The machine has ended: the client gets the rest of the output and how it ended, with the host that it has moved to,
 * if it has.
 */
void attachment_close(struct attachment *attachment, const char *host);

#endif
