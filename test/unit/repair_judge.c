/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of types against libbpf's: of a real kernel every type, and of every struct each member, is what that
 * says.
 */
#include "image_fixture.h"

#include "../../repair/types.h"

#include <bpf/btf.h>

/* What types.c calls a kind. */
static enum type_class class_of(const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_UNKN:
		return TYPE_VOID;
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
		return TYPE_INTEGER;
	case BTF_KIND_PTR:
		return TYPE_POINTER;
	case BTF_KIND_ARRAY:
		return TYPE_ARRAY;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return TYPE_STRUCT;
	default:
		return TYPE_OTHER;
	}
}

static const struct btf_type *plain(const struct btf *judge, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(judge, id);

	while (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))
		type = btf__type_by_id(judge, type->type);
	return type;
}

static void members_agree(const struct btf *judge, const struct btf_type *want, const struct types *types,
			  const struct type *type)
{
	assert_int_equal(type->members, btf_vlen(want));
	for (uint32_t n = 0; n < type->members; n++) {
		struct member member;
		struct sc_refusal why;

		if (sc_types_member(types, type, n, &member, &why))
			fail_msg("%s", why.text);
		assert_string_equal(member.name, btf__name_by_offset(judge, btf_members(want)[n].name_off));
		assert_int_equal(member.type, btf_members(want)[n].type);
		assert_int_equal(member.bit_offset, btf_member_bit_offset(want, n));
		assert_int_equal(member.bits, btf_member_bitfield_size(want, n));
	}
}

static void type_agrees(const struct btf *judge, const struct types *types, uint32_t id)
{
	const struct btf_type *want = plain(judge, id);
	enum type_class class = class_of(want);
	struct type type;
	struct sc_refusal why;

	if (sc_types_describe(types, id, &type, &why))
		fail_msg("type %u: %s", id, why.text);
	assert_int_equal(type.class, class);
	assert_string_equal(type.name, btf__name_by_offset(judge, want->name_off));
	if (class == TYPE_INTEGER || class == TYPE_POINTER || class == TYPE_STRUCT || class == TYPE_ARRAY)
		assert_int_equal(type.size, btf__resolve_size(judge, id));
	if (class == TYPE_STRUCT)
		members_agree(judge, want, types, &type);
}

static void every_type_agrees(void **state)
{
	struct sc_arena arena = { .size = SC_REPAIR_ARENA_SIZE };
	static const uint8_t magic[] = { 0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0 };
	struct image_file image;
	const uint8_t *bytes;
	struct types types;
	struct sc_refusal why;
	struct btf *judge;

	(void)state;
	if (!image_read(image_paths[0], &image))
		skip();
	arena.memory = malloc(SC_REPAIR_ARENA_SIZE);
	assert_non_null(arena.memory);
	bytes = memmem(image.bytes, image.size, magic, sizeof(magic));
	assert_non_null(bytes);
	judge = btf__new(bytes, (uint32_t)sc_types_size(bytes));
	assert_non_null(judge);
	if (sc_types_open(&types, bytes, image.size - (size_t)(bytes - image.bytes), &arena, &why))
		fail_msg("%s", why.text);
	assert_int_equal(types.count, btf__type_cnt(judge));
	for (uint32_t id = 0; id < types.count; id++)
		type_agrees(judge, &types, id);
	btf__free(judge);
	free(image.bytes);
	free(arena.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_type_agrees) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
