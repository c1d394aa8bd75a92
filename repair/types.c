/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF: see the header. */
#include "types.h"
#include "memory.h"
#include "refusal.h"

#include <string.h>

#define MAGIC 0xeb9fu
#define VERSION 1u
#define RECORD_SIZE 12u
#define MEMBER_SIZE 12u

enum kind {
	KIND_VOID,
	KIND_INT,
	KIND_PTR,
	KIND_ARRAY,
	KIND_STRUCT,
	KIND_UNION,
	KIND_ENUM,
	KIND_FWD,
	KIND_TYPEDEF,
	KIND_VOLATILE,
	KIND_CONST,
	KIND_RESTRICT,
	KIND_FUNC,
	KIND_FUNC_PROTO,
	KIND_VAR,
	KIND_DATASEC,
	KIND_FLOAT,
	KIND_DECL_TAG,
	KIND_TYPE_TAG,
	KIND_ENUM64,
	KIND_COUNT,
};

/* What follows a record: so many bytes, and so many more for each of its elements. */
static const struct {
	uint8_t fixed;
	uint8_t each;
} tail_of[KIND_COUNT] = {
	[KIND_INT] = { 4, 0 },	    [KIND_ARRAY] = { 12, 0 },	  [KIND_STRUCT] = { 0, 12 }, [KIND_UNION] = { 0, 12 },
	[KIND_ENUM] = { 0, 8 },	    [KIND_FUNC_PROTO] = { 0, 8 }, [KIND_VAR] = { 4, 0 },     [KIND_DATASEC] = { 0, 12 },
	[KIND_DECL_TAG] = { 4, 0 }, [KIND_ENUM64] = { 0, 12 },
};

/* A chain of names and qualifiers, or of arrays, may be so long. */
#define CHAIN_MAX 16u
/* In the encoding of a number: its offset and how many bits it has. */
#define INT_BITS 0xffffffu
/* Linux has no longer names (KSYM_NAME_LEN). */
#define NAME_LENGTH_MAX 511u

struct record {
	enum kind kind;
	bool bit_fields;
	uint32_t name;
	uint32_t count;
	uint32_t size; /* or the type that it refers to */
	const uint8_t *tail;
};

static uint32_t load(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int damaged(struct sc_refusal *why, const char *what, const char *name)
{
	return refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's BTF is damaged: ", what, name);
}

size_t sc_types_size(const uint8_t *header)
{
	uint64_t length = load(header + 4), types_size = load(header + 12), strings_size = load(header + 20);

	if (load(header) != (MAGIC | VERSION << 16) || length != BTF_HEADER_SIZE || load(header + 8) != 0 ||
	    load(header + 16) != types_size || types_size < RECORD_SIZE || strings_size < 2)
		return 0;
	return length + types_size + strings_size > BTF_SIZE_MAX ? 0 : (size_t)(length + types_size + strings_size);
}

/* What a record's info has no meaning for. */
#define INFO_RESERVED 0x60ff0000u

static struct record record_at(const struct types *btf, uint32_t offset)
{
	const uint8_t *bytes = btf->types + offset;
	uint32_t info = load(bytes + 4);

	return (struct record){ .kind = (enum kind)(info >> 24 & 0x1f),
				.bit_fields = info >> 31,
				.name = load(bytes),
				.count = info & 0xffff,
				.size = load(bytes + 8),
				.tail = bytes + RECORD_SIZE };
}

static const char *name_of(const struct types *btf, const struct record *record)
{
	return btf->strings + record->name;
}

/* The string at `offset`. All of them together end, so the last one does. */
static int take_name(const struct types *btf, uint32_t offset, const char **name, struct sc_refusal *why)
{
	uint32_t length = 0;

	if (offset >= btf->strings_size)
		return damaged(why, "a name lies outside", NULL);
	*name = btf->strings + offset;
	while (length <= NAME_LENGTH_MAX && (*name)[length])
		length++;
	return length <= NAME_LENGTH_MAX ? 0 : damaged(why, "a name is too long", NULL);
}

/* The record at `offset`, and how long it is; all of it is in the BTF, and its name is a string of it. */
static int check_record(const struct types *btf, uint32_t offset, uint32_t *length, struct sc_refusal *why)
{
	struct record record;
	uint32_t left = btf->types_size - offset;

	if (left < RECORD_SIZE)
		return damaged(why, "a type is cut off", NULL);
	record = record_at(btf, offset);
	if (record.kind == KIND_VOID || record.kind >= KIND_COUNT || load(btf->types + offset + 4) & INFO_RESERVED)
		return refusal_set(why, SC_REFUSED_UNKNOWN, "the kernel's BTF has kinds of types that are not known",
				   NULL, NULL);
	*length = RECORD_SIZE + tail_of[record.kind].fixed + record.count * tail_of[record.kind].each;
	if (*length > left)
		return damaged(why, "a type is cut off", NULL);
	return record.name < btf->strings_size ? 0 : damaged(why, "a name lies outside", NULL);
}

/* Goes over all types; with an index, notes where each lies, and which are structs. */
static int index_types(struct types *btf, uint32_t *index, uint32_t *structs, struct sc_refusal *why)
{
	uint32_t length = 0;

	btf->count = 1;
	btf->struct_count = 0;
	for (uint32_t at = 0; at < btf->types_size; at += length) {
		int err = check_record(btf, at, &length, why);

		if (err)
			return err;
		if (btf->count == BTF_TYPES_MAX)
			return damaged(why, "there are too many types", NULL);
		if (index)
			index[btf->count] = at;
		if (record_at(btf, at).kind == KIND_STRUCT) {
			if (structs)
				structs[btf->struct_count] = btf->count;
			btf->struct_count++;
		}
		btf->count++;
	}
	return 0;
}

int sc_types_open(struct types *btf, const void *bytes, size_t size, struct sc_arena *arena, struct sc_refusal *why)
{
	const uint8_t *header = bytes;
	uint32_t *index, *structs;
	int err;

	*btf = (struct types){ 0 };
	if (size < BTF_HEADER_SIZE || !sc_types_size(header) || sc_types_size(header) > size)
		return damaged(why, "it has no header", NULL);
	btf->types = header + BTF_HEADER_SIZE;
	btf->types_size = load(header + 12);
	btf->strings = (const char *)btf->types + btf->types_size;
	btf->strings_size = load(header + 20);
	if (btf->strings[0] || btf->strings[btf->strings_size - 1])
		return damaged(why, "a name has no end", NULL);
	err = index_types(btf, NULL, NULL, why);
	if (err)
		return err;
	index = sc_arena_take(arena, (uint64_t)btf->count * sizeof(*index), why);
	structs = sc_arena_take(arena, (uint64_t)btf->struct_count * sizeof(*structs), why);
	if (!index || !structs)
		return -SC_REFUSED_SPACE;
	btf->index = index;
	btf->structs = structs;
	return index_types(btf, index, structs, why);
}

/* Any id but that of void. */
static int find_record(const struct types *btf, uint32_t id, struct record *record, struct sc_refusal *why)
{
	if (id == 0 || id >= btf->count)
		return damaged(why, "a type that is referred to is not there", NULL);
	*record = record_at(btf, btf->index[id]);
	return 0;
}

static bool is_alias(enum kind kind)
{
	return kind == KIND_TYPEDEF || kind == KIND_VOLATILE || kind == KIND_CONST || kind == KIND_RESTRICT ||
	       kind == KIND_TYPE_TAG;
}

/* Takes names and qualifiers off. *id is 0 and the kind KIND_VOID at the end of one that leads to void. */
static int find_plain(const struct types *btf, uint32_t *id, struct record *record, struct sc_refusal *why)
{
	*record = (struct record){ .kind = KIND_VOID };
	for (uint32_t i = 0; i < CHAIN_MAX; i++) {
		int err = *id ? find_record(btf, *id, record, why) : 0;

		if (err || *id == 0 || !is_alias(record->kind))
			return err;
		*id = record->size;
		*record = (struct record){ .kind = KIND_VOID };
	}
	return damaged(why, "a type leads to itself", NULL);
}

static enum type_class class_of(enum kind kind)
{
	switch (kind) {
	case KIND_VOID:
		return TYPE_VOID;
	case KIND_INT:
	case KIND_ENUM:
	case KIND_ENUM64:
	case KIND_FLOAT:
		return TYPE_INTEGER;
	case KIND_PTR:
		return TYPE_POINTER;
	case KIND_ARRAY:
		return TYPE_ARRAY;
	case KIND_STRUCT:
	case KIND_UNION:
		return TYPE_STRUCT;
	default:
		return TYPE_OTHER;
	}
}

/* All but the size of an array. */
static int describe(const struct types *btf, uint32_t id, struct type *type, struct sc_refusal *why)
{
	struct record record;
	const char *name;
	int err = find_plain(btf, &id, &record, why);

	err = err ? err : take_name(btf, record.name, &name, why);
	if (err)
		return err;
	*type = (struct type){ .class = class_of(record.kind), .kind = record.kind, .id = id, .name = name };
	if (record.kind == KIND_INT)
		type->encoding = load(record.tail);
	if (type->class == TYPE_POINTER) {
		type->size = 8;
		type->target = record.size;
	} else if (type->class == TYPE_INTEGER || type->class == TYPE_STRUCT) {
		type->size = record.size;
	}
	if (type->class == TYPE_STRUCT)
		type->members = record.count;
	if (type->class == TYPE_ARRAY) {
		type->target = load(record.tail);
		type->elements = load(record.tail + 8);
	}
	return 0;
}

int sc_types_describe(const struct types *btf, uint32_t id, struct type *type, struct sc_refusal *why)
{
	struct type inner;
	uint64_t elements = 1;
	int err = describe(btf, id, type, why);

	if (err)
		return err;
	inner = *type;
	for (uint32_t i = 0; !err && inner.class == TYPE_ARRAY; i++) {
		elements *= inner.elements;
		if (i == CHAIN_MAX || elements > UINT32_MAX)
			return damaged(why, "an array is too large", NULL);
		err = describe(btf, inner.target, &inner, why);
	}
	if (!err && elements * inner.size > UINT32_MAX)
		return damaged(why, "an array is too large", NULL);
	if (!err)
		type->size = (uint32_t)elements * inner.size;
	return err;
}

int sc_types_member(const struct types *btf, const struct type *type, uint32_t n, struct member *member,
		    struct sc_refusal *why)
{
	struct record record;
	const uint8_t *bytes;
	const char *name;
	int err = find_record(btf, type->id, &record, why);

	if (err)
		return err;
	bytes = record.tail + (size_t)n * MEMBER_SIZE;
	err = take_name(btf, load(bytes), &name, why);
	if (err)
		return err;
	*member = (struct member){ .name = name, .type = load(bytes + 4), .bit_offset = load(bytes + 8) };
	if (record.bit_fields) {
		member->bits = member->bit_offset >> 24;
		member->bit_offset &= 0xffffff;
	}
	return 0;
}

int sc_types_struct(const struct types *btf, const char *name, struct type *type, struct sc_refusal *why)
{
	uint32_t found = 0;

	for (uint32_t n = 0; n < btf->struct_count; n++) {
		struct record record = record_at(btf, btf->index[btf->structs[n]]);

		if (!record.count || strcmp(name_of(btf, &record), name) != 0)
			continue;
		if (found)
			return refusal_set(why, SC_REFUSED_UNKNOWN, "the kernel's BTF has several structs ", name,
					   NULL);
		found = btf->structs[n];
	}
	if (!found)
		return refusal_set(why, SC_REFUSED_ABSENT, "the kernel's BTF has no struct ", name, NULL);
	return sc_types_describe(btf, found, type, why);
}

/* Whether all members of a struct are called so. */
static bool has_names(const struct types *btf, uint32_t id, const char *const *names, uint32_t count)
{
	const struct type type = { .id = id };
	struct member member;
	struct sc_refusal ignored;

	for (uint32_t n = 0; n < count; n++)
		if (sc_types_member(btf, &type, n, &member, &ignored) || strcmp(member.name, names[n]) != 0)
			return false;
	return true;
}

int sc_types_anonymous(const struct types *btf, const char *const *names, uint32_t count, struct type *type,
		       struct sc_refusal *why)
{
	uint32_t found = 0;

	for (uint32_t n = 0; n < btf->struct_count; n++) {
		uint32_t id = btf->structs[n];
		struct record record = record_at(btf, btf->index[id]);

		if (name_of(btf, &record)[0] || record.count != count || !has_names(btf, id, names, count))
			continue;
		if (found)
			return refusal_set(why, SC_REFUSED_UNKNOWN,
					   "the kernel's BTF has several structs without a name that begin with ",
					   names[0], " and have the same members");
		found = id;
	}
	if (!found)
		return refusal_set(why, SC_REFUSED_ABSENT,
				   "the kernel's BTF has no struct without a name that begins with ", names[0],
				   " and has the members that are known");
	return sc_types_describe(btf, found, type, why);
}

const char *sc_types_name(const struct type *type)
{
	return type->name[0] ? type->name : "without a name";
}

struct lookup {
	const struct types *btf;
	const char *name;
	uint32_t work;
	uint32_t found;
	struct member member;
	uint32_t bit_offset;
};

/* Looks at all members, those of anonymous ones included. */
static int look_in(struct lookup *lookup, const struct type *type, uint32_t bit_offset, uint32_t depth,
		   struct sc_refusal *why)
{
	struct member member;
	struct type inner;
	int err = 0;

	for (uint32_t n = 0; !err && n < type->members; n++) {
		if (depth > TYPES_DEPTH_MAX || ++lookup->work > TYPES_WORK_MAX)
			return damaged(why, "too much is in a struct that has ", lookup->name);
		err = sc_types_member(lookup->btf, type, n, &member, why);
		if (err)
			return err;
		if (bit_offset + member.bit_offset < bit_offset)
			return damaged(why, "a struct is too large for its ", lookup->name);
		if (strcmp(member.name, lookup->name) == 0) {
			lookup->found++;
			lookup->member = member;
			lookup->bit_offset = bit_offset + member.bit_offset;
		}
		if (member.name[0])
			continue;
		err = sc_types_describe(lookup->btf, member.type, &inner, why);
		if (!err && inner.class == TYPE_STRUCT && !inner.name[0])
			err = look_in(lookup, &inner, bit_offset + member.bit_offset, depth + 1, why);
	}
	return err;
}

/* Whether it is all of its bytes: a number may be some bits of them. */
static bool is_whole(const struct type *type)
{
	return type->kind != KIND_INT || (type->encoding & INT_BITS) == type->size * 8;
}

/* What is wrong with a member, and of which struct. */
static int no_member(struct sc_refusal *why, enum sc_refusal_reason reason, const struct type *type, const char *what,
		     const char *name)
{
	return refusal_pair(why, reason, "the kernel's struct ", sc_types_name(type), what, name);
}

int sc_types_place(const struct types *btf, const struct type *type, const char *name, struct sc_place *place,
		   struct sc_refusal *why)
{
	struct lookup lookup = { .btf = btf, .name = name };
	struct type member;
	int err = look_in(&lookup, type, 0, 0, why);

	if (err)
		return err;
	if (!lookup.found)
		return no_member(why, SC_REFUSED_ABSENT, type, " has no member ", name);
	if (lookup.found > 1 || lookup.member.bits || lookup.bit_offset % 8)
		return no_member(why, SC_REFUSED_DAMAGED, type, " has no plain member ", name);
	err = sc_types_describe(btf, lookup.member.type, &member, why);
	if (err)
		return err;
	if (!is_whole(&member))
		return no_member(why, SC_REFUSED_DAMAGED, type, " has no plain member ", name);
	*place = (struct sc_place){ .offset = lookup.bit_offset / 8, .size = member.size };
	if ((uint64_t)place->offset + place->size > type->size)
		return damaged(why, "a member lies outside its struct: ", name);
	return 0;
}
