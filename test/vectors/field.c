/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures as JSON and back: see the header. */
#include "field.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *number(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

static json_t *signed_number(int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return json_string(text);
}

static json_t *bytes(const struct field_bytes *from)
{
	char text[2 * FIELD_BYTES_MAX + 1];

	text[0] = '\0';
	for (size_t i = 0; i < from->size; i++)
		snprintf(text + 2 * i, 3, "%02x", from->data[i]);
	return json_string(text);
}

static json_t *encode_one(const struct field *field, const void *at, bool terse)
{
	switch (field->kind) {
	case FIELD_U32:
		return number(*(const uint32_t *)at);
	case FIELD_U64:
		return number(*(const uint64_t *)at);
	case FIELD_I64:
		return signed_number(*(const int64_t *)at);
	case FIELD_INT:
		return signed_number(*(const int *)at);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_BYTES:
		return bytes(at);
	default:
		return field_encode(field->fields, at, terse);
	}
}

static bool is_zero(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i])
			return false;
	return true;
}

static json_t *encode_array(const struct field *field, const uint8_t *at)
{
	json_t *array = json_array();
	size_t count = field->count;

	while (count && is_zero(at + (count - 1) * field->size, field->size))
		count--;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, encode_one(field, at + i * field->size, true));
	return array;
}

json_t *field_encode(const struct field *fields, const void *base, bool terse)
{
	json_t *object = json_object();

	for (const struct field *field = fields; field->kind != FIELD_END; field++) {
		const uint8_t *at = (const uint8_t *)base + field->offset;
		size_t size = field->size * (field->count ? field->count : 1);

		if (terse && is_zero(at, size))
			continue;
		json_object_set_new(object, field->name,
				    field->count ? encode_array(field, at) : encode_one(field, at, true));
	}
	return object;
}

static bool decode_number(const json_t *from, uint64_t max, uint64_t *value)
{
	const char *text = json_string_value(from);
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end && *value <= max;
}

static bool decode_signed(const json_t *from, int64_t *value)
{
	const char *text = json_string_value(from);
	char *end;

	if (!text || !*text)
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return !errno && !*end;
}

static bool decode_bytes(const json_t *from, struct field_bytes *to)
{
	const char *text = json_string_value(from);
	unsigned int byte;

	to->size = 0;
	if (!text || strlen(text) % 2 || strlen(text) / 2 > FIELD_BYTES_MAX)
		return false;
	for (; *text; text += 2) {
		if (sscanf(text, "%2x", &byte) != 1)
			return false;
		to->data[to->size++] = (uint8_t)byte;
	}
	return true;
}

static bool decode_u32(const json_t *from, uint32_t *to)
{
	uint64_t value;
	bool good = decode_number(from, UINT32_MAX, &value);

	if (good)
		*to = (uint32_t)value;
	return good;
}

static bool decode_int(const json_t *from, int *to)
{
	int64_t value;
	bool good = decode_signed(from, &value) && value >= INT_MIN && value <= INT_MAX;

	if (good)
		*to = (int)value;
	return good;
}

static bool decode_one(const struct field *field, const json_t *from, void *at)
{
	switch (field->kind) {
	case FIELD_U32:
		return decode_u32(from, at);
	case FIELD_U64:
		return decode_number(from, UINT64_MAX, at);
	case FIELD_I64:
		return decode_signed(from, at);
	case FIELD_INT:
		return decode_int(from, at);
	case FIELD_BOOL:
		*(bool *)at = json_is_true(from);
		return json_is_boolean(from);
	case FIELD_BYTES:
		return decode_bytes(from, at);
	default:
		return field_decode(field->fields, from, at);
	}
}

static bool decode_array(const struct field *field, const json_t *from, uint8_t *at)
{
	if (!json_is_array(from) || json_array_size(from) > field->count)
		return false;
	for (size_t i = 0; i < json_array_size(from); i++)
		if (!decode_one(field, json_array_get(from, i), at + i * field->size))
			return false;
	return true;
}

bool field_decode(const struct field *fields, const json_t *object, void *base)
{
	size_t known = 0;

	for (const struct field *field = fields; field->kind != FIELD_END; field++) {
		const json_t *member = json_object_get(object, field->name);
		uint8_t *at = (uint8_t *)base + field->offset;

		memset(at, 0, field->size * (field->count ? field->count : 1));
		if (!member)
			continue;
		known++;
		if (!(field->count ? decode_array(field, member, at) : decode_one(field, member, at)))
			return false;
	}
	return json_is_object(object) && known == json_object_size(object);
}
