/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One migration connection: frames over a stream socket.
 *
 * Policy: every wait has a limit; a peer that has not sent or taken a whole frame within CHANNEL_TIMEOUT_MS has failed.
 * A frame is received whole before anybody sees it. An ABORT becomes this side's error, in the peer's words.
 */
#ifndef VMM_MIGRATE_CHANNEL_H
#define VMM_MIGRATE_CHANNEL_H

#include "migrate/sink.h"

#define CHANNEL_TIMEOUT_MS 30000

struct channel {
	struct sink sink; /* first, so that it is the channel */
	int fd;
	struct buffer in;
};

/* Takes over a connected stream socket. */
void channel_open(struct channel *channel, int fd);
void channel_close(struct channel *channel);

int channel_send(struct channel *channel, enum frame_type type, const void *data, size_t size, struct error *error);
int channel_receive(struct channel *channel, struct frame *frame, struct error *error);
/* Receives a frame of that type; any other is a breach of the protocol. */
int channel_expect(struct channel *channel, enum frame_type type, struct frame *frame, struct error *error);
/* Tells the peer why this side gives up; as far as it still listens. */
void channel_abort(struct channel *channel, const struct error *reason);

/* Sockets: HOST[:PORT] or ADDRESS:PORT as text. Connecting and accepting wait at most the limit. */
int channel_connect(const char *host, struct channel *channel, struct error *error);
int channel_listen(const char *address, int *listener, struct error *error);
/* Waits without limit for a peer. */
int channel_accept(int listener, struct channel *channel, struct error *error);

#define CHANNEL_PORT_DEFAULT "5999"
#define CHANNEL_ADDRESS_DEFAULT "127.0.0.1"

#endif
