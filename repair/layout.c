/* SPDX-License-Identifier: BSD-2-Clause */
/* Layout: see the header. */
#include "layout.h"
#include "hash.h"
#include "known.h"
#include "refusal.h"
#include "series.h"

#include <string.h>

/* A fingerprint in the making. */
struct fingerprint {
	const struct types *btf;
	uint64_t hash;
	uint32_t work;
};

static void mix(struct fingerprint *print, const void *bytes, size_t size)
{
	print->hash = hash_bytes(print->hash, bytes, size);
}

static void mix_number(struct fingerprint *print, uint32_t number)
{
	uint8_t bytes[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 24) };

	mix(print, bytes, sizeof(bytes));
}

/* With its end, so that names do not run together. */
static void mix_name(struct fingerprint *print, const char *name)
{
	mix(print, name, strlen(name) + 1);
}

/* What a type is, and of a pointer what it leads to; in *type of an array its elements' type, whatever its dimensions.
 */
static int mix_type(struct fingerprint *print, uint32_t id, struct type *type, struct sc_refusal *why)
{
	struct type target;
	int err = sc_types_describe(print->btf, id, type, why);

	for (; !err && type->class == TYPE_ARRAY; err = sc_types_describe(print->btf, type->target, type, why)) {
		mix_number(print, type->kind);
		mix_number(print, type->elements);
	}
	if (err)
		return err;
	mix_number(print, type->kind);
	mix_number(print, type->encoding);
	mix_number(print, type->size);
	mix_number(print, type->members);
	mix_name(print, type->name);
	if (type->class != TYPE_POINTER)
		return 0;
	err = sc_types_describe(print->btf, type->target, &target, why);
	if (!err) {
		mix_number(print, target.kind);
		mix_name(print, target.name);
	}
	return err;
}

/* Anonymous structures, also as elements of arrays, are part of what they are in. Their number of members ends them. */
static int mix_members(struct fingerprint *print, const struct type *type, uint32_t bit_offset, uint32_t depth,
		       struct sc_refusal *why)
{
	for (uint32_t n = 0; n < type->members; n++) {
		struct member member;
		struct type inner;
		int err = sc_types_member(print->btf, type, n, &member, why);

		if (err)
			return err;
		if (depth > TYPES_DEPTH_MAX || ++print->work > TYPES_WORK_MAX)
			return refusal_set(why, SC_REFUSED_DAMAGED,
					   "the kernel's BTF is damaged: too much is in struct ", type->name, NULL);
		mix_name(print, member.name);
		mix_number(print, bit_offset + member.bit_offset);
		mix_number(print, member.bits);
		err = mix_type(print, member.type, &inner, why);
		if (!err && inner.class == TYPE_STRUCT && !inner.name[0])
			err = mix_members(print, &inner, bit_offset + member.bit_offset, depth + 1, why);
		if (err)
			return err;
	}
	return 0;
}

static int find_struct(const struct types *btf, const struct series_struct *row, struct type *type,
		       struct sc_refusal *why)
{
	return row->name ? sc_types_struct(btf, row->name, type, why)
			 : sc_types_anonymous(btf, row->members, row->member_count, type, why);
}

/* All structures of the series: their sizes and the fingerprint. */
static int read_structs(struct sc_layout *layout, uint8_t series, const struct types *btf,
			struct type types[SC_STRUCT_COUNT], struct sc_refusal *why)
{
	struct fingerprint print = { .btf = btf, .hash = HASH_OF_NOTHING };

	for (uint32_t i = 0; i < sc_series_struct_count; i++) {
		const struct series_struct *row = &sc_series_structs[i];
		struct type *type = &types[row->structure];
		int err;

		if (!(row->in & series))
			continue;
		err = find_struct(btf, row, type, why);
		if (err)
			return err;
		layout->size[row->structure] = type->size;
		mix_name(&print, type->name);
		mix_number(&print, type->size);
		mix_number(&print, type->members);
		err = mix_members(&print, type, 0, 0, why);
		if (err)
			return err;
	}
	layout->fingerprint = print.hash;
	return 0;
}

static int unknown_series(const struct sc_series *series, struct sc_refusal *why)
{
	char text[SERIES_TEXT_MAX];

	sc_series_text(series, text);
	return refusal_set(why, SC_REFUSED_UNKNOWN, "what the timekeeping of Linux ", text, " means is not known");
}

int sc_layout_read(struct sc_layout *layout, const struct sc_series *series, const struct types *btf,
		   struct sc_refusal *why)
{
	struct type types[SC_STRUCT_COUNT] = { 0 };
	uint8_t bit = sc_series_bit(series);
	int err;

	*layout = (struct sc_layout){ .series = *series };
	if (!bit)
		return unknown_series(series, why);
	err = read_structs(layout, bit, btf, types, why);
	for (uint32_t i = 0; !err && i < sc_series_field_count; i++) {
		const struct series_field *row = &sc_series_fields[i];

		if (!(row->in & bit))
			continue;
		err = sc_types_place(btf, &types[row->structure], row->name, &layout->field[row->field], why);
		if (!err && layout->field[row->field].size != row->size)
			err = refusal_pair(why, SC_REFUSED_UNKNOWN, "the kernel's struct ",
					   sc_types_name(&types[row->structure]),
					   " has a member of a size that is not known: ", row->name);
	}
	return err;
}

int sc_layout_judge(const struct sc_layout *layout, const char **known, struct sc_refusal *why)
{
	*known = sc_known_build(&layout->series, layout->fingerprint);
	if (*known)
		return 0;
	return refusal_fingerprint(why, SC_REFUSED_UNKNOWN,
				   "the layout of this kernel's timekeeping is not known (fingerprint ",
				   layout->fingerprint, ")");
}
