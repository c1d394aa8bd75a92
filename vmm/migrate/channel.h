/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One migration connection: frames over a stream socket.
 *
 * Policy: every wait has a limit, and looks at the time before anything else: what is there too late does not count,
 * and nobody can prolong a wait by keeping it busy. A peer that has not sent or taken a whole frame in time has failed.
 * A wait also ends for what is watched meanwhile: an operator who calls the migration off, a signal, a question. A
 * frame is received whole before anybody sees it. An ABORT becomes this side's error, in the peer's words.
 */
#ifndef VMM_MIGRATE_CHANNEL_H
#define VMM_MIGRATE_CHANNEL_H

#include "migrate/credentials.h"
#include "migrate/transport.h"
#include "transfer/sink.h"
#include "transfer/wait.h"

struct channel {
	struct sink sink; /* first, so that it is the channel */
	struct transport transport;
	int limit_ms;	  /* for a frame */
	sc_ns_t deadline; /* monotonic, for all frames until it is set anew; 0: none */
	bool broken;	  /* a frame was sent in part: nothing can follow it */
	bool aborted;	  /* the peer has said ABORT, and why */
	unsigned int watches;
	struct wait_watch watch[WAIT_WATCHES];
	sc_ns_t looked; /* at them, the last time that this was a glance */
	struct buffer in;
};

/* Takes over a connected stream socket, whose bytes go as they are; or a connection whose peer is known. */
void channel_open(struct channel *channel, int fd, int limit_ms);
void channel_adopt(struct channel *channel, const struct transport *transport, int limit_ms);
void channel_close(struct channel *channel);

/* From now on waits also look at this; at most WAIT_WATCHES. */
void channel_watch(struct channel *channel, const struct wait_watch *watch);
/* Looks at what is watched, where a long piece of work may not wait at all. */
int channel_look(struct channel *channel, struct error *error);
/* The same, unless the last such look is less than CHANNEL_GLANCE_NS ago: for each step of it, because a look is a
 * call. */
#define CHANNEL_GLANCE_NS 2000000u
int channel_glance(struct channel *channel, struct error *error);
/* Does nothing but that for so long. */
int channel_rest(struct channel *channel, sc_ns_t time, struct error *error);

int channel_send(struct channel *channel, enum frame_type type, const void *data, size_t size, struct error *error);
/* Sends what was collected and frees it. */
int channel_send_buffer(struct channel *channel, enum frame_type type, struct buffer *buffer, struct error *error);
int channel_receive(struct channel *channel, struct frame *frame, struct error *error);
/* Receives a frame of that type; any other is a breach of the protocol. */
int channel_expect(struct channel *channel, enum frame_type type, struct frame *frame, struct error *error);
/* An ABORT as an error of this side. */
int channel_refused(const struct frame *frame, struct error *error);
/* Tells the peer why this side gives up; as far as it still listens, and within CHANNEL_ABORT_MS. */
void channel_abort(struct channel *channel, const struct error *reason);

#define CHANNEL_ABORT_MS 1000

/* How a host is spoken to: by TLS, but for a loopback address, unless something else is said. */
struct channel_terms {
	bool plain;			/* by no TLS */
	const char *folder;		/* by TLS, also on loopback, but on no Unix socket, with what is in there; NULL:
					   KEY_FILES_FOLDER, if need be */
	struct key_files *files;	/* from there, closed once they are read; NULL: they are opened by need */
	struct credentials own;		/* opened by need, and kept: channel_terms_close() */
	char name[TRANSPORT_NAME_SIZE]; /* which the other end has to prove: the host's that was connected to first */
};

void channel_terms_close(struct channel_terms *terms);
/* Where what proves this host is, if it is needed. */
const char *channel_terms_folder(const struct channel_terms *terms);
/* Whether TLS is due on a socket at this end of it. */
bool channel_terms_secure(const struct channel_terms *terms, int fd);
/* Opens what proves who this host is, unless it is open. */
int channel_terms_open(struct channel_terms *terms, struct error *error);

/*
 * Sockets. As text: HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT, where an IPv6 address needs its brackets and a port
 * is 1 to 65535; or the path of a Unix socket, from the root (unix_socket.h). -EINVAL with a sentence for any other.
 *
 * Connecting waits at most the limit, which all addresses of a name share, until the other end is known as well, and
 * ends for what is watched (NULL: nothing).
 */
int channel_connect(struct channel *channel, const char *host, int limit_ms, struct channel_terms *terms,
		    const struct wait_watch *watch, struct error *error);
/*
 * In place of an address: fd:N, a listening socket that this process has inherited, and that somebody else goes on
 * listening on: its name stays when it is closed here. -EINVAL if that is none.
 */
int channel_listen(const char *address, int *listener, struct error *error);
bool channel_inherits(const char *address);

/* In numbers, as such a text: where a socket listens, and where the other end of a connection is. */
#define CHANNEL_ADDRESS_SIZE 112u
void channel_address(int listener, char text[CHANNEL_ADDRESS_SIZE]);
void channel_peer_of(int fd, char text[CHANNEL_ADDRESS_SIZE]);
void channel_peer(const struct channel *channel, char text[CHANNEL_ADDRESS_SIZE]);

#define CHANNEL_PORT_DEFAULT "5999"
#define CHANNEL_ADDRESS_DEFAULT "127.0.0.1"

#endif
