/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flattened device tree says of the machine: UART, GICv3, processors, PSCI, and what /chosen has.
 *
 * Policy: as much of a reader as that takes: nodes are judged one by one, addresses have two cells, as in every arm64
 * machine's root and bus nodes. Source: Devicetree Specification 0.4.
 */
#include "bare.h"

#define TREE_MAGIC 0xd00dfeedu
#define TOKEN_BEGIN 1u
#define TOKEN_END 2u
#define TOKEN_PROPERTY 3u
#define TOKEN_NOP 4u

struct property {
	const uint8_t *value;
	uint32_t size;
};

/* The node that is being read: those of its properties that matter. */
struct node {
	struct property compatible, reg, device_type, method;
};

static uint32_t cell(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint64_t cells(const uint8_t *bytes, uint32_t count)
{
	return count == 2 ? (uint64_t)cell(bytes) << 32 | cell(bytes + 4) : cell(bytes);
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* True if one of the property's strings is `text`. */
static bool lists(const struct property *property, const char *text)
{
	bool begins = true;

	for (uint32_t i = 0; i < property->size; i++) {
		if (begins && same((const char *)property->value + i, text))
			return true;
		begins = property->value[i] == '\0';
	}
	return false;
}

static void gic_read(struct machine *described, const struct property *reg)
{
	described->gicd = cells(reg->value, 2);
	for (uint32_t at = 16; at + 16 <= reg->size && described->gicr_count < MACHINE_REGIONS_MAX; at += 16) {
		described->gicr[described->gicr_count].base = cells(reg->value + at, 2);
		described->gicr[described->gicr_count++].size = cells(reg->value + at + 8, 2);
		if (described->gicr_count == 1)
			break; /* what follows are the CPU interfaces of older drivers */
	}
}

static void node_read(struct machine *described, const struct node *node)
{
	if (lists(&node->compatible, "arm,pl011") && node->reg.size >= 8 && !described->uart)
		described->uart = cells(node->reg.value, 2);
	else if (lists(&node->compatible, "arm,gic-v3") && node->reg.size >= 32)
		gic_read(described, &node->reg);
	else if (lists(&node->device_type, "cpu") && node->reg.size >= 4 && described->cpu_count < MACHINE_CPUS_MAX)
		described->mpidr[described->cpu_count++] = cells(node->reg.value, node->reg.size / 4);
	else if (lists(&node->method, "smc"))
		described->psci_smc = true;
}

static void property_read(struct machine *described, struct node *node, const char *name,
			  const struct property *property, uintptr_t *efi_system_table)
{
	if (same(name, "compatible"))
		node->compatible = *property;
	else if (same(name, "reg"))
		node->reg = *property;
	else if (same(name, "device_type"))
		node->device_type = *property;
	else if (same(name, "method"))
		node->method = *property;
	else if (same(name, "bootargs"))
		described->command_line = (const char *)property->value;
	else if (same(name, "linux,uefi-system-table"))
		*efi_system_table = cells(property->value, property->size / 4);
}

void tree_read(struct machine *described, const void *tree, uintptr_t *efi_system_table)
{
	const uint8_t *bytes = tree, *at, *strings;
	struct node node = { 0 };
	uint32_t token;

	if (!bytes || cell(bytes) != TREE_MAGIC)
		return;
	at = bytes + cell(bytes + 8);
	strings = bytes + cell(bytes + 12);
	while ((token = cell(at)) >= TOKEN_BEGIN && token <= TOKEN_NOP) {
		at += 4;
		if (token == TOKEN_PROPERTY) {
			struct property property = { at + 8, cell(at) };

			property_read(described, &node, (const char *)strings + cell(at + 4), &property,
				      efi_system_table);
			at += 8 + (property.size + 3) / 4 * 4;
			continue;
		}
		if (token == TOKEN_NOP)
			continue;
		node_read(described, &node);
		node = (struct node){ 0 };
		if (token == TOKEN_BEGIN) {
			const uint8_t *name = at;

			while (*at)
				at++;
			at = name + ((uint64_t)(at - name) + 4) / 4 * 4;
		}
	}
}
