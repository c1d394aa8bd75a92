/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are raw files or block devices of this host.
 *
 * Policy: the file is only opened here, by way of /proc, and not before it is known to be one; the page cache is the
 * host's, and a flush goes through it to the medium. A file belongs to whoever has an OFD lock on all of it, a write
 * lock or, for a disk that is read-only, a read lock: the kernel drops it with the process, and a network file system
 * that has locks has these as well (fcntl(2)). Its server answers when it likes, so that claim.h waits for it.
 */
#ifndef VMM_DEV_DISK_FILE_H
#define VMM_DEV_DISK_FILE_H

#include "dev/disk/disk.h"

enum disk_file_engine {
	DISK_FILE_ANY,	 /* io_uring where the kernel allows it, else plain calls */
	DISK_FILE_URING, /* or an error */
	DISK_FILE_PLAIN,
};

/* As disk_open(). */
int disk_file_open(struct disk **disk, const struct disk_options *options, enum disk_file_engine engine,
		   struct error *error);

#endif
