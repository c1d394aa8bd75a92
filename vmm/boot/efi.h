/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an arm64 kernel wants to have from EFI in order to find ACPI: a system table without services, configuration
 * tables and a memory map.
 *
 * Policy: the state after ExitBootServices(), with no runtime services and saying so. Sources: Unified Extensible
 * Firmware Interface Specification 2.10; Linux, drivers/firmware/efi.
 */
#ifndef VMM_BOOT_EFI_H
#define VMM_BOOT_EFI_H

#include "boot/blob.h"

#define EFI_MEMORY_DESCRIPTOR_SIZE 40
#define EFI_MEMORY_DESCRIPTOR_VERSION 1

/* Memory that the tables are in, which the kernel keeps mapped and never gives away: multiples of this (64 KiB pages).
 */
#define EFI_RECLAIM_ALIGN 0x10000u

/* All addresses are guest physical, all sizes in bytes. */
struct efi_layout {
	uint64_t ram_base;
	uint64_t ram_size;
	uint64_t reclaim_base; /* the tables' memory: part of RAM */
	uint64_t reclaim_size;
	uint64_t rsdp;
};

struct efi_tables {
	uint64_t system_table;
	uint64_t memory_map;
	uint32_t memory_map_size;
};

/* Appends the tables, less than 2 KiB. Base and size of both regions are multiples of EFI_RECLAIM_ALIGN. */
void efi_build(struct blob *blob, const struct efi_layout *layout, struct efi_tables *tables);

#endif
