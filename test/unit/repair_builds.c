/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel whose symbol table has functions only is found by what is known of its build, if that agrees with what its
 * note says.
 *
 * Policy: the table of builds is this file's, and has one, of a made-up kernel.
 */
#include "unit.h"

#include "../../repair/builds.h"
#include "../fake/linux_kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA 200000u
#define RELEASE "6.1.0-50-made-up"
#define FIRST_OF_DATA "tramp_pg_dir"

static struct linux_kernel kernel;
static struct build known;
static uint8_t memory[ARENA];

const struct build *sc_build_of(const char *id)
{
	return known.id && strcmp(known.id, id) == 0 ? &known : NULL;
}

/* A kernel of that build, and what is known of it. */
static int set_up(void **state)
{
	static const struct linux_shape shape = { 12, 48, false };

	(void)state;
	linux_kernel_begin(&kernel, &shape, RELEASE);
	linux_kernel_write(&kernel);
	known = (struct build){ kernel.note.build_id, RELEASE, { 0 } };
	for (uint32_t i = 0; i < BUILD_SYMBOLS; i++)
		known.offset[i] =
			(uint32_t)(linux_kernel_symbol(&kernel, sc_build_names[i])->address - kernel.note.stext);
	kernel.symbol_count = (uint32_t)(linux_kernel_symbol(&kernel, FIRST_OF_DATA) - kernel.symbols);
	linux_kernel_write(&kernel);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	linux_kernel_end(&kernel);
	return 0;
}

static void refused(enum sc_refusal_reason reason, const char *words)
{
	struct sc_guest_port guest = linux_ram_guest(&kernel.ram);
	struct sc_arena arena = { .memory = memory, .size = ARENA };
	struct sc_kernel found;
	struct sc_refusal why;

	assert_int_equal(sc_kernel_find(&guest, &arena, &found, &why), -(int)reason);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	assert_int_equal(kernel.ram.outside, 0);
}

static void build_is_found_by_its_table(void **state)
{
	(void)state;
	/* All symbols, and the types by them; the layout is that of no real kernel. */
	refused(SC_REFUSED_UNKNOWN, "the layout of this kernel's timekeeping is not known");
}

static void another_build_is_not(void **state)
{
	(void)state;
	known.id = "0000000000000000000000000000000000000008";
	refused(SC_REFUSED_ABSENT, "and no table has its build: 0000000000000000000000000000000000000007");
}

static void note_that_disagrees(void **state)
{
	(void)state;
	known.offset[0] += 0x1000;
	refused(SC_REFUSED_DAMAGED, "swapper_pg_dir is elsewhere than its note says");
}

/* What the kernel has itself is not replaced. */
static void functions_are_its_own(void **state)
{
	(void)state;
	linux_kernel_symbol(&kernel, "clockevents_program_event")->name = "clockevents_programming";
	linux_kernel_write(&kernel);
	refused(SC_REFUSED_ABSENT, "the kernel has no symbol clockevents_program_event");
}

static void types_that_are_elsewhere(void **state)
{
	(void)state;
	known.offset[2] += 4;
	refused(SC_REFUSED_DAMAGED, "the kernel's BTF is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(build_is_found_by_its_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_build_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(note_that_disagrees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(functions_are_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(types_that_are_elsewhere, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
