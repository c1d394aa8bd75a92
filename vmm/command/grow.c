/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock grow`: tells a guest that a disk, which was made larger outside, has grown. */
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/request.h"
#include "machine/config.h"

struct grow_options {
	uint32_t disk; /* its number */
	bool json;
};

static const struct grow_options defaults;

static int grow_run(void *context, char *const *words, struct error *error)
{
	const struct grow_options *options = context;
	json_t *request = request_make("grow"), *sizes;
	int result;

	request_set_number(request, "disk", options->disk);
	result = ask_result(words[0], request, NULL, &sizes, error);
	if (result)
		return result;
	if (options->json)
		print_json(sizes);
	else
		print_growth(words[0], sizes);
	json_decref(sizes);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_NUMBER("disk", "N", 0, CONFIG_DISKS_MAX - 1, struct grow_options, disk) },
	{ OPTION_FLAG("json", struct grow_options, json) },
	{ .name = NULL },
};

const struct verb verb_grow = {
	.name = "grow",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = grow_run,
};
