/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migration connections: listening, accepting, connecting by name.
 *
 * Policy: the channel is not authenticated yet, so a listener binds to loopback unless an address is named.
 */
#include "migrate/channel.h"

#include "deadline.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_TEXT_MAX 256

/* HOST, HOST:PORT, [ADDRESS]:PORT. */
struct endpoint {
	char host[HOST_TEXT_MAX];
	char port[16];
};

static bool endpoint_parse(const char *text, struct endpoint *endpoint)
{
	const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *colon = strrchr(close ? close : text, ':');
	size_t start = close ? 1 : 0;
	size_t length = close ? (size_t)(close - text) - 1 : colon ? (size_t)(colon - text) : strlen(text);
	const char *port = colon ? colon + 1 : CHANNEL_PORT_DEFAULT;

	if (!length || length >= sizeof(endpoint->host) || !*port || strlen(port) >= sizeof(endpoint->port))
		return false;
	memcpy(endpoint->host, text + start, length);
	endpoint->host[length] = '\0';
	snprintf(endpoint->port, sizeof(endpoint->port), "%s", port);
	return true;
}

static int endpoint_resolve(const char *text, int flags, struct addrinfo **found, struct error *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	struct endpoint endpoint;
	int result;

	if (!endpoint_parse(text, &endpoint))
		return error_set(error, EINVAL, "`%s` is not HOST or HOST:PORT", text);
	result = getaddrinfo(endpoint.host, endpoint.port, &hints, found);
	if (result)
		return error_set(error, EHOSTUNREACH, "`%s` is no host that can be found (%s)", text,
				 gai_strerror(result));
	return 0;
}

/* ---- Connecting ---- */

/* 0; or -errno, with the sentence if something watched has ended the wait. */
static int socket_finish_connect(int fd, sc_ns_t deadline, const struct channel_watch *watch, struct error *error)
{
	socklen_t size = sizeof(int);
	int err = ETIMEDOUT;
	bool ready;
	int result = channel_wait(fd, POLLOUT, deadline, watch, watch ? 1 : 0, &ready, error);

	if (ready)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return result ? result : -err;
}

/* A connected socket, or -errno; error as above. */
static int socket_connect(const struct addrinfo *address, sc_ns_t deadline, const struct channel_watch *watch,
			  struct error *error)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		result = errno == EINPROGRESS ? socket_finish_connect(fd, deadline, watch, error) : -errno;
	if (!result)
		return fd;
	close(fd);
	return result;
}

int channel_connect(struct channel *channel, const char *host, int limit_ms, const struct channel_watch *watch,
		    struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(limit_ms);
	struct addrinfo *found;
	int fd = -EHOSTUNREACH;
	int result = endpoint_resolve(host, 0, &found, error);

	if (result)
		return result;
	for (const struct addrinfo *address = found; address && fd < 0 && fd != -ECANCELED; address = address->ai_next)
		fd = socket_connect(address, deadline, watch, error);
	freeaddrinfo(found);
	if (fd == -ECANCELED)
		return fd;
	if (fd < 0)
		return error_set(error, -fd, "cannot connect to %s (%s): is `seaclock receive` running there?", host,
				 strerror(-fd));
	channel_open(channel, fd, limit_ms);
	if (watch)
		channel_watch(channel, watch);
	return 0;
}

/* ---- Listening ---- */

/* A listening socket, or a negative errno. */
static int socket_listen(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, address->ai_addr, address->ai_addrlen) && !listen(fd, 8))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

int channel_listen(const char *address, int *listener, struct error *error)
{
	struct addrinfo *found;
	int result = endpoint_resolve(address, AI_PASSIVE, &found, error);

	if (result)
		return result;
	*listener = socket_listen(found);
	freeaddrinfo(found);
	if (*listener < 0)
		return error_set(error, -*listener, "cannot listen on %s (%s)", address, strerror(-*listener));
	return 0;
}
