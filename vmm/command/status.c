/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock status`: one machine, or all of this host. */
#include "command/print.h"
#include "command/verb.h"

struct status_options {
	bool json;
};

static const struct status_options defaults;

static int status_all(struct status_options *options, struct error *error)
{
	json_t *all;
	int result = client_status_all(&all, error);

	if (!all)
		return result;
	if (options->json)
		print_json(all);
	else
		print_status_list(all);
	json_decref(all);
	/* The list says itself who does not answer, and standard output has one JSON value only. */
	options->json = false;
	return result;
}

static int status_run(void *context, char *const *words, struct error *error)
{
	struct status_options *options = context;
	json_t *status;
	int result;

	if (!words[0])
		return status_all(options, error);
	result = client_status(words[0], &status, error);
	if (result)
		return result;
	if (options->json)
		print_json(status);
	else
		print_status(status);
	json_decref(status);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct status_options, json) },
	{ .name = NULL },
};

const struct verb verb_status = {
	.name = "status",
	.words = "[NAME]",
	.words_min = 0,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = status_run,
};
