/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that keeps changing: each page holds a pattern of its address and of a generation that goes up, so that a page
 * that was lost, stale or swapped in a migration shows.
 *
 * Policy: runs as course.c says, on mib= MiB (default 16) behind the image. Each round checks every page and writes the
 * next generation of a few, fewer than a slow connection carries meanwhile: or the guest could not be moved. One line a
 * round that was right, with the reference time.
 */
#include "bare.h"
#include "reference.h"

#define PAGE_WORDS 512u
#define PAGE_SIZE 4096u
#define MIB_PAGES 256u

/* One page in so many is written in a round. */
#define SHARE 2048u

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

/* How often page n has been written anew when `rounds` rounds are over: each round writes every SHAREth page. */
static uint64_t generation_of(uint64_t n, uint64_t rounds)
{
	return (rounds + SHARE - 1 - n % SHARE) / SHARE;
}

static bool check_and_write(volatile uint64_t *first, uint64_t pages, uint64_t round)
{
	for (uint64_t n = 0; n < pages; n++) {
		if (!page_check(first + n * PAGE_WORDS, generation_of(n, round)))
			return false;
		if (n % SHARE == round % SHARE)
			page_write(first + n * PAGE_WORDS, generation_of(n, round + 1));
	}
	return true;
}

bool guest_main(void)
{
	volatile uint64_t *first = (volatile uint64_t *)(((uintptr_t)image_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ull));
	uint64_t pages = machine_option("mib", 16) * MIB_PAGES, round;
	struct course course = course_start();

	if (!reference_start())
		return false;
	for (uint64_t n = 0; n < pages; n++)
		page_write(first + n * PAGE_WORDS, 0);
	for (round = 0; !course_over(&course); round++) {
		if (!check_and_write(first, pages, round))
			return false;
		print("@memory round=%u now_ms=%u pages=%u\n", round, reference_now() / MS, pages);
	}
	return round > 1;
}
