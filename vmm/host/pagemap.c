/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages that were touched: see the header. */
#include "host/pagemap.h"

#include <fcntl.h>
#include <unistd.h>

/* Bits 62 and 63 of an entry: the page is in swap, or in memory. */
#define ENTRY_TOUCHED (3ull << 62)

/* -1: none is kept. */
static int kept = -1;

static int pagemap_open_file(void)
{
	return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

void pagemap_keep(void)
{
	if (kept < 0)
		kept = pagemap_open_file();
}

int pagemap_open(void)
{
	return kept < 0 ? pagemap_open_file() : fcntl(kept, F_DUPFD_CLOEXEC, 0);
}

/* Pages of a host's kernel may be larger than 4096 bytes, and hold some that are asked for. */
uint64_t pagemap_touched(int pagemap, const void *start, uint32_t pages)
{
	uint64_t entries[PAGEMAP_PAGES_MAX], touched = ~0ull;
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE), address = (uintptr_t)start, first = address / size;
	uint64_t count = pages ? (address + pages * (uint64_t)PAGEMAP_PAGE_SIZE - 1) / size - first + 1 : 0;
	size_t bytes = count * sizeof(entries[0]);

	if (pagemap < 0 || count > PAGEMAP_PAGES_MAX ||
	    pread(pagemap, entries, bytes, (off_t)(first * sizeof(entries[0]))) != (ssize_t)bytes)
		return touched;
	for (uint32_t page = 0; page < pages; page++) {
		uint64_t entry = entries[(address + page * (uint64_t)PAGEMAP_PAGE_SIZE) / size - first];

		if (!(entry & ENTRY_TOUCHED))
			touched &= ~(1ull << page);
	}
	return touched;
}
