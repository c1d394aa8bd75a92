/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest RAM and the monitor's own dirty pages: see the header. */
#include "machine/memory.h"

#include "host/host.h"
#include "base/layout.h"
#include "machine/pagemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int memory_create(struct memory *memory, uint64_t size, struct error *error)
{
	*memory = (struct memory){ .size = size, .pagemap = pagemap_open() };
	memory->ram = host_memory_allocate(size);
	memory->dirty = calloc(memory_bitmap_words(memory), sizeof(uint64_t));
	if (memory->ram && memory->dirty)
		return 0;
	memory_destroy(memory);
	return error_set(error, ENOMEM, "this host has no %llu MiB of memory for the guest",
			 (unsigned long long)(size >> 20));
}

void memory_destroy(struct memory *memory)
{
	if (memory->ram)
		host_memory_free(memory->ram, memory->size);
	free(memory->dirty);
	if (memory->size && memory->pagemap >= 0)
		close(memory->pagemap);
	*memory = (struct memory){ 0 };
}

void *memory_span(const struct memory *memory, uint64_t gpa, size_t size)
{
	uint64_t start = gpa - LAYOUT_RAM_BASE;

	if (gpa < LAYOUT_RAM_BASE || start > memory->size || size > memory->size - start)
		return NULL;
	return memory->ram + start;
}

void memory_mark_dirty(struct memory *memory, uint64_t gpa, size_t size)
{
	uint64_t page = (gpa - LAYOUT_RAM_BASE) / MEMORY_PAGE_SIZE;
	uint64_t last = (gpa - LAYOUT_RAM_BASE + size - 1) / MEMORY_PAGE_SIZE;

	/* Release: whoever sees the bit copies a page that has the store. */
	for (; size && page <= last; page++)
		__atomic_fetch_or(&memory->dirty[page / 64], 1ull << page % 64, __ATOMIC_RELEASE);
}

bool memory_write(struct memory *memory, uint64_t gpa, const void *data, size_t size)
{
	void *place = memory_span(memory, gpa, size);

	if (!place)
		return false;
	memcpy(place, data, size);
	memory_mark_dirty(memory, gpa, size);
	return true;
}

bool memory_read(const struct memory *memory, uint64_t gpa, void *data, size_t size)
{
	const void *place = memory_span(memory, gpa, size);

	if (!place)
		return false;
	memcpy(data, place, size);
	return true;
}

uint64_t memory_touched(const struct memory *memory, uint64_t page, uint32_t count)
{
	return pagemap_touched(memory->pagemap, memory->ram + page * MEMORY_PAGE_SIZE, count);
}

void memory_take_dirty(struct memory *memory, uint64_t *bitmap)
{
	size_t words = memory_bitmap_words(memory);

	for (size_t i = 0; i < words; i++)
		bitmap[i] |= __atomic_exchange_n(&memory->dirty[i], 0, __ATOMIC_ACQUIRE);
}
