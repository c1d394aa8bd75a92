/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock host`: what decides where this host's machines can move, and whether its KVM has what is needed. */
#include "command/passenger.h"
#include "command/print.h"
#include "command/verb.h"
#include "seaclock/abi.h"
#include "transfer/facts.h"

#include <inttypes.h>

struct host_options {
	bool json;
};

static const struct host_options defaults;

static void print_summary(uint32_t hz)
{
	printf("counter %.6f MHz; KVM has all that Seaclock needs; a guest's reference TSC page %s\n", hz / 1e6,
	       hz > SC_REF_HZ ? "is possible" : "is not possible at 10 MHz or less, so it reads the register");
}

static int host_run(void *context, char *const *words, struct error *error)
{
	const struct host_options *options = context;
	struct host_facts facts;
	int result = passenger_host(&facts, error);

	(void)words;
	if (result)
		return result;
	if (options->json)
		return print_json_whole(facts_json(&facts), "this host's facts", error);
	print_summary(facts.counter_hz);
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
