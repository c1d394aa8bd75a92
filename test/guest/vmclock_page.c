/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMClock page as a guest reads it: see the header. */
#include "vmclock_page.h"

#include <string.h>

#define NS_PER_S 1000000000ull

__extension__ typedef unsigned __int128 wide;

struct vmclock_page vmclock_page_take(const volatile struct vmclock_page *shared)
{
	const volatile uint64_t *from = (const volatile uint64_t *)shared;
	uint64_t words[sizeof(struct vmclock_page) / 8];
	struct vmclock_page page;
	uint32_t before;

	do {
		before = shared->sequence;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		for (size_t n = 0; n < sizeof(words) / 8; n++)
			words[n] = from[n];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (before & 1 || shared->sequence != before);
	memcpy(&page, words, sizeof(page));
	return page;
}

uint64_t vmclock_page_time(const struct vmclock_page *page, uint64_t counter)
{
	wide fraction =
		((wide)(counter - page->counter_value) * page->period >> page->period_shift) + page->time_fraction;

	return (page->time_s + (uint64_t)(fraction >> 64)) * NS_PER_S +
	       (uint64_t)((wide)(uint64_t)fraction * NS_PER_S >> 64);
}

uint64_t vmclock_page_hz(const struct vmclock_page *page)
{
	return (uint64_t)((((wide)1 << (64 + page->period_shift)) + page->period / 2) / page->period);
}
