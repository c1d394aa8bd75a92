// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes the summary. Policy: names and units stand in the keys; what is not known is null.
 */
#include "cooperative_summary.h"

#include <string.h>

#include "cooperative.h"
#include "summary.h"

static json_t *real_or_null(bool known, double value)
{
	return known ? json_real(value) : json_null();
}

static json_t *rate_or_null(const struct statistics_rate *rate)
{
	return real_or_null(rate->rate > 0, rate->rate);
}

static json_t *json_of_migration(const struct run *run, size_t index)
{
	const struct migration *migration = &run->migrations[index];
	struct cooperative c = cooperative_judge(run, index);
	json_t *object = summary_of_migration(migration);

	if (object &&
	    json_object_update_new(object,
				   json_pack("{s:s, s:s, s:b, s:I, s:b, s:b, s:I, s:o, s:o, s:o, s:o}", "case",
					     run->manifest.case_name, "level", migration->report.level, "vdso_used",
					     c.vdso_used, "udelay_min_ns", (json_int_t)c.udelay_min_ns, "evnti_right",
					     c.events_right, "arch_timer_rate_right", c.timer_rate_right,
					     "new_warnings", (json_int_t)c.new_warnings, "sched_clock_rate",
					     rate_or_null(&c.sched), "printk_rate", rate_or_null(&c.log),
					     "cputime_rate", rate_or_null(&c.cpu), "hold_us",
					     real_or_null(migration->report.has_hold, migration->report.hold_us))) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static bool is_of_case(const json_t *migration, const char *name)
{
	const char *its = json_string_value(json_object_get(migration, "case"));

	return its && strcmp(its, name) == 0;
}

static bool keep_others(json_t *array, const json_t *old, const char *name)
{
	const json_t *migrations = json_object_get(old, "migrations");

	for (size_t i = 0; i < json_array_size(migrations); i++) {
		json_t *migration = json_array_get(migrations, i);

		if (!is_of_case(migration, name) && json_array_append(array, migration) != 0)
			return false;
	}
	return true;
}

json_t *cooperative_migrations(const struct run *run)
{
	json_t *array = json_array();

	for (size_t i = 0; i < run->migration_count; i++) {
		if (!array || json_array_append_new(array, json_of_migration(run, i)) == 0)
			continue;
		json_decref(array);
		array = NULL;
	}
	return array;
}

json_t *cooperative_summary(const json_t *old, const struct run *run)
{
	json_t *array = json_array(), *own = cooperative_migrations(run);
	bool added =
		array && own && keep_others(array, old, run->manifest.case_name) && json_array_extend(array, own) == 0;

	json_decref(own);
	if (added)
		return json_pack("{s:o}", "migrations", array);
	json_decref(array);
	return NULL;
}
