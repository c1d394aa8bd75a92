/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection to a machine's control socket: see the header. */
#include "control/connection.h"

#include "control/socket.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int connection_silent(const char *name, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "the monitor of %s does not answer: it is stopped, or this host is overloaded; `seaclock stop "
			 "--now %s` ends it in any case",
			 name, name);
}

/* ---- One machine ---- */

static bool folder_of(const struct sockaddr_un *address, struct stat *facts)
{
	char folder[sizeof(address->sun_path)];
	char *end;

	snprintf(folder, sizeof(folder), "%s", address->sun_path);
	end = strrchr(folder, '/');
	if (!end)
		return false;
	*end = '\0';
	return !stat(folder, facts);
}

static int owner_check(int fd, const char *name, const struct sockaddr_un *address, struct error *error)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	struct stat facts;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && folder_of(address, &facts) &&
	    facts.st_uid == peer.uid)
		return 0;
	return error_set(error, EPERM,
			 "user %u listens at %s, in a folder of another user: that is not taken for the monitor of %s",
			 (unsigned int)peer.uid, address->sun_path, name);
}

static int address_connect(const char *name, const struct sockaddr_un *address, int *fd, struct error *error)
{
	int reason, result;

	/* Does not block: if the monitor accepts nobody, its queue is full and connect() would wait for ever. */
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return error_set(error, errno, "no socket (%s)", strerror(errno));
	if (connect(*fd, (const struct sockaddr *)address, sizeof(*address))) {
		reason = errno;
		close(*fd);
		if (reason == EAGAIN)
			return connection_silent(name, error);
		if (reason == EACCES)
			return error_set(error, EACCES, "%s may run here as another user's machine (%s: %s)", name,
					 address->sun_path, strerror(reason));
		result = reason == ENOENT || reason == ECONNREFUSED ? ESRCH : reason;
		return error_set(error, result, "no machine named %s is running here (%s: %s)", name, address->sun_path,
				 strerror(reason));
	}
	result = owner_check(*fd, name, address, error);
	if (result)
		close(*fd);
	return result;
}

int connection_open(const char *name, int *fd, struct error *error)
{
	struct sockaddr_un address;
	struct error unit;
	int result = control_address(name, &address, error);

	if (!result)
		result = address_connect(name, &address, fd, error);
	if (result != -ESRCH || !control_unit_address(name, &address))
		return result;
	result = address_connect(name, &address, fd, &unit);
	/* Where nothing is found, the control folder is what is told. */
	if (result && result != -ESRCH)
		*error = unit;
	return result;
}

/* ---- All of them ---- */

struct names {
	char (*name)[NAME_SIZE];
	size_t count;
};

static bool names_have(const struct names *names, const char *name)
{
	for (size_t n = 0; n < names->count; n++)
		if (!strcmp(names->name[n], name))
			return true;
	return false;
}

static int names_add(struct names *names, const char *name)
{
	char(*more)[NAME_SIZE];

	if (!name_is_valid(name) || names_have(names, name))
		return 0;
	more = realloc(names->name, (names->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	names->name = more;
	snprintf(more[names->count++], NAME_SIZE, "%s", name);
	return 0;
}

/* Of a file of the folder, without `end`; false if it does not end so. */
static bool name_of_file(const char *file, const char *end, char name[NAME_SIZE])
{
	size_t length = strlen(file), rest = strlen(end);

	if (length <= rest || length - rest >= NAME_SIZE || strcmp(file + length - rest, end) != 0)
		return false;
	memcpy(name, file, length - rest);
	name[length - rest] = '\0';
	return true;
}

/* Those of the files there that end with `end`. */
static int names_read(struct names *names, const char *path, const char *end)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char name[NAME_SIZE];
	int result = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while (!result && (entry = readdir(folder)))
		if (name_of_file(entry->d_name, end, name))
			result = names_add(names, name);
	closedir(folder);
	return result;
}

int connection_names(char (**names)[NAME_SIZE], size_t *count, struct error *error)
{
	struct names all = { NULL, 0 };
	int result = names_read(&all, control_folder(), CONTROL_SOCKET);

	if (result)
		error_record(error, -result, "cannot read the control folder %s (%s)", control_folder(),
			     strerror(-result));
	if (!result && control_units()) {
		result = names_read(&all, control_units(), "");
		if (result)
			error_record(error, -result, "cannot read the units' folder %s (%s)", control_units(),
				     strerror(-result));
	}
	if (result)
		free(all.name);
	*names = result ? NULL : all.name;
	*count = result ? 0 : all.count;
	return result;
}
