/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request of a block device's driver: what a chain asks for, and what the driver is told in the end.
 *
 * Policy: pure; the chain's buffers are its only door to guest memory, and each byte of them is read once. Header, data
 * and status may be split over buffers in any way. What the disk cannot do is answered here; what comes out is a
 * request that the disk can do. Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.2.6.
 */
#ifndef VMM_DEV_VIRTIO_BLOCK_REQUEST_H
#define VMM_DEV_VIRTIO_BLOCK_REQUEST_H

#include "dev/disk/disk.h"
#include "dev/virtio/queue.h"

#include <linux/virtio_blk.h>

/* Pieces of guest memory that hold the data of one request. */
#define BLOCK_SEGMENTS_MAX 126u
/* Sectors of one DISCARD or WRITE_ZEROES: 2 GiB. */
#define BLOCK_ERASE_SECTORS_MAX (1u << 22)

/* What is known of the disk and agreed with the driver. */
struct block_facts {
	uint64_t sectors;  /* of DISK_SECTOR_SIZE, as the driver was told */
	uint64_t features; /* negotiated, as bits 1 << VIRTIO_BLK_F_* */
	bool readonly;
	char id[VIRTIO_BLK_ID_BYTES]; /* its serial number, zeroes behind it */
};

struct block_request {
	struct disk_request disk; /* first, so that it is the request */
	uint16_t head;		  /* of its chain */
	bool write_through;	  /* the driver does not flush: done once it has reached the medium */
	bool under_way;		  /* taken, and neither given back nor left */
	bool left;		  /* the disk gave it back undone */
	uint8_t *status;	  /* in guest memory */
	uint32_t success;	  /* what the driver is told was written, if the request succeeds */
	uint32_t failure;	  /* and if it does not */
	uint32_t places;
	struct iovec place[BLOCK_SEGMENTS_MAX + 1]; /* of guest memory that is written: data, and the status */
	struct iovec data[BLOCK_SEGMENTS_MAX];	    /* the disk's, which may change it */
};

enum block_verdict {
	BLOCK_SUBMIT, /* to the disk */
	BLOCK_ANSWER, /* with *status; the disk has nothing to do */
	BLOCK_BROKEN, /* there is no room for a status */
};

enum block_verdict block_request_parse(struct block_request *request, const struct virtqueue_chain *chain,
				       const struct block_facts *facts, uint8_t *status);

/* The status for what the disk returned: 0 or -errno. */
uint8_t block_request_status(int result);

/* Writes the status into guest memory: how many bytes the driver is told were written. */
uint32_t block_request_answer(const struct block_request *request, uint8_t status);

#endif
