// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes tables. Policy: units that read well; the summary has the exact numbers.
 */
#include "plot.h"

#include <inttypes.h>

/* A sample that took longer, because its reader was interrupted, is too uncertain for the picture. */
#define WIDTH_MAX_NS 1000000

static void sample_write(const struct timeline *timeline, size_t i, FILE *out)
{
	fprintf(out, "%.6f %.3f %.3f %.3f %.9f\n", (double)timeline->truth[i] / 1e9,
		(double)timeline->error[TIMELINE_MONO][i] / 1e3, (double)timeline->error[TIMELINE_BOOT][i] / 1e3,
		(double)timeline->error[TIMELINE_REAL][i] / 1e3, (double)timeline->error[TIMELINE_RAW][i] / 1e9);
}

void plot_write_samples(const struct run *run, FILE *out)
{
	const struct timeline *timeline = &run->timeline;

	for (size_t stay = 0; stay < timeline->stay_count; stay++) {
		const struct timeline_stay *s = &timeline->stays[stay];

		for (size_t i = s->first; i < s->first + s->count; i++)
			if (timeline->width[i] <= WIDTH_MAX_NS)
				sample_write(timeline, i, out);
		fputc('\n', out);
	}
}

void plot_write_migrations(const struct run *run, FILE *out)
{
	for (size_t i = 0; i < run->migration_count; i++) {
		const struct migration *m = &run->migrations[i];

		fprintf(out,
			"%s\t%s\t%" PRId64 "\t%" PRId64 "\t%.3f\t%.1f\t%.1f\t%.1f\t%.1f\t%" PRId64 "\t%" PRId64
			"\t%.1f\t%" PRId64,
			m->from->name, m->to->name, m->report.from_hz, m->report.to_hz, (double)m->truth_ns / 1e9,
			m->report.downtime_ms, (double)m->step.size / 1e3, (double)m->step.uncertainty / 1e3,
			(double)m->report.bound_ns / 1e3, m->backward_steps, migration_early(m),
			(double)m->report.bytes / (1 << 20), m->report.rounds);
		for (int part = 0; part < REPORT_PARTS; part++)
			fprintf(out, "\t%.1f", m->report.parts_ms[part]);
		fputc('\n', out);
	}
}

static double stay_seconds(const struct timeline *timeline, const struct timeline_stay *stay)
{
	if (stay->count == 0)
		return 0;
	return (double)(timeline->truth[stay->first + stay->count - 1] - timeline->truth[stay->first]) / 1e9;
}

void plot_write_stays(const struct timeline *timeline, FILE *out)
{
	for (size_t i = 0; i < timeline->stay_count; i++) {
		const struct timeline_stay *stay = &timeline->stays[i];

		fprintf(out, "%s\t%" PRId64 "\t%.1f\t%zu", stay->host->name, stay->host->hz,
			stay_seconds(timeline, stay), stay->count);
		for (int clock = 0; clock < TIMELINE_CLOCKS; clock++)
			fprintf(out, "\t%.6f", stay->rate[clock]);
		fputc('\n', out);
	}
}

void plot_write_steps(const struct timeline *timeline, FILE *out)
{
	for (size_t stay = 1; stay < timeline->stay_count; stay++) {
		struct timeline_step step = timeline_step(timeline, stay);

		fprintf(out, "%s\t%" PRId64 "\t%" PRId64 "\n", timeline->stays[stay].host->name, step.size,
			step.uncertainty);
	}
}
