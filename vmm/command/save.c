/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock save`: puts a machine into a file, which its monitor writes. */
#include "base/file.h"
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/request.h"

#include <errno.h>

/* A request is one line of CONTROL_LINE_MAX bytes. */
#define SAVE_PATH_MAX 2000

struct saver_options {
	const char *clock; /* NULL: not said */
	bool force;
	bool json;
};

static const struct saver_options defaults;

static json_t *save_request(const char *path, const struct saver_options *options, struct error *error)
{
	json_t *request = request_make("save");

	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
	if (request_set_text(request, "file", path))
		return request;
	json_decref(request);
	error_record(error, EINVAL, "the path %s is not in UTF-8", path);
	return NULL;
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
	result = request ? ask_result(words[0], request, &report, error) : -EINVAL;
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
