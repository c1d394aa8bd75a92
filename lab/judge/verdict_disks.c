// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria for disks. Policy: totals of a writer count by how much they grow; a smaller one is another writer's.
 */
#include "verdict_disks.h"

#include <inttypes.h>

#include "criterion.h"

/* One disk, as far as the lines were read. */
struct progress {
	bool written, active; /* active: something became durable in the present leg */
	int64_t promised;     /* what must be there */
	int64_t known;	      /* to the last check */
	int64_t wrong;	      /* last total of the present writer */
	int64_t checked;
};

static int64_t growth(int64_t *last, int64_t total)
{
	int64_t by = total < *last ? total : total - *last;

	*last = total;
	return by;
}

static void take_fsync(struct disks *disks, struct progress *disk, const struct transcript_disk *line)
{
	disks->fsyncs++;
	disk->written = disk->active = true;
	disk->known = -1;
	if (line->sequence > disk->promised)
		disk->promised = line->sequence;
}

static void take_load(struct disks *disks, struct progress *disk, const struct transcript_disk *line)
{
	disks->checked += growth(&disk->checked, line->checked);
	disks->checksum_errors += growth(&disk->wrong, line->wrong);
}

static void take_check(struct disks *disks, struct progress *disk, const struct transcript_disk *line)
{
	disk->known = line->sequence;
	disks->checked += line->checked;
	disks->checksum_errors += line->wrong;
	disks->lost_fsyncs += line->lost;
}

static void take_line(struct disks *disks, struct progress *all, const struct transcript_disk *line)
{
	if (line->disk >= VERDICT_DISKS_MAX) {
		disks->unknown++;
		return;
	}
	switch (line->kind) {
	case TRANSCRIPT_DISK_FSYNC:
		take_fsync(disks, &all[line->disk], line);
		break;
	case TRANSCRIPT_DISK_LOAD:
		take_load(disks, &all[line->disk], line);
		break;
	case TRANSCRIPT_DISK_CHECK:
		take_check(disks, &all[line->disk], line);
		break;
	case TRANSCRIPT_DISK_ERROR:
		disks->failed++;
		break;
	}
}

/* The present leg is over. Only disks that had been written by its end can have been idle in it. */
static void leg_end(struct disks *disks, struct progress *all)
{
	for (size_t i = 0; i < VERDICT_DISKS_MAX; i++) {
		disks->idle_legs += all[i].written && !all[i].active;
		all[i].active = false;
	}
}

struct disks disks_judge(const struct transcript *transcript)
{
	const struct transcript_disk *line = transcript->disks.items, *end = line + transcript->disks.count;
	struct progress all[VERDICT_DISKS_MAX] = { 0 };
	struct disks disks = { 0 };

	for (size_t leg = 0; leg < transcript->legs || line < end; leg++) {
		for (; line < end && line->leg <= leg; line++)
			take_line(&disks, all, line);
		leg_end(&disks, all);
	}
	for (size_t i = 0; i < VERDICT_DISKS_MAX; i++) {
		disks.count += all[i].written;
		disks.unchecked += all[i].written && all[i].known < all[i].promised;
	}
	return disks;
}

bool verdict_of_disks(const struct disks *disks, FILE *out)
{
	bool seen =
		criterion_print(out, disks->count && !disks->idle_legs && !disks->unknown,
				"disks: %zu written, %" PRId64 " fsyncs; in %zu legs one of them had none (limit 0)",
				disks->count, disks->fsyncs, disks->idle_legs);
	bool checked =
		criterion_print(out, !disks->unchecked,
				"checks: %zu disks without one of all that was durable (limit 0)", disks->unchecked);
	bool right = criterion_print(out, disks->checked && !disks->checksum_errors,
				     "content: %" PRId64 " of %" PRId64 " blocks wrong (limit 0)",
				     disks->checksum_errors, disks->checked);
	bool kept = criterion_print(out, !disks->lost_fsyncs, "fsyncs: %" PRId64 " blocks lost (limit 0)",
				    disks->lost_fsyncs);
	bool whole = criterion_print(out, !disks->failed, "requests: %" PRId64 " failed (limit 0)", disks->failed);

	return seen && checked && right && kept && whole;
}
