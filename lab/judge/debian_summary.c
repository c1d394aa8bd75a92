// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes the summary. Policy: what was not watched is null; a file system that was not checked is not clean.
 */
#include "debian_summary.h"

#include "disks_summary.h"

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static bool gaps_add(json_t *summary, const struct run *run)
{
	json_t *migrations = json_object_get(summary, "migrations");

	for (size_t i = 0; i < json_array_size(migrations); i++) {
		json_t *gap =
			i < run->manifest.ping_count ? json_real((double)run->pings[i].gap_ns / 1e6) : json_null();

		if (json_object_set_new(json_array_get(migrations, i), "ping_gap_ms", gap) != 0)
			return false;
	}
	return true;
}

static bool facts_add(json_t *summary, const struct run *run)
{
	const struct manifest *m = &run->manifest;

	return json_object_set_new(summary, "fsck_clean", json_boolean(m->has_fsck && !m->fsck)) == 0 &&
	       json_object_set_new(summary, "chrony_steps",
				   m->chrony[0] ? json_integer(run->chrony_steps) : json_null()) == 0 &&
	       json_object_set_new(summary, "firmware", text_or_null(m->firmware)) == 0 &&
	       json_object_set_new(summary, "bootloader", text_or_null(m->bootloader)) == 0;
}

json_t *debian_summary(const struct run *run, const struct disks *disks)
{
	json_t *summary = disks_summary(NULL, run, disks);

	if (summary && gaps_add(summary, run) && facts_add(summary, run))
		return summary;
	json_decref(summary);
	return NULL;
}
