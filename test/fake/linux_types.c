/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF: see the header. */
#include "linux_types.h"

#include <assert.h>
#include <string.h>

#define HEADER_SIZE 24u

static void put(struct linux_types *types, uint32_t value)
{
	assert(types->types_size + 4 <= LINUX_TYPES_MAX);
	for (unsigned int i = 0; i < 4; i++)
		types->types[types->types_size++] = (uint8_t)(value >> 8 * i);
}

/* The empty name is at 0. */
static uint32_t name_of(struct linux_types *types, const char *name)
{
	uint32_t at = types->strings_size, size = (uint32_t)strlen(name) + 1;

	if (size == 1)
		return 0;
	assert(at + size <= LINUX_TYPES_MAX);
	memcpy(types->strings + at, name, size);
	types->strings_size += size;
	return at;
}

void linux_types_begin(struct linux_types *types)
{
	memset(types, 0, sizeof(*types));
	types->strings_size = 1;
}

static uint32_t record(struct linux_types *types, uint32_t kind, const char *name, uint32_t count, uint32_t size)
{
	put(types, name_of(types, name));
	put(types, kind << 24 | count);
	put(types, size);
	return ++types->count;
}

uint32_t linux_type(struct linux_types *types, uint32_t kind, const char *name, uint32_t size)
{
	return record(types, kind, name, 0, size);
}

uint32_t linux_type_int(struct linux_types *types, const char *name, uint32_t size)
{
	uint32_t id = record(types, LINUX_KIND_INT, name, 0, size);

	put(types, size * 8);
	return id;
}

uint32_t linux_type_array(struct linux_types *types, uint32_t element, uint32_t count)
{
	uint32_t id = record(types, LINUX_KIND_ARRAY, "", 0, 0);

	put(types, element);
	put(types, 1);
	put(types, count);
	return id;
}

uint32_t linux_type_struct(struct linux_types *types, uint32_t kind, const char *name, uint32_t size,
			   const struct linux_member *members, uint32_t count)
{
	uint32_t bit_fields = 0, id;

	for (uint32_t i = 0; i < count; i++)
		bit_fields |= members[i].bits;
	id = record(types, kind | (bit_fields ? 0x80 : 0), name, count, size);
	for (uint32_t i = 0; i < count; i++) {
		put(types, name_of(types, members[i].name));
		put(types, members[i].type);
		put(types, members[i].bit_offset | members[i].bits << 24);
	}
	return id;
}

static void store(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

size_t linux_types_write(const struct linux_types *types, uint8_t *to, size_t room)
{
	size_t size = HEADER_SIZE + types->types_size + types->strings_size;

	assert(size <= room);
	store(to, 0x0001eb9f);
	store(to + 4, HEADER_SIZE);
	store(to + 8, 0);
	store(to + 12, types->types_size);
	store(to + 16, types->types_size);
	store(to + 20, types->strings_size);
	memcpy(to + HEADER_SIZE, types->types, types->types_size);
	memcpy(to + HEADER_SIZE + types->types_size, types->strings, types->strings_size);
	return size;
}
