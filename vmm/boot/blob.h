/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Little-endian bytes written one after the other into a piece of guest memory.
 *
 * Policy: the caller gives room for the largest contents that it can write, so running out of room is a bug and
 * asserts. What is written is the same on hosts of either byte order.
 */
#ifndef VMM_BOOT_BLOB_H
#define VMM_BOOT_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
	uint8_t *bytes;
	size_t size;	 /* bytes written so far */
	size_t capacity; /* bytes that there is room for */
	uint64_t base;	 /* guest physical address of bytes[0] */
};

/* Appends the low `width` bytes of `value`. width: 1, 2, 4 or 8. */
void blob_put(struct blob *blob, uint64_t value, unsigned int width);
void blob_put_bytes(struct blob *blob, const void *bytes, size_t size);

/* Appends zeroes: until the size is `size`, which it has not passed, or a multiple of `alignment`, a power of 2. */
void blob_zero_to(struct blob *blob, size_t size);
void blob_align(struct blob *blob, size_t alignment);

/* Overwrites `width` bytes that were written before. */
void blob_patch(struct blob *blob, size_t offset, uint64_t value, unsigned int width);

/* Guest physical address of the next byte to be written. */
uint64_t blob_address(const struct blob *blob);

#endif
