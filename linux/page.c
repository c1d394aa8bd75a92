// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference TSC page: one page of this kernel's memory that the hypervisor keeps up to date.
 *
 * Policy: enabled as long as the module is loaded. A page that was enabled before is left alone: it is the clock of
 * another driver of this kernel. If the module does not load after all, the register gets its old value back, and the
 * memory is freed only once the hypervisor no longer writes to it. While the hypervisor marks the page invalid (on a
 * host whose counter is too slow for a scale), the same time is read from a register, by a hypercall.
 */
#include "seaclock.h"

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>

#include "counter.h"

static struct sc_reference_tsc_page *page;
static u64 before; /* what the register held */

/* Bits that the specification reserves keep their value. */
static u64 page_announcement(void)
{
	u64 reserved = before & ~(SC_REFERENCE_TSC_GPA_MASK | SC_REFERENCE_TSC_ENABLE);

	return reserved | virt_to_phys(page) | SC_REFERENCE_TSC_ENABLE;
}

static int page_check(void)
{
	if (hypercall_get(SC_REG_REFERENCE_TSC, &before, NULL)) {
		pr_info("not loaded: the hypervisor refuses the register of the reference TSC page.\n");
		return -EIO;
	}
	if (before & SC_REFERENCE_TSC_ENABLE) {
		pr_info("not loaded: another driver of this kernel uses the reference TSC page, at %#llx.\n",
			before & SC_REFERENCE_TSC_GPA_MASK);
		return -EBUSY;
	}
	return 0;
}

int page_enable(void)
{
	int err = page_check();

	if (err)
		return err;
	/* Aligned to this kernel's page size, and so to the hypervisor's 4 KiB, which the register counts in. */
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	err = hypercall_set(SC_REG_REFERENCE_TSC, page_announcement());
	if (!err)
		return 0;
	pr_info("not loaded: the hypervisor refuses the reference TSC page.\n");
	page_free();
	return err;
}

bool page_disable(void)
{
	u64 now;

	if (!hypercall_get(SC_REG_REFERENCE_TSC, &now, NULL) && now != page_announcement())
		return true;
	if (!hypercall_set(SC_REG_REFERENCE_TSC, before))
		return true;
	pr_warn("the hypervisor refused to let go of the reference TSC page.\n");
	return false;
}

void page_free(void)
{
	free_page((unsigned long)page);
	page = NULL;
}

/* Should the register ever be refused, time stands still; the timekeeping core copes with that. */
static noinstr u64 page_register(void)
{
	u64 units = 0;

	if (hypercall_get(SC_REG_TIME_REF_COUNT, &units, NULL))
		refusal_note(SC_REG_TIME_REF_COUNT);
	return units;
}

notrace u64 page_reference_time(void)
{
	sc_ref_t now;

	return sc_page_read(page, &now) ? now.v : page_register();
}

/* Modulo 2^64 like the offset itself; the low half of the product is the fraction of a unit. */
static __always_inline u64 page_ns(u64 counter, u64 scale, s64 offset)
{
	unsigned __int128 product = (unsigned __int128)counter * scale;

	return ((u64)(product >> 64) + (u64)offset) * SC_REF_NS + ((u64)(u32)(product >> 32) * SC_REF_NS >> 32);
}

noinstr u64 page_reference_ns(void)
{
	sc_ticks_t counter;
	u64 scale;
	s64 offset;

	if (!sc_page_sample(page, &scale, &offset, &counter))
		return page_register() * SC_REF_NS;
	return page_ns(counter.v, scale, offset);
}

notrace u64 page_reference_ns_at(u64 counter)
{
	sc_ticks_t now;
	u64 scale;
	s64 offset;

	if (!sc_page_sample(page, &scale, &offset, &now))
		return page_register() * SC_REF_NS;
	return page_ns(counter, scale, offset);
}

u32 page_sequence(void)
{
	return READ_ONCE(page->sequence);
}
