/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder of the control sockets: see the header. */
#include "control/folder.h"

#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0700u

/* Monitors hold the lock for a moment only. Another process that holds it for longer must not stop them. */
#define LOCK_RETRY_MS 2
#define LOCK_TRIES 1500

int folder_lock(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool locked = fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB);
	int result = 0;

	for (int n = 0; fd >= 0 && !locked && errno == EWOULDBLOCK && n < LOCK_TRIES && !result; n++) {
		poll(NULL, 0, LOCK_RETRY_MS);
		result = signals_check(error);
		locked = !flock(fd, LOCK_EX | LOCK_NB);
	}
	if (locked)
		return fd;
	if (!result)
		result = error_set(error, errno, "cannot lock the control folder %s (%s)", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result;
}

static int folder_check(int fd, const char *path, struct error *error)
{
	struct stat facts;

	if (fstat(fd, &facts))
		return error_set(error, errno, "cannot look at the control folder %s (%s)", path, strerror(errno));
	if (facts.st_uid != geteuid())
		return error_set(
			error, EPERM,
			"the control folder %s belongs to user %u, and this is user %u: name one of your own in "
			"SEACLOCK_DIR",
			path, (unsigned int)facts.st_uid, (unsigned int)geteuid());
	if (facts.st_mode & 07777u & ~FOLDER_MODE)
		return error_set(error, EPERM,
				 "the control folder %s is open to other users (mode %04o): `chmod 0700` it, or name "
				 "another one in SEACLOCK_DIR",
				 path, (unsigned int)facts.st_mode & 07777u);
	return 0;
}

int folder_open(const char *path, struct error *error)
{
	int fd, result;

	if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST)
		return error_set(error, errno, "cannot make the control folder %s (%s)", path, strerror(errno));
	fd = folder_lock(path, error);
	if (fd < 0)
		return fd;
	result = folder_check(fd, path, error);
	if (!result)
		return fd;
	close(fd);
	return result;
}
