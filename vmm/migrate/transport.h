/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes over a socket, as they are or by TLS 1.3 with certificates on both sides: one transport under migration,
 * question and receiver.
 *
 * Policy: nothing here waits; whoever wants to is told for what. Until a peer is known it gets little: its bytes are
 * counted, no data is taken early, no session resumed. A peer is known by the names in its certificate's SAN and by
 * nothing else. A stream that ends without a word from the peer was cut, and that is a failure. What does not speak TLS
 * is told apart, so that both sides can say what is wrong.
 */
#ifndef VMM_MIGRATE_TRANSPORT_H
#define VMM_MIGRATE_TRANSPORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct credentials;
struct tls;
struct wire;

/*
 * What a peer may send before it is known, in bytes. Certificates are most of it: one with a key of RSA-4096 has up to
 * 2 KiB, and a chain of four of them with what else there is fits; one with an elliptic key has less than 1 KiB in all.
 */
#define TRANSPORT_STRANGER_MAX 16384u

/* A name in a certificate: a DNS name, or an address in numbers. */
#define TRANSPORT_NAME_SIZE 256
#define TRANSPORT_NAMES_MAX 16u

struct transport {
	int fd;		   /* -1: closed */
	struct tls *tls;   /* NULL: bytes go as they are */
	struct wire *wire; /* of those, what is read ahead; NULL: nothing is */
};

/* Takes over a connected stream socket, which does not block from then on. */
void transport_open(struct transport *transport, int fd);
/* Ends it: says so to the peer, unless something of the peer's is left unread. */
void transport_close(struct transport *transport);
/* Nothing more will be sent, and the peer is told. */
void transport_finish(const struct transport *transport);

/*
 * From now on by TLS, with credentials that outlive it: as the one who was called, or, with the name that the peer has
 * to prove, as the one who calls. -ENOMEM.
 */
int transport_secure(struct transport *transport, const struct credentials *credentials, const char *name,
		     struct error *error);

/*
 * All of these return -EAGAIN, with the events of poll() to wait for, if the socket has to be waited for; another
 * -errno comes with the sentence.
 */

/* 0 once each side knows the other. Then, or at a failure, the peer has been told why as far as TLS can say it. */
int transport_handshake(struct transport *transport, short *events, struct error *error);
/*
 * How many bytes of the parts, in their order, were taken. After -EAGAIN the same bytes come again. With `more`
 * the caller sends again soon, and the kernel may hold the last of them back until then (MSG_MORE).
 */
ssize_t transport_send(struct transport *transport, const struct iovec *parts, int count, bool more, short *events,
		       struct error *error);
/* How many bytes there were, 0 at the end that the peer has announced. */
ssize_t transport_receive(struct transport *transport, void *data, size_t size, short *events, struct error *error);

/*
 * Whether more than what is asked for may be taken off the socket, as far as it has come: for those who receive until
 * -EAGAIN before they wait, because no event of poll() tells of it. A peer with TLS is known. Without TLS the kernel
 * does not know of it either, so a connection that is closed then is not reset.
 */
void transport_read_ahead(struct transport *transport, bool on);
/* Whether something lies here that transport_receive() would look at, in the socket or above it; only above it. */
bool transport_arrived(const struct transport *transport);
bool transport_pending(const struct transport *transport);

/* Whether the first bytes of a peer were not TLS: it may be told so in plain bytes. */
bool transport_is_foreign(const struct transport *transport);

/* Names of a peer that is known: number n; NULL after the last, and for a peer without TLS. */
const char *transport_name(const struct transport *transport, unsigned int n);
/* The same name, whatever the case of DNS and the form of an address. */
bool transport_name_equal(const char *a, const char *b);

/* New keys are used after so many bytes more; for tests. */
void transport_rekey_after(struct transport *transport, uint64_t bytes);

#endif
