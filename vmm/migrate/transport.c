/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes over a socket, as they are or by TLS: see the header. */
#include "migrate/transport.h"

#include "migrate/tls.h"
#include "migrate/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

void transport_open(struct transport *transport, int fd)
{
	int on = 1;

	*transport = (struct transport){ .fd = fd };
	/* Time stamps are small and must leave at once. On a socket of another kind it fails and is not needed. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static bool is_all_read(struct transport *transport)
{
	struct error ignored;
	uint8_t byte;
	short events;
	ssize_t got = transport_receive(transport, &byte, sizeof(byte), &events, &ignored);

	return !got || got == -EAGAIN;
}

static void wire_end(struct transport *transport)
{
	if (!transport->wire)
		return;
	wire_close(transport->wire);
	free(transport->wire);
}

/*
 * A kernel resets a connection that is closed with something unread, and then the peer knows that its last words were
 * not heard. TLS must not tell it otherwise.
 */
void transport_close(struct transport *transport)
{
	if (transport->tls) {
		if (is_all_read(transport))
			tls_finish(transport->tls);
		tls_close(transport->tls);
	}
	wire_end(transport);
	if (transport->fd >= 0)
		close(transport->fd);
	*transport = (struct transport){ .fd = -1 };
}

void transport_finish(const struct transport *transport)
{
	if (transport->tls)
		tls_finish(transport->tls);
	shutdown(transport->fd, SHUT_WR);
}

int transport_secure(struct transport *transport, const struct credentials *credentials, const char *name,
		     struct error *error)
{
	transport->tls = tls_open(transport->fd, credentials, name);
	return transport->tls ? 0 : error_set(error, ENOMEM, "no memory for TLS");
}

int transport_handshake(struct transport *transport, short *events, struct error *error)
{
	return transport->tls ? tls_handshake(transport->tls, events, error) : 0;
}

/* A call on the socket has failed with `err`. */
static int plain_failed(int err, short wanted, short *events, struct error *error)
{
	*events = wanted;
	if (err == EAGAIN || err == EWOULDBLOCK || err == EINTR)
		return -EAGAIN;
	return error_set(error, error_of_call(err), "the migration connection broke (%s)", strerror(err));
}

ssize_t transport_send(struct transport *transport, const struct iovec *parts, int count, bool more, short *events,
		       struct error *error)
{
	struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };
	ssize_t done;

	if (transport->tls)
		return tls_send(transport->tls, parts, count, more, events, error);
	done = sendmsg(transport->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
	return done < 0 ? plain_failed(errno, POLLOUT, events, error) : done;
}

static ssize_t plain_receive(struct transport *transport, void *data, size_t size)
{
	ssize_t got;

	if (transport->wire)
		return wire_pull(transport->wire, data, size);
	got = recv(transport->fd, data, size, MSG_DONTWAIT);
	return got < 0 ? -errno : got;
}

ssize_t transport_receive(struct transport *transport, void *data, size_t size, short *events, struct error *error)
{
	ssize_t got;

	if (transport->tls)
		return tls_receive(transport->tls, data, size, events, error);
	got = plain_receive(transport, data, size);
	return got < 0 ? plain_failed((int)-got, POLLIN, events, error) : got;
}

bool transport_pending(const struct transport *transport)
{
	if (transport->tls)
		return tls_pending(transport->tls);
	return transport->wire && wire_has_ahead(transport->wire);
}

/* Without memory nothing is read ahead. */
void transport_read_ahead(struct transport *transport, bool on)
{
	if (transport->tls) {
		tls_read_ahead(transport->tls, on);
		return;
	}
	if (on && !transport->wire) {
		transport->wire = calloc(1, sizeof(*transport->wire));
		if (transport->wire)
			transport->wire->fd = transport->fd;
	}
	if (transport->wire)
		wire_read_ahead(transport->wire, on);
}

bool transport_arrived(const struct transport *transport)
{
	uint8_t byte;

	return transport_pending(transport) || recv(transport->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool transport_is_foreign(const struct transport *transport)
{
	return transport->tls && tls_is_foreign(transport->tls);
}

const char *transport_name(const struct transport *transport, unsigned int n)
{
	return transport->tls ? tls_name(transport->tls, n) : NULL;
}

/* The address in a text, and its family; AF_UNSPEC if it is none. */
static int address_of(const char *text, struct in6_addr *address)
{
	*address = (struct in6_addr){ 0 };
	if (inet_pton(AF_INET, text, address) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, address) == 1 ? AF_INET6 : AF_UNSPEC;
}

bool transport_name_equal(const char *a, const char *b)
{
	struct in6_addr first, second;
	int family = address_of(a, &first);

	if (family != address_of(b, &second))
		return false;
	return family == AF_UNSPEC ? !strcasecmp(a, b) : !memcmp(&first, &second, sizeof(first));
}

void transport_rekey_after(struct transport *transport, uint64_t bytes)
{
	if (transport->tls)
		tls_rekey_after(transport->tls, bytes);
}
