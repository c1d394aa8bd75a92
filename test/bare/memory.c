/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory functions that a C compiler may call without being asked.
 *
 * Policy: byte by byte, volatile so that the compiler does not find them in themselves.
 */
#include "bare.h"

void *memset(void *to, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

void *memset(void *to, int value, size_t size)
{
	volatile uint8_t *byte = to;

	while (size-- > 0)
		*byte++ = (uint8_t)value;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	volatile uint8_t *byte = to;
	const uint8_t *source = from;

	while (size-- > 0)
		*byte++ = *source++;
	return to;
}
