/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is replaced by a new one in one step: whoever reads it, also after a crash of the host, finds the old
 * content or the new one, and never a part.
 *
 * Policy: only who has the file's lock writes it. The lock is on the file and not on its name, so a new file is locked
 * before it gets the name: whoever opens the name finds either that lock, or an old file that has no name any more,
 * and looks again. What a process that was killed leaves behind, a new file that is not finished, has a name that
 * follows from the file's, and whoever has the lock next removes it.
 */
#ifndef VMM_BASE_REPLACE_H
#define VMM_BASE_REPLACE_H

#include "base/error.h"

#include <limits.h>
#include <stdint.h>

struct replace {
	char path[PATH_MAX]; /* of the file, not of a link to it */
	int fd;		     /* locked; -1: it is not ours */
};

/*
 * Finds what the path leads to. -errno and a sentence if no such file can be written: its folder does not allow it, or
 * there is something else, or a link that leads nowhere.
 */
int replace_init(struct replace *replace, const char *path, struct error *error);

/* Makes the file, empty, if it is not there. -EBUSY and a sentence if somebody else has the lock, or another -errno. */
int replace_lock(struct replace *replace, struct error *error);
/* Does nothing if it is not ours. */
void replace_unlock(struct replace *replace);

/* The bytes of `data`, and zeroes up to `length`, which take no room; on the medium when this returns. It is ours. */
int replace_write(struct replace *replace, const void *data, size_t size, uint64_t length, struct error *error);

#endif
