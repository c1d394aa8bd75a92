/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock shutdown`: presses a machine's power button, and with --wait returns when the machine has ended. */
#include "command/print.h"
#include "command/verb.h"
#include "control/client.h"

#define WAIT_MAX_S 86400

struct shutdown_options {
	uint32_t wait_s; /* 0: not said */
	bool json;
};

static const struct shutdown_options defaults;

static int shutdown_run(void *context, char *const *words, struct error *error)
{
	const struct shutdown_options *options = context;
	int result = client_shutdown(words[0], options->wait_s, error);

	if (!result && options->json)
		print_done("shutdown", words[0]);
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_NUMBER("wait", "SECONDS", 1, WAIT_MAX_S, struct shutdown_options, wait_s) },
	{ OPTION_FLAG("json", struct shutdown_options, json) },
	{ .name = NULL },
};

const struct verb verb_shutdown = {
	.name = "shutdown",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = shutdown_run,
};
