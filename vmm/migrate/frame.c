/* SPDX-License-Identifier: BSD-2-Clause */
/* The migration stream: see the header. */
#include "migrate/frame.h"

#include "layout.h"

#include <errno.h>
#include <string.h>

#define HELLO_MAGIC 0x314b4c4341455353ull /* "SSEACLK1" */

static const struct {
	const char *name;
	uint32_t size_max;
} frame_table[FRAME_TYPES] = {
	[FRAME_HELLO] = { "HELLO", 256 },
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
	[FRAME_READY] = { "READY", sizeof(uint64_t) },
	[FRAME_GO] = { "GO", 0 },
	[FRAME_DONE] = { "DONE", 0 },
	[FRAME_ABORT] = { "ABORT", ERROR_TEXT_MAX },
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

static void put_prologue(struct buffer *buffer, uint32_t hz)
{
	buffer_put_u64(buffer, HELLO_MAGIC);
	buffer_put_u32(buffer, FRAME_PROTOCOL);
	buffer_put_u32(buffer, hz);
}

static int get_prologue(struct cursor *cursor, uint32_t *hz, struct error *error)
{
	uint64_t magic = cursor_u64(cursor);
	uint32_t protocol = cursor_u32(cursor);

	*hz = cursor_u32(cursor);
	if (magic != HELLO_MAGIC)
		return error_set(error, EPROTO, "the other side does not speak Seaclock's migration protocol");
	if (protocol != FRAME_PROTOCOL)
		return error_set(error, EPROTO,
				 "the other side speaks version %u of the migration protocol, this one %u", protocol,
				 FRAME_PROTOCOL);
	if (*hz < SC_RATE_MIN_HZ || *hz > SC_RATE_MAX_HZ)
		return error_set(error, EPROTO,
				 "the other host's counter ticks at %u Hz: Seaclock knows rates of %u to %u Hz", *hz,
				 SC_RATE_MIN_HZ, SC_RATE_MAX_HZ);
	return 0;
}

void frame_put_hello(struct buffer *buffer, const struct frame_hello *hello)
{
	put_prologue(buffer, hello->hz);
	buffer_put_string(buffer, hello->name);
	buffer_put_u32(buffer, hello->vcpus);
	buffer_put_u64(buffer, hello->memory_size);
}

int frame_get_hello(const void *data, size_t size, struct frame_hello *hello, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	int result = get_prologue(&cursor, &hello->hz, error);

	if (result)
		return result;
	cursor_string(&cursor, hello->name, sizeof(hello->name));
	hello->vcpus = cursor_u32(&cursor);
	hello->memory_size = cursor_u64(&cursor);
	if (!cursor_finish(&cursor) || !name_is_valid(hello->name))
		return error_set(error, EPROTO, "the other side's hello is damaged");
	if (!hello->vcpus || hello->vcpus > SC_VCPU_MAX)
		return error_set(error, EPROTO, "the guest has %u vCPUs; 1 to %u are possible", hello->vcpus,
				 SC_VCPU_MAX);
	if (hello->memory_size < LAYOUT_RAM_MIN || hello->memory_size > LAYOUT_RAM_MAX ||
	    hello->memory_size % LAYOUT_RAM_UNIT)
		return error_set(error, EPROTO, "the guest has %llu bytes of memory, which no machine of Seaclock has",
				 (unsigned long long)hello->memory_size);
	return 0;
}

void frame_put_welcome(struct buffer *buffer, uint32_t hz)
{
	put_prologue(buffer, hz);
}

int frame_get_welcome(const void *data, size_t size, uint32_t *hz, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	int result = get_prologue(&cursor, hz, error);

	if (!result && !cursor_finish(&cursor))
		return error_set(error, EPROTO, "the other side's welcome is damaged");
	return result;
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
	if (!cursor_finish(&cursor) || !sc_statement_is_valid(statement))
		return error_set(error, EPROTO, "the other side's statement of its clock is none that a host can make");
	return 0;
}
