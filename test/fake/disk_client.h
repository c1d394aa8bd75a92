/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block device without a guest, for tests of what is behind a disk: it submits requests, and waits for them as the
 * thread of a block device does.
 *
 * Policy: what is not done within the limit, or is done twice, ends the program.
 */
#ifndef FAKE_DISK_CLIENT_H
#define FAKE_DISK_CLIENT_H

#include "dev/disk/disk.h"

/* For a lock that comes, or is refused, at once. */
#define LOCK_MS 60000

struct disk_client {
	struct disk *disk;
	uint32_t under_way;
	uint32_t done;
};

void disk_client_attach(struct disk_client *client, struct disk *disk);

/* With the operation, the place and the buffers set. */
void disk_client_submit(struct disk_client *client, struct disk_request *request);
/* One round of the loop, of `wait_ms` at most. */
void disk_client_round(struct disk_client *client, int wait_ms);
/* Until all that was submitted is done. */
void disk_client_finish(struct disk_client *client);
/* Takes all back that the disk gives back: how many. */
uint32_t disk_client_withdraw(struct disk_client *client);

/* One request from its beginning to its end: its result. */
int disk_client_do(struct disk_client *client, enum disk_operation operation, uint64_t offset, void *data,
		   uint64_t length);

#endif
