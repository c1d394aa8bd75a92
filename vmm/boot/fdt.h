/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree of a direct boot: /chosen and nothing else.
 *
 * Policy: any other node would make Linux take the machine's description from here and ignore ACPI. Source: Linux,
 * Documentation/arch/arm/uefi.rst and drivers/firmware/efi/fdtparams.c.
 */
#ifndef VMM_BOOT_FDT_H
#define VMM_BOOT_FDT_H

#include "boot/efi.h"

#include <stddef.h>
#include <stdint.h>

#define FDT_KASLR_SEED_SIZE 8

struct fdt_chosen {
	const struct efi_tables *efi;
	const char *command_line;
	uint64_t initrd_start; /* guest physical; none if the end is 0 */
	uint64_t initrd_end;
	const uint8_t *seed; /* FDT_KASLR_SEED_SIZE bytes for the kernel's place, the rest for its random numbers */
	size_t seed_size;
};

/* Bytes that are enough for the device tree; it has no other part that varies in size. */
size_t fdt_size_max(const struct fdt_chosen *chosen);

/* Writes it into `capacity` >= fdt_size_max() bytes. */
void fdt_write(void *buffer, size_t capacity, const struct fdt_chosen *chosen);

#endif
