/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables for firmware, which finds its own place for them: files, and the commands that tie them together.
 *
 * Policy: pure. The tables are those of acpi.h, written as if they began at address 0; an address in them is then the
 * offset of a table, and a command tells firmware to add the place that it has chosen. Source: QEMU,
 * hw/acpi/bios-linker-loader.c, whose interface it is; edk2, OvmfPkg/AcpiPlatformDxe.
 */
#ifndef VMM_BOOT_LOADER_H
#define VMM_BOOT_LOADER_H

#include "boot/acpi.h"

#define LOADER_COMMANDS_FILE "etc/table-loader"
#define LOADER_TABLES_FILE "etc/acpi/tables"
#define LOADER_RSDP_FILE "etc/acpi/rsdp"

#define LOADER_TABLES_SIZE 0x10000u
#define LOADER_RSDP_SIZE 36u
#define LOADER_COMMAND_SIZE 128u
#define LOADER_COMMANDS_MAX 16u

struct loader {
	uint8_t tables[LOADER_TABLES_SIZE];
	size_t tables_size;
	uint8_t rsdp[LOADER_RSDP_SIZE];
	uint8_t commands[LOADER_COMMANDS_MAX * LOADER_COMMAND_SIZE];
	size_t commands_size;
};

void loader_build(struct loader *loader, const struct acpi_machine *machine);

#endif
