/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A number of requests to a disk, `depth` of them under way at any time. Policy: the kernel's asynchronous I/O by its
 * system calls, for it needs no library and is not what is measured.
 */
#ifndef TEST_GUEST_IOPS_QUEUE_H
#define TEST_GUEST_IOPS_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "iops_walk.h"

#define QUEUE_DEPTH_MAX 64u

struct queue_load {
	int fd; /* opened with O_DIRECT */
	bool write;
	uint32_t depth;	   /* from 1 to QUEUE_DEPTH_MAX */
	uint64_t requests; /* in all */
};

/* Makes the requests; how long they took in ticks of the counter. -errno; -EIO if a request was not done in full. */
int queue_run(const struct queue_load *load, struct walk *walk, uint64_t *ticks);

#endif
