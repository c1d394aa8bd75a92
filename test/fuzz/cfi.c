/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash: a saved state of any bytes, then writes and reads of the guest; what is saved after that loads again. */
#include "fuzz.h"

#include "dev/cfi.h"

#include <string.h>

static uint8_t bytes[2 * CFI_BLOCK_SIZE];

static void expect_saved_loads(struct cfi *cfi)
{
	struct cfi again = { .bytes = cfi->bytes, .size = cfi->size };
	struct buffer state = { 0 };
	struct cursor cursor;

	cfi_save(cfi, &state);
	cursor = cursor_make(state.data, state.size);
	FUZZ_MUST(!cfi_load(&again, &cursor) && cursor_finish(&cursor));
	FUZZ_MUST(cfi_is_array(&again) == cfi_is_array(cfi));
	FUZZ_MUST(cfi_read(&again, 0, 8) == cfi_read(cfi, 0, 8));
	buffer_free(&state);
}

/* Four bytes an access: length and direction, where, with which value. */
static void access_one(struct cfi *cfi, const uint8_t access[4])
{
	unsigned int length = 1u << (access[0] & 3);
	uint32_t offset = (access[0] >> 2 & 7) * (CFI_BLOCK_SIZE / 4) + (access[1] & ~(length - 1) & 0xff);
	struct cfi_change change = { 0 };

	if (access[0] & 0x80)
		cfi_read(cfi, offset, length);
	else
		change = cfi_write(cfi, offset, length, (access[2] | access[3] << 8) * 0x0001000100010001ull);
	FUZZ_MUST(change.size <= cfi->size && change.offset <= cfi->size - change.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_make(data, size);
	struct cfi cfi;

	memset(bytes, CFI_ERASED, sizeof(bytes));
	cfi_init(&cfi, bytes, sizeof(bytes));
	if (cfi_load(&cfi, &cursor))
		cursor = cursor_make(data, size);
	while (cursor.left >= 4)
		access_one(&cfi, cursor_take(&cursor, 4));
	expect_saved_loads(&cfi);
	return 0;
}
