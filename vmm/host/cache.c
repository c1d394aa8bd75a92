/* SPDX-License-Identifier: BSD-2-Clause */
/* Data to the point of coherency: see host.h. Source: CTR_EL0, Arm Architecture Reference Manual, DDI 0487. */
#include "host/host.h"

#ifdef __aarch64__

#define CTR_DATA_LINE_SHIFT 16u
#define CTR_LINE_MASK 15u

static size_t data_line(void)
{
	uint64_t type;

	__asm__("mrs %0, ctr_el0" : "=r"(type));
	return 4ul << (type >> CTR_DATA_LINE_SHIFT & CTR_LINE_MASK);
}

void host_clean(const void *place, size_t size)
{
	size_t line = data_line();
	uintptr_t end = (uintptr_t)place + size;

	for (uintptr_t at = (uintptr_t)place & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc cvac, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
}

#else

void host_clean(const void *place, size_t size)
{
	(void)place;
	(void)size;
}

#endif
