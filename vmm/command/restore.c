/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock restore`: takes a machine out of a file, then serves it to its end.
 *
 * Policy: the control socket is open before the guest runs, so that a running guest is never lost because its name is
 * taken. What was done to the guest's clock goes to the log.
 */
#include "command/restore.h"

#include "base/log.h"
#include "base/signals.h"
#include "command/manager.h"
#include "command/monitor.h"
#include "command/serve.h"
#include "command/verb.h"
#include "snapshot/restore.h"
#include "transfer/gap.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

static const struct restoring_options defaults = { .console = "-" };

static void restoring_log(const struct machine *machine)
{
	const struct machine_restored *restored = &machine->restored;
	bool known = restored->bound_ns != SC_STATEMENT_UNKNOWN;
	char bound[32] = "unknown";

	if (known)
		snprintf(bound, sizeof(bound), "%" PRIu64 " us", restored->bound_ns / NS_PER_US + 1);
	log_line("%s runs here, saved at %u Hz, now at %u Hz, level %s: it was stopped for %" PRIu64 ".%03" PRIu64
		 " s (bound %s), which its clock %s (%s)",
		 machine->config.name, restored->from_hz, host_counter_hz(), machine_level_name(restored->level),
		 restored->gap_ns / NS_PER_S, restored->gap_ns % NS_PER_S / NS_PER_MS, bound,
		 restored->policy == SC_CLOCK_ADVANCE ? "counts" : "does not count",
		 clock_policy_name(restored->policy));
}

static int restoring_serve(struct machine *machine, struct teardown *teardown, enum machine_end *end,
			   struct error *error)
{
	struct serve serve;
	int result = serve_open(&serve, machine, false, error);

	if (result)
		return result;
	result = signals_check(error);
	if (!result) {
		machine_run_loaded(machine);
		restoring_log(machine);
		manager_ready();
		*end = serve_run(&serve);
	}
	monitor_tear_down(teardown, machine, *end);
	serve_close(&serve);
	return result;
}

static int restoring_run(const struct restore_options *options, const char *console_name, enum machine_end *end,
			 struct error *error)
{
	struct teardown teardown = { .begun = false };
	struct machine machine;
	struct console console;
	int result = host_check(error);

	if (!result)
		result = console_open(&console, console_name, error);
	if (result)
		return result;
	result = restore_load(&machine, &console, options, error);
	if (!result) {
		result = restoring_serve(&machine, &teardown, end, error);
		monitor_tear_down(&teardown, &machine, *end);
		machine_destroy(&machine);
	}
	console_close(&console);
	teardown_end(&teardown);
	return result;
}

static int restoring_verb(void *context, char *const *words, struct error *error)
{
	const struct restoring_options *said = context;
	struct arrival_names names;
	enum sc_clock_policy policy;
	const struct restore_options options = {
		.path = words[0],
		.names = &names,
		.terms = { .inferred = said->inferred, .repair = said->repair, .force = said->force },
		.max_gap_s = said->max_gap_s,
		.policy = said->clock && clock_policy_parse(said->clock, &policy) ? &policy : NULL,
	};
	enum machine_end end = MACHINE_END_NONE;
	int result = monitor_check_name(words[1], error);

	if (!result)
		result = elsewhere_parse(&said->elsewhere, words[1], &names, error);
	if (!result)
		result = monitor_begin(said->sandbox, NULL, error);
	if (result)
		return result;
	result = restoring_run(&options, said->console, &end, error);
	return monitor_end(result, end, error);
}

static const struct option_spec table[] = {
	{ OPTION_LIST("disk", "N=PATH|URI", CONFIG_DISKS_MAX, struct restoring_options, elsewhere.disk) },
	{ OPTION_LIST("net", "N=tap=NAME|passt", CONFIG_NETS_MAX, struct restoring_options, elsewhere.net) },
	{ OPTION_TEXT("kernel", "FILE", struct restoring_options, elsewhere.kernel) },
	{ OPTION_TEXT("initrd", "FILE", struct restoring_options, elsewhere.initrd) },
	{ OPTION_TEXT("firmware", "[CODE][,VARS]", struct restoring_options, elsewhere.firmware) },
	{ OPTION_POLICY("clock", struct restoring_options, clock) },
	{ OPTION_NUMBER("max-gap", "S", 1, GAP_MAX_S, struct restoring_options, max_gap_s) },
	{ OPTION_FLAG("inferred", struct restoring_options, inferred) },
	{ OPTION_FLAG("repair", struct restoring_options, repair) },
	{ OPTION_FLAG("force", struct restoring_options, force) },
	{ OPTION_TEXT("console", "FILE|-", struct restoring_options, console) },
	{ MONITOR_SANDBOX(struct restoring_options, sandbox) },
	{ .name = NULL },
};

const struct verb verb_restore = {
	.name = "restore",
	.words = "FILE [NAME]",
	.words_min = 1,
	.words_max = 2,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = restoring_verb,
};
