/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables and the registers that lead to them, as any bytes: an address is refused, or leads to as many bytes as
 * are said, and no table is read that is not RAM.
 */
#include "fuzz.h"

#include "../../repair/space.h"
#include "../fake/linux_ram.h"

#include <string.h>

#define RAM 0x40000000u
#define RAM_SIZE 0x10000u

static void translate(struct sc_space *space, uint64_t va)
{
	struct sc_refusal why = { 0 };
	uint64_t pa, left;
	uint8_t bytes[64];

	if (sc_space_translate(space, va, &pa, &left, &why))
		FUZZ_MUST(why.text[0]);
	else
		FUZZ_MUST(left > 0 && pa < 1ull << 52 && va + (left - 1) >= va);
	(void)sc_space_read(space, va, bytes, sizeof(bytes), &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct linux_ram ram;
	struct sc_guest_port guest = linux_ram_guest(&ram);
	struct sc_refusal why = { 0 };
	struct sc_space space;
	uint64_t words[4];

	if (size < sizeof(words))
		return 0;
	if (!ram.range[0].bytes)
		linux_ram_begin(&ram, RAM, RAM_SIZE, 0);
	memcpy(words, data, sizeof(words));
	ram.tables = (struct sc_vcpu_tables){ words[0], words[1], words[2] };
	data += sizeof(words);
	size -= sizeof(words);
	memset(ram.range[0].bytes, 0, RAM_SIZE);
	memcpy(ram.range[0].bytes, data, size < RAM_SIZE ? size : RAM_SIZE);
	if (sc_space_open(&space, &guest, &ram.tables, &why)) {
		FUZZ_MUST(why.text[0]);
		return 0;
	}
	translate(&space, words[3]);
	translate(&space, words[3] + 1);
	translate(&space, ~0ull << space.va_bits);
	translate(&space, UINT64_MAX);
	FUZZ_MUST(ram.outside == 0);
	return 0;
}
