// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes the summary. Policy: what is not in the old one counts as none.
 */
#include "disks_summary.h"

#include "cooperative_summary.h"

static int add(json_t *summary, const json_t *old, const char *key, int64_t more)
{
	json_int_t before = json_integer_value(json_object_get(old, key));

	return json_object_set_new(summary, key, json_integer(before + more));
}

json_t *disks_summary(const json_t *old, const struct run *run, const struct disks *disks)
{
	json_t *summary = cooperative_summary(old, run);

	if (summary && add(summary, old, "checksum_errors", disks->checksum_errors) == 0 &&
	    add(summary, old, "lost_fsyncs", disks->lost_fsyncs) == 0)
		return summary;
	json_decref(summary);
	return NULL;
}
