/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a file that holds a saved machine: see the header. */
#include "snapshot/seal.h"

#include "base/buffer.h"
#include "transfer/frame.h"

#include <errno.h>
#include <string.h>

#define SKIPPABLE_MAGIC 0x184d2a53u
#define SKIPPABLE_HEADER 8u
#define SEAL_MAGIC 0x314556415353ull /* "SSAVE1" */
#define POLYNOMIAL 0xc96c5795d7870f42ull

/* One byte's part of the remainder. */
static uint64_t remainder_of(uint64_t value)
{
	for (int bit = 0; bit < 8; bit++)
		value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
	return value;
}

uint64_t seal_checksum(uint64_t checksum, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint64_t table[256];

	for (uint64_t n = 0; n < 256; n++)
		table[n] = remainder_of(n);
	checksum = ~checksum;
	for (size_t n = 0; n < size; n++)
		checksum = table[(uint8_t)checksum ^ bytes[n]] ^ checksum >> 8;
	return ~checksum;
}

static void put_number(uint8_t *place, uint64_t value, size_t size)
{
	for (size_t n = 0; n < size; n++)
		place[n] = (uint8_t)(value >> 8 * n);
}

void seal_put(uint8_t seal[SEAL_SIZE], uint64_t checksum)
{
	put_number(seal, SKIPPABLE_MAGIC, 4);
	put_number(seal + 4, SEAL_SIZE - SKIPPABLE_HEADER, 4);
	put_number(seal + 8, SEAL_MAGIC, 8);
	put_number(seal + 16, FRAME_PROTOCOL, 4);
	put_number(seal + 20, checksum, 8);
}

int seal_check(const uint8_t seal[SEAL_SIZE], uint64_t checksum, const char *path, struct error *error)
{
	struct cursor cursor = cursor_make(seal, SEAL_SIZE);
	bool whole = cursor_u32(&cursor) == SKIPPABLE_MAGIC && cursor_u32(&cursor) == SEAL_SIZE - SKIPPABLE_HEADER &&
		     cursor_u64(&cursor) == SEAL_MAGIC;
	uint32_t version = cursor_u32(&cursor);
	uint64_t stated = cursor_u64(&cursor);

	if (!whole)
		return error_set(error, EPROTO,
				 "%s is no saved machine, or not all of one: it does not end as `seaclock save` ends a "
				 "file",
				 path);
	if (version < FRAME_PROTOCOL_OLDEST || version > FRAME_PROTOCOL)
		return error_set(
			error, EPROTO,
			"%s was saved by a Seaclock of version %u of the migration protocol, this one takes %u "
			"to %u: restore it with the version that saved it",
			path, version, FRAME_PROTOCOL_OLDEST, FRAME_PROTOCOL);
	if (stated != checksum)
		return error_set(error, EPROTO,
				 "%s is damaged: its checksum is %016llx, and was %016llx when it was saved", path,
				 (unsigned long long)checksum, (unsigned long long)stated);
	return 0;
}
