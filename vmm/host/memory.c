/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest RAM and the monitor's own dirty pages: see the header. */
#include "host/memory.h"

#include "host/host.h"
#include "base/layout.h"
#include "host/pagemap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(PAGEMAP_PAGE_SIZE == MEMORY_PAGE_SIZE, "a bit of the page map is a page of the guest");
_Static_assert(MEMORY_REGIONS_MAX <= HOST_RAM_MAX, "a machine takes all regions");

int memory_create(struct memory *memory, uint64_t size, struct error *error)
{
	int result;

	*memory = (struct memory){ .pagemap = pagemap_open() };
	result = memory_add(memory, LAYOUT_RAM_BASE, size, error);
	if (result)
		memory_destroy(memory);
	return result;
}

int memory_add(struct memory *memory, uint64_t gpa, uint64_t size, struct error *error)
{
	struct memory_region *region = &memory->region[memory->regions];

	assert(memory->regions < MEMORY_REGIONS_MAX);
	*region = (struct memory_region){ .gpa = gpa, .size = size, .host = host_memory_allocate(size) };
	memory->regions++;
	free(memory->dirty);
	memory->dirty = calloc(memory_bitmap_words(memory), sizeof(uint64_t));
	if (region->host && memory->dirty)
		return 0;
	return error_set(error, ENOMEM, "this host has no %llu MiB of memory for the guest",
			 (unsigned long long)((size + (1u << 20) - 1) >> 20));
}

int memory_add_rom(struct memory *memory, uint64_t gpa, uint64_t size, struct error *error)
{
	int result = memory_add(memory, gpa, size, error);

	memory->region[memory->regions - 1].rom = true;
	return result;
}

void memory_destroy(struct memory *memory)
{
	for (uint32_t n = 0; n < memory->regions; n++)
		if (memory->region[n].host)
			host_memory_free(memory->region[n].host, memory->region[n].size);
	free(memory->dirty);
	if (memory->regions && memory->pagemap >= 0)
		close(memory->pagemap);
	*memory = (struct memory){ .regions = 0 };
}

void memory_clear_ram(struct memory *memory)
{
	const struct memory_region *ram = &memory->region[0];

	host_memory_clear(ram->host, ram->size);
	/* Release: whoever sees the bits copies pages that are zero. */
	for (size_t n = 0; n < ram->size / MEMORY_PAGE_SIZE / 64; n++)
		__atomic_store_n(&memory->dirty[n], UINT64_MAX, __ATOMIC_RELEASE);
}

/* ---- Pages ---- */

uint64_t memory_pages(const struct memory *memory)
{
	uint64_t pages = 0;

	for (uint32_t n = 0; n < memory->regions; n++)
		pages += memory->region[n].size / MEMORY_PAGE_SIZE;
	return pages;
}

/* The region of a page, and where in it the page begins. */
static const struct memory_region *region_of_page(const struct memory *memory, uint64_t page, uint64_t *offset)
{
	const struct memory_region *region = memory->region;

	*offset = page * MEMORY_PAGE_SIZE;
	for (; *offset >= region->size; region++)
		*offset -= region->size;
	return region;
}

uint8_t *memory_page(const struct memory *memory, uint64_t page)
{
	uint64_t offset;
	const struct memory_region *region = region_of_page(memory, page, &offset);

	return region->host + offset;
}

uint64_t memory_page_gpa(const struct memory *memory, uint64_t page)
{
	uint64_t offset;
	const struct memory_region *region = region_of_page(memory, page, &offset);

	return region->gpa + offset;
}

uint32_t memory_run(const struct memory *memory, uint64_t page, uint32_t count)
{
	uint64_t offset;
	const struct memory_region *region = region_of_page(memory, page, &offset);
	uint64_t left = (region->size - offset) / MEMORY_PAGE_SIZE;

	return left < count ? (uint32_t)left : count;
}

/* ---- Guest addresses ---- */

/* The region that has all of it, NULL if there is none, and the number of its first page. */
static const struct memory_region *region_find(const struct memory *memory, uint64_t gpa, size_t size, uint64_t *first)
{
	*first = 0;
	for (uint32_t n = 0; n < memory->regions; n++) {
		const struct memory_region *region = &memory->region[n];

		if (gpa >= region->gpa && gpa - region->gpa <= region->size &&
		    size <= region->size - (gpa - region->gpa))
			return region;
		*first += region->size / MEMORY_PAGE_SIZE;
	}
	return NULL;
}

void *memory_span(const struct memory *memory, uint64_t gpa, size_t size)
{
	uint64_t first;
	const struct memory_region *region = region_find(memory, gpa, size, &first);

	return region && !region->rom ? region->host + (gpa - region->gpa) : NULL;
}

void *memory_place(const struct memory *memory, uint64_t gpa, size_t size)
{
	uint64_t first;
	const struct memory_region *region = region_find(memory, gpa, size, &first);

	return region ? region->host + (gpa - region->gpa) : NULL;
}

const struct memory_region *memory_region(const struct memory *memory, uint64_t gpa)
{
	for (uint32_t n = 0; n < memory->regions; n++)
		if (memory->region[n].gpa == gpa)
			return &memory->region[n];
	return NULL;
}

bool memory_is_rom(const struct memory *memory, uint64_t gpa)
{
	uint64_t first;
	const struct memory_region *region = region_find(memory, gpa, 1, &first);

	return region && region->rom;
}

void memory_mark_dirty(struct memory *memory, uint64_t gpa, size_t size)
{
	uint64_t first;
	const struct memory_region *region = region_find(memory, gpa, size, &first);
	uint64_t page, last;

	assert(region);
	page = first + (gpa - region->gpa) / MEMORY_PAGE_SIZE;
	last = first + (gpa - region->gpa + size - 1) / MEMORY_PAGE_SIZE;

	/* Release: whoever sees the bit copies a page that has the store. */
	for (; size && page <= last; page++)
		__atomic_fetch_or(&memory->dirty[page / 64], 1ull << page % 64, __ATOMIC_RELEASE);
}

void memory_mark_dirty_at(struct memory *memory, const void *place, size_t size)
{
	const struct memory_region *region = memory->region;
	uintptr_t address = (uintptr_t)place;

	while (address - (uintptr_t)region->host >= region->size) {
		region++;
		assert(region < memory->region + memory->regions);
	}
	memory_mark_dirty(memory, region->gpa + (address - (uintptr_t)region->host), size);
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

uint64_t memory_touched(const struct memory *memory, const void *pages, uint32_t count)
{
	return pagemap_touched(memory->pagemap, pages, count);
}

void memory_take_dirty(struct memory *memory, uint64_t *bitmap)
{
	size_t words = memory_bitmap_words(memory);

	for (size_t i = 0; i < words; i++)
		bitmap[i] |= __atomic_exchange_n(&memory->dirty[i], 0, __ATOMIC_ACQUIRE);
}
