/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reader of the reference TSC page: reference time without leaving the guest.
 *
 * Policy: header only and freestanding, because it must inline into a clocksource, a boot loader and a benchmark alike.
 * The reader never waits for the hypervisor: while the page is invalid it says so, and the caller asks the
 * SC_REG_TIME_REF_COUNT register instead.
 */
#ifndef SEACLOCK_PAGE_H
#define SEACLOCK_PAGE_H

#include <seaclock/core.h>

/*
 * The counter that the page scales: CNTVCT_EL0, on x86-64 (tests and benchmarks of the reader) the TSC. Ordered on both
 * sides: not before earlier loads, and later loads not before it. On arm64 a load barrier does not order a read of a
 * system register, so an isb stands before it, and a load that depends on it behind it (TLFS does not say; Arm ARM,
 * "Synchronization requirements for AArch64 System registers").
 */
static inline sc_ticks_t sc_counter_read(void)
{
	uint64_t ticks;
#if defined(__aarch64__)
	uint64_t address;

	__asm__ volatile("isb\n\t"
			 "mrs %0, cntvct_el0\n\t"
			 "eor %1, %0, %0\n\t"
			 "add %1, sp, %1\n\t"
			 "ldr xzr, [%1]"
			 : "=r"(ticks), "=&r"(address)
			 :
			 : "memory");
#elif defined(__x86_64__)
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	ticks = (uint64_t)high << 32 | low;
#else
#error "no counter is known for this architecture"
#endif
	return sc_ticks(ticks);
}

/* Whoever needs another way to read the same counter names it before this file is included; it orders as the above. */
#ifndef SC_COUNTER_READ
#define SC_COUNTER_READ sc_counter_read
#endif

/*
 * Takes the page's scale and offset and a counter value that belong together. False while the page is invalid. Cost:
 * one counter read, four loads, two load barriers; no exit. Lock-free, callable in any context.
 */
static inline bool sc_page_sample(const struct sc_reference_tsc_page *page, uint64_t *scale, int64_t *offset,
				  sc_ticks_t *counter)
{
	uint32_t sequence;

	do {
		sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
		if (sequence == SC_PAGE_SEQUENCE_INVALID)
			return false;
		*scale = __atomic_load_n(&page->scale, __ATOMIC_RELAXED);
		*offset = __atomic_load_n(&page->offset, __ATOMIC_RELAXED);
		*counter = SC_COUNTER_READ();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&page->sequence, __ATOMIC_RELAXED) != sequence);

	return true;
}

/* Reads reference time from the page: a sample and one multiplication. False while the page is invalid. */
static inline bool sc_page_read(const struct sc_reference_tsc_page *page, sc_ref_t *now)
{
	uint64_t scale;
	int64_t offset;
	sc_ticks_t counter;

	if (!sc_page_sample(page, &scale, &offset, &counter))
		return false;
	now->v = (uint64_t)(((unsigned __int128)counter.v * scale) >> 64) + (uint64_t)offset;
	return true;
}

#endif
