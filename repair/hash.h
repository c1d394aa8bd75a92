/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash of bytes, FNV-1a of 64 bits: of names that are looked up, and of layouts.
 *
 * Policy: fingerprints in the table of known layouts are made with it, so it stays as it is.
 */
#ifndef REPAIR_HASH_H
#define REPAIR_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_OF_NOTHING 0xcbf29ce484222325u

/* Of all that `hash` is of, and these bytes behind it. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
	return hash;
}

#endif
