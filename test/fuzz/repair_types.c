/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's types, as any bytes: refused with a clause, or open to every question about every type, and a layout
 * that is read lies within its structures.
 */
#include "fuzz.h"

#include "../../repair/layout.h"
#include "../../repair/series.h"

#include <string.h>

#define ARENA 200000u

static void ask_about(const struct types *types, uint32_t id)
{
	struct sc_refusal why;
	struct member member;
	struct type type;

	if (sc_types_describe(types, id, &type, &why))
		return;
	FUZZ_MUST(strlen(type.name) < types->strings_size);
	for (uint32_t n = 0; n < type.members; n++)
		if (!sc_types_member(types, &type, n, &member, &why))
			FUZZ_MUST(strlen(member.name) < types->strings_size);
}

static void read_layout(const struct types *types, struct sc_series series)
{
	struct sc_refusal why = { 0 };
	struct sc_layout layout;

	if (sc_layout_read(&layout, &series, types, &why)) {
		FUZZ_MUST(why.text[0]);
		return;
	}
	for (uint32_t i = 0; i < sc_series_field_count; i++) {
		const struct series_field *row = &sc_series_fields[i];
		const struct sc_place *place = &layout.field[row->field];

		if (row->in & sc_series_bit(&series))
			FUZZ_MUST(place->size == row->size &&
				  (uint64_t)place->offset + place->size <= layout.size[row->structure]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[ARENA];
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_refusal why = { 0 };
	struct types types;

	if (sc_types_open(&types, data, size, &arena, &why)) {
		FUZZ_MUST(why.text[0]);
		return 0;
	}
	for (uint32_t id = 0; id <= types.count; id++)
		ask_about(&types, id);
	read_layout(&types, (struct sc_series){ 6, 12 });
	read_layout(&types, (struct sc_series){ 7, 3 });
	return 0;
}
