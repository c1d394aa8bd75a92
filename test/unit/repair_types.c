/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's types: what members are and where, and that what is damaged is refused, however it refers to itself. */
#include "unit.h"

#include "../../repair/types.h"
#include "../fake/linux_types.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct linux_types types;
	uint8_t *bytes; /* exactly as long as they are, so that the sanitizer sees a read beyond them */
	size_t size;
	uint8_t memory[8192];
	struct sc_arena arena;
	struct types btf;
	struct sc_refusal why;
};

static struct fixture *begin(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	linux_types_begin(&fixture->types);
	fixture->arena = (struct sc_arena){ .memory = fixture->memory, .size = sizeof(fixture->memory) };
	return fixture;
}

static void end(struct fixture *fixture)
{
	free(fixture->bytes);
	free(fixture);
}

static void write_types(struct fixture *fixture)
{
	fixture->size = 24 + fixture->types.types_size + fixture->types.strings_size;
	free(fixture->bytes);
	fixture->bytes = malloc(fixture->size);
	assert_non_null(fixture->bytes);
	linux_types_write(&fixture->types, fixture->bytes, fixture->size);
}

static int open_bytes(struct fixture *fixture)
{
	fixture->arena.used = 0;
	return sc_types_open(&fixture->btf, fixture->bytes, fixture->size, &fixture->arena, &fixture->why);
}

static void open_types(struct fixture *fixture)
{
	write_types(fixture);
	if (open_bytes(fixture))
		fail_msg("%s", fixture->why.text);
}

static void says(const struct fixture *fixture, enum sc_refusal_reason reason, const char *words)
{
	assert_int_equal(fixture->why.reason, reason);
	if (!strstr(fixture->why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", fixture->why.text, words);
}

static void place_is(struct fixture *fixture, const char *name, const char *member, uint32_t offset, uint32_t size)
{
	struct type type;
	struct sc_place place;

	if (sc_types_struct(&fixture->btf, name, &type, &fixture->why) ||
	    sc_types_place(&fixture->btf, &type, member, &place, &fixture->why))
		fail_msg("%s", fixture->why.text);
	assert_int_equal(place.offset, offset);
	assert_int_equal(place.size, size);
}

static void place_refused(struct fixture *fixture, const char *name, const char *member, enum sc_refusal_reason reason,
			  const char *words)
{
	struct type type;
	struct sc_place place;
	int err = sc_types_struct(&fixture->btf, name, &type, &fixture->why);

	err = err ? err : sc_types_place(&fixture->btf, &type, member, &place, &fixture->why);
	assert_int_equal(err, -(int)reason);
	says(fixture, reason, words);
}

static void plain_members(void **state)
{
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->types;
	uint32_t u64 = linux_type_int(types, "unsigned long", 8), u32 = linux_type_int(types, "unsigned int", 4);
	uint32_t alias = linux_type(types, LINUX_KIND_TYPEDEF, "u32", u32);
	uint32_t constant = linux_type(types, LINUX_KIND_CONST, "", alias);
	uint32_t pointer = linux_type(types, LINUX_KIND_PTR, "", 0);
	uint32_t array = linux_type_array(types, linux_type_array(types, constant, 3), 2);
	const struct linux_member members[] = { { "wide", u64, 0, 0 },
						{ "narrow", constant, 64, 0 },
						{ "pointer", pointer, 128, 0 },
						{ "array", array, 192, 0 } };

	(void)state;
	/* What is declared only, and a union of the name, are not it. */
	linux_type(types, LINUX_KIND_FWD, "thing", 0);
	linux_type_struct(types, LINUX_KIND_UNION, "thing", 8, members, 1);
	linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 48, members, ARRAY_SIZE(members));
	open_types(fixture);
	place_is(fixture, "thing", "wide", 0, 8);
	place_is(fixture, "thing", "narrow", 8, 4);
	place_is(fixture, "thing", "pointer", 16, 8);
	place_is(fixture, "thing", "array", 24, 24);
	place_refused(fixture, "thing", "absent", SC_REFUSED_ABSENT, "the kernel's struct thing has no member absent");
	place_refused(fixture, "nothing", "wide", SC_REFUSED_ABSENT, "has no struct nothing");
	end(fixture);
}

static void anonymous_members(void **state)
{
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->types;
	uint32_t u64 = linux_type_int(types, "unsigned long", 8);
	const struct linux_member inner[] = { { "first", u64, 0, 0 }, { "second", u64, 64, 0 } };
	uint32_t pair = linux_type_struct(types, LINUX_KIND_STRUCT, "", 16, inner, 2);
	const struct linux_member either[] = { { "", pair, 0, 0 }, { "other", u64, 0, 0 } };
	uint32_t choice = linux_type_struct(types, LINUX_KIND_UNION, "", 16, either, 2);
	uint32_t named = linux_type_struct(types, LINUX_KIND_STRUCT, "named", 16, inner, 2);
	const struct linux_member outer[] = { { "head", u64, 0, 0 }, { "", choice, 64, 0 }, { "tail", named, 192, 0 } };

	(void)state;
	linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 40, outer, 3);
	open_types(fixture);
	place_is(fixture, "thing", "second", 16, 8);
	place_is(fixture, "thing", "other", 8, 8);
	/* Members of a named one are not the outer one's. */
	place_is(fixture, "thing", "first", 8, 8);
	place_is(fixture, "thing", "tail", 24, 16);
	end(fixture);
}

static void structs_by_their_members(void **state)
{
	static const char *const names[] = { "seq", "timekeeper" };
	struct fixture *fixture = begin();
	uint32_t u64 = linux_type_int(&fixture->types, "unsigned long", 8);
	const struct linux_member members[] = { { "seq", u64, 0, 0 },
						{ "timekeeper", u64, 64, 0 },
						{ "more", u64, 128, 0 } };
	struct type type;

	(void)state;
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "named", 16, members, 2);
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "", 24, members, 3);
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "", 8, members, 1);
	open_types(fixture);
	assert_int_equal(sc_types_anonymous(&fixture->btf, names, 2, &type, &fixture->why), -SC_REFUSED_ABSENT);
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "", 16, members, 2);
	open_types(fixture);
	assert_int_equal(sc_types_anonymous(&fixture->btf, names, 2, &type, &fixture->why), 0);
	assert_int_equal(type.size, 16);
	assert_int_equal(type.id, 5);
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "", 16, members, 2);
	open_types(fixture);
	assert_int_equal(sc_types_anonymous(&fixture->btf, names, 2, &type, &fixture->why), -SC_REFUSED_UNKNOWN);
	end(fixture);
}

static void members_that_cannot_be_taken(void **state)
{
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->types;
	uint32_t u32 = linux_type_int(types, "unsigned int", 4);
	const struct linux_member members[] = { { "bits", u32, 3, 5 },	  { "odd", u32, 33, 0 },
						{ "beyond", u32, 96, 0 }, { "twice", u32, 0, 0 },
						{ "twice", u32, 0, 0 },	  { "lost", 4711, 0, 0 },
						{ "plain", u32, 32, 0 } };

	(void)state;
	linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 12, members, ARRAY_SIZE(members));
	open_types(fixture);
	place_is(fixture, "thing", "plain", 4, 4);
	place_refused(fixture, "thing", "bits", SC_REFUSED_DAMAGED,
		      "the kernel's struct thing has no plain member bits");
	place_refused(fixture, "thing", "odd", SC_REFUSED_DAMAGED, "no plain member odd");
	place_refused(fixture, "thing", "twice", SC_REFUSED_DAMAGED, "no plain member twice");
	place_refused(fixture, "thing", "beyond", SC_REFUSED_DAMAGED, "lies outside its struct: beyond");
	place_refused(fixture, "thing", "lost", SC_REFUSED_DAMAGED, "is not there");
	end(fixture);
}

/* A number of 3 bits, or of 4 bytes behind the first byte, as old compilers had bit fields. */
static void numbers_of_some_bits(void **state)
{
	static const uint8_t odd[][3] = { { 3, 0, 0 }, { 32, 8, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		struct fixture *fixture = begin();
		struct linux_types *types = &fixture->types;
		uint32_t u32 = linux_type_int(types, "unsigned int", 4);

		memcpy(types->types + types->types_size - 4, odd[i], sizeof(odd[i]));
		linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 4, &(struct linux_member){ "x", u32, 0, 0 }, 1);
		open_types(fixture);
		place_refused(fixture, "thing", "x", SC_REFUSED_DAMAGED, "no plain member x");
		end(fixture);
	}
}

static void types_in_a_circle(void **state)
{
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->types;
	/* Numbers 1 to 5; the structs hold each other and themselves. */
	uint32_t alias = linux_type(types, LINUX_KIND_TYPEDEF, "self", 1);
	uint32_t array = linux_type_array(types, 2, 1), zero = linux_type_array(types, 3, 0);
	const struct linux_member inside[] = { { "", 4, 0, 0 }, { "", 4, 0, 0 }, { "", 4, 0, 0 }, { "", 4, 0, 0 } };
	const struct linux_member members[] = {
		{ "alias", alias, 0, 0 }, { "array", array, 0, 0 }, { "zero", zero, 0, 0 }, { "", 4, 0, 0 }
	};

	(void)state;
	assert_int_equal(linux_type_struct(types, LINUX_KIND_STRUCT, "", 16, inside, ARRAY_SIZE(inside)), 4);
	linux_type_struct(types, LINUX_KIND_STRUCT, "simple", 16, members, 3);
	linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 16, members, 4);
	open_types(fixture);
	place_refused(fixture, "simple", "alias", SC_REFUSED_DAMAGED, "a type leads to itself");
	place_refused(fixture, "simple", "array", SC_REFUSED_DAMAGED, "an array is too large");
	place_refused(fixture, "simple", "zero", SC_REFUSED_DAMAGED, "an array is too large");
	place_refused(fixture, "thing", "x", SC_REFUSED_DAMAGED, "too much is in a struct that has x");
	end(fixture);
}

static void huge_arrays(void **state)
{
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->types;
	uint32_t u32 = linux_type_int(types, "unsigned int", 4);
	const struct linux_member members[] = {
		{ "many", linux_type_array(types, u32, UINT32_MAX), 0, 0 },
		{ "more", linux_type_array(types, linux_type_array(types, u32, 65536), 65536), 0, 0 }
	};

	(void)state;
	linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 16, members, 2);
	open_types(fixture);
	place_refused(fixture, "thing", "many", SC_REFUSED_DAMAGED, "an array is too large");
	place_refused(fixture, "thing", "more", SC_REFUSED_DAMAGED, "an array is too large");
	end(fixture);
}

/* Names of 511 bytes are taken, longer ones are not: a guest's could be as long as all of its BTF. */
static void long_names(void **state)
{
	for (size_t length = 511; length <= 512; length++) {
		char name[513] = "";
		struct fixture *fixture = begin();
		struct linux_types *types = &fixture->types;
		uint32_t u32 = linux_type_int(types, "unsigned int", 4);

		(void)state;
		memset(name, 'x', length);
		linux_type_struct(types, LINUX_KIND_STRUCT, "thing", 4, &(struct linux_member){ name, u32, 0, 0 }, 1);
		linux_type_struct(types, LINUX_KIND_STRUCT, "holder", 4,
				  &(struct linux_member){ "x", linux_type_int(types, name, 4), 0, 0 }, 1);
		open_types(fixture);
		if (length == 511) {
			place_is(fixture, "thing", name, 0, 4);
			place_is(fixture, "holder", "x", 0, 4);
		} else {
			place_refused(fixture, "thing", "y", SC_REFUSED_DAMAGED, "a name is too long");
			place_refused(fixture, "holder", "x", SC_REFUSED_DAMAGED, "a name is too long");
		}
		end(fixture);
	}
}

/* What the header, or the first record, is damaged to, and what that is called. */
static void damaged_bytes(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		enum sc_refusal_reason reason;
		const char *words;
	} cases[] = {
		{ 0, 0x0001eb9e, SC_REFUSED_DAMAGED, "it has no header" },
		{ 0, 0x0002eb9f, SC_REFUSED_DAMAGED, "it has no header" },
		{ 4, 25, SC_REFUSED_DAMAGED, "it has no header" },
		{ 8, 1, SC_REFUSED_DAMAGED, "it has no header" },
		{ 12, 4, SC_REFUSED_DAMAGED, "it has no header" },
		{ 12, 0xfffffff0, SC_REFUSED_DAMAGED, "it has no header" },
		{ 16, 17, SC_REFUSED_DAMAGED, "it has no header" },
		{ 20, 1, SC_REFUSED_DAMAGED, "it has no header" },
		{ 20, 0xffffffff, SC_REFUSED_DAMAGED, "it has no header" },
		{ 24, 1000, SC_REFUSED_DAMAGED, "a name lies outside" },
		{ 28, 31u << 24, SC_REFUSED_UNKNOWN, "kinds of types" },
		{ 28, 0, SC_REFUSED_UNKNOWN, "kinds of types" },
		{ 28, 1u << 24 | 1u << 29, SC_REFUSED_UNKNOWN, "kinds of types" },
		{ 28, 1u << 24 | 1u << 16, SC_REFUSED_UNKNOWN, "kinds of types" },
		{ 28, 0x0400ffff, SC_REFUSED_DAMAGED, "a type is cut off" },
	};
	struct fixture *fixture = begin();

	(void)state;
	linux_type_int(&fixture->types, "unsigned int", 4);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_types(fixture);
		memcpy(fixture->bytes + cases[i].offset, &cases[i].value, 4);
		assert_true(open_bytes(fixture) < 0);
		says(fixture, cases[i].reason, cases[i].words);
	}
	write_types(fixture);
	fixture->bytes[fixture->size - 1] = 'x';
	assert_true(open_bytes(fixture) < 0);
	says(fixture, SC_REFUSED_DAMAGED, "a name has no end");
	end(fixture);
}

static void cut_off_anywhere(void **state)
{
	struct fixture *fixture = begin();
	uint32_t u32 = linux_type_int(&fixture->types, "unsigned int", 4);

	(void)state;
	linux_type_struct(&fixture->types, LINUX_KIND_STRUCT, "thing", 4, &(struct linux_member){ "x", u32, 0, 0 }, 1);
	write_types(fixture);
	for (size_t size = 0; size < fixture->size; size++) {
		uint8_t *cut = malloc(size + !size);

		assert_non_null(cut);
		memcpy(cut, fixture->bytes, size);
		assert_int_equal(sc_types_open(&fixture->btf, cut, size, &fixture->arena, &fixture->why),
				 -SC_REFUSED_DAMAGED);
		free(cut);
	}
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_members),
		cmocka_unit_test(anonymous_members),
		cmocka_unit_test(structs_by_their_members),
		cmocka_unit_test(members_that_cannot_be_taken),
		cmocka_unit_test(numbers_of_some_bits),
		cmocka_unit_test(types_in_a_circle),
		cmocka_unit_test(huge_arrays),
		cmocka_unit_test(long_names),
		cmocka_unit_test(damaged_bytes),
		cmocka_unit_test(cut_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
