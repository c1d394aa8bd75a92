/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot: see the header.
 *
 * Where things go: the kernel at the bottom of RAM, behind it the device tree and the initial RAM disk (Linux wants
 * that one near itself), the tables at the top, so that the memory between is one piece.
 */
#include "boot/boot.h"

#include "boot/acpi.h"
#include "boot/blob.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "boot/image.h"
#include "base/layout.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ALIGN 0x10000u /* the largest page size of arm64 */
#define TABLES_SIZE 0x10000u
#define COMMAND_LINE_MAX 2047 /* Linux, arm64: COMMAND_LINE_SIZE without the end */
#define DEVICE_TREE_ROOM ALIGN

static_assert(ALIGN % EFI_RECLAIM_ALIGN == 0 && TABLES_SIZE % EFI_RECLAIM_ALIGN == 0, "the tables' memory is aligned");

/* Offsets from the start of RAM. */
struct plan {
	uint64_t kernel;
	uint64_t device_tree;
	uint64_t initrd;
	uint64_t tables;
};

static int check_source(const struct boot_source *source, struct error *error)
{
	size_t length = strlen(source->command_line);

	if (length > COMMAND_LINE_MAX)
		return error_set(error, EINVAL,
				 "the kernel's command line has %zu characters, Linux takes %d: shorten it", length,
				 COMMAND_LINE_MAX);
	if (source->machine.vcpus == 0 || source->machine.vcpus > ACPI_VCPUS_MAX)
		return error_set(error, EINVAL, "%u vCPUs: give 1 to %u", source->machine.vcpus, ACPI_VCPUS_MAX);
	return 0;
}

static uint64_t align_up(uint64_t value)
{
	return (value + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

static uint64_t mib(uint64_t bytes)
{
	return (bytes >> 20) + (bytes % (1u << 20) != 0);
}

static int make_plan(const struct boot_source *source, const struct image *image, uint64_t ram_size, struct plan *plan,
		     struct error *error)
{
	uint64_t end;

	if (image->memory_size > ram_size || source->initrd_size > ram_size)
		return error_set(error, ENOSPC,
				 "the kernel needs %" PRIu64 " MiB and its initial RAM disk %" PRIu64
				 " MiB, the guest has %" PRIu64 ": give it more memory",
				 mib(image->memory_size), mib(source->initrd_size), ram_size >> 20);
	plan->kernel = image->text_offset;
	plan->device_tree = align_up(plan->kernel + image->memory_size);
	plan->initrd = plan->device_tree + DEVICE_TREE_ROOM;
	end = align_up(plan->initrd + source->initrd_size);
	if (end + TABLES_SIZE > ram_size)
		return error_set(error, ENOSPC,
				 "the kernel and its initial RAM disk need %" PRIu64 " MiB, the guest has %" PRIu64
				 ": give it more memory",
				 mib(end + TABLES_SIZE), ram_size >> 20);
	plan->tables = ram_size - TABLES_SIZE;
	return 0;
}

static void write_tables(uint8_t *ram, uint64_t ram_size, uint64_t tables, const struct acpi_machine *machine,
			 struct efi_tables *efi)
{
	struct blob blob = {
		.bytes = ram + tables,
		.capacity = TABLES_SIZE,
		.base = LAYOUT_RAM_BASE + tables,
	};
	struct efi_layout layout = {
		.ram_base = LAYOUT_RAM_BASE,
		.ram_size = ram_size,
		.reclaim_base = LAYOUT_RAM_BASE + tables,
		.reclaim_size = TABLES_SIZE,
	};

	layout.rsdp = acpi_build(&blob, machine);
	efi_build(&blob, &layout, efi);
}

static void write_device_tree(uint8_t *ram, const struct plan *plan, const struct boot_source *source,
			      const struct efi_tables *efi)
{
	struct fdt_chosen chosen = {
		.efi = efi,
		.command_line = source->command_line,
		.seed = source->seed,
		.seed_size = sizeof(source->seed),
	};

	if (source->initrd_size > 0) {
		chosen.initrd_start = LAYOUT_RAM_BASE + plan->initrd;
		chosen.initrd_end = chosen.initrd_start + source->initrd_size;
	}
	fdt_write(ram + plan->device_tree, DEVICE_TREE_ROOM, &chosen);
}

/* What a signed file has behind the kernel's own size is the signature. */
static void write_kernel(uint8_t *ram, const struct plan *plan, const struct boot_source *source,
			 const struct image *image)
{
	size_t size = source->kernel_size < image->memory_size ? source->kernel_size : image->memory_size;

	memcpy(ram + plan->kernel, source->kernel, size);
}

int boot_load(const struct boot_source *source, void *ram, uint64_t ram_size, struct boot_entry *entry,
	      struct error *error)
{
	struct efi_tables efi;
	struct image image = { 0 };
	struct plan plan = { 0 };
	int err;

	assert(ram_size % ALIGN == 0);
	err = check_source(source, error);
	if (!err)
		err = image_parse(source->kernel, source->kernel_size, &image, error);
	if (!err)
		err = make_plan(source, &image, ram_size, &plan, error);
	if (err)
		return err;
	write_kernel(ram, &plan, source, &image);
	if (source->initrd_size > 0)
		memcpy((uint8_t *)ram + plan.initrd, source->initrd, source->initrd_size);
	write_tables(ram, ram_size, plan.tables, &source->machine, &efi);
	write_device_tree(ram, &plan, source, &efi);
	entry->pc = LAYOUT_RAM_BASE + plan.kernel;
	entry->x0 = LAYOUT_RAM_BASE + plan.device_tree;
	return 0;
}
