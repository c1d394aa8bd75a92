/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forged save files: arbitrary bytes with a valid zstd frame and seal, so that tests reach what lies behind the
 * checksums.
 */
#ifndef FAKE_FORGED_FILE_H
#define FAKE_FORGED_FILE_H

#include "base/buffer.h"

/* Replaces the file with these bytes. */
void forged_file_store(const char *path, const void *data, size_t size);
/* The same, followed by their seal; and in compressed form, followed by its seal. */
void forged_file_store_raw(const char *path, const void *data, size_t size);
void forged_file_store_frames(const char *path, const void *frames, size_t size);

void forged_file_compress(struct buffer *compressed, const void *data, size_t size);

#endif
