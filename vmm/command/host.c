/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock host`: this host's counter, and whether its KVM has what is needed. */
#include "command/verb.h"
#include "host/host.h"
#include "seaclock/abi.h"

#include <inttypes.h>

struct host_options {
	bool json;
};

static const struct host_options defaults;

static int host_run(void *context, char *const *words, struct error *error)
{
	const struct host_options *options = context;
	uint32_t hz = host_counter_hz();
	int result = host_check(error);

	(void)words;
	if (result)
		return result;
	if (options->json)
		printf("{\"counter_hz\": %" PRIu32 ", \"kvm\": true, \"reference_page\": %s}\n", hz,
		       hz > SC_REF_HZ ? "true" : "false");
	else
		printf("counter %.6f MHz; KVM has all that Seaclock needs; a guest's reference TSC page %s\n", hz / 1e6,
		       hz > SC_REF_HZ ? "is possible" : "is not possible at 10 MHz or less, so it reads the register");
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct host_options, json) },
	{ .name = NULL },
};

const struct verb verb_host = {
	.name = "host",
	.words = "",
	.words_min = 0,
	.words_max = 0,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = host_run,
};
