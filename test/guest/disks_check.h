/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of a whole disk: every block is a write that was made there, and none is older than what was durable.
 *
 * Policy: it reads past the kernel's cache where the file system allows it, and goes on after what is wrong.
 */
#ifndef TEST_GUEST_DISKS_CHECK_H
#define TEST_GUEST_DISKS_CHECK_H

#include <stdint.h>

struct check {
	uint64_t blocks;
	uint64_t last;	/* write found on the disk */
	uint64_t wrong; /* blocks whose content was never written there */
	uint64_t lost;	/* blocks that were written later than what they hold */
	uint64_t first; /* block that is wrong or lost; only if there is one */
};

/* Opens for reading (O_RDONLY) or writing (O_WRONLY), past the cache if that is possible there. -errno. */
int check_open(const char *path, int flags);

/* The blocks of an open disk; -errno, -ENOSPC if it is too small. */
int64_t check_blocks(int fd);

/*
 * Counts in *check what is wrong with the `count` blocks from `block` on, count at most ORDER_GROUP, if all writes up
 * to number `durable` are there. Returns 0, or -errno if they cannot be read.
 */
int check_group(struct check *check, int fd, unsigned int disk, uint64_t block, uint64_t durable);

/* Checks the disk at `path`. Returns 0, or -errno if it cannot be read. */
int check_run(struct check *check, const char *path, unsigned int disk, uint64_t durable);

#endif
