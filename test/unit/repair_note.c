/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a VMCOREINFO note: what is taken from it, and that nothing else counts as a value. */
#include "unit.h"

#include "../../repair/note.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "OSRELEASE=6.12.1-x\nBUILD-ID=00ff\nPAGESIZE=16384\n"
#define TABLES                                                                                                         \
	"SYMBOL(swapper_pg_dir)=ffffa0aa75079000\nSYMBOL(_stext)=ffffa0aa73810000\n"                                   \
	"NUMBER(kimage_voffset)=0xffffa0aa33600000\n"
#define NAMES                                                                                                          \
	"SYMBOL(kallsyms_names)=1\nSYMBOL(kallsyms_num_syms)=2\nSYMBOL(kallsyms_token_table)=3\n"                      \
	"SYMBOL(kallsyms_token_index)=4\nSYMBOL(kallsyms_offsets)=5\n"
#define BASE "SYMBOL(kallsyms_relative_base)=6\n"

/* Of a copy that ends where the text does, so that the sanitizer sees a read beyond it. */
static int parse(const char *text, size_t size, struct note *note, struct sc_refusal *why)
{
	char *copy = malloc(size + !size);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, size);
	err = sc_note_parse(copy, size, note, why);
	free(copy);
	return err;
}

static void taken(void **state)
{
	const char text[] = "SYMBOL(kallsyms_names)\n" HEAD "LENGTH(free_area.free_list)=6\n" TABLES NAMES BASE;
	struct note note;
	struct sc_refusal why;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &note, &why), 0);
	assert_string_equal(note.release, "6.12.1-x");
	assert_string_equal(note.build_id, "00ff");
	assert_int_equal(note.page_size, 16384);
	assert_int_equal(note.swapper_pg_dir, 0xffffa0aa75079000);
	assert_int_equal(note.stext, 0xffffa0aa73810000);
	assert_int_equal(note.kimage_voffset, 0xffffa0aa33600000);
	assert_int_equal(note.kallsyms_offsets, 5);
	assert_int_equal(note.kallsyms_relative_base, 6);
}

/* Linux 7 has no base; old kernels have no build id. The last line need not end. */
static void optional(void **state)
{
	const char text[] = "OSRELEASE=7.3.4\n" NAMES TABLES "PAGESIZE=4096";
	struct note note;
	struct sc_refusal why;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &note, &why), 0);
	assert_string_equal(note.build_id, "");
	assert_int_equal(note.kallsyms_relative_base, 0);
	assert_int_equal(note.page_size, 4096);
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		enum sc_refusal_reason reason;
		const char *words;
	} cases[] = {
		{ "", SC_REFUSED_ABSENT, "has no OSRELEASE" },
		{ HEAD TABLES, SC_REFUSED_ABSENT, "has no SYMBOL(kallsyms_names)" },
		{ HEAD NAMES, SC_REFUSED_ABSENT, "has no NUMBER(kimage_voffset)" },
		{ TABLES NAMES, SC_REFUSED_ABSENT, "has no OSRELEASE" },
		{ HEAD TABLES NAMES "SYMBOL(_stext)=1\n", SC_REFUSED_DAMAGED, "SYMBOL(_stext) occurs twice" },
		{ HEAD TABLES NAMES "OSRELEASE=6.12.1-x\n", SC_REFUSED_DAMAGED, "OSRELEASE occurs twice" },
		{ HEAD TABLES NAMES "SYMBOL(kallsyms_relative_base)=xyz\n", SC_REFUSED_DAMAGED, "is not a number" },
		{ HEAD TABLES NAMES "SYMBOL(kallsyms_relative_base)=\n", SC_REFUSED_DAMAGED, "is not a number" },
		{ HEAD TABLES NAMES "SYMBOL(kallsyms_relative_base)=1ffffffffffffffff\n", SC_REFUSED_DAMAGED,
		  "is not a number" },
		{ "OSRELEASE=1\nPAGESIZE=4f\n" TABLES NAMES, SC_REFUSED_DAMAGED, "PAGESIZE is not a number" },
		{ "OSRELEASE="
		  "0123456789012345678901234567890123456789012345678901234567890123456789\n" TABLES NAMES,
		  SC_REFUSED_DAMAGED, "OSRELEASE is too long" },
		{ "OSRELEASE=6.12 x\n" TABLES NAMES, SC_REFUSED_DAMAGED, "OSRELEASE has characters" },
		{ "OSRELEASE=6.12\033\n" TABLES NAMES, SC_REFUSED_DAMAGED, "OSRELEASE has characters" },
		{ "OSRELEASE=6.12\nBUILD-ID=00g0\n" TABLES NAMES, SC_REFUSED_DAMAGED, "BUILD-ID has characters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct note note;
		struct sc_refusal why;

		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &note, &why), -(int)cases[i].reason);
		if (!strstr(why.text, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].words);
	}
}

/* Wherever it is cut off, it is refused, or what is left is whole. */
static void cut_off_anywhere(void **state)
{
	const char text[] = HEAD TABLES NAMES;
	struct note note;
	struct sc_refusal why;

	(void)state;
	for (size_t size = 0; size + 2 < strlen(text); size++)
		assert_true(parse(text, size, &note, &why) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(optional),
		cmocka_unit_test(refused),
		cmocka_unit_test(cut_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
