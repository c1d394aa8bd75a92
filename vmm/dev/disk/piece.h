/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The next piece of a request that a server is asked for: one command, whose data lie in one place.
 *
 * Policy: pure. Buffers of the guest that follow each other in memory are one place, and used as they are. Where they
 * do not, some of them are copied together: a command costs more than copying some KiB.
 */
#ifndef VMM_DEV_DISK_PIECE_H
#define VMM_DEV_DISK_PIECE_H

#include "dev/disk/disk.h"

#define PIECE_PLACE_MAX (2u << 20)   /* bytes of guest memory in one command */
#define PIECE_COPY_MAX (256u << 10)  /* that are copied together */
#define PIECE_RANGE_MAX (1u << 30)   /* of a command without data */
#define PIECE_WORTHWHILE (64u << 10) /* a place of so much is not copied together with others */

struct piece {
	uint64_t offset; /* on the disk */
	uint32_t length; /* a multiple of DISK_SECTOR_SIZE */
	void *place;	 /* where all of it lies in guest memory; NULL: it is to be copied, or has no data */
};

/* What comes behind `request->finished`, at most `max` bytes of data; max is a multiple of DISK_SECTOR_SIZE. */
struct piece piece_next(const struct disk_request *request, uint32_t max);

/* Copies the piece behind `request->finished` from the guest's buffers, or to them. */
void piece_gather(const struct disk_request *request, void *copy, uint32_t length);
void piece_scatter(const struct disk_request *request, const void *copy, uint32_t length);

#endif
