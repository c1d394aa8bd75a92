/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reference TSC page, writer's side.
 *
 * Policy: vCPUs may read while we write. Whoever read any part of an old page sees the sequence change: it is 0 before
 * the first other store and new only after the last. One writer at a time.
 */
#include "port.h"

uint32_t sc_page_next_sequence(uint32_t sequence)
{
	/* Old versions of the specification took all ones for "invalid", later ones 0: neither is ever valid here. */
	return sequence >= 0xfffffffeu ? 1 : sequence + 1;
}

void sc_page_invalidate(struct sc_reference_tsc_page *page)
{
	__atomic_store_n(&page->sequence, SC_PAGE_SEQUENCE_INVALID, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void sc_page_write(struct sc_reference_tsc_page *page, const struct sc_clock *clock, uint32_t sequence)
{
	sc_page_invalidate(page);
	if (!clock->scale)
		return;
	__atomic_store_n(&page->scale, clock->scale, __ATOMIC_RELAXED);
	__atomic_store_n(&page->offset, clock->offset, __ATOMIC_RELAXED);
	__atomic_store_n(&page->sequence, sequence, __ATOMIC_RELEASE);
}
