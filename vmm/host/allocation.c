/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the host for a guest: anonymous, untouched until used, never inherited by a child, in no core; and how much
 * there is.
 */
#include "host/host.h"

#include "host/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *host_memory_allocate(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	process_withhold(memory, size);
	return memory;
}

void host_memory_free(void *memory, uint64_t size)
{
	munmap(memory, size);
}

void host_memory_clear(void *memory, uint64_t size)
{
	/* Memory that is locked, or a kernel that cannot, is left to be overwritten. */
	if (madvise(memory, size, MADV_DONTNEED))
		memset(memory, 0, size);
}

uint32_t host_page_size(void)
{
	return (uint32_t)sysconf(_SC_PAGESIZE);
}

uint64_t host_memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib, available = UINT64_MAX;
	char line[128];

	while (file && available == UINT64_MAX && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
			available = kib << 10;
	if (file)
		fclose(file);
	return available;
}
