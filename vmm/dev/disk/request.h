/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block device's requests, as every backend handles them: lists of them, and which of them are refused.
 *
 * Policy: pure. A request is in one list at a time. What the block device must not ask for is refused here all the
 * same: a write to a disk that is not ours would be somebody else's loss.
 */
#ifndef VMM_DEV_DISK_REQUEST_H
#define VMM_DEV_DISK_REQUEST_H

#include "dev/disk/disk.h"

/* First in, first out. */
struct disk_request_list {
	struct disk_request *first;
	struct disk_request *last;
};

void disk_request_put(struct disk_request_list *list, struct disk_request *request);
/* Before all others. */
void disk_request_put_back(struct disk_request_list *list, struct disk_request *request);
/* The first one; NULL. */
struct disk_request *disk_request_take(struct disk_request_list *list);

bool disk_request_writes(const struct disk_request *request);

/*
 * 0; -EROFS: the disk is read-only, -EPERM: it is not ours (yet), -EOPNOTSUPP: it has no such operation, -EIO: the
 * request is not inside it.
 */
int disk_request_check(const struct disk *disk, const struct disk_request *request);

/* Hands each of the list to the block device. */
void disk_request_hand_over(const struct disk *disk, struct disk_request_list *list);

#endif
