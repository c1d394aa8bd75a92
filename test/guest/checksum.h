/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checksum at the end of each line that the probe prints: CRC-16/CCITT of everything before it.
 *
 * Policy: a console line can be cut in two by the kernel's own messages or damaged by a faulty serial port, and a lost
 * digit would look like a jump of the clock. The probe writes the checksum and the judge refuses lines without it, so
 * both include this header.
 */
#ifndef TEST_GUEST_CHECKSUM_H
#define TEST_GUEST_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Characters of the checksum at the end of a line: " *" and four hexadecimal digits. */
#define CHECKSUM_SUFFIX_FORMAT " *%04x"
#define CHECKSUM_SUFFIX_LENGTH 6

static inline uint16_t checksum_add(uint16_t sum, uint8_t byte)
{
	sum ^= (uint16_t)(byte << 8);
	for (int bit = 0; bit < 8; bit++)
		sum = (uint16_t)((sum & 0x8000) ? (sum << 1) ^ 0x1021 : sum << 1);
	return sum;
}

static inline uint16_t checksum_of(const char *text, size_t length)
{
	uint16_t sum = 0xffff;

	for (size_t i = 0; i < length; i++)
		sum = checksum_add(sum, (uint8_t)text[i]);
	return sum;
}

#endif
