/* SPDX-License-Identifier: BSD-2-Clause */
/* Migration sockets within one host: see the header. */
#include "migrate/unix_socket.h"

#include "base/named_socket.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool unix_socket_is_path(const char *address)
{
	return address[0] == '/';
}

bool unix_socket_is(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t size = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX;
}

static int path_address(const char *path, struct sockaddr_un *address, struct error *error)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return error_set(error, EINVAL, "the path %.120s is too long for a socket: it has %zu bytes at most",
				 path, sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

int unix_socket_check_peer(int fd, struct error *error)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	if (!unix_socket_is(fd))
		return 0;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	if (!peer.uid || peer.uid == geteuid())
		return 0;
	return error_set(error, EACCES,
			 "the other end of the socket is user %u, and this one user %u: a machine moves only within a "
			 "user, or to and from root",
			 peer.uid, geteuid());
}

int unix_socket_connect(const char *path, struct error *error)
{
	struct sockaddr_un address;
	int result = path_address(path, &address, error), fd;

	if (result)
		return result;
	/* A receiver takes connections at once; one whose queue is full is not waited for. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		result = error_set(error, error_of_call(errno),
				   "cannot connect to %s (%s): is `seaclock receive --listen %s` running?", path,
				   strerror(errno), path);
	else
		result = unix_socket_check_peer(fd, error);
	if (!result)
		return fd;
	if (fd >= 0)
		close(fd);
	return result;
}

int unix_socket_listen(const char *path, int *listener, struct error *error)
{
	struct sockaddr_un address;
	int result = path_address(path, &address, error);

	if (result)
		return result;
	result = named_socket_listen(&address, listener);
	return result ? error_set(error, -result, "cannot listen on %s (%s)", path, strerror(-result)) : 0;
}

bool unix_socket_path(const struct sockaddr_storage *address, socklen_t size, char *text, size_t room)
{
	const struct sockaddr_un *named = (const struct sockaddr_un *)address;

	if (address->ss_family != AF_UNIX)
		return false;
	if (size > offsetof(struct sockaddr_un, sun_path) && named->sun_path[0])
		snprintf(text, room, "%.*s", (int)sizeof(named->sun_path), named->sun_path);
	else
		snprintf(text, room, "this host");
	return true;
}

void unix_socket_remove(int listener)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	char path[sizeof(struct sockaddr_un)];

	if (!getsockname(listener, (struct sockaddr *)&address, &size) &&
	    unix_socket_path(&address, size, path, sizeof(path)) && unix_socket_is_path(path))
		unlink(path);
}
