/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real kernels of this tree's downloads, for tests of repair/: their files, and the symbol table in one, which is
 * found by its looks and decoded by a second reader, so that the two can be compared.
 *
 * Policy: `make unit` unpacks them; a test that is run without them is skipped. Only base-relative tables (Linux 6.12)
 * are found.
 */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const image_paths[] = { "out/kernel/Image", "out/kernel/generic-Image" };

#define IMAGE_NAME_MAX 1024u
#define IMAGE_NAME_MEAN 64u

struct image_file {
	uint8_t *bytes;
	size_t size;
};

/* Tokens of characters that stand for themselves, as they follow each other in every table. */
static const char image_digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";

struct image_symbols {
	size_t names, num_syms, token_table, token_index, offsets, relative_base; /* in the file */
	uint32_t count;
	char *text; /* all names */
};

static inline bool image_read(const char *path, struct image_file *image)
{
	FILE *file = fopen(path, "rb");

	*image = (struct image_file){ 0 };
	if (!file)
		return false;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	image->size = (size_t)ftell(file);
	rewind(file);
	image->bytes = malloc(image->size);
	assert_non_null(image->bytes);
	assert_int_equal(fread(image->bytes, 1, image->size, file), image->size);
	(void)fclose(file);
	return true;
}

static inline uint32_t image_load(const struct image_file *image, size_t at, unsigned int bytes)
{
	uint32_t value = 0;

	assert_true(at + bytes <= image->size);
	memcpy(&value, image->bytes + at, bytes);
	return value;
}

/* The token table around these digits, if the index behind it agrees. */
static inline bool image_tokens(const struct image_file *image, size_t digits, struct image_symbols *symbols)
{
	size_t begin = digits, end;

	for (int tokens = 0; tokens < '0'; tokens++) {
		begin--;
		while (begin > 0 && image->bytes[begin - 1])
			begin--;
	}
	end = begin;
	for (int tokens = 0; tokens < 256; tokens++)
		while (end < image->size && image->bytes[end++])
			;
	symbols->token_table = begin;
	symbols->token_index = (end + 7) & ~(size_t)7;
	return symbols->token_index + 512 <= image->size && image_load(image, symbols->token_index, 2) == 0 &&
	       image_load(image, symbols->token_index + 2 * '0', 2) == digits - begin;
}

/* Offsets rise, and so many there are symbols; the number stands before the names. */
static inline void image_count(const struct image_file *image, struct image_symbols *symbols)
{
	uint32_t last = 0, count = 0, offset;
	size_t at;

	symbols->offsets = symbols->token_index + 512;
	while ((offset = image_load(image, symbols->offsets + 4 * (size_t)count, 4)) >= last) {
		last = offset;
		count++;
	}
	symbols->count = count;
	symbols->relative_base = (symbols->offsets + 4 * (size_t)count + 7) & ~(size_t)7;
	for (at = (symbols->token_table - 8) & ~(size_t)7; image_load(image, at, 4) != count; at -= 8)
		assert_true(at > 8);
	symbols->num_syms = at;
	symbols->names = at + 8;
}

/* One name, without the letter of its kind, into `text`; returns where the next one begins. */
static inline size_t image_name(const struct image_file *image, const struct image_symbols *symbols, size_t at,
				char *text)
{
	const char *tokens = (const char *)image->bytes + symbols->token_table;
	uint32_t length = image->bytes[at++];
	char *end = text;

	if (length & 0x80)
		length = (length & 0x7f) | (uint32_t)image->bytes[at++] << 7;
	for (uint32_t n = 0; n < length; n++)
		end = stpcpy(end, tokens + image_load(image, symbols->token_index + 2 * (size_t)image->bytes[at++], 2));
	assert_true(end < text + IMAGE_NAME_MAX);
	memmove(text, text + 1, (size_t)(end - text));
	return at;
}

/* All names, one after the other, each with its end. */
static inline void image_read_names(const struct image_file *image, struct image_symbols *symbols)
{
	size_t at = symbols->names, used = 0;

	symbols->text = malloc((size_t)symbols->count * IMAGE_NAME_MEAN + IMAGE_NAME_MAX);
	assert_non_null(symbols->text);
	for (uint32_t i = 0; i < symbols->count; i++) {
		assert_true(used < (size_t)symbols->count * IMAGE_NAME_MEAN);
		at = image_name(image, symbols, at, symbols->text + used);
		used += strlen(symbols->text + used) + 1;
	}
}

/* The caller frees symbols->text. */
static inline void image_find_symbols(const struct image_file *image, struct image_symbols *symbols)
{
	const uint8_t *at = image->bytes;

	for (;; at++) {
		at = memmem(at, image->size - (size_t)(at - image->bytes), image_digits, sizeof(image_digits));
		assert_non_null(at);
		if (image_tokens(image, (size_t)(at - image->bytes), symbols))
			break;
	}
	image_count(image, symbols);
	image_read_names(image, symbols);
}

/* The offset from the base of the one symbol of that name. */
static inline uint32_t image_symbol(const struct image_file *image, const struct image_symbols *symbols,
				    const char *name)
{
	const char *text = symbols->text;
	uint32_t found = 0, offset = 0;

	for (uint32_t i = 0; i < symbols->count; i++, text += strlen(text) + 1)
		if (strcmp(text, name) == 0) {
			found++;
			offset = image_load(image, symbols->offsets + 4 * (size_t)i, 4);
		}
	assert_int_equal(found, 1);
	return offset;
}

#endif
