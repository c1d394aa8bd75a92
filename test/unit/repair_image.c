/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real kernels, Debian's: known by their files, and found in a guest's memory that has one of them, with a note and
 * tables made here.
 *
 * Policy: a kernel that has a row in the table of known layouts must be known, by the fingerprint of its row. One that
 * is newer than the table is no failure; it must be refused with the reason.
 */
#include "image_fixture.h"

#include "../../repair/known.h"
#include "../../repair/series.h"
#include "../fake/linux_kernel.h"

#include <seaclock/repair.h>

#define BASE_VA 0xffff800080000000u
#define RAM_SIZE (96u << 20)
#define PLACE (LINUX_RAM + 0x200000u)
#define NOTE (LINUX_RAM + 0x10000u)
#define BLOCK (2u << 20)
#define LETTERS_57 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcde"

static struct sc_arena arena;

static int arena_begin(void **state)
{
	(void)state;
	arena = (struct sc_arena){ .memory = malloc(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE };
	return arena.memory ? 0 : -1;
}

static int arena_end(void **state)
{
	(void)state;
	free(arena.memory);
	return 0;
}

static const struct known_row *row_of(const char *release)
{
	for (uint32_t i = 0; i < sc_known_row_count; i++)
		if (strcmp(sc_known_rows[i].build, release) == 0)
			return &sc_known_rows[i];
	return NULL;
}

/* Known as its row says; without one, by an older build's, or refused because its layout or series is not there. */
static void judged(int err, const char *release, const struct sc_kernel *kernel, const struct sc_refusal *why)
{
	const struct known_row *row = row_of(release);

	if (err && (row || err != -SC_REFUSED_UNKNOWN || !strstr(why->text, "not known")))
		fail_msg("%s: %s", release, why->text);
	if (!err)
		assert_non_null(kernel->known_by);
	if (row)
		assert_int_equal(kernel->layout.fingerprint, row->fingerprint);
}

/* The files that there are; visibly skipped if there are none. */
static void for_each_image(void (*try)(const struct image_file *image))
{
	size_t tried = 0;

	for (size_t i = 0; i < ARRAY_SIZE(image_paths); i++) {
		struct image_file image;

		if (!image_read(image_paths[i], &image))
			continue;
		arena.used = 0;
		try(&image);
		free(image.bytes);
		tried++;
	}
	if (!tried)
		skip();
}

static void file_is_known(const struct image_file *image)
{
	struct sc_kernel kernel;
	struct sc_refusal why;
	int err = sc_kernel_of_image(image->bytes, image->size, &arena, &kernel, &why);

	judged(err, kernel.release, &kernel, &why);
}

static void files_are_known(void **state)
{
	(void)state;
	for_each_image(file_is_known);
}

static void files_that_are_no_kernels(void **state)
{
	static const struct {
		const char *bytes;
		const char *words;
	} cases[] = {
		{ "", "does not say of which release" },
		{ "Linux version %s (%s)", "does not say of which release" },
		{ "Linux version 6.12.3-x (y)", "has no BTF" },
		{ "Linux version ", "does not say of which release" },
		/* Of 64 characters, and of one more. */
		{ "Linux version 6.12.3-" LETTERS_57 " (x)", "has no BTF" },
		{ "Linux version 6.12.3-" LETTERS_57 "x (x)", "does not say of which release" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sc_kernel kernel;
		struct sc_refusal why;

		arena.used = 0;
		assert_int_equal(sc_kernel_of_image(cases[i].bytes, strlen(cases[i].bytes), &arena, &kernel, &why),
				 -SC_REFUSED_ABSENT);
		if (!strstr(why.text, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].words);
		assert_string_equal(kernel.release, "");
	}
}

/* A guest with the kernel in its memory, as it is after the boot as far as repair/ looks. */
static void place_kernel(struct linux_ram *ram, const struct image_file *image, const struct image_symbols *symbols,
			 const char *release)
{
	const struct linux_shape shape = { 12, 48, false };
	uint64_t swapper = image_symbol(image, symbols, "swapper_pg_dir");
	struct note note = { .page_size = 4096,
			     .kimage_voffset = BASE_VA - PLACE,
			     .swapper_pg_dir = BASE_VA + swapper,
			     .stext = BASE_VA + image_symbol(image, symbols, "_stext"),
			     .kallsyms_names = BASE_VA + symbols->names,
			     .kallsyms_num_syms = BASE_VA + symbols->num_syms,
			     .kallsyms_token_table = BASE_VA + symbols->token_table,
			     .kallsyms_token_index = BASE_VA + symbols->token_index,
			     .kallsyms_offsets = BASE_VA + symbols->offsets,
			     .kallsyms_relative_base = BASE_VA + symbols->relative_base };
	struct linux_tables tables;

	(void)snprintf(note.release, sizeof(note.release), "%s", release);
	assert_true(image->size <= RAM_SIZE - (PLACE - LINUX_RAM));
	linux_ram_begin(ram, LINUX_RAM, RAM_SIZE, 0);
	memcpy(linux_ram_at(ram, PLACE, image->size), image->bytes, image->size);
	linux_ram_store(ram, PLACE + symbols->relative_base, BASE_VA, 8);
	/* The tables overwrite code that the kernel needs for its boot only. */
	memset(linux_ram_at(ram, PLACE + swapper, 0x4000), 0, 0x4000);
	linux_tables_begin(&tables, ram, &shape, PLACE + swapper);
	for (uint64_t at = 0; at < image->size; at += BLOCK)
		linux_tables_map(&tables, BASE_VA + at, PLACE + at, 2);
	linux_note_write(ram, NOTE, &note);
}

static void find_in_memory(const struct image_file *image)
{
	struct image_symbols symbols;
	struct linux_ram ram;
	struct sc_guest_port guest;
	struct sc_kernel kernel, by_file;
	struct sc_refusal why;
	int err;

	(void)sc_kernel_of_image(image->bytes, image->size, &arena, &by_file, &why);
	image_find_symbols(image, &symbols);
	place_kernel(&ram, image, &symbols, by_file.release);
	guest = linux_ram_guest(&ram);
	arena.used = 0;
	err = sc_kernel_find(&guest, &arena, &kernel, &why);
	judged(err, by_file.release, &kernel, &why);
	assert_int_equal(ram.outside, 0);
	for (uint32_t n = 0; !err && n < sc_series_variable_count; n++) {
		const struct series_variable *variable = &sc_series_variables[n];

		if (!(variable->in & sc_series_bit(&kernel.layout.series)))
			continue;
		assert_int_equal(kernel.address[variable->variable],
				 BASE_VA + image_symbol(image, &symbols, variable->name));
	}
	for (uint32_t n = 0; !err && n < sc_series_function_count; n++) {
		const struct sc_code *code = &kernel.code[sc_series_functions[n].function];

		if (!(sc_series_functions[n].in & sc_series_bit(&kernel.layout.series)))
			continue;
		assert_int_equal(code->start, BASE_VA + image_symbol(image, &symbols, sc_series_functions[n].name));
		/* The shortest of these is seven instructions, the longest a hundred. */
		assert_in_range(code->end - code->start, 28, 800);
	}
	linux_ram_end(&ram);
	free(symbols.text);
}

static void kernel_in_memory_is_found(void **state)
{
	(void)state;
	for_each_image(find_in_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_known),
		cmocka_unit_test(files_that_are_no_kernels),
		cmocka_unit_test(kernel_in_memory_is_found),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
