/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that are a machine's monitor: see the header. */
#include "run.h"

#include "file.h"
#include "log.h"
#include "migrate/target.h"
#include "serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NS_PER_US 1000u
#define NS_PER_MS 1000000u
#define NS_PER_S 1000000000u

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
	serve_block_signals();
	result = machine_create(&machine, &options->config, &console, error);
	if (!result) {
		result = boot_serve(&machine, options, end, error);
		machine_destroy(&machine);
	}
	console_close(&console);
	return result;
}

static void restore_log(const struct machine *machine)
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

static int restore_serve(struct machine *machine, enum machine_end *end, struct error *error)
{
	struct serve serve;
	int result = serve_open(&serve, machine, error);

	if (result)
		return result;
	machine_run_loaded(machine);
	restore_log(machine);
	*end = serve_run(&serve);
	serve_close(&serve);
	return 0;
}

int run_restore(const struct restore_options *options, const char *console_name, enum machine_end *end,
		struct error *error)
{
	struct machine machine;
	struct console console;
	int result = host_check(error);

	if (!result)
		result = console_open(&console, console_name, error);
	if (result)
		return result;
	serve_block_signals();
	result = restore_load(&machine, &console, options, error);
	if (!result) {
		result = restore_serve(&machine, end, error);
		machine_destroy(&machine);
	}
	console_close(&console);
	return result;
}

static int receive_accept(const char *address, struct channel *channel, struct error *error)
{
	int listener;
	int result = channel_listen(address, &listener, error);

	if (result)
		return result;
	log_line("waiting for a machine on %s", address);
	result = channel_accept(listener, channel, error);
	close(listener);
	return result;
}

/* The socket of the name is taken before the guest is, for a running guest must not be lost to a name. */
static int receive_machine(struct machine *machine, struct channel *channel, struct serve *serve, struct error *error)
{
	int result = serve_open(serve, machine, error);

	if (result)
		return result;
	result = target_run(machine, channel, error);
	if (result)
		serve_close(serve);
	return result;
}

static int receive_serve(struct channel *channel, struct console *console, const char *name, enum machine_end *end,
			 struct error *error)
{
	struct machine machine;
	struct serve serve;
	int result = target_begin(&machine, channel, console, name, error);

	if (!result) {
		result = receive_machine(&machine, channel, &serve, error);
		if (result)
			machine_destroy(&machine);
	}
	if (result)
		channel_abort(channel, error);
	channel_close(channel);
	if (result)
		return result;
	log_line("%s runs here", machine.config.name);
	*end = serve_run(&serve);
	serve_close(&serve);
	machine_destroy(&machine);
	return 0;
}

int run_receive(const struct receive_options *options, enum machine_end *end, struct error *error)
{
	struct console console;
	struct channel channel;
	int result = host_check(error);

	if (!result)
		result = receive_accept(options->listen, &channel, error);
	if (result)
		return result;
	result = console_open(&console, options->console, error);
	if (result) {
		channel_abort(&channel, error);
		channel_close(&channel);
		return result;
	}
	serve_block_signals();
	result = receive_serve(&channel, &console, options->name, end, error);
	console_close(&console);
	return result;
}
