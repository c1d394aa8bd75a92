/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections: see the header. */
#include "base/section.h"

#define FLAG_OPTIONAL 1u
#define SIZE_OFFSET 16u

size_t section_begin(struct buffer *buffer, uint32_t id, uint32_t instance, uint32_t version, bool optional)
{
	size_t begun = buffer->size;

	buffer_put_u32(buffer, id);
	buffer_put_u32(buffer, instance);
	buffer_put_u32(buffer, version);
	buffer_put_u32(buffer, optional ? FLAG_OPTIONAL : 0);
	buffer_put_u32(buffer, 0);
	return begun;
}

void section_end(struct buffer *buffer, size_t begun)
{
	size_t size;

	if (buffer_failed(buffer))
		return;
	size = buffer->size - begun - SECTION_HEADER_SIZE;
	for (unsigned int n = 0; n < 4; n++)
		buffer->data[begun + SIZE_OFFSET + n] = (uint8_t)(size >> 8 * n);
}

bool section_next(struct cursor *cursor, struct section *section)
{
	uint32_t flags, size;
	const void *content;

	if (!cursor->left || cursor->failed)
		return false;
	section->id = cursor_u32(cursor);
	section->instance = cursor_u32(cursor);
	section->version = cursor_u32(cursor);
	flags = cursor_u32(cursor);
	size = cursor_u32(cursor);
	content = cursor_take(cursor, size);
	if (!section->version || flags & ~FLAG_OPTIONAL)
		cursor->failed = true;
	if (cursor->failed)
		return false;
	section->optional = flags & FLAG_OPTIONAL;
	section->content = cursor_make(content, size);
	return true;
}

void section_name(uint32_t id, char text[5])
{
	for (unsigned int n = 0; n < 4; n++) {
		uint8_t letter = (uint8_t)(id >> 8 * n);

		text[n] = (char)(letter >= ' ' && letter < 0x7f ? letter : '?');
	}
	text[4] = '\0';
}
