/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of this process's private memory were ever touched, as the kernel tells (Linux:
 * Documentation/admin-guide/mm/pagemap.rst).
 *
 * Policy: a hint that saves work. A page that was never touched is zero, and to read it would only have the kernel set
 * up its mapping. Where the kernel does not tell, every page counts as touched.
 */
#ifndef VMM_HOST_PAGEMAP_H
#define VMM_HOST_PAGEMAP_H

#include <stdint.h>

#define PAGEMAP_PAGE_SIZE 4096u /* bytes */
#define PAGEMAP_PAGES_MAX 64u

/* A descriptor for pagemap_touched(), -1 if the kernel has none. To close. */
int pagemap_open(void);

/* Keeps what pagemap_open() needs, for a process that may soon not open it any more: process_harden(). */
void pagemap_keep(void);

/*
 * A bit for each of the `pages` pages of PAGEMAP_PAGE_SIZE bytes from `start` on, at most PAGEMAP_PAGES_MAX, bit 0 the
 * first: 0 only if it was never touched before the call. The other bits are 1.
 */
uint64_t pagemap_touched(int pagemap, const void *start, uint32_t pages);

#endif
