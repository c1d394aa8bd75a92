/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the host for a guest: anonymous, untouched until used, never inherited by a child. */
#include "host/host.h"

#include <sys/mman.h>

void *host_memory_allocate(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_DONTFORK);
	return memory;
}

void host_memory_free(void *memory, uint64_t size)
{
	munmap(memory, size);
}
