/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the host for a guest: anonymous, untouched until used, never inherited by a child, in no core; and how much
 * there is.
 *
 * Policy: huge pages wherever the host has them, for a guest's page walks are twice as long as its host's, and after a
 * move it faults once for each block instead of once for each page of it. KVM maps a block only where the addresses in
 * guest and host agree below its size (arch/arm64/kvm/mmu.c, fault_supports_stage2_huge_mapping()), so memory begins at
 * a block, where pages have 4 KiB.
 */
#include "host/host.h"

#include "host/process.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of 4 KiB pages. Where pages are larger, so are blocks, and a guest's memory seldom has one of theirs. */
#define BLOCK_SIZE (2u << 20)

/* Cuts `size` bytes that begin at a block out of a mapping that is one block larger. */
static void *block_cut(uint8_t *mapping, uint64_t size)
{
	size_t before = -(uintptr_t)mapping & (BLOCK_SIZE - 1);

	if (before)
		munmap(mapping, before);
	if (before < BLOCK_SIZE)
		munmap(mapping + before + size, BLOCK_SIZE - before);
	return mapping + before;
}

void *host_memory_allocate(uint64_t size)
{
	void *memory = mmap(NULL, size + BLOCK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	memory = block_cut(memory, size);
	process_withhold(memory, size);
	/* A kernel that does not have them says so; "never" stays never. */
	madvise(memory, size, MADV_HUGEPAGE);
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
