// SPDX-License-Identifier: BSD-2-Clause
/*
 * The judge: holds what a guest printed against truth.
 *
 *     judge check MANIFEST            one PASS or FAIL line per criterion; exit status 1 if one failed
 *     judge busy MANIFEST SECONDS     the same for the busy loops of the last stay
 *     judge stays MANIFEST            a table of the rates in each stay
 *     judge report MANIFEST FOLDER    writes summary.json, samples.dat, migrations.tsv and stays.tsv there
 *
 * Exit status 2: bad evidence or bad usage, with one sentence on standard error.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "plot.h"
#include "summary.h"
#include "verdict.h"

static int fail(const char *sentence)
{
	fprintf(stderr, "judge: %s\n", sentence);
	return 2;
}

static int fail_writing(const char *path)
{
	fprintf(stderr, "judge: cannot write %s\n", path);
	return 2;
}

static int write_stays(const struct run *run, FILE *out)
{
	plot_write_stays(&run->timeline, out);
	return 0;
}

static int write_samples(const struct run *run, FILE *out)
{
	plot_write_samples(run, out);
	return 0;
}

static int write_migrations(const struct run *run, FILE *out)
{
	plot_write_migrations(run, out);
	return 0;
}

static int write_report(const struct run *run, const char *folder)
{
	static const struct {
		const char *name;
		int (*write)(const struct run *run, FILE *out);
	} files[] = {
		{ "summary.json", summary_write },
		{ "samples.dat", write_samples },
		{ "migrations.tsv", write_migrations },
		{ "stays.tsv", write_stays },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i].name);
		FILE *out = fopen(path, "w");

		if (!out)
			return fail_writing(path);
		int err = files[i].write(run, out);

		err = fclose(out) != 0 || err;
		if (err)
			return fail_writing(path);
	}
	return 0;
}

static int judge(struct run *run, int argc, char **argv)
{
	char error[RUN_ERROR_MAX] = "out of memory";
	const char *command = argv[1];

	if (evidence_read(run, argv[2], error) != 0)
		return fail(error);
	if (argc == 4 && strcmp(command, "busy") == 0)
		return !verdict_of_busy(&run->transcript, strtoll(argv[3], NULL, 10), stdout);
	if (argc == 3 && strcmp(command, "stays") == 0) {
		if (timeline_build(&run->timeline, &run->manifest, &run->transcript, error) != 0)
			return fail(error);
		return write_stays(run, stdout);
	}
	if (run_judge(run, error) != 0)
		return fail(error);
	if (argc == 3 && strcmp(command, "check") == 0)
		return !verdict_of_run(run, stdout);
	if (argc == 4 && strcmp(command, "report") == 0)
		return write_report(run, argv[3]);
	return fail("usage: judge check|stays MANIFEST, judge busy MANIFEST SECONDS, judge report MANIFEST FOLDER");
}

int main(int argc, char **argv)
{
	/* Several hundred KB: too much for a stack. */
	static struct run run;

	if (argc < 3)
		return fail("usage: judge check|stays|busy|report MANIFEST ...");
	int status = judge(&run, argc, argv);

	run_free(&run);
	return status;
}
