/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that travel: a growing buffer to write records into and a checked cursor to read them from. Little-endian.
 *
 * Policy: neither side stops at the first error. Both remember it, later calls do nothing (reads give 0), and the
 * caller asks once at the end: buffer_failed(), cursor_finish().
 */
#ifndef VMM_BASE_BUFFER_H
#define VMM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	bool failed; /* out of memory */
};

void buffer_free(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);
static inline bool buffer_failed(const struct buffer *buffer)
{
	return buffer->failed;
}

/* Room for `size` more bytes at the end; NULL if there is none. The bytes are not initialised. */
void *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_put(struct buffer *buffer, const void *data, size_t size);
void buffer_put_u8(struct buffer *buffer, uint8_t value);
void buffer_put_u32(struct buffer *buffer, uint32_t value);
void buffer_put_u64(struct buffer *buffer, uint64_t value);
/* A length of 32 bits, then the bytes. */
void buffer_put_block(struct buffer *buffer, const void *data, size_t size);
void buffer_put_string(struct buffer *buffer, const char *string);

struct cursor {
	const uint8_t *data;
	size_t left;
	bool failed; /* something was read beyond the end, or did not fit where it was read to */
};

struct cursor cursor_make(const void *data, size_t size);
/* `size` bytes in place, NULL if there are not that many left. */
const void *cursor_take(struct cursor *cursor, size_t size);
uint8_t cursor_u8(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
const void *cursor_block(struct cursor *cursor, size_t *size);
/* A string without zero bytes that fits into `capacity` with its end. */
void cursor_string(struct cursor *cursor, char *string, size_t capacity);
/* True if nothing failed and nothing is left. */
bool cursor_finish(const struct cursor *cursor);

#endif
