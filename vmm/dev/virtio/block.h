/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block device: a disk of the guest, between its driver's queue and what is behind it (dev/disk/disk.h).
 *
 * Policy: one thread, the device's own, takes requests, has the disk do them and gives them back; it holds the device's
 * lock for the queue and not for the disk. At most BLOCK_REQUESTS_MAX requests are under way; what else the driver has
 * made available waits in its queue. While the thread works it looks by itself, and is notified only before it sleeps.
 * What a disk whose server is away has not done when the device is quiesced stays taken: the queue knows it, and after
 * start() here or elsewhere it is taken again. A server that is there is never withdrawn from, because it may do later
 * what it was sent, and undo a later write: quiesce() waits so long and no longer, and then the device is not settled.
 * The same if the thread does not come back from the disk, which may be in a system call that nobody can end. So
 * whoever waits for the thread has a limit, but for a driver that resets the device, and the end of the device. A
 * driver that does not flush gets each write on the medium; and once the device is quiesced and settled the medium has
 * all that was written, so that another host finds it there. If that flush fails, the driver's next one does. Source:
 * Virtual I/O Device (VIRTIO) Version 1.2, section 5.2.
 */
#ifndef VMM_DEV_VIRTIO_BLOCK_H
#define VMM_DEV_VIRTIO_BLOCK_H

#include "dev/disk/disk.h"
#include "dev/virtio/block_request.h"
#include "dev/virtio/virtio.h"

#include <pthread.h>

#define BLOCK_REQUESTS_MAX 64u

/* What the thread shall do. */
enum block_order {
	BLOCK_STAND, /* leave the disk alone */
	BLOCK_RUN,
	BLOCK_END,
};

/* What was written, while the device is being quiesced. */
enum block_settle {
	BLOCK_UNSETTLED,
	BLOCK_SETTLING, /* the thread flushes */
	BLOCK_SETTLED,	/* it has been tried, or nothing can have been written */
};

/* What was written, while the guest runs. */
enum block_ahead {
	BLOCK_AHEAD_NONE,
	BLOCK_AHEAD_ASKED,
	BLOCK_AHEAD_BEGUN, /* the thread flushes */
};

struct block {
	struct virtio virtio; /* first, so that it is the device; its lock covers what follows */
	struct block_facts facts;
	enum block_order order;
	bool standing; /* the thread has seen that it shall leave the disk alone, and nothing is under way, or ... */
	bool overdue;  /* ... that did not end in time */
	uint64_t stand_by; /* that time, monotonic, in ns */
	bool halted;	   /* it runs already, and quiesce() is to come */
	enum block_settle settle;
	int settled; /* once it has been tried: 0, or -errno if the medium may lack something */
	enum block_ahead ahead;
	uint32_t resets;    /* that wait until nothing is under way */
	uint32_t under_way; /* requests that were taken, and are neither given back nor left */
	bool away;	    /* the disk's server, as last seen */
	uint32_t retaken;   /* heads below this one were looked at whether they were left from before */
	bool resizing;	    /* somebody waits for the disk's new size */
	int resized;	    /* what came of it */
	struct error resize_error;
	pthread_cond_t changed;	    /* any of these */
	struct disk_request *spare; /* requests that came back, the last one first */
	uint32_t fresh;		    /* how many were ever used */
	struct virtqueue_chain *chain;

	uint64_t elsewhere; /* its identity where the machine comes from; 0: none is known */

	/* Fixed, or the thread's own. */
	struct disk *disk;
	struct block_request *request;
	struct disk_request *done, **done_end;
	struct disk_request flush;		   /* the thread's own */
	bool flushing;				   /* it is under way */
	bool dirty;				   /* something was written since the last one that succeeded began */
	int lost;				   /* -errno of one that failed, which the driver has not been told */
	uint64_t failed_at[DISK_WRITE_ZEROES + 1]; /* when the last operation of this kind failed; 0: never */
	uint32_t errors_logged;
	int wake; /* eventfd */
	pthread_t thread;
};

struct block_options {
	uint32_t number; /* of the disk, from 0: its instance */
	uint32_t slot;
	struct disk *disk; /* lives as long as the device, as the rest does */
	const char *serial;
	struct memory *memory;
	const char *machine;
	const struct device_line *line;
};

/* -errno if this host has no memory, descriptor or thread for it; then there is nothing to destroy. */
int block_create(struct block *block, const struct block_options *options, struct error *error);

/* Of a device that is quiesced: 0 if nothing is under way, or -ETIMEDOUT and a sentence. */
int block_stands(struct block *block, struct error *error);
/*
 * The same: 0 if the medium has all that was written. -errno and a sentence if it cannot be
 * flushed, also long ago if the driver has not been told; -ETIMEDOUT if it was not, or something is still under way.
 * Then the disk must not become another host's, nor the state be saved.
 */
int block_settled(struct block *block, struct error *error);

/*
 * Of a device that runs: begins a flush of what was written, so that less is left to flush once the guest stands still.
 * If it fails, that is as if it had failed then. And whether it is over.
 */
void block_flush_ahead(struct block *block);
bool block_has_flushed_ahead(struct block *block);

/* A look from outside. */
struct block_sight {
	uint64_t size; /* that the guest knows, in bytes */
	bool away;     /* a server */
	bool resizing; /* the disk has been asked for its size, and has not answered */
};
struct block_sight block_see(struct block *block);

/* After the examination of both: whether either is there what the other is here. */
bool block_is_exchanged(const struct block *one, const struct block *other);

/*
 * The disk has grown: looks how large it is, and tells the guest. -EBUSY while the device is quiesced; otherwise as
 * resize() of the disk, or -ETIMEDOUT: then the guest is told once the disk answers.
 */
int block_resize(struct block *block, struct error *error);

#endif
