/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind a disk of the guest: the contract between the block device and a file, a block device or a server.
 *
 * Policy: one thread, the block device's own, calls all of it but disk_open(), disk_close() and the ownership, so a
 * backend needs no locks. submit() does not wait for a server; poll() and dispatch() tie a backend to that thread's
 * loop, and what was submitted is under way when poll() returns. Each request that was submitted comes back exactly
 * once through done(), which only dispatch() calls, or through withdraw(). done() may submit the next one. A file reads
 * and writes the guest's buffers themselves; what goes to a server is copied where it lies in pieces.
 */
#ifndef VMM_DEV_DISK_DISK_H
#define VMM_DEV_DISK_DISK_H

#include "base/error.h"
#include "base/thread.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define DISK_SECTOR_SIZE 512u
#define DISK_SERIAL_SIZE 21u /* 20 characters and the end */
#define DISK_DEPTH 256u	     /* requests that a backend works on at a time; more wait, and none is refused */
#define DISK_RECONNECT_S 60u /* unless the operator says otherwise */

enum disk_operation {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH, /* what was written and is done reaches the medium before this is done */
	DISK_DISCARD,
	DISK_WRITE_ZEROES,
};

struct disk_request {
	enum disk_operation operation;
	bool unmap;	      /* WRITE_ZEROES: may give the space back */
	uint64_t offset;      /* bytes, a multiple of DISK_SECTOR_SIZE; inside the disk, as `length` is */
	uint64_t length;      /* bytes; READ, WRITE: all of the buffers */
	struct iovec *buffer; /* the backend may change it, to go on after a part was done */
	uint32_t buffers;
	int result; /* once it is done: 0 or -errno; a part that is not there counts as -EIO */
	/* The backend's, while it has the request. */
	uint64_t finished; /* bytes that are done */
	int method;	   /* how it is tried */
	struct disk_request *next;
};

struct disk;

struct disk_ops {
	void (*submit)(struct disk *disk, struct disk_request *request);
	/*
	 * Begins what was submitted. What to poll for, one descriptor or -1; the time in ms after which dispatch() is
	 * wanted anyhow, -1: none.
	 */
	int (*poll)(struct disk *disk, struct pollfd *wanted);
	/* After poll() or the time: goes on, and completes what is done. */
	void (*dispatch)(struct disk *disk, short events);
	/* Whether its server is away: what is not done will not be done soon. For files NULL: nothing ever is. */
	bool (*is_away)(const struct disk *disk);
	/*
	 * A disk whose server is away: takes one request that was not done back, undone; NULL if there is none. The
	 * connection is closed first, so the buffers are the caller's again; what the server has received it may still
	 * do. For files NULL: they always finish.
	 */
	struct disk_request *(*withdraw)(struct disk *disk);

	/* Ownership, below: of a disk that has locks; all of them NULL for one that has none. */
	int (*lock)(struct disk *disk, int limit_ms, struct error *error);
	int (*unlock)(struct disk *disk, int limit_ms, struct error *error);
	int (*check_locked)(struct disk *disk, int limit_ms, struct error *error);
	/*
	 * Whether the disk has grown: `size` is its size as of now; or -errno with a sentence. A server is waited for,
	 * some seconds if it does not answer.
	 */
	int (*resize)(struct disk *disk, struct error *error);
	void (*close)(struct disk *disk);
};

struct disk {
	const struct disk_ops *ops;
	const char *where; /* as named by the operator; for messages */
	uint64_t size;	   /* bytes, a multiple of DISK_SECTOR_SIZE */
	bool readonly;
	bool can_discard;
	bool can_write_zeroes;
	/*
	 * `where` names the same disk on every host. False where it may name another one on each: a path, also if that
	 * is shared, and a server behind a socket or an address of this host; see dev/disk/where.h.
	 */
	bool shared_name;
	/* The same on every host that reaches this disk by a file system that they share; 0: none is known. */
	uint64_t identity;
	enum thread_kind thread; /* that serves it */
	bool owned; /* between disk_lock() and disk_unlock(): without it a write is refused with -EPERM; atomic */
	/* Set by the block device before the first request. */
	void (*done)(void *context, struct disk_request *request);
	void *context;
};

struct disk_options {
	const char *where; /* a path or an NBD URI; lives as long as the disk */
	bool readonly;
	uint32_t reconnect_s; /* a server that is away: requests wait so long, then fail */
};

/* Opens what is there, without its lock: nothing is written before disk_lock(). -errno and a sentence. */
int disk_open(struct disk **disk, const struct disk_options *options, struct error *error);
void disk_close(struct disk *disk);

/*
 * Whose disk it is. disk_lock(): it is ours from here on, or -EBUSY and a sentence that somebody else has it. A disk
 * that is read-only is locked as one that others may read as well. A server has no locks: it becomes writable here, and
 * disk_unlock() ends that. The answer of a file system is waited for, and not for longer than `limit_ms`: -ETIMEDOUT
 * and a sentence. A lock that comes later is given back, and so is, later, one that could not be given back in time:
 * until then nobody else gets it.
 */
int disk_lock(struct disk *disk, int limit_ms, struct error *error);
int disk_unlock(struct disk *disk, int limit_ms, struct error *error);
/*
 * For a machine that is to come: 0 if somebody else has it locked for writing, so that it may be that machine's disk,
 * and for a disk that is read-only, which has no owner. With a sentence: -ENOTSUP where it cannot be seen (a server, a
 * block device), -ENOLCK if nobody has it, -ETIMEDOUT as above.
 */
int disk_check_locked(struct disk *disk, int limit_ms, struct error *error);

#endif
