/* SPDX-License-Identifier: BSD-2-Clause */
/* What an arm64 kernel wants to have from EFI: see the header. */
#include "boot/efi.h"

#include <assert.h>

#define PAGE_SIZE 4096u

#define MEMORY_CONVENTIONAL 7
#define MEMORY_ACPI_RECLAIM 9
#define MEMORY_WB 8 /* can be cached with write-back: what makes it RAM for Linux */

#define SYSTEM_TABLE_SIGNATURE 0x5453595320494249ull /* "IBI SYST" */
#define SYSTEM_TABLE_SIZE 120
#define SYSTEM_TABLE_CRC 16
#define SYSTEM_TABLE_COUNT 104
#define REVISION_2_10 (2u << 16 | 100u)

/* Linux reads so many bytes of the vendor's name, whatever its length. */
#define VENDOR_SIZE 200

#define GUID_SIZE 16

static const uint8_t guid_acpi_20[GUID_SIZE] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
						 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
static const uint8_t guid_rt_properties[GUID_SIZE] = { 0x8a, 0x91, 0x66, 0xeb, 0xef, 0x7e, 0x2a, 0x40,
						       0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 };
static const uint8_t guid_linux_memreserve[GUID_SIZE] = { 0xc6, 0xb0, 0x8e, 0x88, 0xde, 0x8e, 0xf5, 0x4f,
							  0xa8, 0xf0, 0x9a, 0xee, 0x5c, 0xb9, 0x77, 0xc2 };

/* CRC-32 of ISO 3309, as EFI's table headers have it. */
static uint32_t crc32(const uint8_t *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void put_descriptor(struct blob *blob, uint32_t type, uint64_t start, uint64_t end)
{
	if (start == end)
		return;
	blob_put(blob, type, 8); /* and padding */
	blob_put(blob, start, 8);
	blob_put(blob, 0, 8); /* no virtual address */
	blob_put(blob, (end - start) / PAGE_SIZE, 8);
	blob_put(blob, MEMORY_WB, 8);
}

static void put_memory_map(struct blob *blob, const struct efi_layout *layout, struct efi_tables *tables)
{
	uint64_t ram_end = layout->ram_base + layout->ram_size;
	uint64_t reclaim_end = layout->reclaim_base + layout->reclaim_size;

	assert((layout->ram_base | ram_end | layout->reclaim_base | reclaim_end) % EFI_RECLAIM_ALIGN == 0);
	assert(layout->ram_base <= layout->reclaim_base && reclaim_end <= ram_end);
	blob_align(blob, 8);
	tables->memory_map = blob_address(blob);
	put_descriptor(blob, MEMORY_CONVENTIONAL, layout->ram_base, layout->reclaim_base);
	put_descriptor(blob, MEMORY_ACPI_RECLAIM, layout->reclaim_base, reclaim_end);
	put_descriptor(blob, MEMORY_CONVENTIONAL, reclaim_end, ram_end);
	tables->memory_map_size = (uint32_t)(blob_address(blob) - tables->memory_map);
}

/* Says that no runtime service is there; Linux would call through a null pointer otherwise. */
static uint64_t put_rt_properties(struct blob *blob)
{
	uint64_t address;

	blob_align(blob, 8);
	address = blob_address(blob);
	blob_put(blob, 1, 2); /* version */
	blob_put(blob, 8, 2); /* length */
	blob_put(blob, 0, 4); /* services */
	return address;
}

/* An empty list, to which Linux adds what must survive kexec: the GIC's tables of LPIs. */
static uint64_t put_memreserve(struct blob *blob)
{
	uint64_t address;

	blob_align(blob, 16);
	address = blob_address(blob);
	blob_zero_to(blob, blob->size + 16);
	return address;
}

static uint64_t put_vendor(struct blob *blob)
{
	static const char name[] = "Seaclock";
	size_t start = blob->size;

	for (size_t i = 0; i < sizeof(name); i++)
		blob_put(blob, (uint8_t)name[i], 2); /* UTF-16 */
	blob_zero_to(blob, start + VENDOR_SIZE);
	return blob->base + start;
}

static void put_configuration(struct blob *blob, const uint8_t *guid, uint64_t table)
{
	blob_put_bytes(blob, guid, GUID_SIZE);
	blob_put(blob, table, 8);
}

static uint64_t put_system_table(struct blob *blob, uint64_t vendor, uint64_t configuration, uint64_t count)
{
	size_t table;

	blob_align(blob, 8);
	table = blob->size;
	blob_put(blob, SYSTEM_TABLE_SIGNATURE, 8);
	blob_put(blob, REVISION_2_10, 4);
	blob_put(blob, SYSTEM_TABLE_SIZE, 4);
	blob_put(blob, 0, 8); /* CRC and reserved */
	blob_put(blob, vendor, 8);
	blob_zero_to(blob, table + SYSTEM_TABLE_COUNT); /* no consoles, no services */
	blob_put(blob, count, 8);
	blob_put(blob, configuration, 8);
	assert(blob->size == table + SYSTEM_TABLE_SIZE);
	blob_patch(blob, table + SYSTEM_TABLE_CRC, crc32(blob->bytes + table, SYSTEM_TABLE_SIZE), 4);
	return blob->base + table;
}

void efi_build(struct blob *blob, const struct efi_layout *layout, struct efi_tables *tables)
{
	uint64_t rt_properties = put_rt_properties(blob);
	uint64_t memreserve = put_memreserve(blob);
	uint64_t vendor = put_vendor(blob);
	uint64_t configuration;

	blob_align(blob, 8);
	configuration = blob_address(blob);
	put_configuration(blob, guid_acpi_20, layout->rsdp);
	put_configuration(blob, guid_rt_properties, rt_properties);
	put_configuration(blob, guid_linux_memreserve, memreserve);
	tables->system_table = put_system_table(blob, vendor, configuration, 3);
	put_memory_map(blob, layout, tables);
}
