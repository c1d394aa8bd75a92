/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an NBD server has been asked and has not answered: a command for each request, about its next piece.
 *
 * Policy: requests are the caller's again with each answer. What a lost connection has left unanswered is taken back
 * once that is closed. Errors of the connection are the caller's to find.
 */
#ifndef VMM_DEV_DISK_NBD_COMMAND_H
#define VMM_DEV_DISK_NBD_COMMAND_H

#include "dev/disk/nbd_library.h"
#include "dev/disk/request.h"

struct nbd_commands;

struct nbd_command {
	struct nbd_commands *commands;
	struct disk_request *request; /* NULL: free */
	void *copy;		      /* of its data, if they lie in several places */
	uint32_t length;
	int err; /* once it is answered */
	struct nbd_command *next;
};

struct nbd_commands {
	const struct nbd_library *library;
	struct nbd_handle *handle; /* the connection; NULL: none */
	uint32_t data_max;	   /* bytes of one command, a multiple of DISK_SECTOR_SIZE */
	struct nbd_command command[DISK_DEPTH];
	struct nbd_command *free;
	struct nbd_command *answered; /* and not yet taken, */
	uint32_t answers;	      /* so many */
	uint32_t in_flight;	      /* those included */
	uint64_t copied;	      /* bytes of copies */
};

void nbd_command_init(struct nbd_commands *commands, const struct nbd_library *library);

/*
 * Asks for the next piece. 0; -EAGAIN: not now, there is too much under way; -EIO: the library does not take it, and
 * says why; -ENOMEM.
 */
int nbd_command_send(struct nbd_commands *commands, struct disk_request *request);

/*
 * The request of an answer; NULL if there is none. *err is 0, and the piece is in `finished` now; or a positive errno:
 * ENOTCONN if the library has given up the connection, otherwise the server's.
 */
struct disk_request *nbd_command_take(struct nbd_commands *commands, int *err);

/* With the connection closed: a request that was not answered; NULL if there is none. */
struct disk_request *nbd_command_take_back(struct nbd_commands *commands);

#endif
