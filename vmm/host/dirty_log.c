/* SPDX-License-Identifier: BSD-2-Clause */
/* The dirty log of one piece of guest memory: see the header. */
#include "host/dirty_log.h"

#include "host/memory.h"

size_t dirty_log_spread(uint64_t *bitmap, uint64_t size, uint32_t page_size)
{
	uint64_t pages = size / MEMORY_PAGE_SIZE;
	uint32_t each = page_size / MEMORY_PAGE_SIZE;

	/* From the end on, so that none is overwritten before it has been read. */
	for (uint64_t n = pages; each > 1 && n-- > 0;) {
		uint64_t is_set = bitmap[n / each / 64] >> n / each % 64 & 1;

		bitmap[n / 64] = (bitmap[n / 64] & ~(1ull << n % 64)) | is_set << n % 64;
	}
	return pages / 64;
}
