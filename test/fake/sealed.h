/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of saved machines that no machine was saved to: bytes with the compression and the seal of a good one, so that
 * what is wrong with them is found behind the checksums.
 */
#ifndef FAKE_SEALED_H
#define FAKE_SEALED_H

#include "base/buffer.h"

/* Replaces the file by these bytes. */
void sealed_store(const char *path, const void *data, size_t size);
/* The same with a seal behind them; and with a seal behind their compressed form. */
void sealed_store_raw(const char *path, const void *data, size_t size);
void sealed_store_frames(const char *path, const void *frames, size_t size);

void sealed_compress(struct buffer *compressed, const void *data, size_t size);

#endif
