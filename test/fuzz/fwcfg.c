/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware configuration device: a saved state of any bytes, then accesses of the guest, whose DMA orders are what
 * it has written into its memory. What is saved after that loads again, and nothing outside its RAM has changed.
 */
#include "fuzz.h"

#include "base/layout.h"
#include "dev/fwcfg.h"

#include <string.h>

static const struct device_line line;
static struct memory memory;
static struct fwcfg fwcfg;

static void begin(void)
{
	struct error error;

	if (!memory.regions) {
		FUZZ_MUST(!memory_create(&memory, 1 << 20, &error));
		FUZZ_MUST(!memory_add_rom(&memory, LAYOUT_FLASH_CODE_BASE, 1 << 18, &error));
	}
	fwcfg_init(&fwcfg, &memory, 2, &line);
	fwcfg.device.ops->reset(&fwcfg.device);
	FUZZ_MUST(!fwcfg_put(&fwcfg, "etc/file", "content", 7, &error));
}

/* An order of 16 bytes at the start of RAM, or one access: where, how much, with which value. */
static void step(struct cursor *cursor)
{
	uint8_t kind = cursor_u8(cursor), place = cursor_u8(cursor);
	unsigned int length = 1u << (kind & 3);
	uint64_t offset = place % 24 & ~(uint64_t)(length - 1);
	const void *order;

	if (kind & 0x80) {
		order = cursor_take(cursor, 16);
		if (order)
			memory_write(&memory, LAYOUT_RAM_BASE, order, 16);
		fwcfg.device.ops->write(&fwcfg.device, 16, 8, __builtin_bswap64(LAYOUT_RAM_BASE));
	} else if (kind & 0x40) {
		fwcfg.device.ops->read(&fwcfg.device, offset, length);
	} else {
		fwcfg.device.ops->write(&fwcfg.device, offset, length, cursor_u64(cursor));
	}
}

static void expect_saved_loads(void)
{
	struct buffer state = { 0 };
	struct cursor cursor;

	fwcfg.device.ops->save(&fwcfg.device, &state);
	cursor = cursor_make(state.data, state.size);
	FUZZ_MUST(!fwcfg.device.ops->load(&fwcfg.device, &cursor, 1) && cursor_finish(&cursor));
	buffer_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_make(data, size);
	const struct memory_region *rom;

	begin();
	if (fwcfg.device.ops->load(&fwcfg.device, &cursor, 1))
		cursor = cursor_make(data, size);
	while (cursor.left && !cursor.failed)
		step(&cursor);
	expect_saved_loads();
	fwcfg.device.ops->destroy(&fwcfg.device);
	rom = memory_region(&memory, LAYOUT_FLASH_CODE_BASE);
	for (size_t n = 0; n < rom->size; n += 4096)
		FUZZ_MUST(!rom->host[n]);
	return 0;
}
