/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a fuzz target's input, one after the other; once they are over there are zeroes. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *bytes;
	size_t left;
};

/* A number of so many bytes, the lowest first. */
static inline uint64_t input_take(struct input *input, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int n = 0; n < width && input->left; n++, input->left--)
		value |= (uint64_t)*input->bytes++ << 8 * n;
	return value;
}

/* Stores up to 31 bytes somewhere in the first `reach` bytes of a place, or a little behind. */
static inline void input_store(struct input *input, uint8_t *place, size_t reach)
{
	size_t at = input_take(input, 2) % reach;

	for (uint64_t size = input_take(input, 1) % 32; size; size--)
		place[at++] = (uint8_t)input_take(input, 1);
}

#endif
