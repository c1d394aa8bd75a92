/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that arrives: see the header. */
#include "transfer/arrival.h"

#include "machine/payload.h"
#include "machine/processor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct frame_hello arrival_hello(const struct machine *machine, enum sc_level level)
{
	struct frame_hello hello = {
		.hz = clock_hz(&machine->clock),
		.level = level,
		.page_size = host_page_size(),
	};

	memcpy(hello.name, machine->config.name, sizeof(hello.name));
	return hello;
}

int arrival_announce(struct sink *sink, const struct frame_hello *hello, const struct machine_config *config,
		     struct error *error)
{
	struct buffer buffer = { 0 };
	int result;

	frame_put_hello(&buffer, hello);
	result = sink_put_buffer(sink, FRAME_HELLO, &buffer, error);
	if (result)
		return result;
	config_put(&buffer, config);
	return sink_put_buffer(sink, FRAME_MACHINE, &buffer, error);
}

static int check_host(const struct frame_hello *hello, const struct machine_config *config, struct error *error)
{
	uint32_t bits;
	int result;

	if (strcmp(hello->name, config->name) != 0)
		return error_set(error, EPROTO, "HELLO names %s, and the machine's description %s", hello->name,
				 config->name);
	if (hello->page_size != host_page_size())
		return error_set(error, ENOTSUP,
				 "the other host's kernel has pages of %" PRIu32 " bytes, this one's of %" PRIu32,
				 hello->page_size, host_page_size());
	result = host_address_bits(&bits, error);
	if (result || config->address_bits <= bits)
		return result;
	return error_set(error, ENOTSUP,
			 "the guest has physical addresses of %" PRIu32 " bits, this host's KVM gives %" PRIu32,
			 config->address_bits, bits);
}

static int check_memory(const struct machine_config *config, struct error *error)
{
	uint64_t available = host_memory_available();

	if (config->memory_size <= available)
		return 0;
	return error_set(error, ENOMEM,
			 "the guest has %" PRIu64 " MiB of memory, and this host has %" PRIu64
			 " MiB available: free some, or migrate to another host",
			 config->memory_size >> 20, available >> 20);
}

static void text_replace(char *text, size_t size, const char *other)
{
	if (other[0])
		snprintf(text, size, "%s", other);
}

/* What is named belongs to something that the machine has. */
static int check_names(const struct machine_config *config, const struct arrival_names *names, struct error *error)
{
	for (uint32_t n = config->disks; n < CONFIG_DISKS_MAX; n++)
		if (names->disk[n][0])
			return error_set(error, EINVAL,
					 "--disk names disk %" PRIu32 " here; the number of %s's disks is %" PRIu32
					 ", and the first is disk 0",
					 n, config->name, config->disks);
	for (uint32_t n = config->nets; n < CONFIG_NETS_MAX; n++)
		if (names->net[n][0])
			return error_set(error, EINVAL,
					 "--net names network device %" PRIu32 " here; the number of %s's is %" PRIu32
					 ", and the first is 0",
					 n, config->name, config->nets);
	if (!config->firmware[0] && (names->firmware[0] || names->variables[0]))
		return error_set(error, EINVAL, "--firmware names firmware here; %s boots a kernel without it",
				 config->name);
	return 0;
}

static int net_rename(struct machine_config *config, const struct arrival_names *names, uint32_t n, struct error *error)
{
	struct config_net *net = &config->net[n];
	int result = names->net[n][0] ? nets_check_replug(n, net->where, names->net[n], error) : 0;

	if (!result)
		text_replace(net->where, sizeof(net->where), names->net[n]);
	return result;
}

int arrival_rename(struct machine_config *config, const struct arrival_names *names, struct error *error)
{
	int result = check_names(config, names, error);

	for (uint32_t n = 0; n < config->nets && !result; n++)
		result = net_rename(config, names, n, error);
	if (result)
		return result;
	text_replace(config->name, sizeof(config->name), names->name ? names->name : "");
	text_replace(config->kernel, sizeof(config->kernel), names->kernel);
	text_replace(config->initrd, sizeof(config->initrd), names->initrd);
	text_replace(config->firmware, sizeof(config->firmware), names->firmware);
	text_replace(config->variables, sizeof(config->variables), names->variables);
	for (uint32_t n = 0; n < config->disks; n++)
		text_replace(config->disk[n].where, sizeof(config->disk[n].where), names->disk[n]);
	return config_check(config, error);
}

int arrival_create(struct machine *machine, const struct frame_hello *hello, const struct machine_config *config,
		   const struct arrival_names *names, struct console *console, struct error *error)
{
	struct machine_config here = *config;
	int result = check_host(hello, config, error);

	if (!result)
		result = check_memory(config, error);
	if (!result && names)
		result = arrival_rename(&here, names, error);
	if (!result && names)
		result = payload_check(&here, error);
	if (result)
		return result;
	result = machine_create(machine, &here, console, error);
	if (result)
		return result;
	result = processor_learn(&machine->vm, &machine->vcpus, &machine->untold, error);
	if (result)
		machine_destroy(machine);
	else
		machine_begin_receiving(machine);
	return result;
}

int arrival_check_rate(const struct machine *machine, uint32_t hello_hz, struct error *error)
{
	uint32_t hz = clock_stopped_hz(&machine->clock);

	if (hz == hello_hz)
		return 0;
	return error_set(error, EPROTO,
			 "HELLO says that the guest's counter ticked at %" PRIu32
			 " Hz, the record of its clock %" PRIu32 " Hz",
			 hello_hz, hz);
}
