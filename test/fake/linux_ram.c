/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM of a guest that runs Linux: see the header. */
#include "linux_ram.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

void linux_ram_begin(struct linux_ram *ram, uint64_t start, uint64_t size, uint64_t high)
{
	*ram = (struct linux_ram){ .range[0] = { .start = start, .size = size, .bytes = calloc(1, size) },
				   .writes_max = UINT64_MAX };
	assert(ram->range[0].bytes);
	if (!high)
		return;
	ram->range[1] = (struct linux_range){ .start = high, .size = MIB, .bytes = calloc(1, MIB) };
	assert(ram->range[1].bytes);
}

void linux_ram_end(struct linux_ram *ram)
{
	for (uint32_t i = 0; i < LINUX_RAM_RANGES; i++)
		free(ram->range[i].bytes);
}

uint8_t *linux_ram_at(struct linux_ram *ram, uint64_t address, uint64_t size)
{
	for (uint32_t i = 0; i < LINUX_RAM_RANGES; i++) {
		const struct linux_range *range = &ram->range[i];

		if (address >= range->start && size <= range->size && address - range->start <= range->size - size)
			return range->bytes + (address - range->start);
	}
	return NULL;
}

void linux_ram_store(struct linux_ram *ram, uint64_t address, uint64_t value, unsigned int bytes)
{
	uint8_t *at = linux_ram_at(ram, address, bytes);

	assert(at);
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static bool is_ram(void *context, uint64_t address, uint64_t size)
{
	return linux_ram_at(context, address, size) != NULL;
}

static bool read_ram(void *context, uint64_t address, void *to, size_t size)
{
	struct linux_ram *ram = context;
	const uint8_t *at = linux_ram_at(ram, address, size);

	if (!at) {
		ram->outside++;
		return false;
	}
	memcpy(to, at, size);
	ram->read += size;
	return true;
}

static bool write_ram(void *context, uint64_t address, const void *from, size_t size)
{
	struct linux_ram *ram = context;
	uint8_t *at = linux_ram_at(ram, address, size);

	if (!at)
		ram->outside++;
	if (!at || ram->writes == ram->writes_max)
		return false;
	memcpy(at, from, size);
	ram->writes++;
	return true;
}

static bool next_range(void *context, uint64_t from, uint64_t *start, uint64_t *end)
{
	const struct linux_ram *ram = context;

	for (uint32_t i = 0; i < LINUX_RAM_RANGES; i++) {
		*start = ram->range[i].start;
		*end = *start + ram->range[i].size;
		if (*end > from && *end > *start)
			return true;
	}
	return false;
}

static bool get_tables(void *context, uint32_t vcpu, struct sc_vcpu_tables *tables)
{
	const struct linux_ram *ram = context;

	*tables = ram->tables;
	return vcpu == 1 && !ram->off;
}

struct sc_guest_port linux_ram_guest(struct linux_ram *ram)
{
	/* The first vCPU is powered off, so that the second is asked, too. */
	return (struct sc_guest_port){ .context = ram,
				       .vcpu_count = 2,
				       .is_ram = is_ram,
				       .read = read_ram,
				       .next = next_range,
				       .tables = get_tables,
				       .write = write_ram };
}

/* What a level resolves, by granule: the first bit of an address at levels 3, 2, 1, 0 and -1 (Arm ARM, D8.2). */
static uint32_t low_bit(const struct linux_shape *shape, int level)
{
	static const uint8_t low[][5] = { { 12, 21, 30, 39, 48 }, { 14, 25, 36, 47 }, { 16, 29, 42 } };

	assert(level >= -1 && level <= 3);
	return low[shape->granule_bits / 2 - 6][3 - level];
}

uint64_t linux_leaf_size(const struct linux_shape *shape, int level)
{
	return 1ull << low_bit(shape, level);
}

static int first_level(const struct linux_shape *shape)
{
	static const struct {
		uint32_t granule_bits, va_bits;
		int level;
	} known[] = {
		{ 12, 39, 1 }, { 12, 48, 0 }, { 12, 52, -1 }, { 14, 36, 2 }, { 14, 47, 1 },
		{ 14, 48, 0 }, { 14, 52, 0 }, { 16, 42, 2 },  { 16, 48, 1 }, { 16, 52, 1 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].granule_bits == shape->granule_bits && known[i].va_bits == shape->va_bits)
			return known[i].level;
	assert(!"Linux has no such shape");
	return 0;
}

/* The bits of an address in a descriptor. */
static uint64_t address_field(const struct linux_shape *shape, uint64_t pa)
{
	if (!shape->wide)
		return pa;
	if (shape->granule_bits == 16)
		return (pa & 0xffffffff0000) | (pa >> 48 & 0xf) << 12;
	return (pa & 0x3fffffffff000) | (pa >> 50 & 3) << 8;
}

static uint64_t take_table(struct linux_tables *tables)
{
	uint64_t table = tables->next;

	tables->next += 1ull << tables->shape.granule_bits;
	return table;
}

void linux_tables_begin(struct linux_tables *tables, struct linux_ram *ram, const struct linux_shape *shape,
			uint64_t first)
{
	static const uint64_t tg1[] = { [12] = 2, [14] = 1, [16] = 3 };
	uint64_t ips = shape->wide ? 6 : 5;

	*tables = (struct linux_tables){ .ram = ram, .shape = *shape, .first = first, .next = first };
	take_table(tables);
	ram->tables.sctlr = 1;
	ram->tables.tcr = (uint64_t)(64 - shape->va_bits) << 16 | tg1[shape->granule_bits] << 30 | ips << 32;
	if (shape->wide && shape->granule_bits != 16)
		ram->tables.tcr |= 1ull << 59;
	/* With an ASID and CnP, which are not part of the address. */
	ram->tables.ttbr1 = first | 0x7aull << 48 | 1;
	if (shape->wide)
		ram->tables.ttbr1 = (first & 0xffffffffffc0) | (first >> 48 & 0xf) << 2 | 0x7aull << 48 | 1;
}

uint64_t linux_tables_map(struct linux_tables *tables, uint64_t va, uint64_t pa, int level)
{
	const struct linux_shape *shape = &tables->shape;
	uint64_t table = tables->first, granule = 1ull << shape->granule_bits, slot, entry;
	uint32_t top = shape->va_bits;

	for (int at = first_level(shape);; at++) {
		slot = table + ((va & ((1ull << top) - 1)) >> low_bit(shape, at)) * 8;
		if (at == level)
			break;
		memcpy(&entry, linux_ram_at(tables->ram, slot, 8), 8);
		if (!entry) {
			table = take_table(tables);
			linux_ram_store(tables->ram, slot, address_field(shape, table) | 3, 8);
		} else {
			table = (tables->first & ~(uint64_t)UINT32_MAX) | (entry & UINT32_MAX & ~(granule - 1));
		}
		top = low_bit(shape, at);
	}
	/* Attributes that every leaf of the kernel has: AF, and execute-never for users. */
	linux_ram_store(tables->ram, slot, address_field(shape, pa) | (level == 3 ? 3 : 1) | 1ull << 10 | 1ull << 54,
			8);
	return slot;
}
