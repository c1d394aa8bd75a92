/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is replaced in one step: see the header. */
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_SUFFIX ".seaclock-new"

static int replace_failed(const char *path, int err, struct error *error)
{
	return error_set(error, error_of_call(err), "cannot write %s (%s)", path, strerror(err));
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
	const char *end = strrchr(path, '/');

	snprintf(folder, PATH_MAX, "%.*s", end ? (int)(end + 1 - path) : 1, end ? path : ".");
}

/* ---- What there is ---- */

/* A file that is not there yet has no links to follow. */
static int path_resolve(const char *path, char resolved[PATH_MAX], struct error *error)
{
	struct stat facts;

	if (realpath(path, resolved))
		return 0;
	if (errno != ENOENT)
		return replace_failed(path, errno, error);
	if (!lstat(path, &facts))
		return error_set(error, ENOENT, "%s is a link to a file that is not there: make that, or name it",
				 path);
	snprintf(resolved, PATH_MAX, "%s", path);
	return 0;
}

int replace_init(struct replace *replace, const char *path, struct error *error)
{
	char folder[PATH_MAX];
	struct stat facts;
	int result;

	replace->fd = -1;
	result = path_resolve(path, replace->path, error);
	if (result)
		return result;
	folder_of(replace->path, folder);
	if (!stat(replace->path, &facts)) {
		if (!S_ISREG(facts.st_mode))
			return error_set(error, EINVAL, "%s is not a file", path);
		if (access(replace->path, R_OK | W_OK))
			return replace_failed(path, errno, error);
	}
	if (access(folder, W_OK | X_OK))
		return error_set(error, errno, "cannot write %s: its folder does not allow a new file (%s)", path,
				 strerror(errno));
	return 0;
}

/* ---- Whose it is ---- */

/* 0 or a positive errno; the lock goes with the descriptor. */
static int fd_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) ? errno : 0;
}

static int path_open(const char *path, int flags)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
}

/* 1: it does, 0: it leads elsewhere, or -errno. Opened and not only looked at: NFS may answer from what it has seen. */
static int path_leads_to(const char *path, int fd)
{
	int named = path_open(path, 0), result;
	struct stat facts, wanted;

	if (named < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(named, &facts) || fstat(fd, &wanted))
		result = -errno;
	else
		result = facts.st_dev == wanted.st_dev && facts.st_ino == wanted.st_ino;
	close(named);
	return result;
}

static void new_name(const char *path, char name[PATH_MAX + sizeof(NEW_SUFFIX)])
{
	snprintf(name, PATH_MAX + sizeof(NEW_SUFFIX), "%s" NEW_SUFFIX, path);
}

static int lock_refuse(const char *path, int err, struct error *error)
{
	if (err == EAGAIN || err == EACCES)
		return error_set(error, EBUSY, "%s is in use: another process has it locked", path);
	return error_set(error, error_of_call(err), "cannot lock %s (%s): its file system must have locks", path,
			 strerror(err));
}

int replace_lock(struct replace *replace, struct error *error)
{
	char name[PATH_MAX + sizeof(NEW_SUFFIX)];

	while (replace->fd < 0) {
		int fd = path_open(replace->path, O_CREAT), err, ours = 0;

		if (fd < 0)
			return replace_failed(replace->path, errno, error);
		err = fd_lock(fd);
		if (!err)
			ours = path_leads_to(replace->path, fd);
		if (ours > 0)
			replace->fd = fd;
		else
			close(fd);
		if (err)
			return lock_refuse(replace->path, err, error);
		if (ours < 0)
			return replace_failed(replace->path, -ours, error);
	}
	new_name(replace->path, name);
	unlink(name);
	return 0;
}

void replace_unlock(struct replace *replace)
{
	if (replace->fd >= 0)
		close(replace->fd);
	replace->fd = -1;
}

/* ---- Its content ---- */

static int fill(int fd, const uint8_t *data, size_t size, uint64_t length)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno != EINTR)
			return errno;
		data += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return ftruncate(fd, (off_t)length) || fsync(fd) ? errno : 0;
}

/* It keeps the permissions. */
static int keep_mode(int fd, int old)
{
	struct stat facts;

	return fstat(old, &facts) || fchmod(fd, facts.st_mode & 0777) ? errno : 0;
}

static int folder_flush(const char *path)
{
	char folder[PATH_MAX];
	int fd, err;

	folder_of(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = fsync(fd) ? errno : 0;
	close(fd);
	return err;
}

/* A new file that is locked, complete and on the medium: its descriptor, or -errno; then there is none. */
static int new_make(const char *name, int old, const void *data, size_t size, uint64_t length)
{
	int fd, err;

	/* From a try that failed. */
	unlink(name);
	fd = path_open(name, O_CREAT | O_EXCL);
	if (fd < 0)
		return -errno;
	err = fd_lock(fd);
	if (!err)
		err = fill(fd, data, size, length);
	if (!err)
		err = keep_mode(fd, old);
	if (!err)
		return fd;
	close(fd);
	unlink(name);
	return -err;
}

int replace_write(struct replace *replace, const void *data, size_t size, uint64_t length, struct error *error)
{
	char name[PATH_MAX + sizeof(NEW_SUFFIX)];
	int fd, err = 0;

	new_name(replace->path, name);
	fd = new_make(name, replace->fd, data, size, length);
	if (fd < 0)
		return replace_failed(replace->path, -fd, error);
	if (rename(name, replace->path)) {
		err = errno;
		close(fd);
		unlink(name);
	} else {
		replace_unlock(replace);
		replace->fd = fd;
		err = folder_flush(replace->path);
	}
	return err ? replace_failed(replace->path, err, error) : 0;
}
