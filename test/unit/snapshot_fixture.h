/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two fake hosts and a file between them: a machine is saved on the first and restored on the second.
 */
#ifndef SNAPSHOT_FIXTURE_H
#define SNAPSHOT_FIXTURE_H

#include "pair_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "snapshot/draft.h"
#include "snapshot/reader.h"
#include "snapshot/restore.h"
#include "snapshot/save.h"

/* A seed with which neither fake host has been up for longer than a host can state. */
#define SEED 3

static char folder[] = "/tmp/seaclock-snapshot-XXXXXX";
static char path[64];
static struct save_report report;
static struct error error;

static inline int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && snprintf(path, sizeof(path), "%s/file", folder) > 0 ? 0 : -1;
}

static inline int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static inline int name_draft(void *context, struct error *why)
{
	return draft_place(context, why);
}

/* What a client and the thread of a save do: with these options, and the file and the limits that all have. */
static inline int save_begun(struct save_options *options)
{
	struct draft draft;
	int result = draft_make(&draft, path, &error);

	if (result)
		return result;
	options->path = path;
	options->limits = &pair.limits;
	options->fd = draft.fd;
	options->name = name_draft;
	options->context = &draft;
	result = save_run(&pair.source, options, &report, &error);
	if (result)
		assert_int_equal(draft_withdraw(&draft, &(struct error){ 0 }), 0);
	else
		draft_keep(&draft);
	return result;
}

/* As the monitor's control socket does it. */
static inline int save_as(struct save_options options)
{
	enum machine_state before;
	int result;

	fake_host_use(&pair.host[0]);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), 0);
	result = save_begun(&options);
	if (result)
		machine_end_save(&pair.source, before);
	else
		machine_finish(&pair.source, MACHINE_END_SAVED);
	return result;
}

static inline int save_by(enum sc_clock_policy policy, bool force, struct gate *gate)
{
	return save_as((struct save_options){ .policy = policy, .force = force, .gate = gate });
}

static inline int save(enum sc_clock_policy policy)
{
	return save_by(policy, false, NULL);
}

/* NULL: under the policy that the file names. */
static inline int restore_by(const enum sc_clock_policy *policy, struct admission_terms terms)
{
	const struct restore_options options = { .path = path, .policy = policy, .terms = terms };
	int result;

	fake_host_use(&pair.host[1]);
	result = restore_load(&pair.target, &pair.console, &options, &error);
	pair.target_lives = !result;
	return result;
}

static inline int restore(const enum sc_clock_policy *policy, bool force)
{
	return restore_by(policy, (struct admission_terms){ .force = force });
}

/* All frames of the file, as bytes; where each of them ends goes to `ends`. */
static inline struct buffer file_frames(size_t *ends, size_t *count)
{
	struct snapshot_reader reader;
	struct buffer frames = { 0 };
	struct frame frame = { .type = FRAME_HELLO };

	assert_int_equal(snapshot_reader_open(&reader, path, &error), 0);
	for (*count = 0; frame.type != FRAME_DONE; (*count)++) {
		assert_int_equal(snapshot_reader_next(&reader, &frame, &error), 0);
		frame_put_header(buffer_reserve(&frames, FRAME_HEADER_SIZE), frame.type, (uint32_t)frame.size);
		buffer_put(&frames, frame.data, frame.size);
		ends[*count] = frames.size;
	}
	snapshot_reader_close(&reader);
	return frames;
}

#endif
