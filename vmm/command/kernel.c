/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock kernel`: whether the kernel of a running machine, or of a file, is known.
 *
 * Policy: a word with a slash is a file, as no machine's name has one.
 */
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/inspection.h"
#include "control/request.h"
#include "machine/payload.h"

#include <stdlib.h>
#include <string.h>

struct kernel_options {
	bool json;
};

static const struct kernel_options defaults;

static int kernel_of_file(const char *path, json_t **answer, struct error *error)
{
	void *image = NULL;
	struct kernel kernel;
	size_t size;
	int result = payload_read_kernel(path, &image, &size, error);

	if (!result)
		result = kernel_of_image(image, size, &kernel, error);
	if (!result)
		*answer = kernel_json(&kernel);
	free(image);
	return result;
}

static int kernel_run(void *context, char *const *words, struct error *error)
{
	const struct kernel_options *options = context;
	json_t *kernel = NULL;
	int result = strchr(words[0], '/') ? kernel_of_file(words[0], &kernel, error)
					   : ask_result(words[0], request_make("kernel"), NULL, &kernel, error);

	if (result)
		return result;
	if (options->json)
		print_json(kernel);
	else
		print_kernel(words[0], kernel);
	json_decref(kernel);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct kernel_options, json) },
	{ .name = NULL },
};

const struct verb verb_kernel = {
	.name = "kernel",
	.words = "NAME|FILE",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = kernel_run,
};
