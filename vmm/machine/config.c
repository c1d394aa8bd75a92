/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description: see the header. */
#include "machine/config.h"

#include "base/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <seaclock/core.h>

/* What a region of the guest's physical memory is. */
enum {
	REGION_RAM = 1
};

int config_check(const struct machine_config *config, struct error *error)
{
	if (!name_is_valid(config->name))
		return error_set(error, EPROTO, "the guest's name is not one that a machine can have");
	if (!config->vcpus || config->vcpus > SC_VCPU_MAX)
		return error_set(error, EPROTO, "the guest has %" PRIu32 " vCPUs; 1 to %u are possible", config->vcpus,
				 SC_VCPU_MAX);
	if (config->memory_size < LAYOUT_RAM_MIN || config->memory_size > LAYOUT_RAM_MAX ||
	    config->memory_size % LAYOUT_RAM_UNIT)
		return error_set(error, EPROTO,
				 "the guest has %" PRIu64 " bytes of memory, which no machine of Seaclock has",
				 config->memory_size);
	return 0;
}

/* Memory is a list of regions; for now all machines have one of RAM, always at the same place. */
static void regions_put(struct buffer *buffer, const struct machine_config *config)
{
	buffer_put_u32(buffer, 1);
	buffer_put_u32(buffer, REGION_RAM);
	buffer_put_u64(buffer, LAYOUT_RAM_BASE);
	buffer_put_u64(buffer, config->memory_size);
}

static bool regions_get(struct cursor *cursor, struct machine_config *config)
{
	uint32_t count = cursor_u32(cursor), kind = cursor_u32(cursor);
	uint64_t base = cursor_u64(cursor);

	config->memory_size = cursor_u64(cursor);
	return count == 1 && kind == REGION_RAM && base == LAYOUT_RAM_BASE;
}

void config_put(struct buffer *buffer, const struct machine_config *config)
{
	buffer_put_string(buffer, config->name);
	buffer_put_u32(buffer, CONFIG_ARCHITECTURE);
	buffer_put_u32(buffer, CONFIG_GIC);
	buffer_put_u32(buffer, config->address_bits);
	buffer_put_u32(buffer, config->vcpus);
	regions_put(buffer, config);
}

static int check_kind(uint32_t architecture, uint32_t gic, struct error *error)
{
	if (architecture != CONFIG_ARCHITECTURE)
		return error_set(error, ENOTSUP,
				 "the guest's architecture has the number %" PRIu32 " in ELF files, this host's has %u",
				 architecture, CONFIG_ARCHITECTURE);
	if (gic != CONFIG_GIC)
		return error_set(error, ENOTSUP,
				 "the guest has a GIC of version %" PRIu32 ", here they have version %u", gic,
				 CONFIG_GIC);
	return 0;
}

int config_get(const void *data, size_t size, struct machine_config *config, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	uint32_t architecture, gic;
	bool known;
	int result;

	*config = (struct machine_config){ .vcpus = 0 };
	cursor_string(&cursor, config->name, sizeof(config->name));
	architecture = cursor_u32(&cursor);
	gic = cursor_u32(&cursor);
	config->address_bits = cursor_u32(&cursor);
	config->vcpus = cursor_u32(&cursor);
	known = regions_get(&cursor, config);
	if (cursor.failed)
		return error_set(error, EPROTO, "the machine's description is damaged");
	result = check_kind(architecture, gic, error);
	if (result)
		return result;
	if (!known || !cursor_finish(&cursor))
		return error_set(error, EPROTO, "the guest has memory or devices that this version does not know");
	return config_check(config, error);
}
