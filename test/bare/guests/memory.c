/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that keeps changing: each page holds a pattern of its address and of a generation that goes up, so that a page
 * that was lost, stale or swapped in a migration shows.
 *
 * Policy: s= seconds (default 5), mib= MiB (default 16) behind the image. Each round checks every page and writes the
 * next generation; one line a round.
 */
#include "bare.h"

#define PAGE_WORDS 512u
#define PAGE_SIZE 4096u
#define MIB_PAGES 256u

extern uint8_t image_end[];

/* A word of the page that `base` is the address of. */
static uint64_t pattern(uintptr_t base, uint64_t generation, uint32_t word)
{
	return ((uint64_t)base ^ generation << 48 ^ word) * 0x9e3779b97f4a7c15ull;
}

static void page_write(volatile uint64_t *page, uint64_t generation)
{
	for (uint32_t i = 0; i < PAGE_WORDS; i++)
		page[i] = pattern((uintptr_t)page, generation, i);
}

static bool page_check(const volatile uint64_t *page, uint64_t generation)
{
	for (uint32_t i = 0; i < PAGE_WORDS; i++) {
		if (page[i] == pattern((uintptr_t)page, generation, i))
			continue;
		print("@memory bad address=0x%x generation=%u holds=0x%x\n", (uint64_t)(uintptr_t)&page[i], generation,
		      page[i]);
		return false;
	}
	return true;
}

bool guest_main(void)
{
	volatile uint64_t *first = (volatile uint64_t *)(((uintptr_t)image_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ull));
	uint64_t pages = machine_option("mib", 16) * MIB_PAGES;
	struct limit limit = limit_start(machine_option("s", 5) * 1000000);

	for (uint64_t n = 0; n < pages; n++)
		page_write(first + n * PAGE_WORDS, 0);
	for (uint64_t generation = 0; !limit_over(&limit); generation++) {
		for (uint64_t n = 0; n < pages; n++) {
			if (!page_check(first + n * PAGE_WORDS, generation))
				return false;
			page_write(first + n * PAGE_WORDS, generation + 1);
		}
		print("@memory generation=%u pages=%u\n", generation + 1, pages);
	}
	return true;
}
