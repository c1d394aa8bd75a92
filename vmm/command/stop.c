/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock stop`: ends a machine, or with --now its monitor, which is killed if it does not answer or speaks another
 * version. */
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/request.h"

#include <stdio.h>

struct stop_options {
	bool now;
	bool json;
};

static const struct stop_options defaults;

static int stop_now(const char *name, bool json, struct error *error)
{
	const char *killed;
	int result = client_stop_now(name, &killed, error);

	if (killed)
		fprintf(stderr, "seaclock: the monitor of %s %s, and was killed\n", name, killed);
	if (!result && json)
		print_done("stop --now", name);
	return result;
}

static int stop_run(void *context, char *const *words, struct error *error)
{
	const struct stop_options *options = context;

	if (options->now)
		return stop_now(words[0], options->json, error);
	return ask_done("stop", words[0], request_make("stop"), options->json, error);
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("now", struct stop_options, now) },
	{ OPTION_FLAG("json", struct stop_options, json) },
	{ .name = NULL },
};

const struct verb verb_stop = {
	.name = "stop",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = stop_run,
};
