/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instead of vmm/dev/disk/disk.c: what a fuzzer writes into a description names no file of this machine.
 */
#include "dev/disk/disk.h"

#include <errno.h>
#include <stdlib.h>

int disk_open(struct disk **disk, const struct disk_options *options, struct error *error)
{
	*disk = NULL;
	return error_set(error, ENOENT, "there is no disk %s", options->where);
}

/* Nothing was opened, so nothing of the following is reached. */

void disk_close(struct disk *disk)
{
	(void)disk;
	abort();
}

int disk_lock(struct disk *disk, int limit_ms, struct error *error)
{
	(void)disk;
	(void)limit_ms;
	(void)error;
	abort();
}

int disk_unlock(struct disk *disk, int limit_ms, struct error *error)
{
	(void)disk;
	(void)limit_ms;
	(void)error;
	abort();
}

int disk_check_locked(struct disk *disk, int limit_ms, struct error *error)
{
	(void)disk;
	(void)limit_ms;
	(void)error;
	abort();
}
