// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pattern. Policy: one multiplication a word, since emulated processors write it at tens of MiB a second; the
 * factors are odd, so different places and generations give different words.
 */
#include "probe_pattern.h"

#define PLACE_FACTOR 0x9e3779b97f4a7c15u
#define GENERATION_FACTOR 0xd1b54a32d192ed03u
#define GENERATION_INVERSE 0x06106ccfa448e5abu /* modulo 2^64 */

static uint64_t word_of(uint64_t page, size_t index, uint64_t generation)
{
	if (generation == 0)
		return 0;
	return (page * PATTERN_PAGE_WORDS + index + 1) * PLACE_FACTOR ^ generation * GENERATION_FACTOR;
}

void pattern_write(uint64_t *words, uint64_t page, uint64_t generation)
{
	for (size_t i = 0; i < PATTERN_PAGE_WORDS; i++)
		words[i] = word_of(page, i, generation);
}

size_t pattern_check(const uint64_t *words, uint64_t page, uint64_t generation)
{
	size_t wrong = 0;

	for (size_t i = 0; i < PATTERN_PAGE_WORDS; i++)
		wrong += words[i] != word_of(page, i, generation);
	return wrong;
}

uint64_t pattern_generation(const uint64_t *words, uint64_t page)
{
	if (words[0] == 0)
		return 0;
	return (words[0] ^ (page * PATTERN_PAGE_WORDS + 1) * PLACE_FACTOR) * GENERATION_INVERSE;
}
