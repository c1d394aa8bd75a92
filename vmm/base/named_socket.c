/* SPDX-License-Identifier: BSD-2-Clause */
/* Unix sockets that have a name: see the header. */
#include "base/named_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool named_socket_is_dead(const struct sockaddr_un *address)
{
	struct stat facts;
	int fd;
	bool dead;

	/* What is no socket refuses connections as well. */
	if (lstat(address->sun_path, &facts) || !S_ISSOCK(facts.st_mode))
		return false;
	/* Whoever is too busy to accept is alive: connect() must not block for it. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int listen_at(int fd, const struct sockaddr_un *address)
{
	int result;

	/* The name gets the descriptor's mode, less the umask. */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return -errno;
	if (!listen(fd, SOMAXCONN))
		return 0;
	result = -errno;
	unlink(address->sun_path);
	return result;
}

int named_socket_listen(const struct sockaddr_un *address, int *fd)
{
	int result;

	if (named_socket_is_dead(address))
		unlink(address->sun_path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return -errno;
	result = listen_at(*fd, address);
	if (result) {
		close(*fd);
		*fd = -1;
	}
	return result;
}
