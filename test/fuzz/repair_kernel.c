/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole guest with a kernel that is changed in any places: it is refused with a clause, and nothing outside its RAM
 * is read.
 *
 * The bytes are changes: a place in RAM, eight bytes long, by 8 bytes (a place of 0: a register), and 8 bytes to put
 * there. Slow: 3000 inputs are a short run.
 */
#include "fuzz.h"

#include "../fake/linux_kernel.h"

#include <string.h>

#define ARENA 200000u
#define CHANGES_MAX 64u

static struct linux_kernel kernel;

/* Where a change goes. */
static void *place_of(uint64_t place)
{
	uint64_t *const registers[] = { &kernel.ram.tables.ttbr1, &kernel.ram.tables.tcr, &kernel.ram.tables.sctlr };

	if (place % 8 == 0)
		return registers[place / 8 % 3];
	return kernel.ram.range[0].bytes + place / 8 % (LINUX_RAM_SIZE - 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct linux_shape shape = { 12, 48, false };
	static uint8_t memory[ARENA];
	struct sc_guest_port guest = linux_ram_guest(&kernel.ram);
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_refusal why = { 0 };
	struct sc_kernel found;
	uint64_t before[CHANGES_MAX], change[2];
	size_t count = size / sizeof(change) < CHANGES_MAX ? size / sizeof(change) : CHANGES_MAX;

	if (!kernel.symbol_count) {
		linux_kernel_begin(&kernel, &shape, "6.12.3");
		linux_kernel_write(&kernel);
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(change, data + i * sizeof(change), sizeof(change));
		memcpy(&before[i], place_of(change[0]), 8);
		memcpy(place_of(change[0]), &change[1], 8);
	}
	FUZZ_MUST(sc_kernel_find(&guest, &arena, &found, &why) < 0 && why.text[0]);
	FUZZ_MUST(kernel.ram.outside == 0);
	for (size_t i = count; i > 0; i--) {
		memcpy(change, data + (i - 1) * sizeof(change), sizeof(change));
		memcpy(place_of(change[0]), &before[i - 1], 8);
	}
	return 0;
}
