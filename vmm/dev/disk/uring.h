/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a file by io_uring: the kernel works on up to DISK_DEPTH of them at a time, and the caller does not wait.
 *
 * Policy: one system call begins all that has gathered since the last one. What is done is found in memory; the ring's
 * descriptor is readable while there is something to find.
 */
#ifndef VMM_DEV_DISK_URING_H
#define VMM_DEV_DISK_URING_H

#include "dev/disk/request.h"
#include "dev/disk/step.h"

#include <liburing.h>

struct uring {
	struct io_uring ring;
	int fd;			    /* the file */
	struct step_medium *medium; /* as the ring has, its owner's */
	struct disk_request_list waiting;
	uint32_t in_flight; /* requests that the ring has */
	bool unsent;	    /* some of them the kernel does not have yet */
};

/* For the file `fd`; -errno where the kernel does not allow it. */
int uring_open(struct uring *uring, int fd, struct step_medium *medium);
/* None of its requests is under way. */
void uring_close(struct uring *uring);

/* A request that step_begin() has begun. */
void uring_put(struct uring *uring, struct disk_request *request);
/* Begins as much as there is room for: the time in ms after which it is to be tried again, -1: need not be. */
int uring_start(struct uring *uring, struct disk_request_list *done);
/* Takes what is done. What was done in part only waits for the next uring_start(). */
void uring_reap(struct uring *uring, struct disk_request_list *done);

#endif
