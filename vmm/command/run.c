/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock run`: boots a guest and serves it to its end. */
#include "base/file.h"
#include "base/layout.h"
#include "base/signals.h"
#include "command/monitor.h"
#include "command/serve.h"
#include "command/verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB_SHIFT 20

struct run_options {
	const char *kernel;
	const char *initrd; /* NULL: none */
	const char *append;
	uint32_t vcpus;
	uint32_t memory_mib;
	const char *console; /* as for console_open() */
};

static const struct run_options defaults = { .append = "", .vcpus = 1, .memory_mib = 512, .console = "-" };

static int files_read(const struct run_options *options, struct boot_source *source, struct error *error)
{
	void *kernel = NULL, *initrd = NULL;
	int result = file_read(options->kernel, &kernel, &source->kernel_size, error);

	if (!result && options->initrd)
		result = file_read(options->initrd, &initrd, &source->initrd_size, error);
	if (result)
		free(kernel);
	source->kernel = result ? NULL : kernel;
	source->initrd = initrd;
	return result;
}

static int machine_load(struct machine *machine, const struct run_options *options, struct error *error)
{
	struct boot_source source = { .command_line = options->append };
	int result = files_read(options, &source, error);

	if (result)
		return result;
	host_random(source.seed, sizeof(source.seed));
	result = machine_boot(machine, &source, error);
	free((void *)source.kernel);
	free((void *)source.initrd);
	return result;
}

static int boot_serve(struct machine *machine, const struct run_options *options, enum machine_end *end,
		      struct error *error)
{
	struct serve serve;
	int result = machine_load(machine, options, error);

	if (!result)
		result = serve_open(&serve, machine, error);
	if (result)
		return result;
	result = signals_check(error);
	if (!result)
		result = machine_resume(machine, SC_CLOCK_FREEZE, false, error);
	if (!result)
		*end = serve_run(&serve);
	serve_close(&serve);
	return result;
}

static int run_machine(const char *name, const struct run_options *options, enum machine_end *end, struct error *error)
{
	struct machine_config config;
	struct machine machine;
	struct console console;
	int result = console_open(&console, options->console, error);

	if (result)
		return result;
	config_init(&config);
	config.vcpus = options->vcpus;
	config.memory_size = (uint64_t)options->memory_mib << MIB_SHIFT;
	snprintf(config.name, sizeof(config.name), "%s", name);
	result = machine_create(&machine, &config, &console, error);
	if (!result) {
		result = boot_serve(&machine, options, end, error);
		machine_destroy(&machine);
	}
	console_close(&console);
	return result;
}

static int run_verb(void *context, char *const *words, struct error *error)
{
	const struct run_options *options = context;
	enum machine_end end = MACHINE_END_NONE;
	int result = monitor_check_name(words[0], error);

	if (!result && !options->kernel)
		result = error_set(error, EINVAL, "a machine needs a kernel: name it with --kernel FILE");
	if (!result)
		result = monitor_begin(error);
	if (result)
		return result;
	result = run_machine(words[0], options, &end, error);
	return monitor_end(result, end, error);
}

static const struct option_spec table[] = {
	{ OPTION_TEXT("kernel", "FILE", struct run_options, kernel), .place = OPTION_NEEDED },
	{ OPTION_TEXT("initrd", "FILE", struct run_options, initrd) },
	{ OPTION_TEXT("append", "TEXT", struct run_options, append) },
	{ OPTION_NUMBER("vcpus", "N", 1, SC_VCPU_MAX, struct run_options, vcpus) },
	{ OPTION_NUMBER("memory", "MIB", LAYOUT_RAM_MIN >> MIB_SHIFT, LAYOUT_RAM_MAX >> MIB_SHIFT, struct run_options,
			memory_mib) },
	{ OPTION_TEXT("console", "FILE|-", struct run_options, console) },
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
