/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind a disk of the guest: see the header. */
#include "dev/disk/disk.h"

#include "dev/disk/file.h"
#include "dev/disk/nbd.h"
#include "dev/disk/where.h"

#include <errno.h>

int disk_open(struct disk **disk, const struct disk_options *options, struct error *error)
{
	if (!where_is_uri(options->where))
		return disk_file_open(disk, options, DISK_FILE_ANY, error);
	if (where_is_remote(options->where))
		return disk_nbd_open(disk, options, error);
	return error_set(error, EINVAL, "%s is no disk that can be opened: name a path, or a server by " WHERE_SCHEMES,
			 options->where);
}

void disk_close(struct disk *disk)
{
	disk->ops->close(disk);
}

int disk_lock(struct disk *disk, int limit_ms, struct error *error)
{
	int result = disk->ops->lock ? disk->ops->lock(disk, limit_ms, error) : 0;

	if (!result)
		__atomic_store_n(&disk->owned, true, __ATOMIC_RELEASE);
	return result;
}

int disk_unlock(struct disk *disk, int limit_ms, struct error *error)
{
	__atomic_store_n(&disk->owned, false, __ATOMIC_RELEASE);
	return disk->ops->unlock ? disk->ops->unlock(disk, limit_ms, error) : 0;
}

int disk_check_locked(struct disk *disk, int limit_ms, struct error *error)
{
	if (disk->readonly)
		return 0;
	if (disk->ops->check_locked)
		return disk->ops->check_locked(disk, limit_ms, error);
	return error_set(error, ENOTSUP,
			 "whether another host uses the disk %s cannot be seen: its server has no locks", disk->where);
}
