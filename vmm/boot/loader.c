/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables for firmware: see the header. */
#include "boot/loader.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#define NAME_SIZE 56u

#define ALLOCATE 1u
#define ADD_POINTER 2u
#define ADD_CHECKSUM 3u

#define ZONE_HIGH 1u
#define ZONE_LOW 2u

#define TABLES_ALIGN 64u
#define RSDP_ALIGN 16u

/* Offsets in a table, in bytes (boot/acpi.h has the sources). */
#define HEADER_SIZE 36u
#define HEADER_LENGTH 4u
#define HEADER_CHECKSUM 9u
#define FADT_X_DSDT 140u
#define RSDP_XSDT 24u
#define RSDP_EXTENDED_CHECKSUM 32u
#define ADDRESS_SIZE 8u

static uint32_t read_32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static uint64_t read_64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

/* ---- Commands ---- */

static void put_name(struct blob *blob, const char *name)
{
	size_t begun = blob->size;

	blob_put_bytes(blob, name, strlen(name));
	blob_zero_to(blob, begun + NAME_SIZE);
}

static void command_end(struct blob *blob)
{
	blob_align(blob, LOADER_COMMAND_SIZE);
}

static void put_allocate(struct blob *blob, const char *file, uint32_t align, uint8_t zone)
{
	blob_put(blob, ALLOCATE, 4);
	put_name(blob, file);
	blob_put(blob, align, 4);
	blob_put(blob, zone, 1);
	command_end(blob);
}

/* What stands at `offset` of `file` is an offset in the tables. */
static void put_pointer(struct blob *blob, const char *file, uint32_t offset)
{
	blob_put(blob, ADD_POINTER, 4);
	put_name(blob, file);
	put_name(blob, LOADER_TABLES_FILE);
	blob_put(blob, offset, 4);
	blob_put(blob, ADDRESS_SIZE, 1);
	command_end(blob);
}

/* The checksum of `size` bytes from `start` on, which is 0 until then. */
static void put_checksum(struct blob *blob, const char *file, uint32_t offset, uint32_t start, uint32_t size)
{
	blob_put(blob, ADD_CHECKSUM, 4);
	put_name(blob, file);
	blob_put(blob, offset, 4);
	blob_put(blob, start, 4);
	blob_put(blob, size, 4);
	command_end(blob);
}

/* ---- What has addresses in it ---- */

static void put_table_checksum(struct blob *blob, uint8_t *tables, uint32_t table)
{
	tables[table + HEADER_CHECKSUM] = 0;
	put_checksum(blob, LOADER_TABLES_FILE, table + HEADER_CHECKSUM, table, read_32(tables + table + HEADER_LENGTH));
}

static void put_fadt(struct blob *blob, uint8_t *tables, uint32_t fadt)
{
	put_pointer(blob, LOADER_TABLES_FILE, fadt + FADT_X_DSDT);
	put_table_checksum(blob, tables, fadt);
}

static void put_xsdt(struct blob *blob, uint8_t *tables, uint32_t xsdt)
{
	uint32_t end = xsdt + read_32(tables + xsdt + HEADER_LENGTH);

	for (uint32_t entry = xsdt + HEADER_SIZE; entry < end; entry += ADDRESS_SIZE) {
		uint32_t table = (uint32_t)read_64(tables + entry);

		if (!memcmp(tables + table, "FACP", 4))
			put_fadt(blob, tables, table);
		put_pointer(blob, LOADER_TABLES_FILE, entry);
	}
	put_table_checksum(blob, tables, xsdt);
}

static void put_commands(struct loader *loader)
{
	struct blob blob = { .bytes = loader->commands, .capacity = sizeof(loader->commands) };

	put_allocate(&blob, LOADER_TABLES_FILE, TABLES_ALIGN, ZONE_HIGH);
	put_allocate(&blob, LOADER_RSDP_FILE, RSDP_ALIGN, ZONE_LOW);
	put_xsdt(&blob, loader->tables, (uint32_t)read_64(loader->rsdp + RSDP_XSDT));
	put_pointer(&blob, LOADER_RSDP_FILE, RSDP_XSDT);
	loader->rsdp[RSDP_EXTENDED_CHECKSUM] = 0;
	put_checksum(&blob, LOADER_RSDP_FILE, RSDP_EXTENDED_CHECKSUM, 0, LOADER_RSDP_SIZE);
	loader->commands_size = blob.size;
}

void loader_build(struct loader *loader, const struct acpi_machine *machine)
{
	struct blob blob = { .bytes = loader->tables, .capacity = sizeof(loader->tables) };

	/* The last one, and the only one that is a file of its own. */
	loader->tables_size = acpi_build(&blob, machine);
	assert(blob.size == loader->tables_size + LOADER_RSDP_SIZE);
	memcpy(loader->rsdp, loader->tables + loader->tables_size, LOADER_RSDP_SIZE);
	put_commands(loader);
}
