/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind a disk of the guest: see the header. */
#include "dev/disk/disk.h"

#include "dev/disk/file.h"
#include "dev/disk/nbd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* The part of `where` before "://" if that can be a URI's scheme (RFC 3986, section 3.1): its length, 0 if none. */
static size_t scheme_length(const char *where)
{
	size_t length = strspn(where, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return strncmp(where + length, "://", 3) ? 0 : length;
}

static bool scheme_is_nbd(const char *where, size_t length)
{
	static const char *const names[] = { "nbd", "nbds", "nbd+unix", "nbds+unix" };

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (length == strlen(names[n]) && !strncasecmp(where, names[n], length))
			return true;
	return false;
}

int disk_open(struct disk **disk, const struct disk_options *options, struct error *error)
{
	size_t length = scheme_length(options->where);

	if (!length)
		return disk_file_open(disk, options, DISK_FILE_ANY, error);
	if (scheme_is_nbd(options->where, length))
		return disk_nbd_open(disk, options, error);
	return error_set(
		error, EINVAL,
		"%s is no disk that can be opened: name a path, or a server by nbd://, nbds://, nbd+unix:// or "
		"nbds+unix://",
		options->where);
}

void disk_close(struct disk *disk)
{
	disk->ops->close(disk);
}

int disk_lock(struct disk *disk, struct error *error)
{
	int result = disk->ops->lock ? disk->ops->lock(disk, error) : 0;

	if (!result)
		__atomic_store_n(&disk->owned, true, __ATOMIC_RELEASE);
	return result;
}

void disk_unlock(struct disk *disk)
{
	__atomic_store_n(&disk->owned, false, __ATOMIC_RELEASE);
	if (disk->ops->unlock)
		disk->ops->unlock(disk);
}

int disk_check_locked(struct disk *disk, struct error *error)
{
	if (disk->readonly)
		return 0;
	if (disk->ops->check_locked)
		return disk->ops->check_locked(disk, error);
	return error_set(error, ENOTSUP,
			 "whether another host uses the disk %s cannot be seen: its server has no locks", disk->where);
}
