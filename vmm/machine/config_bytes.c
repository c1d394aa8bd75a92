/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description as bytes, which travel and are kept: see config.h. */
#include "machine/config.h"

#include "base/layout.h"
#include "base/section.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- What is as in protocol 5 ---- */

/* What a region of the guest's physical memory is. */
enum {
	REGION_RAM = 1
};

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

static int damaged(struct error *error)
{
	return error_set(error, EPROTO, "the machine's description is damaged");
}

static int head_get(struct cursor *cursor, struct machine_config *config, struct error *error)
{
	uint32_t architecture, gic;
	bool known;
	int result;

	cursor_string(cursor, config->name, sizeof(config->name));
	architecture = cursor_u32(cursor);
	gic = cursor_u32(cursor);
	config->address_bits = cursor_u32(cursor);
	config->vcpus = cursor_u32(cursor);
	known = regions_get(cursor, config);
	if (cursor->failed)
		return damaged(error);
	result = check_kind(architecture, gic, error);
	if (result || known)
		return result;
	return error_set(error, EPROTO, "the guest has memory that this version does not know");
}

/* ---- The sections ---- */

static void model_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	(void)instance;
	buffer_put_u32(buffer, config->model);
	buffer_put_u32(buffer, config->disks);
}

static void model_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	(void)instance;
	config->model = (enum config_model)cursor_u32(cursor);
	config->disks = cursor_u32(cursor);
}

static void actions_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	(void)instance;
	buffer_put_u32(buffer, config->on_reboot);
	buffer_put_u32(buffer, config->on_panic);
}

static void actions_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	(void)instance;
	config->on_reboot = (enum config_action)cursor_u32(cursor);
	config->on_panic = (enum config_action)cursor_u32(cursor);
}

static void boot_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	(void)instance;
	buffer_put_string(buffer, config->kernel);
	buffer_put_string(buffer, config->initrd);
	buffer_put_string(buffer, config->command_line);
}

static void boot_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	(void)instance;
	cursor_string(cursor, config->kernel, sizeof(config->kernel));
	cursor_string(cursor, config->initrd, sizeof(config->initrd));
	cursor_string(cursor, config->command_line, sizeof(config->command_line));
}

static void firmware_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	(void)instance;
	buffer_put_string(buffer, config->firmware);
	buffer_put_string(buffer, config->variables);
}

static void firmware_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	(void)instance;
	cursor_string(cursor, config->firmware, sizeof(config->firmware));
	cursor_string(cursor, config->variables, sizeof(config->variables));
	/* A machine without firmware has no such section. */
	cursor->failed |= !config->firmware[0];
}

/* It is there, or it is not. */
static void repair_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	(void)buffer;
	(void)config;
	(void)instance;
}

static void repair_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	(void)cursor;
	(void)instance;
	config->repair = true;
}

static void disk_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	const struct config_disk *disk = &config->disk[instance];

	buffer_put_string(buffer, disk->where);
	buffer_put_string(buffer, disk->serial);
	buffer_put_u32(buffer, disk->readonly);
	buffer_put_u32(buffer, disk->reconnect_s);
	buffer_put_u64(buffer, disk->size);
}

static void disk_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	struct config_disk *disk = &config->disk[instance];
	uint32_t readonly;

	cursor_string(cursor, disk->where, sizeof(disk->where));
	cursor_string(cursor, disk->serial, sizeof(disk->serial));
	readonly = cursor_u32(cursor);
	disk->reconnect_s = cursor_u32(cursor);
	disk->size = cursor_u64(cursor);
	disk->readonly = readonly;
	if (readonly > 1)
		cursor->failed = true;
}

static void net_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	const struct config_net *net = &config->net[instance];

	buffer_put_string(buffer, net->where);
	buffer_put_block(buffer, net->mac, sizeof(net->mac));
	buffer_put_u32(buffer, net->mtu);
}

/* As many as there are. */
static void net_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	struct config_net *net = &config->net[instance];
	const void *mac;
	size_t size;

	config->nets = instance + 1;
	cursor_string(cursor, net->where, sizeof(net->where));
	mac = cursor_block(cursor, &size);
	net->mtu = cursor_u32(cursor);
	if (mac && size == sizeof(net->mac))
		memcpy(net->mac, mac, size);
	else
		cursor->failed = true;
}

/* Those registers that it was told of the implementation. */
static uint32_t told_count(const struct machine_config *config)
{
	uint32_t count = 0;

	while (identity_implementation_at(&config->cpu, count))
		count++;
	return count;
}

static void told_put(struct buffer *buffer, const struct machine_config *config, uint32_t instance)
{
	const struct identity_register *reg = identity_implementation_at(&config->cpu, instance);

	buffer_put_u64(buffer, reg->id);
	buffer_put_u64(buffer, reg->value);
}

/* Each register once. */
static void told_get(struct cursor *cursor, struct machine_config *config, uint32_t instance)
{
	struct identity_register reg = { .id = cursor_u64(cursor) };

	reg.value = cursor_u64(cursor);
	if (identity_is_implementation(reg.id))
		identity_set(&config->cpu, &reg);
	cursor->failed |= told_count(config) != instance + 1;
}

/* How many sections of a kind there are. */
enum count {
	COUNT_ONE,
	COUNT_DISKS,
	COUNT_FIRMWARE, /* one, of a machine that has it: no other section says so, */
	COUNT_NETS,	/* nor how many of these there are, */
	COUNT_REPAIR,	/* nor this, */
	COUNT_TOLD,	/* nor how many of these */
};

/* In the order in which they are written; whoever reads needs the first before the disks. */
static const struct part {
	uint32_t id;
	uint32_t version;
	enum count count;
	void (*put)(struct buffer *buffer, const struct machine_config *config, uint32_t instance);
	void (*get)(struct cursor *cursor, struct machine_config *config, uint32_t instance);
} part_table[] = {
	{ SECTION_ID('M', 'O', 'D', 'L'), 1, COUNT_ONE, model_put, model_get },
	{ SECTION_ID('A', 'C', 'T', 'N'), 1, COUNT_ONE, actions_put, actions_get },
	{ SECTION_ID('B', 'O', 'O', 'T'), 1, COUNT_ONE, boot_put, boot_get },
	{ SECTION_ID('D', 'I', 'S', 'K'), 1, COUNT_DISKS, disk_put, disk_get },
	{ SECTION_ID('F', 'I', 'R', 'M'), 1, COUNT_FIRMWARE, firmware_put, firmware_get },
	{ SECTION_ID('N', 'E', 'T', 'W'), 1, COUNT_NETS, net_put, net_get },
	{ SECTION_ID('R', 'P', 'A', 'R'), 1, COUNT_REPAIR, repair_put, repair_get },
	{ SECTION_ID('M', 'I', 'D', 'R'), 1, COUNT_TOLD, told_put, told_get },
};

#define PARTS (sizeof(part_table) / sizeof(part_table[0]))

static uint32_t part_count(const struct part *part, const struct machine_config *config)
{
	switch (part->count) {
	case COUNT_DISKS:
		return config->disks;
	case COUNT_FIRMWARE:
		return config->firmware[0] != '\0';
	case COUNT_NETS:
		return config->nets;
	case COUNT_REPAIR:
		return config->repair;
	case COUNT_TOLD:
		return told_count(config);
	default:
		return 1;
	}
}

/* How many there may be at most: what says how many has not been checked yet. */
static uint32_t part_room(const struct part *part, const struct machine_config *config)
{
	if (part->count == COUNT_FIRMWARE || part->count == COUNT_REPAIR)
		return 1;
	if (part->count == COUNT_NETS)
		return CONFIG_NETS_MAX;
	if (part->count == COUNT_TOLD)
		return IDENTITY_IMPLEMENTATION_MAX;
	return part_count(part, config) < CONFIG_DISKS_MAX ? part_count(part, config) : CONFIG_DISKS_MAX;
}

void config_put(struct buffer *buffer, const struct machine_config *config)
{
	buffer_put_string(buffer, config->name);
	buffer_put_u32(buffer, CONFIG_ARCHITECTURE);
	buffer_put_u32(buffer, CONFIG_GIC);
	buffer_put_u32(buffer, config->address_bits);
	buffer_put_u32(buffer, config->vcpus);
	regions_put(buffer, config);
	for (size_t n = 0; n < PARTS; n++)
		for (uint32_t instance = 0; instance < part_count(&part_table[n], config); instance++) {
			size_t begun = section_begin(buffer, part_table[n].id, instance, part_table[n].version, false);

			part_table[n].put(buffer, config, instance);
			section_end(buffer, begun);
		}
}

/* NULL if there is none of this kind. */
static const struct part *part_find(const struct section *section)
{
	for (size_t n = 0; n < PARTS; n++)
		if (part_table[n].id == section->id && section->version <= part_table[n].version)
			return &part_table[n];
	return NULL;
}

static int section_refuse(const struct section *section, struct error *error)
{
	char name[5];

	section_name(section->id, name);
	return error_set(error, ENOTSUP,
			 "the machine's description has a section %s of version %" PRIu32
			 ", which this version of Seaclock does not know",
			 name, section->version);
}

/* `seen` counts the sections of each part: each comes in its turn. */
static int section_take(struct section *section, struct machine_config *config, uint32_t seen[PARTS],
			struct error *error)
{
	const struct part *part = part_find(section);
	uint32_t *count;

	if (!part)
		return section->optional ? 0 : section_refuse(section, error);
	count = &seen[part - part_table];
	if (section->instance != *count || *count == part_room(part, config))
		return damaged(error);
	(*count)++;
	part->get(&section->content, config, section->instance);
	return cursor_finish(&section->content) ? 0 : damaged(error);
}

/* None, or all of them. */
static int sections_get(struct cursor *cursor, struct machine_config *config, struct error *error)
{
	uint32_t seen[PARTS] = { 0 };
	struct section section;
	bool whole = true;
	int result = 0;

	if (cursor_finish(cursor))
		return 0;
	while (!result && section_next(cursor, &section))
		result = section_take(&section, config, seen, error);
	for (size_t n = 0; n < PARTS; n++)
		whole = whole && seen[n] == part_count(&part_table[n], config);
	return result || (whole && cursor_finish(cursor)) ? result : damaged(error);
}

int config_get(const void *data, size_t size, struct machine_config *config, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	struct error reason;
	int result;

	*config = (struct machine_config){ .model = CONFIG_MODEL_UART };
	result = head_get(&cursor, config, error);
	if (!result)
		result = sections_get(&cursor, config, error);
	if (result || !config_check(config, &reason))
		return result;
	return error_set(error, EPROTO, "the machine's description is none of Seaclock's: %s", reason.text);
}
