// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes summaries of offset estimates. Policy: exact numbers in the JSON, units that read well elsewhere.
 */
#include "offset_summary.h"

#include <errno.h>
#include <stdbool.h>

#include "summary.h"

static bool offset_append(json_t *array, const struct offset *offset)
{
	json_t *object = summary_of_migration(&offset->migration);

	/* json_array_append_new takes the object over, also when it fails. */
	if (object && json_object_set_new(object, "load", json_string(offset_load_names[offset->load])) == 0)
		return json_array_append_new(array, object) == 0;
	json_decref(object);
	return false;
}

static json_t *json_of_set(const struct offset_set *set)
{
	json_t *array = json_array();

	for (size_t i = 0; i < set->count; i++)
		if (!offset_append(array, &set->offsets[i])) {
			json_decref(array);
			return NULL;
		}
	return json_pack("{s:o}", "migrations", array);
}

int offset_write_json(const struct offset_set *set, FILE *out)
{
	json_t *object = json_of_set(set);

	if (!object)
		return -ENOMEM;
	int written = json_dumpf(object, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 && fputc('\n', out) != EOF;

	json_decref(object);
	return written ? 0 : -EIO;
}

void offset_write_data(const struct offset_set *set, FILE *out)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct migration *m = &set->offsets[i].migration;

		fprintf(out, "%zu %d %.1f %.1f %.1f %.1f\n", i + 1, set->offsets[i].load == OFFSET_MEMORY,
			(double)m->step.size / 1e3, (double)m->step.uncertainty / 1e3, (double)m->report.bound_ns / 1e3,
			(double)m->report.round_trip_ns / 2e3);
	}
}

void offset_write_table(const struct offset_set *set, FILE *out)
{
	static const char *const names[OFFSET_QUANTITIES] = { "|true step| [us]", "stated bound [us]",
							      "round trip [us]", "downtime [ms]" };

	fprintf(out, "%-8s %-20s %6s %10s %10s %10s\n", "load", "", "count", "least", "median", "most");
	for (int load = 0; load < OFFSET_LOADS; load++)
		for (int quantity = 0; quantity < OFFSET_QUANTITIES; quantity++) {
			struct offset_spread spread =
				offset_spread(set, (enum offset_load)load, (enum offset_quantity)quantity);

			fprintf(out, "%-8s %-20s %6zu %10.1f %10.1f %10.1f\n", offset_load_names[load], names[quantity],
				spread.count, (double)spread.least / 1e3, (double)spread.median / 1e3,
				(double)spread.most / 1e3);
		}
}
