/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ACPI says of the machine: UART (SPCR), GICv3 and processors (MADT), PSCI (FADT), found from the EFI system
 * table.
 *
 * Policy: static tables only, found by the guest library's walk.
 */
#include "../../guest/acpi.h"
#include "bare.h"

#define EFI_TABLE_COUNT 104
#define EFI_TABLES 112
#define EFI_TABLE_SIZE 24
#define EFI_TABLE_POINTER 16

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

static bool is_acpi_guid(const uint8_t *bytes)
{
	static const uint8_t guid[] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
					0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
	uint32_t i = 0;

	while (i < sizeof(guid) && bytes[i] == guid[i])
		i++;
	return i == sizeof(guid);
}

static const uint8_t *table_at(const uint8_t *pointer)
{
	return (const uint8_t *)(uintptr_t)sc_guest_load(pointer, 8);
}

static const uint8_t *rsdp_find(const uint8_t *system_table)
{
	uint64_t count = sc_guest_load(system_table + EFI_TABLE_COUNT, 8);
	const uint8_t *entry = table_at(system_table + EFI_TABLES);

	for (; count > 0; count--, entry += EFI_TABLE_SIZE)
		if (is_acpi_guid(entry))
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
		if (!(sc_guest_load(entry + MADT_GICC_FLAGS, 4) & MADT_GICC_ENABLED) ||
		    described->cpu_count >= MACHINE_CPUS_MAX)
			return;
		described->mpidr[described->cpu_count++] = sc_guest_load(entry + MADT_GICC_MPIDR, 8);
		gicr_add(described, sc_guest_load(entry + MADT_GICC_GICR, 8), GICR_SIZE);
		return;
	case MADT_GICD:
		described->gicd = sc_guest_load(entry + MADT_GICD_BASE, 8);
		return;
	case MADT_GICR:
		gicr_add(described, sc_guest_load(entry + MADT_GICR_BASE, 8),
			 sc_guest_load(entry + MADT_GICR_LENGTH, 4));
		return;
	default:
		return;
	}
}

static void madt_read(struct machine *described, const uint8_t *table)
{
	uint64_t length = sc_guest_load(table + ACPI_TABLE_LENGTH, 4);

	for (uint64_t at = MADT_ENTRIES; at + 2 <= length && table[at + 1] > 0; at += table[at + 1])
		madt_entry_read(described, table + at);
}

void acpi_read(struct machine *described, uintptr_t efi_system_table)
{
	const uint8_t *rsdp = rsdp_find((const uint8_t *)efi_system_table), *table;

	if (!rsdp)
		return;
	described->rsdp = rsdp;
	table = sc_guest_table(rsdp, "FACP");
	if (table)
		described->psci_smc = !(sc_guest_load(table + FADT_ARM_BOOT_ARCH, 2) & FADT_ARM_PSCI_HVC);
	table = sc_guest_table(rsdp, "SPCR");
	if (table)
		described->uart = sc_guest_load(table + SPCR_ADDRESS, 8);
	table = sc_guest_table(rsdp, "APIC");
	if (table)
		madt_read(described, table);
}
