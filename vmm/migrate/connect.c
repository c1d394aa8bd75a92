/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migration sockets: addresses as text, listening, connecting with a time limit, and where TLS is due.
 *
 * Policy: TLS everywhere but on loopback, where only this host's own users are, and on a Unix socket, where only this
 * user is; a listener binds to loopback unless an address is named. Who is called has to prove the name that the
 * operator typed, not the one that a resolver found.
 */
#include "migrate/channel.h"

#include "base/file.h"
#include "host/deadline.h"
#include "migrate/lookup.h"
#include "migrate/unix_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_TEXT_MAX 256
#define INHERITED "fd:"

/* An address to listen on is this host's own, and seldom a name. */
#define LISTEN_LOOKUP_MS 5000

struct endpoint {
	char host[HOST_TEXT_MAX];
	char port[sizeof("65535")];
	bool numeric; /* the host is an IPv6 address */
};

/* A number from 1 to 65535, without anything else. */
static bool port_parse(const char *text, char port[sizeof("65535")])
{
	size_t length = strspn(text, "0123456789");
	unsigned long number = length && length < sizeof("65535") ? strtoul(text, NULL, 10) : 0;

	if (text[length] || !number || number > UINT16_MAX)
		return false;
	memcpy(port, text, length + 1);
	return true;
}

/* The old forms of IPv4 addresses, `127.1` and `99999` and `0x7f.1`, are more often slips than meant. */
static bool host_is_sane(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;
	struct in_addr address;
	bool number = *last && !last[strspn(last, "0123456789")];

	number = number || !strncasecmp(last, "0x", 2);
	return !number || inet_pton(AF_INET, host, &address) == 1;
}

static bool host_parse(const char *text, size_t length, struct endpoint *endpoint)
{
	if (!length || length >= sizeof(endpoint->host) || memchr(text, ':', length))
		return false;
	memcpy(endpoint->host, text, length);
	endpoint->host[length] = '\0';
	return host_is_sane(endpoint->host);
}

/* ADDRESS] and what follows it; a scope may be behind the address, which only the resolver knows. */
static bool address_parse(const char *text, struct endpoint *endpoint, const char **rest)
{
	const char *close = strchr(text, ']');
	size_t length = close ? (size_t)(close - text) : 0;

	if (!length || length >= sizeof(endpoint->host) || !memchr(text, ':', length))
		return false;
	memcpy(endpoint->host, text, length);
	endpoint->host[length] = '\0';
	endpoint->numeric = true;
	*rest = close + 1;
	return true;
}

static bool endpoint_parse(const char *text, struct endpoint *endpoint)
{
	const char *rest = strchrnul(text, ':');

	*endpoint = (struct endpoint){ .port = CHANNEL_PORT_DEFAULT };
	if (text[0] == '[' ? !address_parse(text + 1, endpoint, &rest)
			   : !host_parse(text, (size_t)(rest - text), endpoint))
		return false;
	return !*rest || (*rest == ':' && port_parse(rest + 1, endpoint->port));
}

static int endpoint_resolve(const char *text, int flags, sc_ns_t deadline, const struct wait_watch *watch,
			    struct endpoint *endpoint, struct addrinfo **found, struct error *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };

	if (!endpoint_parse(text, endpoint))
		return error_set(error, EINVAL,
				 "`%s` is not HOST, HOST:PORT or [ADDRESS]:PORT, with a port from 1 to 65535", text);
	if (endpoint->numeric)
		hints.ai_flags |= AI_NUMERICHOST;
	return lookup_run(endpoint->host, endpoint->port, &hints, deadline, watch, found, error);
}

/* ---- How a host is spoken to ---- */

static bool address_is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return six->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* A socket of this host alone, or one whose address cannot be found out, which is then none of it. */
static bool socket_is_local(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);

	return !getsockname(fd, (struct sockaddr *)&address, &size) && address_is_loopback(&address);
}

bool channel_terms_secure(const struct channel_terms *terms, int fd)
{
	return !terms->plain && !unix_socket_is(fd) && (terms->folder || !socket_is_local(fd));
}

const char *channel_terms_folder(const struct channel_terms *terms)
{
	return terms->folder ? terms->folder : KEY_FILES_FOLDER;
}

static int terms_load(struct channel_terms *terms, struct error *error)
{
	int result;

	if (terms->files->fd[KEY_FILE_KEY] < 0)
		return error_set(error, ENOKEY,
				 "TLS is due, and no keys came with the request; --plain on both sides needs none");
	result = credentials_load(&terms->own, terms->files, channel_terms_folder(terms), error);
	key_files_close(terms->files);
	return result;
}

int channel_terms_open(struct channel_terms *terms, struct error *error)
{
	if (terms->own.own)
		return 0;
	return terms->files ? terms_load(terms, error)
			    : credentials_open(&terms->own, channel_terms_folder(terms), error);
}

void channel_terms_close(struct channel_terms *terms)
{
	credentials_close(&terms->own);
}

/* ---- Connecting ---- */

/* 0; or -errno, with the sentence if something watched has ended the wait. */
static int socket_finish_connect(int fd, sc_ns_t deadline, const struct wait_watch *watch, struct error *error)
{
	socklen_t size = sizeof(int);
	int err = ETIMEDOUT;
	bool ready;
	int result = wait_ready(fd, POLLOUT, deadline, watch, watch ? 1 : 0, &ready, error);

	if (ready)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return result ? result : -err;
}

/* A connected socket, or -errno; error as above. */
static int socket_connect(const struct addrinfo *address, sc_ns_t deadline, const struct wait_watch *watch,
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

/* A socket that is connected to the first of the addresses that answers, each with its share of the time; or as above.
 */
static int socket_connect_any(const struct addrinfo *found, sc_ns_t deadline, const struct wait_watch *watch,
			      struct error *error)
{
	uint32_t left = 0;
	int fd = -EHOSTUNREACH;

	for (const struct addrinfo *address = found; address; address = address->ai_next)
		left++;
	for (const struct addrinfo *address = found; left && fd < 0 && fd != -ECANCELED; address = address->ai_next)
		fd = socket_connect(address, deadline_share(deadline, left--), watch, error);
	return fd;
}

/* A connected socket, or -errno and the sentence. */
static int name_connect(const char *host, sc_ns_t deadline, const struct wait_watch *watch, struct endpoint *endpoint,
			struct error *error)
{
	struct addrinfo *found;
	int result = endpoint_resolve(host, 0, deadline, watch, endpoint, &found, error);
	int fd;

	if (result)
		return result;
	fd = socket_connect_any(found, deadline, watch, error);
	freeaddrinfo(found);
	if (fd >= 0 || fd == -ECANCELED)
		return fd;
	return error_set(error, error_of_call(-fd), "cannot connect to %s (%s): is `seaclock receive` running there?",
			 host, strerror(-fd));
}

/* The same; *endpoint has the name that a host has to prove. */
static int host_connect(const char *host, sc_ns_t deadline, const struct wait_watch *watch, struct endpoint *endpoint,
			struct error *error)
{
	*endpoint = (struct endpoint){ .host = "" };
	return unix_socket_is_path(host) ? unix_socket_connect(host, error)
					 : name_connect(host, deadline, watch, endpoint, error);
}

static int transport_greet(struct transport *transport, const char *host, sc_ns_t deadline,
			   const struct wait_watch *watch, struct error *error)
{
	bool ready = true;
	short events;
	int result;

	while ((result = transport_handshake(transport, &events, error)) == -EAGAIN && ready) {
		result = wait_ready(transport->fd, events, deadline, watch, watch ? 1 : 0, &ready, error);
		if (result)
			return result;
	}
	return result == -EAGAIN ? error_set(error, ETIMEDOUT, "%s does not answer by TLS in time", host) : result;
}

/* The name without the scope of an address, which no certificate has. */
static void terms_name(struct channel_terms *terms, const char *host)
{
	size_t length = strcspn(host, "%");

	if (!terms->name[0]) {
		memcpy(terms->name, host, length);
		terms->name[length] = '\0';
	}
}

static int transport_make_secure(struct transport *transport, struct channel_terms *terms, const char *host,
				 sc_ns_t deadline, const struct wait_watch *watch, struct error *error)
{
	int result = channel_terms_open(terms, error);

	if (!result)
		result = transport_secure(transport, &terms->own, terms->name, error);
	return result ? result : transport_greet(transport, host, deadline, watch, error);
}

int channel_connect(struct channel *channel, const char *host, int limit_ms, struct channel_terms *terms,
		    const struct wait_watch *watch, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(limit_ms);
	struct transport transport;
	struct endpoint endpoint;
	int fd = host_connect(host, deadline, watch, &endpoint, error);
	int result = 0;

	if (fd < 0)
		return fd;
	transport_open(&transport, fd);
	terms_name(terms, endpoint.host);
	if (channel_terms_secure(terms, fd))
		result = transport_make_secure(&transport, terms, host, deadline, watch, error);
	if (result) {
		transport_close(&transport);
		return result;
	}
	channel_adopt(channel, &transport, limit_ms);
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

bool channel_inherits(const char *address)
{
	return !strncmp(address, INHERITED, strlen(INHERITED));
}

static bool socket_listens(int fd)
{
	int type = 0, listens = 0;
	socklen_t size = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM &&
	       !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens;
}

static int socket_inherit(const char *address, int *listener, struct error *error)
{
	int fd;

	if (!file_descriptor_parse(address + strlen(INHERITED), &fd))
		return error_set(error, EINVAL, "`%s` does not name a descriptor, as `fd:3` does", address);
	if (!socket_listens(fd))
		return error_set(error, EINVAL, "descriptor %d is not a stream socket that listens", fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	*listener = fd;
	return 0;
}

int channel_listen(const char *address, int *listener, struct error *error)
{
	struct endpoint endpoint;
	struct addrinfo *found;
	int result;

	if (channel_inherits(address))
		return socket_inherit(address, listener, error);
	if (unix_socket_is_path(address))
		return unix_socket_listen(address, listener, error);
	result = endpoint_resolve(address, AI_PASSIVE, deadline_after_ms(LISTEN_LOOKUP_MS), NULL, &endpoint, &found,
				  error);

	if (result)
		return result;
	*listener = socket_listen(found);
	freeaddrinfo(found);
	if (*listener < 0)
		return error_set(error, -*listener, "cannot listen on %s (%s)", address, strerror(-*listener));
	return 0;
}

/* ---- Where they are ---- */

static void address_text(int result, const struct sockaddr_storage *address, socklen_t size,
			 char text[CHANNEL_ADDRESS_SIZE])
{
	char host[CHANNEL_ADDRESS_SIZE - sizeof("[]:65535")], port[sizeof("65535")];

	if (!result && unix_socket_path(address, size, text, CHANNEL_ADDRESS_SIZE))
		return;
	if (result || getnameinfo((const struct sockaddr *)address, size, host, sizeof(host), port, sizeof(port),
				  NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(text, CHANNEL_ADDRESS_SIZE, "an unknown address");
	else
		snprintf(text, CHANNEL_ADDRESS_SIZE, address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

void channel_address(int listener, char text[CHANNEL_ADDRESS_SIZE])
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	int result = getsockname(listener, (struct sockaddr *)&address, &size);

	address_text(result, &address, size, text);
}

void channel_peer_of(int fd, char text[CHANNEL_ADDRESS_SIZE])
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	int result = getpeername(fd, (struct sockaddr *)&address, &size);

	address_text(result, &address, size, text);
}

void channel_peer(const struct channel *channel, char text[CHANNEL_ADDRESS_SIZE])
{
	channel_peer_of(channel->transport.fd, text);
}
