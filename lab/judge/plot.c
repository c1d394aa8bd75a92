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

	for (size_t leg = 0; leg < timeline->leg_count; leg++) {
		const struct timeline_leg *s = &timeline->legs[leg];

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

static double leg_seconds(const struct timeline *timeline, const struct timeline_leg *leg)
{
	if (leg->count == 0)
		return 0;
	return (double)(timeline->truth[leg->first + leg->count - 1] - timeline->truth[leg->first]) / 1e9;
}

void plot_write_legs(const struct timeline *timeline, FILE *out)
{
	for (size_t i = 0; i < timeline->leg_count; i++) {
		const struct timeline_leg *leg = &timeline->legs[i];

		fprintf(out, "%s\t%" PRId64 "\t%.1f\t%zu", leg->host->name, leg->host->hz, leg_seconds(timeline, leg),
			leg->count);
		for (int clock = 0; clock < TIMELINE_CLOCKS; clock++)
			fprintf(out, "\t%.6f", leg->rate[clock]);
		fputc('\n', out);
	}
}

void plot_write_steps(const struct timeline *timeline, FILE *out)
{
	for (size_t leg = 1; leg < timeline->leg_count; leg++) {
		struct timeline_step step = timeline_step(timeline, leg);

		fprintf(out, "%s\t%" PRId64 "\t%" PRId64 "\n", timeline->legs[leg].host->name, step.size,
			step.uncertainty);
	}
}
