/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that a machine is to be saved to, as whoever names it makes it: the client of a monitor, which only writes
 * into it (snapshot/writer).
 *
 * Policy: all or nothing. It lies beside the file that is meant, readable by its owner only, and takes that one's place
 * once all but its seal is on the disk. A file that was there before is lost only for one with a seal.
 */
#ifndef VMM_SNAPSHOT_DRAFT_H
#define VMM_SNAPSHOT_DRAFT_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>

struct draft {
	char path[PATH_MAX];
	char temporary[PATH_MAX];
	char older[PATH_MAX]; /* where the file is that was there before, once the new one is in its place; "": none */
	int fd;
	int folder;  /* the one that both are in; -1 if it may not be read */
	bool placed; /* it has its name */
};

/* The path is absolute. On an error there is nothing to withdraw. */
int draft_make(struct draft *draft, const char *path, struct error *error);

/* Gives it its name, which it has after a crash of the host as well. On an error it is to be withdrawn. */
int draft_place(struct draft *draft, struct error *error);

/* It has its seal: what was there before goes. Closes the draft. */
void draft_keep(struct draft *draft);

/*
 * It gets none: what was there before is there again, and nothing else is left. If that fails the sentence names both.
 * Closes the draft.
 */
int draft_withdraw(struct draft *draft, struct error *error);

/* What the file that was there before is called now, in the same folder; "": there is none, or it has its name. */
const char *draft_older_name(const struct draft *draft);

/* Leaves everything where it is, since nobody knows. */
void draft_close(struct draft *draft);

#endif
