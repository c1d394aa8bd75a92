/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is replaced in one step: see the header. */
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".XXXXXX"

static int replace_failed(const char *path, int err, struct error *error)
{
	return error_set(error, err, "cannot write %s (%s)", path, strerror(err));
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
	const char *end = strrchr(path, '/');

	snprintf(folder, PATH_MAX, "%.*s", end ? (int)(end + 1 - path) : 1, end ? path : ".");
}

int replace_check(const char *path, struct error *error)
{
	char folder[PATH_MAX];
	struct stat facts;

	folder_of(path, folder);
	if (!stat(path, &facts) && !S_ISREG(facts.st_mode))
		return error_set(error, EINVAL, "%s is not a file", path);
	if (access(folder, W_OK | X_OK))
		return error_set(error, errno, "cannot write %s: its folder does not allow a new file (%s)", path,
				 strerror(errno));
	return 0;
}

static int fill(int fd, const uint8_t *data, size_t size, uint64_t length)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno != EINTR)
			return -errno;
		data += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return ftruncate(fd, (off_t)length) || fsync(fd) ? -errno : 0;
}

/* A file that is there already keeps its permissions. */
static int keep_mode(int fd, const char *path)
{
	struct stat facts;

	return !stat(path, &facts) && fchmod(fd, facts.st_mode & 0777) ? -errno : 0;
}

static int folder_flush(const char *path)
{
	char folder[PATH_MAX];
	int fd, result;

	folder_of(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = fsync(fd) ? -errno : 0;
	close(fd);
	return result;
}

int replace_write(const char *path, const void *data, size_t size, uint64_t length, struct error *error)
{
	char temporary[PATH_MAX + sizeof(TEMPORARY_SUFFIX)];
	int fd, result;

	snprintf(temporary, sizeof(temporary), "%s" TEMPORARY_SUFFIX, path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return replace_failed(path, errno, error);
	result = fill(fd, data, size, length);
	if (!result)
		result = keep_mode(fd, path);
	close(fd);
	if (!result && rename(temporary, path))
		result = -errno;
	if (result)
		unlink(temporary);
	else
		result = folder_flush(path);
	return result ? replace_failed(path, -result, error) : 0;
}
