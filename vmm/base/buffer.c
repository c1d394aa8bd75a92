/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that travel: see the header. */
#include "base/buffer.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_CAPACITY 4096u

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
}

static bool buffer_grow(struct buffer *buffer, size_t needed)
{
	size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST_CAPACITY;
	uint8_t *data;

	while (capacity < needed)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

void *buffer_reserve(struct buffer *buffer, size_t size)
{
	void *place;

	if (buffer->failed)
		return NULL;
	/* Room for nothing is a place, too. */
	if ((!buffer->data || size > buffer->capacity - buffer->size) && !buffer_grow(buffer, buffer->size + size)) {
		buffer->failed = true;
		return NULL;
	}
	place = buffer->data + buffer->size;
	buffer->size += size;
	return place;
}

void buffer_put(struct buffer *buffer, const void *data, size_t size)
{
	void *place = buffer_reserve(buffer, size);

	if (place && size)
		memcpy(place, data, size);
}

void buffer_put_u8(struct buffer *buffer, uint8_t value)
{
	buffer_put(buffer, &value, sizeof(value));
}

void buffer_put_u32(struct buffer *buffer, uint32_t value)
{
	value = htole32(value);
	buffer_put(buffer, &value, sizeof(value));
}

void buffer_put_u64(struct buffer *buffer, uint64_t value)
{
	value = htole64(value);
	buffer_put(buffer, &value, sizeof(value));
}

void buffer_put_block(struct buffer *buffer, const void *data, size_t size)
{
	buffer_put_u32(buffer, (uint32_t)size);
	buffer_put(buffer, data, size);
}

void buffer_put_string(struct buffer *buffer, const char *string)
{
	buffer_put_block(buffer, string, strlen(string));
}

struct cursor cursor_make(const void *data, size_t size)
{
	return (struct cursor){ .data = data, .left = size };
}

const void *cursor_take(struct cursor *cursor, size_t size)
{
	const void *place = cursor->data;

	if (cursor->failed || size > cursor->left) {
		cursor->failed = true;
		return NULL;
	}
	cursor->data += size;
	cursor->left -= size;
	return place;
}

uint8_t cursor_u8(struct cursor *cursor)
{
	const uint8_t *place = cursor_take(cursor, 1);

	return place ? *place : 0;
}

uint32_t cursor_u32(struct cursor *cursor)
{
	const void *place = cursor_take(cursor, sizeof(uint32_t));
	uint32_t value = 0;

	if (place)
		memcpy(&value, place, sizeof(value));
	return le32toh(value);
}

uint64_t cursor_u64(struct cursor *cursor)
{
	const void *place = cursor_take(cursor, sizeof(uint64_t));
	uint64_t value = 0;

	if (place)
		memcpy(&value, place, sizeof(value));
	return le64toh(value);
}

const void *cursor_block(struct cursor *cursor, size_t *size)
{
	*size = cursor_u32(cursor);
	return cursor_take(cursor, *size);
}

void cursor_string(struct cursor *cursor, char *string, size_t capacity)
{
	size_t size;
	const char *place = cursor_block(cursor, &size);

	string[0] = '\0';
	if (!place)
		return;
	if (size >= capacity || memchr(place, '\0', size)) {
		cursor->failed = true;
		return;
	}
	memcpy(string, place, size);
	string[size] = '\0';
}

bool cursor_finish(const struct cursor *cursor)
{
	return !cursor->failed && cursor->left == 0;
}
