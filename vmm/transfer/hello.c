/* SPDX-License-Identifier: BSD-2-Clause */
/* What a HELLO says of a machine: see the header. */
#include "transfer/hello.h"

#include <string.h>

struct frame_hello hello_describe(const struct machine *machine, enum sc_level level)
{
	const struct machine_config *config = &machine->config;
	struct frame_hello hello = {
		.hz = clock_hz(&machine->clock),
		.vcpus = config->vcpus,
		.memory_size = config->memory_size,
		.level = level,
		.architecture = FRAME_ARCHITECTURE,
		.page_size = host_page_size(),
		.address_bits = HOST_ADDRESS_BITS,
		.gic = FRAME_GIC,
	};

	memcpy(hello.name, config->name, sizeof(hello.name));
	return hello;
}
