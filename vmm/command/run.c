/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock run`: see the header. */
#include "command/run.h"

#include "base/file.h"
#include "command/serve.h"
#include "base/signals.h"

#include <stdlib.h>
#include <unistd.h>

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
	struct boot_source source = { .command_line = options->append, .vcpus = options->config.vcpus };
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

int run_boot(const struct run_options *options, enum machine_end *end, struct error *error)
{
	struct machine machine;
	struct console console;
	int result = console_open(&console, options->console, error);

	if (result)
		return result;
	result = machine_create(&machine, &options->config, &console, error);
	if (!result) {
		result = boot_serve(&machine, options, end, error);
		machine_destroy(&machine);
	}
	console_close(&console);
	return result;
}
