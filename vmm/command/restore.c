/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock restore`: see the header. */
#include "command/restore.h"

#include "base/log.h"
#include "command/serve.h"
#include "base/signals.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

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

static int restoring_serve(struct machine *machine, enum machine_end *end, struct error *error)
{
	struct serve serve;
	int result = serve_open(&serve, machine, error);

	if (result)
		return result;
	result = signals_check(error);
	if (!result) {
		machine_run_loaded(machine);
		restoring_log(machine);
		*end = serve_run(&serve);
	}
	serve_close(&serve);
	return result;
}

int restoring_run(const struct restore_options *options, const char *console_name, enum machine_end *end,
		  struct error *error)
{
	struct machine machine;
	struct console console;
	int result = host_check(error);

	if (!result)
		result = console_open(&console, console_name, error);
	if (result)
		return result;
	result = restore_load(&machine, &console, options, error);
	if (!result) {
		result = restoring_serve(&machine, end, error);
		machine_destroy(&machine);
	}
	console_close(&console);
	return result;
}
