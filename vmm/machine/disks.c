/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind the disks of a machine: see the header. */
#include "machine/disks.h"

#include "host/deadline.h"

#include <errno.h>
#include <inttypes.h>

#define MS_PER_S 1000u

/* Which disk a sentence is about. */
static int disks_name(uint32_t n, int result, struct error *error)
{
	struct error reason = *error;

	error_explain(error, "disk %" PRIu32 ": %.400s", n, reason.text);
	return result;
}

/* A disk may have become larger since its guest has seen it, and never smaller. */
static int disk_check_size(const struct disk *disk, uint64_t size, struct error *error)
{
	if (disk->size >= size)
		return 0;
	return error_set(error, EINVAL,
			 "%s has %" PRIu64 " bytes here, and the machine's disk has %" PRIu64 ": it is another one",
			 disk->where, disk->size, size);
}

int disks_open(struct disks *disks, const struct machine_config *config, struct error *error)
{
	*disks = (struct disks){ .count = 0 };
	for (uint32_t n = 0; n < config->disks; n++) {
		const struct disk_options options = {
			.where = config->disk[n].where,
			.readonly = config->disk[n].readonly,
			.reconnect_s = config->disk[n].reconnect_s,
		};
		int result = disk_open(&disks->disk[n], &options, error);

		if (!result) {
			disks->count++;
			result = disk_check_size(disks->disk[n], config->disk[n].size, error);
		}
		if (result) {
			disks_close(disks);
			return disks_name(n, result, error);
		}
	}
	return 0;
}

void disks_close(struct disks *disks)
{
	for (uint32_t n = 0; n < disks->count; n++)
		disk_close(disks->disk[n]);
	disks->count = 0;
}

/* ---- Locks ---- */

/* The same of a call that has a limit. */
static int disks_name_limited(uint32_t n, int result, struct error *error)
{
	struct error reason = *error;

	if (result == -ETIMEDOUT)
		error_explain(error, "%.400s (it was waited for %u s)", reason.text, DISKS_LOCK_MS / MS_PER_S);
	return disks_name(n, result, error);
}

static int disks_unlock_first(struct disks *disks, uint32_t count, struct error *error)
{
	sc_ns_t end = deadline_after_ms(DISKS_LOCK_MS);
	struct error ignored;
	int first = 0;

	for (uint32_t n = 0; n < count; n++) {
		int result = disk_unlock(disks->disk[n], deadline_left_ms(end), first ? &ignored : error);

		if (!first)
			first = result ? disks_name_limited(n, result, error) : 0;
	}
	return first;
}

int disks_lock(struct disks *disks, struct error *error)
{
	sc_ns_t end = deadline_after_ms(DISKS_LOCK_MS);
	struct error ignored;

	for (uint32_t n = 0; n < disks->count; n++) {
		int result = disk_lock(disks->disk[n], deadline_left_ms(end), error);

		if (!result)
			continue;
		disks_unlock_first(disks, n, &ignored);
		return disks_name_limited(n, result, error);
	}
	return 0;
}

int disks_unlock(struct disks *disks, struct error *error)
{
	return disks_unlock_first(disks, disks->count, error);
}

static int disk_check_name(const struct disk *disk, uint32_t n, bool named, struct error *error)
{
	if (named || disk->shared_name)
		return 0;
	return error_set(error, EPERM,
			 "nobody can tell here whether %s is the machine's disk, for that is a name of one host's own: "
			 "name it to `seaclock receive` with --disk %" PRIu32 "=%s",
			 disk->where, n, disk->where);
}

int disks_check_locked(const struct disks *disks, const bool *named, struct error *error)
{
	sc_ns_t end = deadline_after_ms(DISKS_LOCK_MS);

	for (uint32_t n = 0; n < disks->count; n++) {
		int result = disk_check_locked(disks->disk[n], deadline_left_ms(end), error);

		if (result == -ENOTSUP)
			result = disk_check_name(disks->disk[n], n, named && named[n], error);
		if (result)
			return disks_name_limited(n, result, error);
	}
	return 0;
}
