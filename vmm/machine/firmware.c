/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that boots by firmware: see the header. */
#include "machine/firmware.h"

#include "base/layout.h"
#include "boot/loader.h"
#include "boot/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Only where it changes something, so that the zeroes that a file is filled up with take no memory. */
static void page_put(struct memory *memory, const struct memory_region *bank, size_t at, const uint8_t *page)
{
	if (!memcmp(bank->host + at, page, MEMORY_PAGE_SIZE))
		return;
	memcpy(bank->host + at, page, MEMORY_PAGE_SIZE);
	memory_mark_dirty(memory, bank->gpa + at, MEMORY_PAGE_SIZE);
}

/* All of the bank is new: what an earlier code had behind this one's end is gone. */
static void code_put(struct memory *memory, const uint8_t *code, size_t size)
{
	const struct memory_region *bank = memory_region(memory, LAYOUT_FLASH_CODE_BASE);

	for (size_t at = 0; at < bank->size; at += MEMORY_PAGE_SIZE) {
		uint8_t page[MEMORY_PAGE_SIZE] = { 0 };
		size_t there = at < size ? size - at : 0;

		memcpy(page, code + (there ? at : 0), there < sizeof(page) ? there : sizeof(page));
		page_put(memory, bank, at, page);
	}
}

static void tree_put(struct memory *memory, const struct acpi_machine *described)
{
	const struct memory_region *ram = &memory->region[0];

	tree_write(ram->host, described, ram->size);
	memory_mark_dirty(memory, ram->gpa, TREE_SIZE);
}

static int tables_put(struct fwcfg *fwcfg, const struct loader *loader, struct error *error)
{
	int result = fwcfg_put(fwcfg, LOADER_TABLES_FILE, loader->tables, loader->tables_size, error);

	if (!result)
		result = fwcfg_put(fwcfg, LOADER_RSDP_FILE, loader->rsdp, sizeof(loader->rsdp), error);
	if (!result)
		result = fwcfg_put(fwcfg, LOADER_COMMANDS_FILE, loader->commands, loader->commands_size, error);
	return result;
}

int firmware_load(struct machine *machine, const struct boot_source *source, struct boot_entry *entry,
		  struct error *error)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int result;

	if (!loader)
		return error_set(error, ENOMEM, "no memory for the firmware's ACPI tables");
	code_put(&machine->memory, source->firmware, source->firmware_size);
	if (source->variables)
		flash_fill(&machine->devices.flash, source->variables, source->variables_size);
	tree_put(&machine->memory, &source->machine);
	loader_build(loader, &source->machine);
	result = tables_put(&machine->devices.fwcfg, loader, error);
	free(loader);
	*entry = (struct boot_entry){ .pc = LAYOUT_FLASH_CODE_BASE };
	return result;
}
