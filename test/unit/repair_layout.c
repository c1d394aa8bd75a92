/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of a made-up kernel, and its fingerprint: it changes with any member of a structure that is used, also
 * with one that is not, and with nothing else.
 */
#include "unit.h"

#include "../../repair/layout.h"
#include "../fake/linux_kernel.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 20000u

struct fixture {
	struct linux_kernel kernel;
	uint8_t bytes[BYTES_MAX];
	uint8_t memory[20000];
	struct sc_refusal why;
};

static struct fixture *begin(void)
{
	const struct linux_shape shape = { 12, 48, false };
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	linux_kernel_begin(&fixture->kernel, &shape, "6.12.3");
	return fixture;
}

static void end(struct fixture *fixture)
{
	linux_kernel_end(&fixture->kernel);
	free(fixture);
}

static int read_layout(struct fixture *fixture, struct sc_series series, struct sc_layout *layout)
{
	struct sc_arena arena = { .memory = fixture->memory, .size = sizeof(fixture->memory) };
	size_t size = linux_types_write(&fixture->kernel.types, fixture->bytes, BYTES_MAX);
	struct types types;

	if (sc_types_open(&types, fixture->bytes, size, &arena, &fixture->why))
		fail_msg("%s", fixture->why.text);
	return sc_layout_read(layout, &series, &types, &fixture->why);
}

static uint64_t fingerprint(struct fixture *fixture)
{
	struct sc_layout layout;

	if (read_layout(fixture, (struct sc_series){ 6, 12 }, &layout))
		fail_msg("%s", fixture->why.text);
	return layout.fingerprint;
}

static void places(void **state)
{
	struct fixture *fixture = begin();
	struct sc_layout layout;

	(void)state;
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), 0);
	assert_int_equal(layout.field[SC_READ_BASE_MASK].offset, 8);
	assert_int_equal(layout.field[SC_READ_BASE_MASK].size, 8);
	assert_int_equal(layout.field[SC_READ_BASE_MULT].size, 4);
	assert_int_equal(layout.field[SC_CORE_TIMEKEEPER].size, 280);
	assert_int_equal(layout.size[SC_STRUCT_READ_BASE], 64);
	/* What the series has not. */
	assert_int_equal(layout.field[SC_TK_COARSE_NSEC].size, 0);
	assert_int_equal(layout.size[SC_STRUCT_NTP], 0);
	end(fixture);
}

/* A structure more that is not used changes nothing; without a member that is used there is no fingerprint. */
static void fingerprint_of_what_is_used(void **state)
{
	static const char *const names[] = { "tkr_raw", "cycle_last", "sched_clock_mask", "reg_cntfrq" };
	struct fixture *fixture = begin();
	uint64_t known = fingerprint(fixture);

	(void)state;
	linux_type_struct(&fixture->kernel.types, LINUX_KIND_STRUCT, "unrelated", 8,
			  &(struct linux_member){ "mask", 1, 0, 0 }, 1);
	assert_int_equal(fingerprint(fixture), known);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *name = memmem(fixture->kernel.types.strings, LINUX_TYPES_MAX, names[i], strlen(names[i]) + 1);
		struct sc_layout layout;

		assert_non_null(name);
		name[0] = 'X';
		assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), -SC_REFUSED_ABSENT);
		name[0] = names[i][0];
	}
	assert_int_equal(fingerprint(fixture), known);
	end(fixture);
}

static uint32_t number(struct linux_types *types)
{
	return linux_type_int(types, "number", 4);
}

static uint32_t wide(struct linux_types *types)
{
	return linux_type_int(types, "number", 8);
}

/* The encoding is in the last byte of a number. */
static uint32_t signed_number(struct linux_types *types)
{
	uint32_t id = linux_type_int(types, "number", 4);

	types->types[types->types_size - 1] = 1;
	return id;
}

static uint32_t enumeration(struct linux_types *types)
{
	return linux_type(types, LINUX_KIND_ENUM, "number", 4);
}

static uint32_t pointer_to_nothing(struct linux_types *types)
{
	return linux_type(types, LINUX_KIND_PTR, "", 0);
}

static uint32_t pointer_to_number(struct linux_types *types)
{
	return linux_type(types, LINUX_KIND_PTR, "", number(types));
}

static uint32_t two_numbers(struct linux_types *types)
{
	return linux_type_array(types, number(types), 2);
}

static uint32_t two_of_two(struct linux_types *types)
{
	return linux_type_array(types, two_numbers(types), 2);
}

static uint32_t two_of_four(struct linux_types *types)
{
	return linux_type_array(types, linux_type_array(types, number(types), 4), 2);
}

static uint32_t four_numbers(struct linux_types *types)
{
	return linux_type_array(types, number(types), 4);
}

static uint32_t two_wide(struct linux_types *types)
{
	return linux_type_array(types, wide(types), 2);
}

static uint32_t two_pointers(struct linux_types *types)
{
	return linux_type_array(types, pointer_to_nothing(types), 2);
}

/* Of 8 bytes, with the first `count` of these members. */
static uint32_t pair(struct linux_types *types, uint32_t kind, const char *name, const char *first, uint32_t count)
{
	const struct linux_member members[] = { { first, number(types), 0, 0 }, { "behind", number(types), 32, 0 } };

	return linux_type_struct(types, kind, name, 8, members, count);
}

static uint32_t structure(struct linux_types *types)
{
	return pair(types, LINUX_KIND_STRUCT, "inner", "one", 1);
}

static uint32_t structure_of_two(struct linux_types *types)
{
	return pair(types, LINUX_KIND_STRUCT, "inner", "one", 2);
}

static uint32_t either(struct linux_types *types)
{
	return pair(types, LINUX_KIND_UNION, "inner", "one", 1);
}

static uint32_t pointer_to_structure(struct linux_types *types)
{
	return linux_type(types, LINUX_KIND_PTR, "", structure(types));
}

static uint32_t pointer_to_other(struct linux_types *types)
{
	return linux_type(types, LINUX_KIND_PTR, "", pair(types, LINUX_KIND_STRUCT, "other", "one", 1));
}

static uint32_t nameless(struct linux_types *types)
{
	return pair(types, LINUX_KIND_STRUCT, "", "one", 1);
}

static uint32_t nameless_other(struct linux_types *types)
{
	return pair(types, LINUX_KIND_STRUCT, "", "other", 1);
}

static uint32_t nameless_of_two(struct linux_types *types)
{
	return pair(types, LINUX_KIND_STRUCT, "", "one", 2);
}

static uint32_t array_of_nameless(struct linux_types *types)
{
	return linux_type_array(types, nameless(types), 1);
}

static uint32_t array_of_nameless_other(struct linux_types *types)
{
	return linux_type_array(types, nameless_other(types), 1);
}

/* What is made of a structure that is used, behind the one member that is looked at. */
struct variant {
	const char *name; /* of a member that nobody looks at; NULL: there is none */
	uint32_t (*type)(struct linux_types *types);
	uint32_t bit_offset;
	uint32_t bits;
	uint32_t size;	  /* of the structure */
	const char *last; /* one more, of 4 bytes, at bit 96; NULL: there is none */
};

static uint64_t fingerprint_of(const struct variant *variant)
{
	static const char tick[] = "tick_device";
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->kernel.types;
	char *name = memmem(types->strings, LINUX_TYPES_MAX, tick, sizeof(tick));
	struct linux_member members[] = {
		{ "evtdev", wide(types), 0, 0 },
		{ variant->name, variant->type(types), variant->bit_offset, variant->bits },
		{ variant->last, number(types), 96, 0 },
	};
	uint64_t result;

	assert_non_null(name);
	name[0] = 'X';
	linux_type_struct(types, LINUX_KIND_STRUCT, tick, variant->size, members,
			  1 + (variant->name != NULL) + (variant->last != NULL));
	result = fingerprint(fixture);
	end(fixture);
	return result;
}

/* Each differs from all others in one thing or more, and so does its fingerprint. */
static void fingerprint_of_what_is_not_looked_at(void **state)
{
	static const struct variant variants[] = {
		{ NULL, number, 0, 0, 24, NULL },
		{ NULL, number, 0, 0, 32, NULL },
		{ "mode", number, 64, 0, 24, NULL },
		{ "mood", number, 64, 0, 24, NULL },
		{ "mode", number, 128, 0, 24, NULL },
		{ "mode", number, 64, 3, 24, NULL },
		{ "mode", wide, 64, 0, 24, NULL },
		{ "mode", signed_number, 64, 0, 24, NULL },
		{ "mode", enumeration, 64, 0, 24, NULL },
		{ "mode", pointer_to_nothing, 64, 0, 24, NULL },
		{ "mode", pointer_to_number, 64, 0, 24, NULL },
		{ "mode", pointer_to_structure, 64, 0, 24, NULL },
		{ "mode", pointer_to_other, 64, 0, 24, NULL },
		{ "mode", two_numbers, 64, 0, 24, NULL },
		{ "mode", four_numbers, 64, 0, 24, NULL },
		{ "mode", two_of_two, 64, 0, 24, NULL },
		{ "mode", two_of_four, 64, 0, 24, NULL },
		{ "mode", two_wide, 64, 0, 24, NULL },
		{ "mode", two_pointers, 64, 0, 24, NULL },
		{ "mode", structure, 64, 0, 24, NULL },
		{ "mode", structure_of_two, 64, 0, 24, NULL },
		{ "mode", either, 64, 0, 24, NULL },
		{ "", nameless, 64, 0, 24, NULL },
		{ "", nameless_other, 64, 0, 24, NULL },
		{ "", nameless_of_two, 64, 0, 24, NULL },
		{ "", nameless, 64, 0, 24, "behind" },
		{ "mode", array_of_nameless, 64, 0, 24, NULL },
		{ "mode", array_of_nameless_other, 64, 0, 24, NULL },
	};
	uint64_t prints[ARRAY_SIZE(variants)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		prints[i] = fingerprint_of(&variants[i]);
		for (size_t n = 0; n < i; n++)
			if (prints[n] == prints[i])
				fail_msg("variants %zu and %zu have one fingerprint", n, i);
	}
}

/* Whoever changes what goes into a fingerprint has to write all rows of known.c anew. */
static void fingerprint_stays(void **state)
{
	struct fixture *fixture = begin();

	(void)state;
	assert_int_equal(fingerprint(fixture), 0x3d0aeff89354fc90);
	end(fixture);
}

static void unknown(void **state)
{
	struct fixture *fixture = begin();
	const char *build;
	struct sc_layout layout;

	(void)state;
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 13 }, &layout), -SC_REFUSED_UNKNOWN);
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), 0);
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), -SC_REFUSED_UNKNOWN);
	assert_null(build);
	/* With all digits, as the table has it. */
	layout.fingerprint = 0x1f;
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), -SC_REFUSED_UNKNOWN);
	assert_non_null(strstr(fixture->why.text, "(fingerprint 000000000000001f)"));
	layout.fingerprint = 0x5385e48910d856b6;
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), 0);
	assert_non_null(build);
	/* Of another series the same is not known. */
	layout.series.minor = 13;
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), -SC_REFUSED_UNKNOWN);
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(fingerprint_of_what_is_used),
		cmocka_unit_test(fingerprint_of_what_is_not_looked_at),
		cmocka_unit_test(fingerprint_stays),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
