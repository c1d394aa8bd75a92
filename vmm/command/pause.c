/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock pause` and `seaclock resume`: a machine stands still, and goes on. */
#include "command/ask.h"
#include "command/verb.h"
#include "control/request.h"

struct pause_options {
	const char *clock; /* NULL: not said */
	bool force;
	bool json;
};

static const struct pause_options defaults;

static json_t *pause_request(const char *command, const struct pause_options *options)
{
	json_t *request = request_make(command);

	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
	return request;
}

static int pause_run(void *context, char *const *words, struct error *error)
{
	const struct pause_options *options = context;

	return ask_done("pause", words[0], pause_request("pause", options), options->json, error);
}

static int resume_run(void *context, char *const *words, struct error *error)
{
	const struct pause_options *options = context;

	return ask_done("resume", words[0], pause_request("resume", options), options->json, error);
}

static const struct option_spec pause_table[] = {
	{ OPTION_POLICY("clock", struct pause_options, clock) },
	{ OPTION_FLAG("json", struct pause_options, json) },
	{ .name = NULL },
};

static const struct option_spec resume_table[] = {
	{ OPTION_POLICY("clock", struct pause_options, clock) },
	{ OPTION_FLAG("force", struct pause_options, force) },
	{ OPTION_FLAG("json", struct pause_options, json) },
	{ .name = NULL },
};

const struct verb verb_pause = {
	.name = "pause",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = pause_table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = pause_run,
};

const struct verb verb_resume = {
	.name = "resume",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = resume_table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = resume_run,
};
