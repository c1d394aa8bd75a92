/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest RAM and the monitor's own record of what it wrote there.
 *
 * Policy: KVM's dirty log does not see the monitor's stores, so all of them go through memory_write() or are followed
 * by memory_mark_dirty(); pre-copy merges that bitmap into each round. Memory is a list of regions. Guest addresses are
 * checked here and nowhere else.
 */
#ifndef VMM_HOST_MEMORY_H
#define VMM_HOST_MEMORY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_PAGE_SIZE 4096u

#define MEMORY_REGIONS_MAX 4u

/* One piece of guest memory; what it is, config.h says. */
struct memory_region {
	uint64_t gpa; /* a multiple of 64 pages, as `size` is */
	uint64_t size;
	uint8_t *host;
	bool rom; /* the guest reads it and cannot write it, and so do devices in its name */
};

struct memory {
	struct memory_region region[MEMORY_REGIONS_MAX]; /* the first is RAM */
	uint32_t regions;
	uint64_t *dirty; /* one bit a page, in the order of the regions, set with atomic operations */
	int pagemap;	 /* of pagemap.h */
};

/* RAM of `size` bytes, a multiple of 64 pages, all zero. -ENOMEM. */
int memory_create(struct memory *memory, uint64_t size, struct error *error);
/* One more region, all zero, before anything is written; at most MEMORY_REGIONS_MAX. -ENOMEM. */
int memory_add(struct memory *memory, uint64_t gpa, uint64_t size, struct error *error);
/* The same for memory that the guest can only read. */
int memory_add_rom(struct memory *memory, uint64_t gpa, uint64_t size, struct error *error);
void memory_destroy(struct memory *memory);

/* RAM is all zero again, and dirty. No vCPU runs, and no device is at work. */
void memory_clear_ram(struct memory *memory);

/* Pages are numbered from 0 through all regions. */
uint64_t memory_pages(const struct memory *memory);

/* Where page number `page` is in this process; and where the guest sees it. The page is one of memory_pages(). */
uint8_t *memory_page(const struct memory *memory, uint64_t page);
uint64_t memory_page_gpa(const struct memory *memory, uint64_t page);
/* How many of `count` pages from there on are in one region. */
uint32_t memory_run(const struct memory *memory, uint64_t page, uint32_t count);

/* 64-bit words of a bitmap with one bit a page. */
static inline size_t memory_bitmap_words(const struct memory *memory)
{
	return memory_pages(memory) / 64;
}

/* Guest memory from gpa on, NULL unless one region has all of it, which is no ROM. To read, or to write and then mark.
 */
void *memory_span(const struct memory *memory, uint64_t gpa, size_t size);
/* The same of ROM as well, for whoever brings a machine here. */
void *memory_place(const struct memory *memory, uint64_t gpa, size_t size);
/* The whole region that begins at gpa, ROM or not, for whoever the machine has made it for; NULL if none does. */
const struct memory_region *memory_region(const struct memory *memory, uint64_t gpa);
void memory_mark_dirty(struct memory *memory, uint64_t gpa, size_t size);
/* The same by where it is in this process: all of it is in a span that memory_span() gave. */
void memory_mark_dirty_at(struct memory *memory, const void *place, size_t size);

/* Whether a store of the guest there is one to its ROM. */
bool memory_is_rom(const struct memory *memory, uint64_t gpa);

/* False, and nothing happens, unless one region has all of it, which is no ROM. */
bool memory_write(struct memory *memory, uint64_t gpa, const void *data, size_t size);
bool memory_read(const struct memory *memory, uint64_t gpa, void *data, size_t size);

/*
 * A bit for each of the `count` pages of one region from `pages` on, at most PAGEMAP_PAGES_MAX, bit 0 the first: 0 if
 * it is zero because nobody has ever touched it. Other pages may be zero as well.
 */
uint64_t memory_touched(const struct memory *memory, const void *pages, uint32_t count);

/* Adds the monitor's own dirty pages to the bitmap and forgets them. */
void memory_take_dirty(struct memory *memory, uint64_t *bitmap);

#endif
