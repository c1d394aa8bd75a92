/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The migration stream: frames, their sizes, and the contents of the small ones.
 *
 * Policy: bytes to values and back, no I/O. A peer is not trusted: a type that does not exist, a length beyond its
 * type's limit, a field out of range ends the migration with a sentence. What opens a connection (HELLO, QUESTION)
 * begins with magic and version, so that another version is named as such.
 */
#ifndef VMM_TRANSFER_FRAME_H
#define VMM_TRANSFER_FRAME_H

#include "base/buffer.h"
#include "base/error.h"
#include "machine/config.h"
#include "host/memory.h"
#include "base/name.h"

#include <seaclock/core.h>

/* What this program writes, and the oldest that it takes: the one before, as far as there has been one with sections.
 */
#define FRAME_PROTOCOL 6u
#define FRAME_PROTOCOL_OLDEST 5u

#define FRAME_HEADER_SIZE 8u
#define FRAME_PAGES_MAX 64u
#define FRAME_STATE_MAX (4u << 20)
/* The largest frame that may open a connection, or follow the end of a migration. */
#define FRAME_CALL_MAX 512u

enum frame_type {
	FRAME_HELLO = 1, /* source: struct frame_hello */
	FRAME_WELCOME,	 /* target: its counter's rate */
	FRAME_CHECK,	 /* source: the registers of vCPUs and interrupt controller, to try */
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
	FRAME_READY,	 /* target: nothing can fail any more; struct frame_ready */
	FRAME_GO,	 /* source: the guest is yours */
	FRAME_DONE,	 /* target: it runs */
	FRAME_SETTLED,	 /* source: DONE has arrived; id and struct report */
	FRAME_QUESTION,	 /* source, on a new connection: what became of this id? */
	FRAME_ANSWER,	 /* target: enum frame_answer */
	FRAME_ABORT,	 /* either: one sentence */
	FRAME_MACHINE,	 /* source, right after HELLO: struct machine_config */
	FRAME_FIND,	 /* source: look for the guest's kernel in what has come, to repair it */
	FRAME_FOUND,	 /* target: it is there, and known */
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

/* ---- One migration, by its number ---- */

/* Random, new for each attempt. */
struct frame_id {
	uint8_t bytes[16];
};

#define FRAME_ID_TEXT_SIZE 33 /* hexadecimal, with the terminating zero */

void frame_id_text(const struct frame_id *id, char text[FRAME_ID_TEXT_SIZE]);
bool frame_id_equal(const struct frame_id *a, const struct frame_id *b);
void frame_put_id(struct buffer *buffer, const struct frame_id *id);
void frame_get_id(struct cursor *cursor, struct frame_id *id);

/* ---- Contents ---- */

/* Who sends what: enough to refuse it by its name, and to judge the two hosts. */
struct frame_hello {
	struct frame_id id;
	char name[NAME_SIZE];
	uint32_t hz;
	enum sc_level level; /* for what the target says of it */
	uint32_t page_size;  /* of the source's kernel */
	bool dry_run;	     /* ends after CHECKED */
};

void frame_put_hello(struct buffer *buffer, const struct frame_hello *hello);
int frame_get_hello(const void *data, size_t size, struct frame_hello *hello, struct error *error);

/* A host's statement of its clock; whether it is one that a host can make, the core says. */
void frame_put_statement(struct buffer *buffer, const struct sc_statement *statement);
int frame_get_statement(const void *data, size_t size, struct sc_statement *statement, struct error *error);

void frame_put_welcome(struct buffer *buffer, uint32_t hz);
int frame_get_welcome(const void *data, size_t size, uint32_t *hz, struct error *error);

/* What a ZEROES names; false, and nothing there, unless it is whole and names 1 to FRAME_PAGES_MAX pages. */
bool frame_get_zeroes(const struct frame *frame, uint64_t *gpa, uint32_t *count);

struct frame_ready {
	sc_ns_t gap;	 /* between the stop at the source and the clock's start at the target */
	sc_ns_t loading; /* what the target needed for the state */
};

void frame_put_ready(struct buffer *buffer, const struct frame_ready *ready);
int frame_get_ready(const void *data, size_t size, struct frame_ready *ready, struct error *error);

void frame_put_question(struct buffer *buffer, const struct frame_id *id);
int frame_get_question(const void *data, size_t size, struct frame_id *id, struct error *error);

enum frame_answer {
	FRAME_ANSWER_RUNNING = 1, /* the guest runs here, or has run here since */
	FRAME_ANSWER_NEVER,	  /* a promise: it never will */
	FRAME_ANSWER_UNKNOWN,	  /* this receiver knows no such migration */
};

void frame_put_answer(struct buffer *buffer, enum frame_answer answer);
int frame_get_answer(const void *data, size_t size, enum frame_answer *answer, struct error *error);

#endif
