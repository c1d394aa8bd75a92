/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI says of the machine: UART (SPCR), GICv3 and processors (MADT), PSCI (FADT), found from the EFI system
 * table.
 *
 * Policy: static tables only. Source: Advanced Configuration and Power Interface Specification 6.3.
 */
#include "bare.h"

#define EFI_TABLE_COUNT 104
#define EFI_TABLES 112
#define EFI_TABLE_SIZE 24
#define EFI_TABLE_POINTER 16

#define RSDP_XSDT 24
#define TABLE_LENGTH 4
#define TABLE_HEADER 36

#define FADT_ARM_BOOT_ARCH 129
#define FADT_ARM_PSCI_HVC 2
#define SPCR_ADDRESS 44
#define MADT_ENTRIES 44
#define MADT_GICC 0x0b
#define MADT_GICC_FLAGS 12
#define MADT_GICC_ENABLED 1
#define MADT_GICC_GICR 60
#define MADT_GICC_MPIDR 68
#define MADT_GICD 0x0c
#define MADT_GICD_BASE 8
#define MADT_GICR 0x0e
#define MADT_GICR_BASE 4
#define MADT_GICR_LENGTH 12
#define GICR_SIZE 0x20000u

static uint64_t load(const uint8_t *bytes, uint32_t count)
{
	uint64_t value = 0;

	for (uint32_t i = count; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

static bool same(const uint8_t *bytes, const void *other, uint32_t count)
{
	const uint8_t *with = other;
	uint32_t i = 0;

	while (i < count && bytes[i] == with[i])
		i++;
	return i == count;
}

static const uint8_t *table_at(const uint8_t *pointer)
{
	return (const uint8_t *)(uintptr_t)load(pointer, 8);
}

static const uint8_t *rsdp_find(const uint8_t *system_table)
{
	static const uint8_t guid[] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
					0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
	uint64_t count = load(system_table + EFI_TABLE_COUNT, 8);
	const uint8_t *entry = table_at(system_table + EFI_TABLES);

	for (; count > 0; count--, entry += EFI_TABLE_SIZE)
		if (same(entry, guid, sizeof(guid)))
			return table_at(entry + EFI_TABLE_POINTER);
	return NULL;
}

static void gicr_add(struct machine *described, uint64_t base, uint64_t size)
{
	if (!base || described->gicr_count >= MACHINE_REGIONS_MAX)
		return;
	described->gicr[described->gicr_count].base = base;
	described->gicr[described->gicr_count++].size = size;
}

static void madt_entry_read(struct machine *described, const uint8_t *entry)
{
	switch (entry[0]) {
	case MADT_GICC:
		if (!(load(entry + MADT_GICC_FLAGS, 4) & MADT_GICC_ENABLED) || described->cpu_count >= MACHINE_CPUS_MAX)
			return;
		described->mpidr[described->cpu_count++] = load(entry + MADT_GICC_MPIDR, 8);
		gicr_add(described, load(entry + MADT_GICC_GICR, 8), GICR_SIZE);
		return;
	case MADT_GICD:
		described->gicd = load(entry + MADT_GICD_BASE, 8);
		return;
	case MADT_GICR:
		gicr_add(described, load(entry + MADT_GICR_BASE, 8), load(entry + MADT_GICR_LENGTH, 4));
		return;
	default:
		return;
	}
}

static void table_read(struct machine *described, const uint8_t *table)
{
	uint64_t length = load(table + TABLE_LENGTH, 4);

	if (same(table, "FACP", 4))
		described->psci_smc = !(load(table + FADT_ARM_BOOT_ARCH, 2) & FADT_ARM_PSCI_HVC);
	else if (same(table, "SPCR", 4))
		described->uart = load(table + SPCR_ADDRESS, 8);
	else if (same(table, "APIC", 4))
		for (uint64_t at = MADT_ENTRIES; at + 2 <= length && table[at + 1] > 0; at += table[at + 1])
			madt_entry_read(described, table + at);
}

void acpi_read(struct machine *described, uintptr_t efi_system_table)
{
	const uint8_t *rsdp = rsdp_find((const uint8_t *)efi_system_table), *xsdt;
	uint64_t length;

	if (!rsdp)
		return;
	described->rsdp = rsdp;
	xsdt = table_at(rsdp + RSDP_XSDT);
	length = load(xsdt + TABLE_LENGTH, 4);
	for (uint64_t at = TABLE_HEADER; at + 8 <= length; at += 8)
		table_read(described, table_at(xsdt + at));
}
