/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock save`: puts a machine into a file, which its monitor writes.
 *
 * Policy: who names the file makes it, and gives it its name; the monitor need not have a right to the folder. An order
 * to end calls the save off; once the file has its name it counts no more.
 */
#include "base/file.h"
#include "base/signals.h"
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/request.h"
#include "snapshot/draft.h"

#include <errno.h>
#include <unistd.h>

/* A request is one line of CONTROL_LINE_MAX bytes. */
#define SAVE_PATH_MAX 2000

struct saver_options {
	const char *clock; /* NULL: not said */
	bool repair;
	bool force;
	bool json;
};

static const struct saver_options defaults;

static json_t *save_request(const char *path, const struct saver_options *options, struct error *error)
{
	json_t *request = request_make("save");

	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "repair", options->repair);
	request_set_flag(request, "force", options->force);
	if (request_set_text(request, "file", path))
		return request;
	json_decref(request);
	error_record(error, EINVAL, "the path %s is not in UTF-8", path);
	return NULL;
}

/* ---- The file ---- */

/* One, since a signal can tell of no other. */
static struct draft draft;

static void draft_forget(void)
{
	unlink(draft.temporary);
}

static int draft_name(void *context, struct error *error)
{
	(void)context;
	signals_hold();
	return draft_place(&draft, error);
}

/* Nobody says whether the file has its seal. */
static int draft_doubt(struct error *error)
{
	const char *older = draft_older_name(&draft);
	struct error reason = *error;

	draft_close(&draft);
	return error_set(error, reason.err,
			 "%.100s%s%.100s; if %s is whole, which restoring it tells, the guest is in it", reason.text,
			 *older ? "; the file that was there before is now " : "", older, draft.path);
}

/* The save has ended so. */
static int draft_conclude(int result, struct error *error)
{
	struct error reason, left;

	if (!result && draft.placed) {
		draft_keep(&draft);
		return 0;
	}
	/* Its client's word, or the monitor's own. */
	if (draft.placed && error->err == ENOMSG)
		return draft_doubt(error);
	if (!draft_withdraw(&draft, &left))
		return result;
	reason = *error;
	return error_set(error, reason.err, "%.200s; %.300s", reason.text, left.text);
}

static int save_ask(const char *name, const char *path, json_t *request, json_t **report, struct error *error)
{
	struct client_passed passed = { .descriptors.count = 1, .name = draft_name };
	int result;

	signals_clean_by(draft_forget);
	result = draft_make(&draft, path, error);
	if (result) {
		json_decref(request);
		return result;
	}
	passed.descriptors.fd[0] = draft.fd;
	return draft_conclude(ask_result(name, request, &passed, report, error), error);
}

static int save_verb(void *context, char *const *words, struct error *error)
{
	const struct saver_options *options = context;
	/* The monitor may have another working folder. */
	char path[SAVE_PATH_MAX + 1];
	json_t *request, *report;
	int result = file_path(words[1], path, sizeof(path), error);

	if (result)
		return result;
	request = save_request(path, options, error);
	result = request ? save_ask(words[0], path, request, &report, error) : -EINVAL;
	if (result)
		return result;
	if (options->json)
		print_json(report);
	else
		print_saved(words[0], report);
	json_decref(report);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_POLICY("clock", struct saver_options, clock) },
	{ OPTION_FLAG("repair", struct saver_options, repair) },
	{ OPTION_FLAG("force", struct saver_options, force) },
	{ OPTION_FLAG("json", struct saver_options, json) },
	{ .name = NULL },
};

const struct verb verb_save = {
	.name = "save",
	.words = "NAME FILE",
	.words_min = 2,
	.words_max = 2,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = save_verb,
};
