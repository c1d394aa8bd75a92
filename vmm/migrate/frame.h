/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The migration stream: frames, their sizes, and the two hellos.
 *
 * Policy: bytes to values and back, no I/O. A peer is not trusted: a type that does not exist, a length beyond its
 * type's limit, a field out of range ends the migration with a sentence.
 */
#ifndef VMM_MIGRATE_FRAME_H
#define VMM_MIGRATE_FRAME_H

#include "buffer.h"
#include "error.h"
#include "memory.h"
#include "name.h"

#include <seaclock/core.h>

#define FRAME_PROTOCOL 1u

#define FRAME_HEADER_SIZE 8u
#define FRAME_PAGES_MAX 64u
#define FRAME_STATE_MAX (4u << 20)

enum frame_type {
	FRAME_HELLO = 1, /* source: struct frame_hello */
	FRAME_WELCOME,	 /* target: its counter's rate */
	FRAME_CHECK,	 /* source: the vCPUs' registers, to try */
	FRAME_CHECKED,	 /* target: they fit */
	FRAME_PAGES,	 /* source: guest address, contiguous pages */
	FRAME_ZEROES,	 /* source: guest address, number of pages that are zero */
	FRAME_SYNC,	 /* source: end of a round */
	FRAME_SYNCED,	 /* target: everything before it is in memory */
	FRAME_STAMP,	 /* source: a time stamp */
	FRAME_STAMPED,	 /* target: received, answered */
	FRAME_CLOCK,	 /* source: asks how well the target's clock is synchronised */
	FRAME_CLOCKED,	 /* target: its statement: counter, CLOCK_REALTIME, error */
	FRAME_STATE,	 /* source: all that is not memory */
	FRAME_READY,	 /* target: nothing can fail any more; the gap */
	FRAME_GO,	 /* source: the guest is yours */
	FRAME_DONE,	 /* target: it runs */
	FRAME_ABORT,	 /* either: one sentence */
	FRAME_TYPES,
};

/* A frame that was received. */
struct frame {
	enum frame_type type;
	const uint8_t *data; /* valid until the next frame is received */
	size_t size;
};

/* The name of a type, for sentences. */
const char *frame_name(enum frame_type type);

void frame_put_header(uint8_t header[FRAME_HEADER_SIZE], enum frame_type type, uint32_t size);
int frame_get_header(const uint8_t header[FRAME_HEADER_SIZE], enum frame_type *type, uint32_t *size,
		     struct error *error);

/* What is to come, and from whom. */
struct frame_hello {
	char name[NAME_SIZE];
	uint32_t hz;
	uint32_t vcpus;
	uint64_t memory_size;
};

void frame_put_hello(struct buffer *buffer, const struct frame_hello *hello);
int frame_get_hello(const void *data, size_t size, struct frame_hello *hello, struct error *error);

/* A host's statement of its clock; read, it is one that a host can make. */
void frame_put_statement(struct buffer *buffer, const struct sc_statement *statement);
int frame_get_statement(const void *data, size_t size, struct sc_statement *statement, struct error *error);

void frame_put_welcome(struct buffer *buffer, uint32_t hz);
int frame_get_welcome(const void *data, size_t size, uint32_t *hz, struct error *error);

#endif
