/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock run`: boots a guest and serves it to its end. */
#include "command/run.h"

#include "base/layout.h"
#include "base/signals.h"
#include "command/manager.h"
#include "command/monitor.h"
#include "command/serve.h"
#include "command/verb.h"
#include "machine/payload.h"

#define MIB_SHIFT 20

static const struct run_options defaults = { .console = "-" };

static int machine_load(struct machine *machine, struct error *error)
{
	struct boot_source payload;
	int result = payload_read(&payload, &machine->config, error);

	if (result)
		return result;
	result = payload_read_variables(&payload, &machine->config, error);
	if (!result)
		result = machine_boot(machine, &payload, error);
	payload_free(&payload);
	return result;
}

static int boot_serve(struct machine *machine, struct teardown *teardown, enum machine_end *end, struct error *error)
{
	struct serve serve;
	int result = serve_open(&serve, machine, false, error);

	if (result)
		return result;
	/* First, for its variables are read where nobody else writes them any more. */
	result = machine_take_disks(machine, error);
	if (!result)
		result = machine_load(machine, error);
	if (!result)
		result = signals_check(error);
	if (!result)
		result = machine_resume(machine, SC_CLOCK_FREEZE, false, error);
	if (!result) {
		manager_ready();
		*end = serve_run(&serve);
	}
	monitor_tear_down(teardown, machine, *end);
	serve_close(&serve);
	return result;
}

static int run_machine(const struct machine_config *config, const char *console_name, enum machine_end *end,
		       struct error *error)
{
	struct teardown teardown = { .begun = false };
	struct machine machine;
	struct console console;
	int result = console_open(&console, console_name, error);

	if (result)
		return result;
	result = machine_create(&machine, config, &console, error);
	if (!result) {
		result = boot_serve(&machine, &teardown, end, error);
		monitor_tear_down(&teardown, &machine, *end);
		machine_destroy(&machine);
	}
	console_close(&console);
	teardown_end(&teardown);
	return result;
}

static int run_verb(void *context, char *const *words, struct error *error)
{
	const struct run_options *options = context;
	enum machine_end end = MACHINE_END_NONE;
	struct machine_config config;
	int result = monitor_check_name(words[0], error);

	if (!result)
		result = describe(&options->machine, words[0], &config, error);
	if (!result)
		result = monitor_begin(options->sandbox, &config, error);
	if (result)
		return result;
	result = run_machine(&config, options->console, &end, error);
	return monitor_end(result, end, error);
}

static const struct option_spec table[] = {
	{ OPTION_TEXT("config", "FILE", struct run_options, machine.config) },
	{ OPTION_TEXT("kernel", "FILE", struct run_options, machine.kernel) },
	{ OPTION_TEXT("initrd", "FILE", struct run_options, machine.initrd) },
	{ OPTION_TEXT("append", "TEXT", struct run_options, machine.append) },
	{ OPTION_MAYBE_TEXT("firmware", "CODE[,VARS]", struct run_options, machine.firmware) },
	{ OPTION_TEXT("cpu", "host|FILE", struct run_options, machine.cpu) },
	{ OPTION_NUMBER("vcpus", "N", 1, SC_VCPU_MAX, struct run_options, machine.vcpus) },
	{ OPTION_NUMBER("memory", "MIB", LAYOUT_RAM_MIN >> MIB_SHIFT, LAYOUT_RAM_MAX >> MIB_SHIFT, struct run_options,
			machine.memory_mib) },
	{ OPTION_LIST("disk", "PATH|URI[,readonly][,serial=TEXT][,reconnect=SECONDS]", CONFIG_DISKS_MAX,
		      struct run_options, machine.disk) },
	{ OPTION_LIST("net", "tap=NAME|passt[,mac=ADDRESS]", CONFIG_NETS_MAX, struct run_options, machine.net) },
	{ OPTION_CHOICE("on-reboot", "reset|exit", struct run_options, machine.on_reboot) },
	{ OPTION_CHOICE("on-panic", "reset|exit", struct run_options, machine.on_panic) },
	{ OPTION_FLAG("repair", struct run_options, machine.repair) },
	{ OPTION_TEXT("console", "FILE|-", struct run_options, console) },
	{ MONITOR_SANDBOX(struct run_options, sandbox) },
	{ .name = NULL },
};

const struct verb verb_run = {
	.name = "run",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = run_verb,
};
