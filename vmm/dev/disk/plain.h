/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to a file by plain system calls, in the caller's thread, which waits: for hosts that forbid io_uring.
 */
#ifndef VMM_DEV_DISK_PLAIN_H
#define VMM_DEV_DISK_PLAIN_H

#include "dev/disk/step.h"

/* One call: what it returned, or -errno. */
int64_t plain_call(int fd, const struct step *step);

/* Does all of a request that step_begin() has begun; its result is set. */
void plain_do(int fd, struct step_medium *medium, struct disk_request *request);

/* STEP_ZEROES_MAX bytes. */
const void *plain_zeroes(void);

#endif
