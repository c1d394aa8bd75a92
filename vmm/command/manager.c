/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager passes on, and what it is told: see the header. */
#include "command/manager.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* SD_LISTEN_FDS_START */
#define SOCKETS_FIRST 3
#define SOCKETS_MAX 16

static bool number_parse(const char *text, long least, long most, long *number)
{
	char *end;

	errno = 0;
	*number = strtol(text, &end, 10);
	return !errno && end != text && !*end && *number >= least && *number <= most;
}

int manager_count(const char *pid, const char *sockets, pid_t self, struct error *error)
{
	long process, count;

	if (!pid || !sockets)
		return 0;
	if (!number_parse(pid, 1, INT32_MAX, &process))
		return error_set(error, EPROTO, "LISTEN_PID is `%.40s`, which is no process", pid);
	if (process != self)
		return 0;
	if (!number_parse(sockets, 1, SOCKETS_MAX, &count))
		return error_set(error, EPROTO, "LISTEN_FDS is `%.40s`, which is no number of sockets from 1 to %d",
				 sockets, SOCKETS_MAX);
	return (int)count;
}

static bool connection_waits(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 0) > 0 && wait.revents & POLLIN;
}

int manager_caller(int *listener, struct error *error)
{
	int count = manager_count(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getpid(), error);

	*listener = -1;
	for (int fd = SOCKETS_FIRST; fd < SOCKETS_FIRST + count; fd++) {
		if (*listener < 0 && connection_waits(fd))
			*listener = fd;
		else
			close(fd);
	}
	return count < 0 ? count : 0;
}

/* False if it has none that can be reached. */
static bool address_get(struct sockaddr_un *address, socklen_t *size)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(address->sun_path))
		return false;
	memcpy(address->sun_path, path, strlen(path));
	if (*path == '@')
		address->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	return true;
}

static void manager_tell(const char *what)
{
	struct sockaddr_un address;
	socklen_t size;
	int fd;

	if (!address_get(&address, &size))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
		log_line("the service manager cannot be told %s (%s)", what, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void manager_ready(void)
{
	manager_tell("READY=1");
}

void manager_tell_main(void)
{
	char text[sizeof("MAINPID=") + 3 * sizeof(int)];

	snprintf(text, sizeof(text), "MAINPID=%d", (int)getpid());
	manager_tell(text);
}
