/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dirty log of one piece of guest memory, as KVM gives it and as the monitor wants it.
 *
 * Policy: pure. KVM logs pages of the host's kernel, which may be larger than the 4096 bytes that a bit means to the
 * monitor; a piece has a multiple of 64 pages of 4096 bytes, so that the bitmaps of several stand side by side.
 */
#ifndef VMM_HOST_DIRTY_LOG_H
#define VMM_HOST_DIRTY_LOG_H

#include <stddef.h>
#include <stdint.h>

/*
 * Each bit, of a page of `page_size` bytes, becomes those of all pages of 4096 bytes in it. `size` is the piece's, in
 * bytes, and the bitmap has room for it: how many words that is.
 */
size_t dirty_log_spread(uint64_t *bitmap, uint64_t size, uint32_t page_size);

#endif
