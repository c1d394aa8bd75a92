/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs that become a machine's monitor have in common: see the header. */
#include "command/monitor.h"

#include "base/journal.h"
#include "base/log.h"
#include "base/name.h"
#include "base/program.h"
#include "base/signals.h"
#include "base/thread.h"
#include "command/serve.h"
#include "dev/disk/nbd_library.h"
#include "dev/disk/where.h"
#include "dev/net/launcher.h"
#include "dev/net/plug.h"
#include "host/process.h"
#include "host/sandbox.h"

#include <errno.h>
#include <jansson.h>
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

static bool may_have_servers(const struct machine_config *config)
{
	for (uint32_t n = 0; config && n < config->disks; n++)
		if (where_is_remote(config->disk[n].where))
			return true;
	return !config;
}

static bool may_have_passt(const struct machine_config *config)
{
	struct plug plug;

	for (uint32_t n = 0; config && n < config->nets; n++)
		if (plug_parse(config->net[n].where, &plug) && plug.kind == PLUG_PASST)
			return true;
	return !config;
}

/* What starts programs, or is loaded as one, must be there before. */
static int sandbox_make(enum sandbox_mode mode, const struct machine_config *config, struct error *error)
{
	int result = may_have_passt(config) ? launcher_open(error) : 0;
	struct error later;

	/* It would read /dev/urandom for its first object, in whatever thread makes that. */
	json_object_seed(0);
	/* If it is missing, the disk that needs it says so. */
	if (!result && may_have_servers(config))
		nbd_library_load(&later);
	if (!result)
		result = sandbox_open(mode, error);
	return result ? result : threads_open(sandbox_enter, error);
}

static void sandbox_report(void)
{
	struct sandbox_facts facts = sandbox_facts();

	if (facts.calls && !facts.files)
		log_line("the sandbox does not hold this program to its files, because the kernel has no Landlock, or "
			 "it "
			 "is switched off (lsm= on its command line)");
	else if (facts.calls && !facts.ports)
		log_line("the sandbox does not hold this program to its TCP ports, because the kernel is older than "
			 "Linux 6.7");
}

int monitor_begin(const char *sandbox, const struct machine_config *config, struct error *error)
{
	enum sandbox_mode mode = SANDBOX_ON;
	int result;

	sandbox_mode_parse(sandbox, &mode);
	signals_prepare();
	program_note();
	journal_open();
	result = process_harden(error);
	if (!result && mode != SANDBOX_OFF)
		result = sandbox_make(mode, config, error);
	if (!result)
		result = log_open(host_monotonic, error);
	if (result)
		return result;
	sandbox_report();
	sandbox_enter(THREAD_MAIN);
	return 0;
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
