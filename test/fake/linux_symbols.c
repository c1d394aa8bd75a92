/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel's symbol table: see the header. */
#include "linux_symbols.h"

#include <string.h>

#define TOKENS 256u

/* Tokens that are not characters; their numbers are those of characters that no name has. */
static const char *const longer[] = {
	[1] = "timekeep", [2] = "arch_timer_", [3] = "clock", [4] = "_data", [5] = "tk_"
};

#define LONGER (sizeof(longer) / sizeof(longer[0]))

static const char *token_of(uint32_t n, char *letter)
{
	letter[0] = n >= ' ' && n <= '~' ? (char)n : '\0';
	letter[1] = '\0';
	return n > 0 && n < LONGER ? longer[n] : letter;
}

static void store(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* A name with its kind before it, as numbers of tokens; how many. */
static uint32_t compress(const char *text, uint8_t *tokens)
{
	uint32_t count = 0;

	while (*text) {
		uint32_t best = (uint8_t)*text;
		size_t length = 1;

		for (uint32_t n = 1; n < LONGER; n++)
			if (!strncmp(text, longer[n], strlen(longer[n])) && strlen(longer[n]) > length) {
				best = n;
				length = strlen(longer[n]);
			}
		tokens[count++] = (uint8_t)best;
		text += length;
	}
	return count;
}

static uint8_t *write_names(uint8_t *at, const struct linux_symbol *symbols, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t tokens[1024];
		char text[1024] = { symbols[i].kind };
		uint32_t size;

		strncat(text, symbols[i].name, sizeof(text) - 2);
		size = compress(text, tokens);
		if (size > 127)
			*at++ = (uint8_t)(size | 0x80);
		*at++ = (uint8_t)(size > 127 ? size >> 7 : size);
		memcpy(at, tokens, size);
		at += size;
	}
	return at;
}

static uint8_t *write_tokens(uint8_t *at, uint8_t *index)
{
	uint32_t used = 0;

	for (uint32_t n = 0; n < TOKENS; n++) {
		char letter[2];
		const char *token = token_of(n, letter);

		store(index + n * 2, used, 2);
		memcpy(at + used, token, strlen(token) + 1);
		used += (uint32_t)strlen(token) + 1;
	}
	return at + used;
}

static uint64_t offset_of(enum linux_encoding encoding, uint64_t base, uint64_t place, uint64_t address)
{
	return address - (encoding == LINUX_BASE ? base : place);
}

static uint8_t *aligned(uint8_t *at)
{
	return at + (8 - (uintptr_t)at % 8) % 8;
}

/* `at` is aligned to 8 bytes, as va is. */
uint64_t linux_symbols_write(uint8_t *at, uint64_t va, enum linux_encoding encoding, uint64_t base,
			     const struct linux_symbol *symbols, uint32_t count, struct note *note)
{
	uint8_t *next = at, *index = at + 8;

	store(at, count, 4);
	note->kallsyms_num_syms = va;
	note->kallsyms_token_index = va + 8;
	next = index + TOKENS * 2;
	note->kallsyms_token_table = va + (uint64_t)(next - at);
	next = aligned(write_tokens(next, index));
	note->kallsyms_offsets = va + (uint64_t)(next - at);
	for (uint32_t i = 0; i < count; i++, next += 4)
		store(next, offset_of(encoding, base, va + (uint64_t)(next - at), symbols[i].address), 4);
	next = aligned(next);
	note->kallsyms_relative_base = encoding == LINUX_PLACE ? 0 : va + (uint64_t)(next - at);
	store(next, base, 8);
	next += 8;
	note->kallsyms_names = va + (uint64_t)(next - at);
	return (uint64_t)(write_names(next, symbols, count) - at);
}
