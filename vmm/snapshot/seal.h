/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a file that holds a saved machine: what it is, of which version, and a checksum over all of it.
 *
 * Policy: bytes to values and back, no I/O. zstd's own checksum covers what comes out of the decompressor, and leaves
 * bits of the file that mean nothing to it; the seal's covers every byte before it. To zstd it is a skippable frame, so
 * that its tools read the file.
 */
#ifndef VMM_SNAPSHOT_SEAL_H
#define VMM_SNAPSHOT_SEAL_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SEAL_SIZE 28u

/* CRC-64 as xz has it (ECMA-182, reflected); begins with 0, and goes on with what the last call gave. */
uint64_t seal_checksum(uint64_t checksum, const void *data, size_t size);

void seal_put(uint8_t seal[SEAL_SIZE], uint64_t checksum);

/* Holds the seal against the checksum of what is before it; the sentence begins with the path. */
int seal_check(const uint8_t seal[SEAL_SIZE], uint64_t checksum, const char *path, struct error *error);

#endif
