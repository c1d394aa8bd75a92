// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes the summary. Policy: names and units stand in the keys; times in ns are integers.
 */
#include "summary.h"

#include <errno.h>
#include <jansson.h>

static json_t *summary_of_migration(const struct migration *m)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "from", m->from->name, "to",
			 m->to->name, "from_hz", (json_int_t)m->handover.from_hz, "to_hz",
			 (json_int_t)m->handover.to_hz, "downtime_ms", m->handover.downtime_ms, "step_ns",
			 (json_int_t)m->step_ns, "bound_ns", (json_int_t)m->handover.bound_ns, "backward_steps",
			 (json_int_t)m->backward_steps, "early_timers", (json_int_t)(migration_early(m)), "bytes",
			 (json_int_t)m->handover.bytes, "rounds", (json_int_t)m->handover.rounds);
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
