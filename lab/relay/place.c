// SPDX-License-Identifier: BSD-2-Clause
/* The place where a fault begins: see the header. */
#include "place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static uint32_t type_by_name(const char *name, size_t length)
{
	for (uint32_t type = 1; type < FRAME_TYPES; type++) {
		const char *known = frame_name((enum frame_type)type);

		if (strlen(known) == length && !memcmp(known, name, length))
			return type;
	}
	return 0;
}

/* Moves *text past a decimal number. */
static bool number_parse(const char **text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return true;
}

bool place_parse(const char *text, struct place *place)
{
	size_t length = strcspn(text, ":+");
	uint64_t nth = 1;

	*place = (struct place){ 0 };
	if (number_parse(&text, &place->bytes))
		return !*text;
	place->type = type_by_name(text, length);
	text += length;
	if (*text == ':') {
		text++;
		if (!number_parse(&text, &nth) || !nth || nth > UINT32_MAX)
			return false;
	}
	place->nth = (uint32_t)nth;
	if (*text == '+') {
		text++;
		if (!number_parse(&text, &place->bytes))
			return false;
	}
	return place->type && !*text;
}

struct flow flow_make(const struct place *place, bool first)
{
	return (struct flow){ .counting = first && !place->type, .until = place->bytes };
}

static uint32_t u32_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A whole header: what follows it, and whether the place is counted from here. */
static void flow_begin_frame(struct flow *flow, struct place *place, const uint8_t *header)
{
	flow->content = FRAME_HEADER_SIZE + (uint64_t)u32_at(header + 4);
	if (place->type && u32_at(header) == place->type && ++place->seen == place->nth) {
		flow->counting = true;
		flow->until = place->bytes;
	}
}

/* Passes at most `size` bytes, none beyond the place. */
static size_t flow_step(struct flow *flow, size_t size)
{
	if (!flow->counting)
		return size;
	if (flow->until < size)
		size = (size_t)flow->until;
	flow->until -= size;
	return size;
}

size_t flow_pass(struct flow *flow, struct place *place, const uint8_t *bytes, size_t size, bool *reached)
{
	size_t passed = 0;

	*reached = false;
	while (passed < size && !*reached) {
		size_t step = size - passed;

		if (place->type) {
			if (!flow->content && step < FRAME_HEADER_SIZE)
				break;
			if (!flow->content)
				flow_begin_frame(flow, place, bytes + passed);
			step = flow->content < step ? (size_t)flow->content : step;
		}
		step = flow_step(flow, step);
		passed += step;
		flow->content -= place->type ? step : 0;
		*reached = flow->counting && !flow->until;
	}
	return passed;
}
