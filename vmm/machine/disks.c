/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind the disks of a machine: see the header. */
#include "machine/disks.h"

#include "host/deadline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A guest that is to move stands still meanwhile: what takes longer is a server that is away. */
#define FLUSH_MS 5000

/* Which disk a sentence is about. */
static int disks_name(uint32_t n, int result, struct error *error)
{
	struct error reason = *error;

	error_explain(error, "disk %" PRIu32 ": %.400s", n, reason.text);
	return result;
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

		if (result) {
			disks_close(disks);
			return disks_name(n, result, error);
		}
		disks->count++;
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

int disks_lock(struct disks *disks, struct error *error)
{
	for (uint32_t n = 0; n < disks->count; n++) {
		int result = disk_lock(disks->disk[n], error);

		if (!result)
			continue;
		for (uint32_t taken = 0; taken < n; taken++)
			disk_unlock(disks->disk[taken]);
		return disks_name(n, result, error);
	}
	return 0;
}

void disks_unlock(struct disks *disks)
{
	for (uint32_t n = 0; n < disks->count; n++)
		disk_unlock(disks->disk[n]);
}

int disks_check_locked(struct disks *disks, struct error *error)
{
	for (uint32_t n = 0; n < disks->count; n++) {
		int result = disk_check_locked(disks->disk[n], error);

		if (result && result != -ENOTSUP)
			return disks_name(n, result, error);
	}
	return 0;
}

/* ---- Flush ---- */

struct flush {
	struct disk_request request;
	bool done;
};

static void flush_done(void *context, struct disk_request *request)
{
	struct flush *flush = context;

	(void)request;
	flush->done = true;
}

/* Until it is done, or the server is away for too long. */
static int flush_wait(struct disk *disk, struct flush *flush)
{
	sc_ns_t deadline = deadline_after_ms(FLUSH_MS);

	while (!flush->done) {
		int left = deadline_left_ms(deadline);
		struct pollfd wanted = { .fd = -1 };
		int timeout_ms = disk->ops->poll(disk, &wanted);

		if (!left && disk->ops->withdraw && disk->ops->withdraw(disk))
			return -ETIMEDOUT;
		if (timeout_ms < 0 || (left && left < timeout_ms))
			timeout_ms = left ? left : -1;
		if (poll(&wanted, 1, timeout_ms) < 0)
			wanted.revents = 0;
		disk->ops->dispatch(disk, wanted.revents);
	}
	return flush->request.result;
}

/* The device's thread leaves a disk alone while the device is quiesced. */
static int disk_flush(struct disk *disk)
{
	struct flush flush = { .request = { .operation = DISK_FLUSH } };
	void (*done)(void *, struct disk_request *) = disk->done;
	void *context = disk->context;
	int result;

	disk->done = flush_done;
	disk->context = &flush;
	disk->ops->submit(disk, &flush.request);
	result = flush_wait(disk, &flush);
	disk->done = done;
	disk->context = context;
	return result;
}

int disks_flush(struct disks *disks, struct error *error)
{
	for (uint32_t n = 0; n < disks->count; n++) {
		int result = disks->disk[n]->readonly ? 0 : disk_flush(disks->disk[n]);

		if (result)
			return error_set(error, EIO, "disk %" PRIu32 ": what the guest wrote to %s is not on it (%s)",
					 n, disks->disk[n]->where, strerror(-result));
	}
	return 0;
}
