/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock status`: one machine, or all of this host. */
#include "command/openmetrics.h"
#include "command/print.h"
#include "command/verb.h"

#include <errno.h>

struct status_options {
	bool json;
	const char *format; /* NULL: for a person, or as `json` says */
};

static const struct status_options defaults;

static int status_all(struct status_options *options, struct error *error)
{
	json_t *all;
	int result = client_status_all(&all, error);

	if (!all)
		return result;
	if (options->format)
		openmetrics_print(stdout, all);
	else if (options->json)
		print_json(all);
	else
		print_status_list(all);
	json_decref(all);
	/* The list says itself who does not answer, and standard output has one JSON value only. */
	options->json = false;
	return result;
}

static int status_one(const struct status_options *options, const char *name, struct error *error)
{
	json_t *status;
	int result = client_status(name, &status, error);

	if (result)
		return result;
	if (options->json)
		print_json(status);
	else
		print_status(status);
	json_decref(status);
	return 0;
}

static int status_run(void *context, char *const *words, struct error *error)
{
	struct status_options *options = context;

	if (options->format && (options->json || words[0]))
		return error_set(error, EINVAL, "--format openmetrics is of all machines, and goes without %s",
				 options->json ? "--json" : "a name");
	return words[0] ? status_one(options, words[0], error) : status_all(options, error);
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct status_options, json) },
	{ OPTION_CHOICE("format", "openmetrics", struct status_options, format) },
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
