/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's symbols: every encoding gives the addresses that went into it, and damage is refused, within bounds. */
#include "unit.h"

#include "../../repair/symbols.h"
#include "../fake/linux_kernel.h"

#include <stdlib.h>
#include <string.h>

static const struct linux_shape shape = { 12, 48, false };

struct fixture {
	struct linux_kernel kernel;
	struct sc_guest_port guest;
	struct sc_space space;
	struct sc_arena arena;
	struct sc_refusal why;
};

#define ARENA 100000u

static struct fixture *begin(enum linux_encoding encoding)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	linux_kernel_begin(&fixture->kernel, &shape, "6.12.3");
	fixture->kernel.encoding = encoding;
	fixture->arena = (struct sc_arena){ .memory = malloc(ARENA), .size = ARENA };
	fixture->guest = linux_ram_guest(&fixture->kernel.ram);
	return fixture;
}

static void end(struct fixture *fixture)
{
	assert_int_equal(fixture->kernel.ram.outside, 0);
	linux_kernel_end(&fixture->kernel);
	free(fixture->arena.memory);
	free(fixture);
}

static int find(struct fixture *fixture, struct symbol *symbols, uint32_t count)
{
	fixture->arena.used = 0;
	fixture->space = (struct sc_space){ .guest = &fixture->guest,
					    .table = fixture->kernel.tables.first,
					    .granule_bits = 12,
					    .va_bits = 48,
					    .pa_bits = 48 };
	return sc_symbols_find(&fixture->space, &fixture->kernel.note, &fixture->arena, symbols, count, &fixture->why);
}

static void refused(struct fixture *fixture, const char *words)
{
	struct symbol symbol = { .name = "cd", .address = 4711 };

	assert_true(find(fixture, &symbol, 1) < 0);
	assert_int_equal(symbol.address, 4711);
	if (!strstr(fixture->why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", fixture->why.text, words);
}

static void every_symbol_in_every_encoding(void **state)
{
	(void)state;
	for (enum linux_encoding encoding = LINUX_BASE; encoding <= LINUX_PLACE; encoding++) {
		struct fixture *fixture = begin(encoding);
		struct symbol found[LINUX_SYMBOLS_MAX];
		uint32_t count = fixture->kernel.symbol_count;

		linux_kernel_write(&fixture->kernel);
		for (uint32_t i = 0; i < count; i++)
			found[i].name = fixture->kernel.symbols[i].name;
		if (find(fixture, found, count))
			fail_msg("%s", fixture->why.text);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(found[i].count, 1);
			assert_int_equal(found[i].address, fixture->kernel.symbols[i].address);
		}
		end(fixture);
	}
}

/* Where the next one lies: not those at the same address. */
static void ends(void **state)
{
	struct fixture *fixture = begin(LINUX_BASE);
	struct symbol found[] = { { .name = "_text" }, { .name = "clockevents_program_event" }, { .name = "cd" } };
	struct linux_kernel *kernel = &fixture->kernel;
	uint64_t last;

	(void)state;
	linux_kernel_symbol(kernel, "_stext")->address -= LINUX_STEXT;
	kernel->note.stext -= LINUX_STEXT;
	linux_kernel_symbol(kernel, "cd")->name = "dc";
	last = kernel->symbols[kernel->symbol_count - 1].address;
	kernel->symbols[kernel->symbol_count - 1].name = "cd";
	linux_kernel_write(kernel);
	assert_int_equal(find(fixture, found, ARRAY_SIZE(found)), 0);
	assert_int_equal(found[0].end, linux_kernel_symbol(kernel, "clock_unrelated")->address);
	assert_int_equal(found[1].end, found[1].address + LINUX_FUNCTION_SIZE);
	assert_int_equal(found[2].address, last);
	assert_int_equal(found[2].end, 0);
	end(fixture);
}

static void absent_and_twice(void **state)
{
	struct fixture *fixture = begin(LINUX_BASE);
	struct symbol found[] = { { .name = "c" }, { .name = "cd" }, { .name = "cdd" }, { .name = "" } };

	(void)state;
	linux_kernel_symbol(&fixture->kernel, "clock_unrelated")->name = "cd";
	linux_kernel_write(&fixture->kernel);
	assert_int_equal(find(fixture, found, ARRAY_SIZE(found)), 0);
	assert_int_equal(found[0].count, 0);
	assert_int_equal(found[1].count, 2);
	assert_int_equal(found[2].count, 0);
	assert_int_equal(found[3].count, 0);
	end(fixture);
}

/* As many at once as may be: the last name as well as the first. */
static void as_many_as_may_be(void **state)
{
	struct fixture *fixture = begin(LINUX_BASE);
	struct symbol found[SYMBOLS_WANTED_MAX];
	uint32_t count = fixture->kernel.symbol_count;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	for (uint32_t i = 0; i < SYMBOLS_WANTED_MAX; i++)
		found[i].name = fixture->kernel.symbols[i % count].name;
	assert_int_equal(find(fixture, found, SYMBOLS_WANTED_MAX), 0);
	for (uint32_t i = 0; i < SYMBOLS_WANTED_MAX; i++) {
		assert_int_equal(found[i].count, 1);
		assert_int_equal(found[i].address, fixture->kernel.symbols[i % count].address);
	}
	end(fixture);
}

/* More than 127 tokens take two bytes of length; more than 511 characters no kernel has. */
static void long_names(void **state)
{
	char name[600];
	struct symbol found = { .name = name };
	struct fixture *fixture = begin(LINUX_BASE);

	(void)state;
	memset(name, 'x', sizeof(name));
	name[500] = '\0';
	linux_kernel_symbol(&fixture->kernel, "clock_unrelated")->name = name;
	linux_kernel_write(&fixture->kernel);
	assert_int_equal(find(fixture, &found, 1), 0);
	assert_int_equal(found.address, LINUX_BASE_VA + LINUX_STEXT + 0x100);
	name[500] = 'x';
	name[599] = '\0';
	linux_kernel_write(&fixture->kernel);
	refused(fixture, "a name is too long");
	end(fixture);
}

/* As many names as there may be, of 128 bytes each: the search gives up when it has read far more than kernels have. */
static void names_without_end(void **state)
{
	const uint64_t size = 2u << 20, va = LINUX_BASE_VA + (1u << 30), pa = LINUX_RAM + size;
	struct fixture *fixture = begin(LINUX_BASE);
	struct linux_ram *ram = &fixture->kernel.ram;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	memset(linux_ram_at(ram, pa, size), 'x', size);
	for (uint64_t at = 0; at < size; at += 128)
		linux_ram_store(ram, pa + at, 127, 1);
	for (uint64_t at = 0; at < 16 * size; at += size)
		linux_tables_map(&fixture->kernel.tables, va + at, pa, 2);
	linux_ram_store(ram, fixture->kernel.note.kallsyms_num_syms - (LINUX_BASE_VA - LINUX_IMAGE), 1u << 20, 4);
	fixture->kernel.note.kallsyms_names = va;
	refused(fixture, "its names are too long");
	assert_in_range(ram->read, 16u << 20, 17u << 20);
	end(fixture);
}

static void damage(void **state)
{
	struct fixture *fixture = begin(LINUX_BASE);
	struct linux_ram *ram = &fixture->kernel.ram;
	uint64_t parts = LINUX_IMAGE - LINUX_BASE_VA;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	linux_ram_store(ram, fixture->kernel.note.kallsyms_num_syms + parts, 0, 4);
	refused(fixture, "it is empty");
	linux_ram_store(ram, fixture->kernel.note.kallsyms_num_syms + parts, UINT32_MAX, 4);
	refused(fixture, "no kernel has so many symbols");
	/* More than there are: zeroes follow. */
	linux_ram_store(ram, fixture->kernel.note.kallsyms_num_syms + parts, 1000, 4);
	refused(fixture, "a name is empty");
	linux_kernel_write(&fixture->kernel);
	linux_ram_store(ram, fixture->kernel.note.kallsyms_token_index + parts + 2 * 'c', 0xffff, 2);
	refused(fixture, "a token has no end");
	/* The token 200 is one of those that are not used. */
	linux_kernel_write(&fixture->kernel);
	linux_ram_store(ram, fixture->kernel.note.kallsyms_names + parts + 1, 200, 1);
	refused(fixture, "a token is empty");
	linux_kernel_write(&fixture->kernel);
	linux_ram_store(ram, fixture->kernel.note.kallsyms_relative_base + parts, LINUX_BASE_VA + 16, 8);
	refused(fixture, "_stext is elsewhere");
	end(fixture);
}

static void parts_that_lie_nowhere(void **state)
{
	struct fixture *fixture = begin(LINUX_BASE);
	struct note *note = &fixture->kernel.note, whole;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	whole = *note;
	note->kallsyms_names = LINUX_BASE_VA + LINUX_IMAGE_SIZE;
	refused(fixture, "is not mapped");
	*note = whole;
	note->kallsyms_token_table = UINT64_MAX - 3;
	refused(fixture, "is not mapped");
	*note = whole;
	note->kallsyms_offsets = 4;
	refused(fixture, "is not a kernel address");
	*note = whole;
	note->kallsyms_num_syms = UINT64_MAX;
	refused(fixture, "is not mapped");
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_symbol_in_every_encoding),
		cmocka_unit_test(ends),
		cmocka_unit_test(absent_and_twice),
		cmocka_unit_test(as_many_as_may_be),
		cmocka_unit_test(long_names),
		cmocka_unit_test(names_without_end),
		cmocka_unit_test(damage),
		cmocka_unit_test(parts_that_lie_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
