// SPDX-License-Identifier: BSD-2-Clause
/*
 * The judge: holds what a guest printed against truth.
 *
 *     judge check MANIFEST            one PASS or FAIL line per criterion; exit status 1 if one failed
 *     judge busy MANIFEST SECONDS     the same for the busy loops of the last leg, and its CLOCK_MONOTONIC_RAW
 *     judge legs MANIFEST             a table of the rates in each leg
 *     judge steps MANIFEST            a table of the clock's steps, in ns, at the beginnings of legs
 *     judge report MANIFEST FOLDER    writes summary.json, samples.dat, migrations.tsv and legs.tsv there
 *     judge offset N FOLDER MANIFEST...
 *         checks each run, then the offset estimates of all migrations together, at least N of an idle guest and N
 *         under memory load; prints their distribution, and writes handoff.json and handoff.dat there
 *     judge cooperative FOLDER MANIFEST...
 *         checks each run of a guest that cooperates with the monitor, and prints a row for each consumer of the
 *         counter's rate; adds the migrations to cooperative.json there
 *     judge kernels FOLDER MANIFEST...
 *         checks each run of a guest whose manifest names its kernel, by the level that the kernel reaches; writes
 *         kernels.json there, of these runs alone
 *     judge transparent FOLDER MANIFEST...
 *         the same for guests whose kernel was repaired; writes transparent.json there
 *     judge disks FOLDER MANIFEST...
 *         the same for guests with disks, and checks those; writes disks.json there, of these runs alone. A run without
 *         a migration has nothing but its disks to be checked
 *     judge debian FOLDER MANIFEST
 *         the same for a guest with one disk that is a Debian, and checks what those who use it see; writes debian.json
 *         there
 *
 * Exit status 2: bad evidence or bad usage, with one sentence on standard error.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cooperative.h"
#include "cooperative_summary.h"
#include "debian_summary.h"
#include "disks_summary.h"
#include "evidence.h"
#include "kernels_summary.h"
#include "offset_summary.h"
#include "plot.h"
#include "summary.h"
#include "verdict.h"
#include "verdict_busy.h"
#include "verdict_debian.h"
#include "verdict_disks.h"
#include "verdict_raw.h"

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

static int write_legs(const struct run *run, FILE *out)
{
	plot_write_legs(&run->timeline, out);
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

/* Opens FOLDER/NAME; NULL and the sentence if that fails. */
static FILE *file_open(const char *folder, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	FILE *out = fopen(path, "w");

	if (!out)
		fail_writing(path);
	return out;
}

/* Closes what was written with the result `err`. */
static int file_close(FILE *out, const char *path, int err)
{
	err = fclose(out) != 0 || err;
	return err ? fail_writing(path) : 0;
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
		{ "legs.tsv", write_legs },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++) {
		char path[PATH_MAX];
		FILE *out = file_open(folder, files[i].name, path);

		err = out ? file_close(out, path, files[i].write(run, out)) : 2;
	}
	return err;
}

static int write_offsets(const struct offset_set *set, const char *folder)
{
	char path[PATH_MAX];
	FILE *out = file_open(folder, "handoff.json", path);
	int err = out ? file_close(out, path, offset_write_json(set, out)) : 2;

	out = err ? NULL : file_open(folder, "handoff.dat", path);
	if (!out)
		return 2;
	offset_write_data(set, out);
	return file_close(out, path, 0);
}

/* Reads the run of one manifest. Returns 0 or 2. */
static int run_read(struct run *run, const char *manifest)
{
	char error[RUN_ERROR_MAX] = "out of memory";

	memset(run, 0, sizeof(*run));
	return evidence_read(run, manifest, error) != 0 || run_judge(run, error) != 0 ? fail(error) : 0;
}

/* Writes FOLDER/NAME, unless `summary` is NULL, and releases it. */
static int summary_put(json_t *summary, const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int err = !summary || json_dump_file(summary, path, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0;

	json_decref(summary);
	return err ? fail_writing(path) : 0;
}

static int write_cooperative(const struct run *run, const char *folder)
{
	static const char name[] = "cooperative.json";
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	json_t *old = json_load_file(path, 0, NULL), *summary = cooperative_summary(old, run);

	json_decref(old);
	return summary_put(summary, folder, name);
}

/* Judges the run of one manifest, and adds it to `sum`. Returns 0, 1 if it does not hold, or 2. */
typedef int judge_one(struct run *run, void *sum, const char *manifest);

/* Judges the runs of all manifests, up to one that cannot be. Returns the worst result. */
static int judge_each(struct run *run, char **manifests, judge_one *judge, void *sum)
{
	int status = 0;

	for (; *manifests && status != 2; manifests++) {
		int result = judge(run, sum, *manifests);

		run_free(run);
		status = result > status ? result : status;
	}
	return status;
}

/* `sum` is the folder. */
static int judge_cooperative_of(struct run *run, void *sum, const char *manifest)
{
	if (run_read(run, manifest))
		return 2;
	bool passed = cooperative_verdict(run, stdout);

	return write_cooperative(run, sum) ? 2 : !passed;
}

/* `sum` is the summary so far, or NULL, behind a pointer. */
static int judge_disks_of(struct run *run, void *sum, const char *manifest)
{
	json_t **summary = sum;
	char error[RUN_ERROR_MAX] = "out of memory";

	memset(run, 0, sizeof(*run));
	if (evidence_read(run, manifest, error) != 0 || (run->manifest.migration_count && run_judge(run, error) != 0))
		return fail(error);
	struct disks disks = disks_judge(&run->transcript);
	bool passed = !run->migration_count || cooperative_verdict(run, stdout);
	json_t *old = *summary;

	passed = verdict_of_disks(&disks, stdout) && passed;
	*summary = disks_summary(old, run, &disks);
	json_decref(old);
	return *summary ? !passed : fail("out of memory");
}

static int judge_disks(struct run *run, const char *folder, char **manifests)
{
	json_t *summary = NULL;
	int status = judge_each(run, manifests, judge_disks_of, &summary);

	return summary_put(summary, folder, "disks.json") ? 2 : status;
}

static int judge_debian(struct run *run, const char *folder, const char *manifest)
{
	if (run_read(run, manifest))
		return 2;
	struct disks disks = disks_judge(&run->transcript);
	bool passed = cooperative_verdict(run, stdout);

	passed = verdict_of_disks(&disks, stdout) && passed;
	passed = verdict_of_debian(run, stdout) && passed;
	return summary_put(debian_summary(run, &disks), folder, "debian.json") ? 2 : !passed;
}

/* `sum` is an array. */
static int judge_kernels_of(struct run *run, void *sum, const char *manifest)
{
	if (run_read(run, manifest))
		return 2;
	bool passed = kernels_verdict(run, stdout);

	return kernels_add(sum, run) ? !passed : fail("out of memory");
}

static int judge_kernels(struct run *run, const char *folder, const char *file, char **manifests)
{
	json_t *array = json_array();
	int status = array ? judge_each(run, manifests, judge_kernels_of, array) : 0;

	if (status != 2)
		return summary_put(array, folder, file) ? 2 : status;
	json_decref(array);
	return status;
}

/* `sum` is a set of offsets. */
static int judge_offsets_of(struct run *run, void *sum, const char *manifest)
{
	if (run_read(run, manifest))
		return 2;
	if (!offset_add(sum, run))
		return fail("too many migrations");
	return !verdict_of_run(run, stdout);
}

static int judge_offsets(struct run *run, size_t half, const char *folder, char **manifests)
{
	static struct offset_set set;
	int status = judge_each(run, manifests, judge_offsets_of, &set);

	if (status == 2)
		return status;
	status = !offset_verdict(&set, half, stdout) || status;
	offset_write_table(&set, stdout);
	return write_offsets(&set, folder) ? 2 : status;
}

static int judge_busy(const struct transcript *transcript, int64_t seconds)
{
	bool passed = verdict_of_busy(transcript, seconds, stdout);

	return !verdict_of_raw(transcript, transcript->legs - 1, RAW_WIDTH_PAGE_NS, stdout) || !passed;
}

static int judge(struct run *run, int argc, char **argv)
{
	char error[RUN_ERROR_MAX] = "out of memory";
	const char *command = argv[1];

	if (argc >= 5 && strcmp(command, "offset") == 0)
		return judge_offsets(run, strtoul(argv[2], NULL, 10), argv[3], argv + 4);
	if (argc >= 4 && strcmp(command, "cooperative") == 0)
		return judge_each(run, argv + 3, judge_cooperative_of, argv[2]);
	if (argc >= 4 && strcmp(command, "kernels") == 0)
		return judge_kernels(run, argv[2], "kernels.json", argv + 3);
	if (argc >= 4 && strcmp(command, "transparent") == 0)
		return judge_kernels(run, argv[2], "transparent.json", argv + 3);
	if (argc >= 4 && strcmp(command, "disks") == 0)
		return judge_disks(run, argv[2], argv + 3);
	if (argc == 4 && strcmp(command, "debian") == 0)
		return judge_debian(run, argv[2], argv[3]);
	if (evidence_read(run, argv[2], error) != 0)
		return fail(error);
	if (argc == 4 && strcmp(command, "busy") == 0)
		return judge_busy(&run->transcript, strtoll(argv[3], NULL, 10));
	if (argc == 3 && (strcmp(command, "legs") == 0 || strcmp(command, "steps") == 0)) {
		if (timeline_build(&run->timeline, &run->manifest, &run->transcript, error) != 0)
			return fail(error);
		if (strcmp(command, "legs") == 0)
			plot_write_legs(&run->timeline, stdout);
		else
			plot_write_steps(&run->timeline, stdout);
		return 0;
	}
	if (run_judge(run, error) != 0)
		return fail(error);
	if (argc == 3 && strcmp(command, "check") == 0)
		return !verdict_of_run(run, stdout);
	if (argc == 4 && strcmp(command, "report") == 0)
		return write_report(run, argv[3]);
	return fail("usage: judge check|legs|steps MANIFEST, judge busy MANIFEST SECONDS, judge report MANIFEST FOLDER,"
		    " judge offset N FOLDER MANIFEST..., judge cooperative FOLDER MANIFEST..., judge kernels FOLDER "
		    "MANIFEST..., judge transparent FOLDER MANIFEST..., judge disks FOLDER MANIFEST..., judge debian "
		    "FOLDER MANIFEST");
}

int main(int argc, char **argv)
{
	/* Several hundred KB: too much for a stack. */
	static struct run run;

	if (argc < 3)
		return fail("usage: judge "
			    "check|legs|steps|busy|report|offset|cooperative|kernels|transparent|disks|debian ...");
	int status = judge(&run, argc, argv);

	run_free(&run);
	return status;
}
