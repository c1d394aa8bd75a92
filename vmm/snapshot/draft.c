/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that a machine is to be saved to: see the header. */
#include "snapshot/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".XXXXXX"

static int draft_check_path(const struct draft *draft, struct error *error)
{
	struct stat facts;

	if (!stat(draft->path, &facts) && !S_ISREG(facts.st_mode))
		return error_set(error, EEXIST, "%s is not a file", draft->path);
	return 0;
}

static int folder_open(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') + 1 - path), path);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int draft_make(struct draft *draft, const char *path, struct error *error)
{
	int result;

	*draft = (struct draft){ .fd = -1, .folder = -1 };
	if (strlen(path) + sizeof(TEMPORARY_SUFFIX) > sizeof(draft->temporary))
		return error_set(error, ENAMETOOLONG, "the path of the file has %zu bytes; at most %zu are possible",
				 strlen(path), sizeof(draft->temporary) - sizeof(TEMPORARY_SUFFIX));
	snprintf(draft->path, sizeof(draft->path), "%s", path);
	snprintf(draft->temporary, sizeof(draft->temporary), "%s" TEMPORARY_SUFFIX, path);
	result = draft_check_path(draft, error);
	if (result)
		return result;
	draft->fd = mkostemp(draft->temporary, O_CLOEXEC);
	if (draft->fd < 0)
		return error_set(error, errno, "cannot make a file beside %s (%s)", path, strerror(errno));
	draft->folder = folder_open(path);
	return 0;
}

void draft_close(struct draft *draft)
{
	close(draft->fd);
	if (draft->folder >= 0)
		close(draft->folder);
	draft->fd = draft->folder = -1;
}

/* A name that was changed is on the disk once its folder is; one that may not be read, once everything is. */
static int folder_sync(const struct draft *draft)
{
	if (draft->folder < 0)
		return syncfs(draft->fd) ? errno : 0;
	/* EINVAL: a file system that has no such thing, and nothing to wait for. */
	return fsync(draft->folder) && errno != EINVAL ? errno : 0;
}

static int draft_exchange(const struct draft *draft)
{
	return renameat2(AT_FDCWD, draft->temporary, AT_FDCWD, draft->path, RENAME_EXCHANGE) ? errno : 0;
}

/* For a file system that cannot exchange: the older file, if there is one, gets a name of its own. 0 or an errno. */
static int draft_set_aside(struct draft *draft)
{
	int fd, err;

	/* The temporary one is as long, and had room. */
	snprintf(draft->older, sizeof(draft->older), "%.*s" TEMPORARY_SUFFIX,
		 (int)(sizeof(draft->older) - sizeof(TEMPORARY_SUFFIX)), draft->path);
	fd = mkostemp(draft->older, O_CLOEXEC);
	err = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (!err && !rename(draft->path, draft->older))
		return 0;
	if (!err) {
		err = errno;
		unlink(draft->older);
	}
	draft->older[0] = '\0';
	return err == ENOENT ? 0 : err;
}

/* Whether it still is what has the name: somebody else may have saved to that since then. */
static bool draft_has_name(const struct draft *draft)
{
	struct stat named, ours;

	return !lstat(draft->path, &named) && !fstat(draft->fd, &ours) && named.st_dev == ours.st_dev &&
	       named.st_ino == ours.st_ino;
}

/* What was there before is there again: 0 or an errno. */
static int draft_take_back(const struct draft *draft)
{
	if (draft->placed && !draft_has_name(draft))
		return ESTALE;
	return (draft->older[0] ? rename(draft->older, draft->path) : unlink(draft->path)) ? errno : 0;
}

/* Puts the new file in its place, and notes where the older one is: 0 or an errno. */
static int draft_rename(struct draft *draft)
{
	int err = draft_exchange(draft);

	if (!err) {
		memcpy(draft->older, draft->temporary, sizeof(draft->older));
		return 0;
	}
	err = err == ENOENT ? 0 : draft_set_aside(draft);
	return !err && rename(draft->temporary, draft->path) ? errno : err;
}

int draft_place(struct draft *draft, struct error *error)
{
	int err = draft_rename(draft);

	draft->placed = !err;
	if (!err)
		err = folder_sync(draft);
	return err ? error_set(error, err, "cannot put %s in its place (%s)", draft->path, strerror(err)) : 0;
}

void draft_keep(struct draft *draft)
{
	if (draft->older[0])
		unlink(draft->older);
	draft_close(draft);
}

const char *draft_older_name(const struct draft *draft)
{
	return draft->older[0] ? strrchr(draft->older, '/') + 1 : "";
}

int draft_withdraw(struct draft *draft, struct error *error)
{
	const char *older = draft_older_name(draft);
	bool placed = draft->placed;
	int err = placed || *older ? draft_take_back(draft) : 0;

	if (!placed && unlink(draft->temporary) && !err)
		err = errno;
	draft_close(draft);
	if (!err)
		return 0;
	return error_set(error, err,
			 "what was there before cannot be put back (%s)%s%.100s; what is no saved machine is %s",
			 strerror(err), *older ? ": it is now " : "", older, placed ? draft->path : draft->temporary);
}
