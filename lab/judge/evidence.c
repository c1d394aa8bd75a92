// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads files. Policy: a file has at most FILE_MAX bytes; consoles are joined in the order of the manifest.
 */
#include "evidence.h"

#include "chrony.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256u << 20)
#define CHUNK 65536u

/* Bytes that grow, always followed by '\0'. */
struct bytes {
	char *data;
	size_t length;
};

static int bytes_add(struct bytes *bytes, FILE *file)
{
	size_t got;

	do {
		char *data = realloc(bytes->data, bytes->length + CHUNK + 1);

		if (!data)
			return -ENOMEM;
		bytes->data = data;
		got = fread(data + bytes->length, 1, CHUNK, file);
		bytes->length += got;
		data[bytes->length] = '\0';
		if (bytes->length > FILE_MAX)
			return -EFBIG;
	} while (got > 0);
	return ferror(file) ? -EIO : 0;
}

static int file_read(struct bytes *bytes, const char *path, char *error)
{
	FILE *file = fopen(path, "r");
	int err = file ? bytes_add(bytes, file) : -errno;

	if (err)
		snprintf(error, RUN_ERROR_MAX, "cannot read %s: %s", path, strerror(-err));
	if (file)
		fclose(file);
	return err;
}

static void path_beside(char *path, const char *manifest, const char *name)
{
	const char *slash = strrchr(manifest, '/');
	int folder = name[0] == '/' || !slash ? 0 : (int)(slash + 1 - manifest);

	snprintf(path, PATH_MAX, "%.*s%s", folder, manifest, name);
}

static int manifest_read(struct run *run, const char *path, char *error)
{
	struct bytes text = { 0 };
	int err = file_read(&text, path, error);

	if (!err)
		err = manifest_parse(&run->manifest, text.data, error);
	free(text.data);
	return err;
}

static int consoles_read(struct run *run, const char *manifest, char *error)
{
	struct bytes stream = { 0 };
	int err = 0;

	for (size_t i = 0; i < run->manifest.console_count && !err; i++) {
		char path[PATH_MAX];

		path_beside(path, manifest, run->manifest.consoles[i]);
		err = file_read(&stream, path, error);
	}
	if (!err && (err = transcript_parse(&run->transcript, stream.data, stream.length)))
		snprintf(error, RUN_ERROR_MAX, "cannot read the consoles: %s",
			 err == -E2BIG ? "too many changes of the counter rate" : strerror(-err));
	free(stream.data);
	return err;
}

static int report_read(struct report *report, const char *path, char *error)
{
	struct bytes text = { 0 };
	char problem[REPORT_ERROR_MAX];
	int err = file_read(&text, path, error);

	if (!err && (err = report_parse(report, text.data, problem)))
		snprintf(error, RUN_ERROR_MAX, "%.200s: %s", path, problem);
	free(text.data);
	return err;
}

static int ping_read(struct ping *ping, const char *path, char *error)
{
	struct bytes text = { 0 };
	int err = file_read(&text, path, error);

	if (!err && (err = ping_parse(ping, text.data)))
		snprintf(error, RUN_ERROR_MAX, "%.200s: not what a pinger prints at its end", path);
	free(text.data);
	return err;
}

static int pings_read(struct run *run, const char *manifest, char *error)
{
	int err = 0;

	for (size_t i = 0; i < run->manifest.ping_count && !err; i++) {
		char path[PATH_MAX];

		path_beside(path, manifest, run->manifest.pings[i]);
		err = ping_read(&run->pings[i], path, error);
	}
	return err;
}

static int chrony_read(struct run *run, const char *manifest, char *error)
{
	struct bytes text = { 0 };
	char path[PATH_MAX];

	if (!run->manifest.chrony[0])
		return 0;
	path_beside(path, manifest, run->manifest.chrony);
	int err = file_read(&text, path, error);

	if (!err)
		run->chrony_steps = chrony_steps(text.data);
	free(text.data);
	return err;
}

int evidence_read(struct run *run, const char *path, char *error)
{
	int err = manifest_read(run, path, error);

	if (!err)
		err = consoles_read(run, path, error);
	if (!err)
		err = pings_read(run, path, error);
	if (!err)
		err = chrony_read(run, path, error);
	for (size_t i = 0; i < run->manifest.migration_count && !err; i++) {
		char report[PATH_MAX];

		path_beside(report, path, run->manifest.migrations[i].path);
		err = report_read(&run->reports[i], report, error);
	}
	return err;
}
