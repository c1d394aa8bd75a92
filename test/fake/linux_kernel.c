/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with a Linux kernel: see the header. */
#include "linux_kernel.h"

#include "../../repair/series.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_KEY "PAGESIZE=%" PRIu64 "\n"
#define KEY(name) "SYMBOL(" name ")=%" PRIx64 "\n"

uint32_t linux_note_write(struct linux_ram *ram, uint64_t address, const struct note *note)
{
	static const char name[12] = "VMCOREINFO";
	char *text = (char *)linux_ram_at(ram, address, 4096) + 24;
	int size = sprintf(text,
			   "OSRELEASE=%s\nBUILD-ID=%s\n" PAGE_KEY KEY("swapper_pg_dir") KEY("_stext")
				   KEY("kallsyms_names") KEY("kallsyms_num_syms") KEY("kallsyms_token_table")
					   KEY("kallsyms_token_index") KEY("kallsyms_offsets"),
			   note->release, note->build_id, note->page_size, note->swapper_pg_dir, note->stext,
			   note->kallsyms_names, note->kallsyms_num_syms, note->kallsyms_token_table,
			   note->kallsyms_token_index, note->kallsyms_offsets);

	if (note->kallsyms_relative_base)
		size += sprintf(text + size, KEY("kallsyms_relative_base"), note->kallsyms_relative_base);
	size += sprintf(text + size, "NUMBER(kimage_voffset)=0x%" PRIx64 "\nKERNELOFFSET=0\n", note->kimage_voffset);
	linux_ram_store(ram, address, 11, 4);
	linux_ram_store(ram, address + 4, (uint64_t)size, 4);
	linux_ram_store(ram, address + 8, 0, 4);
	memcpy(linux_ram_at(ram, address + 12, 12), name, 12);
	return (uint32_t)size;
}

static void add_symbol(struct linux_kernel *kernel, char kind, const char *name, uint64_t offset)
{
	assert(kernel->symbol_count < LINUX_SYMBOLS_MAX);
	kernel->symbols[kernel->symbol_count++] = (struct linux_symbol){ kind, name, LINUX_BASE_VA + offset };
}

static void add_symbols(struct linux_kernel *kernel, uint8_t series)
{
	uint64_t swapper = kernel->note.swapper_pg_dir - LINUX_BASE_VA;

	add_symbol(kernel, 'T', "_text", 0);
	add_symbol(kernel, 'T', "_stext", LINUX_STEXT);
	add_symbol(kernel, 't', "clock_unrelated", LINUX_STEXT + 0x100);
	for (uint32_t i = 0; i < sc_series_function_count; i++)
		if (sc_series_functions[i].in & series)
			add_symbol(kernel, 't', sc_series_functions[i].name,
				   LINUX_FUNCTIONS + LINUX_FUNCTION_SIZE * sc_series_functions[i].function);
	add_symbol(kernel, 't', "clock_behind_them", LINUX_FUNCTIONS + LINUX_FUNCTION_SIZE * SC_FUNCTION_COUNT);
	add_symbol(kernel, 'd', "tramp_pg_dir", swapper - 2 * kernel->note.page_size);
	add_symbol(kernel, 'D', "swapper_pg_dir", swapper);
	add_symbol(kernel, 'R', "__start_BTF", LINUX_TYPES);
	add_symbol(kernel, 'R', "__stop_BTF", LINUX_TYPES);
	for (uint32_t i = 0; i < sc_series_variable_count; i++)
		if (sc_series_variables[i].in & series)
			add_symbol(kernel, 'd', sc_series_variables[i].name,
				   LINUX_VARIABLES + 0x100ull * sc_series_variables[i].variable);
}

/* The type of a member of `size` bytes: a number, or an array of bytes. */
static uint32_t member_type(struct linux_types *types, uint32_t size)
{
	if (size == 1 || size == 4 || size == 8)
		return linux_type_int(types, "number", size);
	return linux_type_array(types, linux_type_int(types, "byte", 1), size);
}

static void add_struct(struct linux_types *types, const struct series_struct *row, uint8_t series,
		       const struct sc_layout *layout)
{
	struct linux_member members[40];
	uint32_t count = 0, size = 0;

	for (uint32_t i = 0; i < sc_series_field_count; i++) {
		const struct series_field *field = &sc_series_fields[i];

		if (field->structure != row->structure || !(field->in & series))
			continue;
		size = layout ? layout->field[field->field].offset : (size + 7) & ~7u;
		members[count++] = (struct linux_member){ field->name, member_type(types, field->size), size * 8, 0 };
		size += field->size;
	}
	linux_type_struct(types, LINUX_KIND_STRUCT, row->name ? row->name : "",
			  layout ? layout->size[row->structure] : (size + 7) & ~7u, members, count);
}

static void add_structs(struct linux_types *types, uint8_t series, const struct sc_layout *layout)
{
	linux_types_begin(types);
	linux_type_int(types, "char", 1);
	for (uint32_t i = 0; i < sc_series_struct_count; i++)
		if (sc_series_structs[i].in & series)
			add_struct(types, &sc_series_structs[i], series, layout);
}

void linux_kernel_begin(struct linux_kernel *kernel, const struct linux_shape *shape, const char *release)
{
	struct sc_series of_release = { 0, 0 };
	uint8_t series = sc_series_of_release(release, &of_release) ? sc_series_bit(&of_release) : 0;

	memset(kernel, 0, sizeof(*kernel));
	linux_ram_begin(&kernel->ram, LINUX_RAM, LINUX_RAM_SIZE, 0);
	linux_tables_begin(&kernel->tables, &kernel->ram, shape, LINUX_IMAGE + LINUX_TABLES);
	(void)snprintf(kernel->note.release, sizeof(kernel->note.release), "%s", release);
	(void)snprintf(kernel->note.build_id, sizeof(kernel->note.build_id), "%040d", 7);
	kernel->note.page_size = 1ull << shape->granule_bits;
	kernel->note.kimage_voffset = LINUX_BASE_VA - LINUX_IMAGE;
	kernel->note.swapper_pg_dir = LINUX_BASE_VA + LINUX_TABLES;
	kernel->note.stext = LINUX_BASE_VA + LINUX_STEXT;
	kernel->encoding = of_release.major >= 7 ? LINUX_PLACE : LINUX_BASE;
	add_symbols(kernel, series);
	add_structs(&kernel->types, series, NULL);
}

void linux_kernel_keep_time(struct linux_kernel *kernel, struct linux_clock *clock)
{
	const struct sc_kernel *made = &clock->kernel;
	uint8_t series = sc_series_bit(&made->layout.series);

	assert(made->code[0].start == LINUX_BASE_VA + LINUX_FUNCTIONS);
	add_structs(&kernel->types, series, &made->layout);
	for (uint32_t i = 0; i < sc_series_variable_count; i++)
		if (sc_series_variables[i].in & series)
			linux_kernel_symbol(kernel, sc_series_variables[i].name)->address =
				made->address[sc_series_variables[i].variable];
	memcpy(linux_ram_at(&kernel->ram, LINUX_CLOCK_DATA, LINUX_CLOCK_DATA_SIZE),
	       linux_ram_at(&clock->ram, LINUX_CLOCK_DATA, LINUX_CLOCK_DATA_SIZE), LINUX_CLOCK_DATA_SIZE);
	for (uint64_t at = 0; at < LINUX_CLOCK_DATA_SIZE; at += kernel->note.page_size)
		linux_tables_map(&kernel->tables, LINUX_CLOCK_VA + at, LINUX_CLOCK_DATA + at, 3);
}

void linux_kernel_write(struct linux_kernel *kernel)
{
	uint64_t page = kernel->note.page_size;
	uint8_t *types = linux_ram_at(&kernel->ram, LINUX_IMAGE + LINUX_TYPES, LINUX_VARIABLES - LINUX_TYPES);
	size_t size = linux_types_write(&kernel->types, types, LINUX_VARIABLES - LINUX_TYPES);
	struct linux_symbol *stop = linux_kernel_symbol(kernel, "__stop_BTF");

	if (stop)
		stop->address = LINUX_BASE_VA + LINUX_TYPES + size;
	for (uint64_t at = 0; at < LINUX_IMAGE_SIZE; at += page)
		linux_tables_map(&kernel->tables, LINUX_BASE_VA + at, LINUX_IMAGE + at, 3);
	linux_symbols_write(linux_ram_at(&kernel->ram, LINUX_IMAGE + LINUX_SYMBOLS, 0x10000),
			    LINUX_BASE_VA + LINUX_SYMBOLS, kernel->encoding, LINUX_BASE_VA, kernel->symbols,
			    kernel->symbol_count, &kernel->note);
	linux_note_write(&kernel->ram, LINUX_NOTE, &kernel->note);
}

void linux_kernel_end(struct linux_kernel *kernel)
{
	linux_ram_end(&kernel->ram);
}

struct linux_symbol *linux_kernel_symbol(struct linux_kernel *kernel, const char *name)
{
	for (uint32_t i = 0; i < kernel->symbol_count; i++)
		if (strcmp(kernel->symbols[i].name, name) == 0)
			return &kernel->symbols[i];
	return NULL;
}
