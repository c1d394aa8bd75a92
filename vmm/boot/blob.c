/* SPDX-License-Identifier: BSD-2-Clause */
/* Little-endian bytes written one after the other: see the header. */
#include "boot/blob.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

void blob_put(struct blob *blob, uint64_t value, unsigned int width)
{
	uint64_t bytes = htole64(value);

	blob_put_bytes(blob, &bytes, width);
}

void blob_put_bytes(struct blob *blob, const void *bytes, size_t size)
{
	assert(size <= blob->capacity - blob->size);
	memcpy(blob->bytes + blob->size, bytes, size);
	blob->size += size;
}

void blob_zero_to(struct blob *blob, size_t size)
{
	assert(size >= blob->size && size <= blob->capacity);
	memset(blob->bytes + blob->size, 0, size - blob->size);
	blob->size = size;
}

void blob_align(struct blob *blob, size_t alignment)
{
	blob_zero_to(blob, (blob->size + alignment - 1) & ~(alignment - 1));
}

void blob_patch(struct blob *blob, size_t offset, uint64_t value, unsigned int width)
{
	uint64_t bytes = htole64(value);

	assert(offset + width <= blob->size);
	memcpy(blob->bytes + offset, &bytes, width);
}

uint64_t blob_address(const struct blob *blob)
{
	return blob->base + blob->size;
}
