/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request to a file as a row of system calls: which call is next, and what its result means.
 *
 * Policy: pure, so that both ways to make a call, plain.h and uring.h, do the same. A part that was done is never asked
 * for again. What a file system or a device cannot do is tried in the next best way, and remembered:
 *   discard        a hole; on a block device its own discard; else nothing, which is allowed
 *   write zeroes   a hole if the space may be given back; else zeroes without data; else zeroes that are written
 */
#ifndef VMM_DEV_DISK_STEP_H
#define VMM_DEV_DISK_STEP_H

#include "dev/disk/disk.h"

/* What is written at a time where zeroes must be written. */
#define STEP_ZEROES_MAX (256u << 10)
/* Buffers of one call: IOV_MAX of Linux. */
#define STEP_BUFFERS_MAX 1024u

enum step_call {
	STEP_READ,
	STEP_WRITE,
	STEP_WRITE_ZEROES, /* of a buffer of zeroes */
	STEP_SYNC,
	STEP_ALLOCATE, /* fallocate() with a mode */
	STEP_DISCARD,  /* BLKDISCARD */
};

struct step {
	enum step_call call;
	int mode;
	uint64_t offset;
	uint64_t length;
	const struct iovec *buffer;
	uint32_t buffers;
};

/* What is behind the file, as far as it has been found out. */
struct step_medium {
	bool is_block;
	bool no_holes;
	bool no_zeroes;
	bool no_discard;
};

/* A new request. True: it needs calls. False: it is done. */
bool step_begin(const struct step_medium *medium, struct disk_request *request);
/* Its next call. */
void step_next(const struct disk_request *request, struct step *step);
/*
 * What that call returned, -errno if it failed: true once the request is done, with its result; else it needs another
 * call.
 */
bool step_end(struct step_medium *medium, struct disk_request *request, int64_t result);

#endif
