/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs that become a machine's monitor have in common: see the header. */
#include "command/monitor.h"

#include "base/log.h"
#include "base/name.h"
#include "base/signals.h"
#include "command/serve.h"
#include "host/process.h"

#include <errno.h>
#include <stdlib.h>

int monitor_status(enum machine_end end)
{
	static const int status[] = {
		[MACHINE_END_NONE] = EXIT_FAILURE, [MACHINE_END_POWER_OFF] = EXIT_SUCCESS,
		[MACHINE_END_RESET] = 3,	   [MACHINE_END_PANIC] = 4,
		[MACHINE_END_MIGRATED] = 5,	   [MACHINE_END_STOPPED] = SERVE_EXIT_STOPPED,
		[MACHINE_END_SAVED] = 7,	   [MACHINE_END_FAILED] = EXIT_FAILURE,
	};

	return status[end];
}

int monitor_begin(struct error *error)
{
	int result;

	signals_prepare();
	result = process_harden(error);
	return result ? result : log_open(host_monotonic, error);
}

int monitor_end(int result, enum machine_end end, const struct error *error)
{
	if (result)
		log_line("%s", error->text);
	log_close();
	if (result == -EINTR)
		end = MACHINE_END_STOPPED;
	else if (result)
		end = MACHINE_END_FAILED;
	return monitor_status(end);
}

void monitor_tear_down(struct teardown *teardown, struct machine *machine, enum machine_end end)
{
	teardown_begin(teardown, machine->config.name, machine->devices.uart.console, monitor_status(end), TEARDOWN_MS);
}

int monitor_check_name(const char *name, struct error *error)
{
	if (!name || name_is_valid(name))
		return 0;
	return error_set(error, EINVAL, "`%s` cannot be a machine's name", name);
}
