/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's symbol table, as any bytes, and a note that has its parts anywhere: it is refused, or what is found was
 * there; and it ends.
 */
#include "fuzz.h"

#include "../../repair/symbols.h"
#include "../fake/linux_kernel.h"

#include <string.h>

#define ARENA 100000u
#define PARTS 8u

static struct linux_kernel kernel;

static void begin(void)
{
	const struct linux_shape shape = { 12, 48, false };

	linux_kernel_begin(&kernel, &shape, "6.12.3");
	linux_kernel_write(&kernel);
}

/* The parts of the table: where the bytes say, or, for 0, where the kernel has them. */
static struct note note_of(const uint16_t *parts)
{
	struct note note = kernel.note;
	uint64_t *const where[] = { &note.kallsyms_names,
				    &note.kallsyms_num_syms,
				    &note.kallsyms_token_table,
				    &note.kallsyms_token_index,
				    &note.kallsyms_offsets,
				    &note.kallsyms_relative_base,
				    &note.stext,
				    &note.swapper_pg_dir };

	for (uint32_t i = 0; i < PARTS; i++)
		if (parts[i])
			*where[i] = LINUX_BASE_VA + LINUX_SYMBOLS + parts[i];
	return note;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[ARENA], whole[0x10000];
	struct sc_guest_port guest = linux_ram_guest(&kernel.ram);
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct symbol symbols[] = { { .name = "cd" }, { .name = "tk_core" } };
	struct sc_refusal why = { 0 };
	struct sc_space space;
	uint16_t parts[PARTS];
	struct note note;
	uint8_t *table;

	if (size < sizeof(parts) || size > sizeof(whole))
		return 0;
	if (!kernel.symbol_count) {
		begin();
		memcpy(whole, linux_ram_at(&kernel.ram, LINUX_IMAGE + LINUX_SYMBOLS, sizeof(whole)), sizeof(whole));
	}
	memcpy(parts, data, sizeof(parts));
	table = linux_ram_at(&kernel.ram, LINUX_IMAGE + LINUX_SYMBOLS, sizeof(whole));
	memcpy(table, whole, sizeof(whole));
	memcpy(table, data + sizeof(parts), size - sizeof(parts));
	note = note_of(parts);
	space = (struct sc_space){
		.guest = &guest, .table = kernel.tables.first, .granule_bits = 12, .va_bits = 48, .pa_bits = 48
	};
	if (sc_symbols_find(&space, &note, &arena, symbols, 2, &why))
		FUZZ_MUST(why.text[0]);
	FUZZ_MUST(kernel.ram.outside == 0);
	return 0;
}
