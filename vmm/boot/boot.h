/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot of an arm64 kernel image by ACPI, without firmware: puts the image, the initial RAM disk, an EFI system
 * table, ACPI tables and a device tree that has nothing but /chosen into guest memory.
 *
 * Policy: from bytes to bytes. Files are read by the caller, the memory is the caller's; nothing here depends on the
 * host.
 */
#ifndef VMM_BOOT_BOOT_H
#define VMM_BOOT_BOOT_H

#include "base/error.h"
#include "boot/acpi.h"

#include <stddef.h>
#include <stdint.h>

#define BOOT_SEED_SIZE 64

struct boot_source {
	const void *firmware; /* NULL: direct boot */
	size_t firmware_size;
	const void *variables; /* of the firmware; NULL: as they are */
	size_t variables_size;
	const void *kernel;
	size_t kernel_size;
	const void *initrd; /* NULL: none */
	size_t initrd_size;
	const char *command_line;
	struct acpi_machine machine;  /* which the tables describe */
	uint8_t seed[BOOT_SEED_SIZE]; /* for the kernel's random number generator and KASLR */
};

/* Where the first vCPU starts; x1..x3 are 0 (Documentation/arch/arm64/booting.rst in Linux). */
struct boot_entry {
	uint64_t pc;
	uint64_t x0; /* the device tree */
};

/*
 * Loads everything into guest RAM, `ram_size` bytes of zeroes at `ram`, a multiple of 64 KiB, which the guest sees at
 * LAYOUT_RAM_BASE. -EINVAL for an image that is not a whole arm64 kernel, a command line that is too long for Linux, or
 * a number of vCPUs that the memory map has no room for; -ENOSPC if something does not fit. Nothing has been written
 * then.
 */
int boot_load(const struct boot_source *source, void *ram, uint64_t ram_size, struct boot_entry *entry,
	      struct error *error);

#endif
