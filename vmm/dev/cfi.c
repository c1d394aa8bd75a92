/* SPDX-License-Identifier: BSD-2-Clause */
/* NOR flash: see the header. */
#include "dev/cfi.h"

#include <errno.h>
#include <string.h>

#define COMMAND_WRITE 0x40
#define COMMAND_WRITE_OTHER 0x10
#define COMMAND_ERASE 0x20
#define COMMAND_CLEAR_STATUS 0x50
#define COMMAND_LOCK 0x60
#define COMMAND_READ_STATUS 0x70
#define COMMAND_IDENTITY 0x90
#define COMMAND_QUERY 0x98
#define COMMAND_CONFIRM 0xd0
#define COMMAND_BUFFER 0xe8
#define COMMAND_READ_ARRAY 0xff
#define LOCK_SET 0x01
#define LOCK_DOWN 0x2f

#define STATUS_READY 0x80
#define STATUS_ERASE_FAILED 0x20
#define STATUS_WRITE_FAILED 0x10
#define STATUS_SEQUENCE (STATUS_ERASE_FAILED | STATUS_WRITE_FAILED)

#define WORD 4u /* a word of 16 bits of each chip */

#define IDENTITY_MAKER 0x89
#define IDENTITY_DEVICE 0x18

/* From word 0x10 on, of one chip. The sizes are 2^n bytes. */
#define QUERY_FIRST 0x10u
static const uint8_t query[] = {
	'Q',  'R',  'Y',			  /* 0x10 */
	0x01, 0x00, 0x31, 0x00,			  /* 0x13: the command set, and where its own table is */
	0x00, 0x00, 0x00, 0x00,			  /* 0x17: no other one */
	0x45, 0x55, 0x00, 0x00,			  /* 0x1b: 4.5 to 5.5 V, no programming voltage */
	0x07, 0x07, 0x0a, 0x00,			  /* 0x1f: usual times of a word, a buffer, a block, the chip */
	0x04, 0x04, 0x04, 0x00,			  /* 0x23: the longest, as multiples of these */
	0x19, 0x01, 0x00, 0x06, 0x00,		  /* 0x27: size, 16 bits, buffer */
	0x01, 0xff, 0x00, 0x00, 0x02,		  /* 0x2c: one kind of block, 256 of 512 * 256 bytes */
	'P',  'R',  'I',  '1',	'0',		  /* 0x31 */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 0x36: no feature, no lock */
};

void cfi_init(struct cfi *cfi, uint8_t *bytes, uint32_t size)
{
	*cfi = (struct cfi){ .bytes = bytes, .size = size };
	cfi_reset(cfi);
}

void cfi_reset(struct cfi *cfi)
{
	cfi->mode = CFI_ARRAY;
	cfi->step = CFI_COMMAND;
	cfi->status = STATUS_READY;
	cfi->start = cfi->length = cfi->filled = 0;
	memset(cfi->buffer, 0, sizeof(cfi->buffer));
}

bool cfi_is_array(const struct cfi *cfi)
{
	return cfi->mode == CFI_ARRAY && cfi->step == CFI_COMMAND;
}

/* ---- Reads ---- */

static uint8_t identity_read(uint32_t word)
{
	switch (word) {
	case 0:
		return IDENTITY_MAKER;
	case 1:
		return IDENTITY_DEVICE;
	default:
		return 0; /* among them whether the block is locked */
	}
}

static uint8_t query_read(uint32_t word)
{
	return word >= QUERY_FIRST && word - QUERY_FIRST < sizeof(query) ? query[word - QUERY_FIRST] : 0;
}

static uint8_t byte_read(const struct cfi *cfi, uint32_t offset)
{
	uint32_t word = offset % CFI_BLOCK_SIZE / WORD;

	if (cfi->mode == CFI_ARRAY)
		return cfi->bytes[offset];
	/* The upper half of each chip's 16 bits. */
	if (offset % 2)
		return 0;
	if (cfi->mode == CFI_IDENTITY)
		return identity_read(word);
	return cfi->mode == CFI_QUERY ? query_read(word) : cfi->status;
}

uint64_t cfi_read(const struct cfi *cfi, uint32_t offset, unsigned int length)
{
	uint64_t value = 0;

	for (unsigned int n = 0; n < length; n++)
		value |= (uint64_t)byte_read(cfi, offset + n) << 8 * n;
	return value;
}

/* ---- Writes ---- */

static const struct cfi_change nothing = { 0 };

/* Shows the status, to which `failed` is added, and waits for a command. */
static void step_end(struct cfi *cfi, uint8_t failed)
{
	cfi->mode = CFI_STATUS;
	cfi->step = CFI_COMMAND;
	cfi->status |= failed;
}

static void command_take(struct cfi *cfi, uint8_t command)
{
	static const struct {
		uint8_t command;
		enum cfi_mode mode;
		enum cfi_step step;
	} table[] = {
		{ COMMAND_WRITE, CFI_STATUS, CFI_WORD },	  { COMMAND_WRITE_OTHER, CFI_STATUS, CFI_WORD },
		{ COMMAND_ERASE, CFI_STATUS, CFI_ERASE },	  { COMMAND_LOCK, CFI_STATUS, CFI_LOCK },
		{ COMMAND_READ_STATUS, CFI_STATUS, CFI_COMMAND }, { COMMAND_IDENTITY, CFI_IDENTITY, CFI_COMMAND },
		{ COMMAND_QUERY, CFI_QUERY, CFI_COMMAND },	  { COMMAND_BUFFER, CFI_STATUS, CFI_COUNT },
		{ COMMAND_READ_ARRAY, CFI_ARRAY, CFI_COMMAND },
	};

	if (command == COMMAND_CLEAR_STATUS)
		cfi->status = STATUS_READY;
	for (size_t n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
		if (table[n].command != command)
			continue;
		cfi->mode = table[n].mode;
		cfi->step = table[n].step;
	}
}

/* Writing makes ones zeroes, and nothing else. */
static struct cfi_change array_write(struct cfi *cfi, uint32_t offset, const uint8_t *bytes, uint32_t size)
{
	for (uint32_t n = 0; n < size; n++)
		cfi->bytes[offset + n] &= bytes[n];
	return (struct cfi_change){ .offset = offset, .size = size };
}

static struct cfi_change word_write(struct cfi *cfi, uint32_t offset, unsigned int length, uint64_t value)
{
	uint8_t bytes[8];

	for (unsigned int n = 0; n < length; n++)
		bytes[n] = (uint8_t)(value >> 8 * n);
	step_end(cfi, 0);
	return array_write(cfi, offset, bytes, length);
}

static struct cfi_change block_erase(struct cfi *cfi, uint32_t offset, uint8_t command)
{
	uint32_t start = offset - offset % CFI_BLOCK_SIZE;

	step_end(cfi, command == COMMAND_CONFIRM ? 0 : STATUS_SEQUENCE);
	if (command != COMMAND_CONFIRM)
		return nothing;
	memset(cfi->bytes + start, CFI_ERASED, CFI_BLOCK_SIZE);
	return (struct cfi_change){ .offset = start, .size = CFI_BLOCK_SIZE };
}

static void lock_change(struct cfi *cfi, uint8_t command)
{
	bool known = command == COMMAND_CONFIRM || command == LOCK_SET || command == LOCK_DOWN;

	step_end(cfi, known ? 0 : STATUS_SEQUENCE);
}

/* One less than the words that come. */
static void buffer_begin(struct cfi *cfi, uint16_t count)
{
	uint32_t length = (count + 1u) * WORD;

	if (length > CFI_BUFFER_SIZE)
		return step_end(cfi, STATUS_SEQUENCE);
	cfi->length = length;
	cfi->filled = 0;
	cfi->step = CFI_DATA;
	memset(cfi->buffer, CFI_ERASED, sizeof(cfi->buffer));
}

/* The first word says where the buffer begins; the others lie behind it, in any order. */
static void buffer_fill(struct cfi *cfi, uint32_t offset, unsigned int length, uint64_t value)
{
	if (!cfi->filled)
		cfi->start = offset;
	if (cfi->filled + length > cfi->length || cfi->start > cfi->size - cfi->length || offset < cfi->start ||
	    offset - cfi->start > cfi->length - length)
		return step_end(cfi, STATUS_SEQUENCE);
	for (unsigned int n = 0; n < length; n++)
		cfi->buffer[offset - cfi->start + n] = (uint8_t)(value >> 8 * n);
	cfi->filled += length;
	if (cfi->filled == cfi->length)
		cfi->step = CFI_CONFIRM;
}

static struct cfi_change buffer_write(struct cfi *cfi, uint8_t command)
{
	step_end(cfi, command == COMMAND_CONFIRM ? 0 : STATUS_SEQUENCE);
	return command == COMMAND_CONFIRM ? array_write(cfi, cfi->start, cfi->buffer, cfi->length) : nothing;
}

struct cfi_change cfi_write(struct cfi *cfi, uint32_t offset, unsigned int length, uint64_t value)
{
	switch (cfi->step) {
	case CFI_COMMAND:
		command_take(cfi, (uint8_t)value);
		break;
	case CFI_ERASE:
		return block_erase(cfi, offset, (uint8_t)value);
	case CFI_LOCK:
		lock_change(cfi, (uint8_t)value);
		break;
	case CFI_WORD:
		return word_write(cfi, offset, length, value);
	case CFI_COUNT:
		buffer_begin(cfi, (uint16_t)value);
		break;
	case CFI_DATA:
		buffer_fill(cfi, offset, length, value);
		break;
	case CFI_CONFIRM:
		return buffer_write(cfi, (uint8_t)value);
	}
	return nothing;
}

/* ---- State ---- */

void cfi_save(const struct cfi *cfi, struct buffer *state)
{
	buffer_put_u32(state, cfi->mode);
	buffer_put_u32(state, cfi->step);
	buffer_put_u32(state, cfi->status);
	buffer_put_u32(state, cfi->start);
	buffer_put_u32(state, cfi->length);
	buffer_put_u32(state, cfi->filled);
	buffer_put(state, cfi->buffer, sizeof(cfi->buffer));
}

/* Whether the buffer lies in the array, as far as it is in use: its first word says anew where it begins. */
static bool buffer_is_sound(const struct cfi *cfi)
{
	if (cfi->length % WORD || cfi->length > CFI_BUFFER_SIZE || cfi->filled > cfi->length ||
	    (cfi->filled && cfi->start > cfi->size - cfi->length))
		return false;
	if (cfi->step == CFI_DATA)
		return cfi->filled < cfi->length;
	return cfi->step != CFI_CONFIRM || (cfi->length && cfi->filled == cfi->length);
}

int cfi_load(struct cfi *cfi, struct cursor *state)
{
	struct cfi loaded = { .bytes = cfi->bytes, .size = cfi->size };
	uint32_t mode = cursor_u32(state), step = cursor_u32(state), status = cursor_u32(state);
	const void *buffer;

	loaded.mode = (enum cfi_mode)mode;
	loaded.step = (enum cfi_step)step;
	loaded.status = (uint8_t)status;
	loaded.start = cursor_u32(state);
	loaded.length = cursor_u32(state);
	loaded.filled = cursor_u32(state);
	buffer = cursor_take(state, sizeof(loaded.buffer));
	if (!buffer || mode > CFI_QUERY || step > CFI_CONFIRM || status > UINT8_MAX || !buffer_is_sound(&loaded))
		return -EPROTO;
	memcpy(loaded.buffer, buffer, sizeof(loaded.buffer));
	*cfi = loaded;
	return 0;
}
