// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes the summary. Policy: names and units stand in the keys; times in ns are integers.
 */
#include "summary.h"

#include <errno.h>
#include <stdbool.h>

static bool integers_add(json_t *object, const struct migration *m)
{
	const struct {
		const char *key;
		int64_t value;
	} integers[] = {
		{ "from_hz", m->report.from_hz },
		{ "to_hz", m->report.to_hz },
		{ "true_step_ns", m->step.size },
		{ "true_step_uncertainty_ns", m->step.uncertainty },
		{ "intended_step_ns", m->report.intended_step_ns },
		{ "stated_bound_ns", m->report.bound_ns },
		{ "rtt_ns", m->report.round_trip_ns },
		{ "age_ns", m->report.age_ns },
		{ "backward_steps", m->backward_steps },
		{ "early_timers", migration_early(m) },
		{ "bytes", m->report.bytes },
		{ "rounds", m->report.rounds },
	};

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (json_object_set_new(object, integers[i].key, json_integer(integers[i].value)) != 0)
			return false;
	return true;
}

static bool reals_add(json_t *object, const struct migration *m)
{
	const struct {
		const char *key;
		bool known;
		double value;
	} reals[] = {
		{ "downtime_ms", true, m->report.downtime_ms },
		{ "rate_ppm", m->report.has_rate, m->report.rate_ppm },
		{ "rate_ppm_bound", m->report.has_rate, m->report.rate_ppm_bound },
		{ "true_rate_ppm", true, migration_rate_ppm(m) },
	};

	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++)
		if (json_object_set_new(object, reals[i].key,
					reals[i].known ? json_real(reals[i].value) : json_null()) != 0)
			return false;
	return true;
}

json_t *summary_of_migration(const struct migration *m)
{
	json_t *object = json_pack("{s:s, s:s}", "from", m->from->name, "to", m->to->name);

	if (object && integers_add(object, m) && reals_add(object, m))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *summary_of_run(const struct run *run)
{
	json_t *migrations = json_array();

	for (size_t i = 0; i < run->migration_count; i++)
		if (json_array_append_new(migrations, summary_of_migration(&run->migrations[i])) != 0) {
			json_decref(migrations);
			return NULL;
		}
	return json_pack("{s:s, s:s, s:s, s:o}", "guest_kernel", run->transcript.kernel, "clocksource",
			 run->transcript.clocksource, "clockevent", run->transcript.clockevent, "migrations",
			 migrations);
}

int summary_write(const struct run *run, FILE *out)
{
	json_t *summary = summary_of_run(run);

	if (!summary)
		return -ENOMEM;
	int written = json_dumpf(summary, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 && fputc('\n', out) != EOF;

	json_decref(summary);
	return written ? 0 : -EIO;
}
