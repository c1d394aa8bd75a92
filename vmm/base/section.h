/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections: pieces of a machine's state that name themselves.
 *
 * Policy: pure; whoever carries sections need not know what is in them. A section has an id, the instance of what it is
 * of, a version, its size, and whether a reader who does not know it may leave it out. Source of the idea: tagged
 * chunks as in PNG, RIFF and others.
 */
#ifndef VMM_BASE_SECTION_H
#define VMM_BASE_SECTION_H

#include "base/buffer.h"

/* Four letters, readable in a dump. */
#define SECTION_ID(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SECTION_HEADER_SIZE 20u

struct section {
	uint32_t id;
	uint32_t instance;
	uint32_t version; /* from 1 */
	bool optional;
	struct cursor content;
};

/* Begins a section in the buffer: where it is, for section_end(), which completes it with what was put meanwhile. */
size_t section_begin(struct buffer *buffer, uint32_t id, uint32_t instance, uint32_t version, bool optional);
void section_end(struct buffer *buffer, size_t begun);

/* The next section of the stream; false at its end, and if what is there is not one: then cursor->failed. */
bool section_next(struct cursor *cursor, struct section *section);

/* The id as text, what is not printable as '?'. */
void section_name(uint32_t id, char text[5]);

#endif
