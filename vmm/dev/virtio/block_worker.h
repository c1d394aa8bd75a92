/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of a block device: takes requests, has the disk do them and gives them back.
 *
 * Policy: it holds the device's lock for the queue and not for the disk, and waits for nothing but news from a driver
 * or the disk. Whoever wants something of it writes that into struct block, with the lock, and wakes it.
 */
#ifndef VMM_DEV_VIRTIO_BLOCK_WORKER_H
#define VMM_DEV_VIRTIO_BLOCK_WORKER_H

#include "dev/virtio/block.h"

/* How long what is under way is waited for when the device is quiesced. */
#define BLOCK_PATIENCE_NS 5000000000ull
/* Without an error of a kind for so long, the next one is a new run. */
#define BLOCK_RUN_NS 60000000000ull

/* The thread, of a struct block. */
void *block_worker(void *context);

/* The callback of its disk: called in the thread. */
void block_worker_done(void *context, struct disk_request *request);

#endif
