/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the boot code share: a dummy kernel image, and a reader of ACPI tables.
 *
 * Policy: written from the specifications and not from the code under test, whose constants it does not use.
 */
#ifndef TEST_UNIT_BOOT_FIXTURE_H
#define TEST_UNIT_BOOT_FIXTURE_H

#include "unit.h"

#include <string.h>

#define IMAGE_FILE_SIZE 0x3000u
#define IMAGE_MEMORY_SIZE 0x210000u
#define IMAGE_PE_OFFSET 64u
#define IMAGE_SECTIONS (IMAGE_PE_OFFSET + 24 + 160)

static inline uint64_t fixture_load(const void *bytes, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < width; i++)
		value |= (uint64_t)((const uint8_t *)bytes)[i] << (8 * i);
	return value;
}

static inline void fixture_store(void *bytes, unsigned int width, uint64_t value)
{
	for (unsigned int i = 0; i < width; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(value >> (8 * i));
}

/* The header of a kernel that can be started by EFI as well, with two sections up to the file's end. */
static inline void fixture_image(uint8_t file[IMAGE_FILE_SIZE])
{
	for (unsigned int i = 0; i < IMAGE_FILE_SIZE; i++)
		file[i] = (uint8_t)(i * 7 + 1);
	memset(file, 0, 0x200);
	memcpy(file, "MZ", 2);
	fixture_store(file + 16, 8, IMAGE_MEMORY_SIZE);
	fixture_store(file + 24, 8, 10); /* 4 KiB pages, anywhere */
	memcpy(file + 56, "ARM\x64", 4);
	fixture_store(file + 60, 4, IMAGE_PE_OFFSET);
	memcpy(file + IMAGE_PE_OFFSET, "PE\0\0\x64\xaa", 6);
	fixture_store(file + IMAGE_PE_OFFSET + 6, 2, 2);
	fixture_store(file + IMAGE_PE_OFFSET + 20, 2, 160);
	memcpy(file + IMAGE_SECTIONS, ".text", 5);
	fixture_store(file + IMAGE_SECTIONS + 16, 4, 0x1000);
	fixture_store(file + IMAGE_SECTIONS + 20, 4, 0x1000);
	memcpy(file + IMAGE_SECTIONS + 40, ".data", 5);
	fixture_store(file + IMAGE_SECTIONS + 40 + 16, 4, 0x1000);
	fixture_store(file + IMAGE_SECTIONS + 40 + 20, 4, IMAGE_FILE_SIZE - 0x1000);
}

/* Guest memory that holds ACPI tables. */
struct fixture_memory {
	const uint8_t *bytes;
	size_t size;
	uint64_t base;
};

/* The `size` bytes at a guest physical address, which are in the memory. */
static inline const uint8_t *fixture_at(const struct fixture_memory *memory, uint64_t address, size_t size)
{
	assert_true(address >= memory->base && size <= memory->size);
	assert_true(address - memory->base <= memory->size - size);
	return memory->bytes + (address - memory->base);
}

static inline void fixture_check_sum(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	assert_int_equal(sum, 0);
}

/* The table at an address, with a valid header. */
static inline const uint8_t *fixture_table(const struct fixture_memory *memory, uint64_t address, const char *signature)
{
	const uint8_t *table = fixture_at(memory, address, 36);
	size_t size = fixture_load(table + 4, 4);

	assert_memory_equal(table, signature, 4);
	assert_int_equal(address % 8, 0);
	fixture_check_sum(fixture_at(memory, address, size), size);
	assert_memory_equal(table + 10, "SEACLKSEACLOCK", 14);
	return table;
}

/* The table of that signature, found from the root pointer; each is there once. */
static inline const uint8_t *fixture_find(const struct fixture_memory *memory, uint64_t root, const char *signature)
{
	const uint8_t *pointer = fixture_at(memory, root, 36);
	const uint8_t *xsdt, *found = NULL;

	assert_memory_equal(pointer, "RSD PTR ", 8);
	assert_int_equal(pointer[15], 2);
	assert_int_equal(fixture_load(pointer + 20, 4), 36);
	fixture_check_sum(pointer, 20);
	fixture_check_sum(pointer, 36);
	xsdt = fixture_table(memory, fixture_load(pointer + 24, 8), "XSDT");
	for (size_t i = 36; i < fixture_load(xsdt + 4, 4); i += 8) {
		uint64_t address = fixture_load(xsdt + i, 8);

		if (memcmp(fixture_at(memory, address, 4), signature, 4) == 0) {
			assert_null(found);
			found = fixture_table(memory, address, signature);
		}
	}
	assert_non_null(found);
	return found;
}

#endif
