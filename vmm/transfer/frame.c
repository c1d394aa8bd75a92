/* SPDX-License-Identifier: BSD-2-Clause */
/* The migration stream: see the header. */
#include "transfer/frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FRAME_MAGIC 0x314b4c4341455353ull /* "SSEACLK1" */

static const struct {
	const char *name;
	uint32_t size_max;
} frame_table[FRAME_TYPES] = {
	[FRAME_HELLO] = { "HELLO", FRAME_CALL_MAX },
	[FRAME_WELCOME] = { "WELCOME", 64 },
	[FRAME_CHECK] = { "CHECK", FRAME_STATE_MAX },
	[FRAME_CHECKED] = { "CHECKED", 0 },
	[FRAME_PAGES] = { "PAGES", sizeof(uint64_t) + FRAME_PAGES_MAX *MEMORY_PAGE_SIZE },
	[FRAME_ZEROES] = { "ZEROES", 2 * sizeof(uint64_t) },
	[FRAME_SYNC] = { "SYNC", 0 },
	[FRAME_SYNCED] = { "SYNCED", 0 },
	[FRAME_STAMP] = { "STAMP", 0 },
	[FRAME_STAMPED] = { "STAMPED", 2 * sizeof(uint64_t) },
	[FRAME_CLOCK] = { "CLOCK", 0 },
	[FRAME_CLOCKED] = { "CLOCKED", 3 * sizeof(uint64_t) },
	[FRAME_STATE] = { "STATE", FRAME_STATE_MAX },
	[FRAME_READY] = { "READY", 2 * sizeof(uint64_t) },
	[FRAME_GO] = { "GO", 0 },
	[FRAME_DONE] = { "DONE", 0 },
	[FRAME_SETTLED] = { "SETTLED", FRAME_CALL_MAX },
	[FRAME_QUESTION] = { "QUESTION", 64 },
	[FRAME_ANSWER] = { "ANSWER", sizeof(uint32_t) },
	[FRAME_ABORT] = { "ABORT", ERROR_TEXT_MAX },
	[FRAME_MACHINE] = { "MACHINE", CONFIG_SIZE_MAX },
	[FRAME_FIND] = { "FIND", 0 },
	[FRAME_FOUND] = { "FOUND", 0 },
};

const char *frame_name(enum frame_type type)
{
	return frame_table[type].name;
}

void frame_put_header(uint8_t header[FRAME_HEADER_SIZE], enum frame_type type, uint32_t size)
{
	for (unsigned int n = 0; n < 4; n++) {
		header[n] = (uint8_t)((uint32_t)type >> 8 * n);
		header[4 + n] = (uint8_t)(size >> 8 * n);
	}
}

int frame_get_header(const uint8_t header[FRAME_HEADER_SIZE], enum frame_type *type, uint32_t *size,
		     struct error *error)
{
	struct cursor cursor = cursor_make(header, FRAME_HEADER_SIZE);
	uint32_t number = cursor_u32(&cursor);

	*size = cursor_u32(&cursor);
	if (!number || number >= FRAME_TYPES)
		return error_set(
			error, EPROTO,
			"the other side sent a frame of type 0x%x, which does not exist: it does not speak Seaclock's "
			"migration protocol",
			number);
	*type = number;
	if (*size > frame_table[number].size_max)
		return error_set(error, EPROTO, "the other side sent a %s frame of %u bytes; the limit is %u",
				 frame_name(*type), *size, frame_table[number].size_max);
	return 0;
}

/* ---- Ids ---- */

void frame_id_text(const struct frame_id *id, char text[FRAME_ID_TEXT_SIZE])
{
	for (size_t n = 0; n < sizeof(id->bytes); n++)
		snprintf(text + 2 * n, 3, "%02x", id->bytes[n]);
}

bool frame_id_equal(const struct frame_id *a, const struct frame_id *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void frame_put_id(struct buffer *buffer, const struct frame_id *id)
{
	buffer_put(buffer, id->bytes, sizeof(id->bytes));
}

void frame_get_id(struct cursor *cursor, struct frame_id *id)
{
	const void *place = cursor_take(cursor, sizeof(id->bytes));

	*id = (struct frame_id){ { 0 } };
	if (place)
		memcpy(id->bytes, place, sizeof(id->bytes));
}

/* ---- Contents ---- */

static void put_prologue(struct buffer *buffer)
{
	buffer_put_u64(buffer, FRAME_MAGIC);
	buffer_put_u32(buffer, FRAME_PROTOCOL);
}

static int get_prologue(struct cursor *cursor, struct error *error)
{
	uint64_t magic = cursor_u64(cursor);
	uint32_t protocol = cursor_u32(cursor);

	if (magic != FRAME_MAGIC)
		return error_set(error, EPROTO, "the other side does not speak Seaclock's migration protocol");
	if (protocol < FRAME_PROTOCOL_OLDEST || protocol > FRAME_PROTOCOL)
		return error_set(error, EPROTO,
				 "the other side speaks version %u of the migration protocol, this one %u to %u: use "
				 "the same version of Seaclock on both hosts",
				 protocol, FRAME_PROTOCOL_OLDEST, FRAME_PROTOCOL);
	return 0;
}

static int check_rate(uint32_t hz, struct error *error)
{
	if (hz >= SC_RATE_MIN_HZ && hz <= SC_RATE_MAX_HZ)
		return 0;
	return error_set(error, EPROTO, "the other host's counter ticks at %u Hz: Seaclock knows rates of %u to %u Hz",
			 hz, SC_RATE_MIN_HZ, SC_RATE_MAX_HZ);
}

static int damaged(enum frame_type type, struct error *error)
{
	return error_set(error, EPROTO, "the other side's %s is damaged", frame_name(type));
}

void frame_put_hello(struct buffer *buffer, const struct frame_hello *hello)
{
	put_prologue(buffer);
	buffer_put_u32(buffer, hello->hz);
	frame_put_id(buffer, &hello->id);
	buffer_put_string(buffer, hello->name);
	buffer_put_u32(buffer, hello->level);
	buffer_put_u32(buffer, hello->page_size);
	buffer_put_u32(buffer, hello->dry_run);
}

int frame_get_hello(const void *data, size_t size, struct frame_hello *hello, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	uint32_t level, dry_run;
	int result = get_prologue(&cursor, error);

	if (result)
		return result;
	hello->hz = cursor_u32(&cursor);
	frame_get_id(&cursor, &hello->id);
	cursor_string(&cursor, hello->name, sizeof(hello->name));
	level = cursor_u32(&cursor);
	hello->page_size = cursor_u32(&cursor);
	dry_run = cursor_u32(&cursor);
	if (!cursor_finish(&cursor) || !name_is_valid(hello->name) || !sc_level_is_known(level) || dry_run > 1)
		return damaged(FRAME_HELLO, error);
	hello->level = (enum sc_level)level;
	hello->dry_run = dry_run;
	return check_rate(hello->hz, error);
}

void frame_put_welcome(struct buffer *buffer, uint32_t hz)
{
	put_prologue(buffer);
	buffer_put_u32(buffer, hz);
}

int frame_get_welcome(const void *data, size_t size, uint32_t *hz, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	int result = get_prologue(&cursor, error);

	if (result)
		return result;
	*hz = cursor_u32(&cursor);
	return cursor_finish(&cursor) ? check_rate(*hz, error) : damaged(FRAME_WELCOME, error);
}

bool frame_get_zeroes(const struct frame *frame, uint64_t *gpa, uint32_t *count)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	uint64_t place = cursor_u64(&cursor), pages = cursor_u64(&cursor);

	if (!cursor_finish(&cursor) || !pages || pages > FRAME_PAGES_MAX)
		return false;
	*gpa = place;
	*count = (uint32_t)pages;
	return true;
}

void frame_put_ready(struct buffer *buffer, const struct frame_ready *ready)
{
	buffer_put_u64(buffer, ready->gap.v);
	buffer_put_u64(buffer, ready->loading.v);
}

int frame_get_ready(const void *data, size_t size, struct frame_ready *ready, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);

	ready->gap = sc_ns(cursor_u64(&cursor));
	ready->loading = sc_ns(cursor_u64(&cursor));
	return cursor_finish(&cursor) ? 0 : damaged(FRAME_READY, error);
}

void frame_put_question(struct buffer *buffer, const struct frame_id *id)
{
	put_prologue(buffer);
	frame_put_id(buffer, id);
}

int frame_get_question(const void *data, size_t size, struct frame_id *id, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	int result = get_prologue(&cursor, error);

	if (result)
		return result;
	frame_get_id(&cursor, id);
	return cursor_finish(&cursor) ? 0 : damaged(FRAME_QUESTION, error);
}

void frame_put_answer(struct buffer *buffer, enum frame_answer answer)
{
	buffer_put_u32(buffer, answer);
}

int frame_get_answer(const void *data, size_t size, enum frame_answer *answer, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	uint32_t value = cursor_u32(&cursor);

	if (!cursor_finish(&cursor) || value < FRAME_ANSWER_RUNNING || value > FRAME_ANSWER_UNKNOWN)
		return damaged(FRAME_ANSWER, error);
	*answer = (enum frame_answer)value;
	return 0;
}

void frame_put_statement(struct buffer *buffer, const struct sc_statement *statement)
{
	buffer_put_u64(buffer, statement->counter.v);
	buffer_put_u64(buffer, statement->realtime.v);
	buffer_put_u64(buffer, statement->error_ns);
}

int frame_get_statement(const void *data, size_t size, struct sc_statement *statement, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);

	statement->counter = sc_ns(cursor_u64(&cursor));
	statement->realtime = sc_ns(cursor_u64(&cursor));
	statement->error_ns = cursor_u64(&cursor);
	return cursor_finish(&cursor) ? 0 : damaged(FRAME_CLOCKED, error);
}
