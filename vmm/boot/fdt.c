/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree of a direct boot: see the header. */
#include "boot/fdt.h"

#include <assert.h>
#include <libfdt.h>
#include <string.h>

#define SECURE_BOOT_DISABLED 2

/* Header, structure and names without the command line and the seed: 500 bytes. */
#define FIXED_SIZE 1024

size_t fdt_size_max(const struct fdt_chosen *chosen)
{
	return FIXED_SIZE + strlen(chosen->command_line) + chosen->seed_size;
}

static int put_efi(void *fdt, const struct efi_tables *efi)
{
	int err = 0;

	err |= fdt_property_u64(fdt, "linux,uefi-system-table", efi->system_table);
	err |= fdt_property_u64(fdt, "linux,uefi-mmap-start", efi->memory_map);
	err |= fdt_property_u32(fdt, "linux,uefi-mmap-size", efi->memory_map_size);
	err |= fdt_property_u32(fdt, "linux,uefi-mmap-desc-size", EFI_MEMORY_DESCRIPTOR_SIZE);
	err |= fdt_property_u32(fdt, "linux,uefi-mmap-desc-ver", EFI_MEMORY_DESCRIPTOR_VERSION);
	err |= fdt_property_u32(fdt, "linux,uefi-secure-boot", SECURE_BOOT_DISABLED);
	return err;
}

static int put_chosen(void *fdt, const struct fdt_chosen *chosen)
{
	const uint8_t *seed = chosen->seed;
	int err = 0;

	err |= fdt_begin_node(fdt, "chosen");
	err |= fdt_property_string(fdt, "bootargs", chosen->command_line);
	if (chosen->initrd_end != 0) {
		err |= fdt_property_u64(fdt, "linux,initrd-start", chosen->initrd_start);
		err |= fdt_property_u64(fdt, "linux,initrd-end", chosen->initrd_end);
	}
	err |= fdt_property(fdt, "kaslr-seed", seed, FDT_KASLR_SEED_SIZE);
	err |= fdt_property(fdt, "rng-seed", seed + FDT_KASLR_SEED_SIZE,
			    (int)(chosen->seed_size - FDT_KASLR_SEED_SIZE));
	err |= put_efi(fdt, chosen->efi);
	err |= fdt_end_node(fdt);
	return err;
}

/* libfdt fails only if the buffer is too small, which it is not: the codes are gathered for the assertion alone. */
void fdt_write(void *buffer, size_t capacity, const struct fdt_chosen *chosen)
{
	int err = 0;

	assert(capacity >= fdt_size_max(chosen) && chosen->seed_size > FDT_KASLR_SEED_SIZE);
	err |= fdt_create(buffer, (int)capacity);
	err |= fdt_finish_reservemap(buffer);
	err |= fdt_begin_node(buffer, "");
	err |= fdt_property_u32(buffer, "#address-cells", 2);
	err |= fdt_property_u32(buffer, "#size-cells", 2);
	err |= put_chosen(buffer, chosen);
	err |= fdt_end_node(buffer);
	err |= fdt_finish(buffer);
	assert(err == 0);
	(void)err;
}
