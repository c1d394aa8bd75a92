/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's symbol table as its build would have made it, in each encoding, for tests of repair/.
 *
 * Policy: every printable character is a token of its own, and a few longer ones are used where they fit, so that names
 * are compressed. Source: Linux, scripts/kallsyms.c.
 */
#ifndef FAKE_LINUX_SYMBOLS_H
#define FAKE_LINUX_SYMBOLS_H

#include "../../repair/note.h"

#include <stdint.h>

enum linux_encoding {
	LINUX_BASE,  /* offsets from a base */
	LINUX_PLACE, /* offsets from their own places */
};

struct linux_symbol {
	char kind; /* T, d and so on */
	const char *name;
	uint64_t address;
};

/*
 * Writes the table into `at`, which the kernel has at address `va`, and names its parts in *note. Returns its size, at
 * most 64 KiB.
 */
uint64_t linux_symbols_write(uint8_t *at, uint64_t va, enum linux_encoding encoding, uint64_t base,
			     const struct linux_symbol *symbols, uint32_t count, struct note *note);

#endif
