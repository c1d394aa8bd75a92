// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel computed from the counter's rate at boot and lets no module change: found by name, and changed.
 *
 * Policy: trust nothing unchecked. At load, each thing must have the value that this counter's rate gives it; otherwise
 * it is left alone, and the log says what will be wrong after a move to another rate.
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/memory.h>
#include <asm/sysreg.h>

#include "compat.h"
#include "conversion.h"

typedef unsigned long lookup_t(const char *name);
typedef struct arm64_ftr_reg *feature_t(u32 id);

/* The kernel's horizon for the conversion of a counter as wide as this, in seconds. */
#define COUNTER_RANGE 600

static u32 *timer_rate;		      /* of CPUs that come up; read-only since boot */
static u32 *timer_rate_alias;	      /* the same, for writing, from internals_open() to internals_close() */
static struct arm64_ftr_reg *feature; /* CNTFRQ_EL0, which must be the same on all CPUs */
static struct clocksource *counter;   /* arch_sys_counter */

/* A disarmed probe is set only to learn the address of the function that knows all others. */
static lookup_t *internals_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name", .flags = KPROBE_FLAG_DISABLED };
	lookup_t *found;

	if (register_kprobe(&probe))
		return NULL;
	found = (lookup_t *)probe.addr;
	unregister_kprobe(&probe);
	return found;
}

void *internals_find(const char *symbol)
{
	static lookup_t *lookup;

	if (!lookup)
		lookup = internals_lookup();
	return lookup ? (void *)lookup(symbol) : NULL;
}

static u32 *internals_find_timer_rate(u32 hz)
{
	u32 *rate = internals_find("arch_timer_rate");

	return rate && *rate == hz ? rate : NULL;
}

void internals_open(void)
{
	struct page *page;
	void *alias;

	if (!timer_rate)
		return;
	page = phys_to_page(__pa_symbol(timer_rate));
	alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	if (alias)
		timer_rate_alias = alias + offset_in_page(timer_rate);
}

void internals_close(void)
{
	if (timer_rate_alias)
		vunmap(PTR_ALIGN_DOWN(timer_rate_alias, PAGE_SIZE));
	timer_rate_alias = NULL;
}

void internals_repair_timer_rate(u32 hz)
{
	if (!timer_rate_alias || READ_ONCE(*timer_rate) == hz)
		return;
	WRITE_ONCE(*timer_rate_alias, hz);
	count_add(COUNT_REPAIRED_ARCH_TIMER_RATE);
}

static struct arm64_ftr_reg *internals_find_feature(u32 hz)
{
	feature_t *find = internals_find("get_arm64_ftr_reg");
	struct arm64_ftr_reg *found = find ? find(SYS_CNTFRQ_EL0) : NULL;

	if (!found || strcmp(found->name, "SYS_CNTFRQ_EL0") || found->sys_val != hz || found->strict_mask != U64_MAX)
		return NULL;
	return found;
}

/* The page or the raw clock is current, so nobody reads it half changed. */
static void internals_set_counter(struct clocksource *source, u32 hz)
{
	struct conversion_limits limits;

	clocks_calc_mult_shift(&source->mult, &source->shift, hz, NSEC_PER_SEC, COUNTER_RANGE);
	limits = conversion_limits_of(source->mult, source->shift, source->mask);
	source->maxadj = limits.max_adjustment;
	source->max_cycles = limits.max_cycles;
	source->max_idle_ns = limits.max_idle_ns;
	compat_set_freq_khz(source, hz / 1000);
}

static struct clocksource *internals_find_counter(u32 hz)
{
	struct clocksource *found = internals_find("clocksource_counter"), due;

	if (!found || strcmp(found->name, "arch_sys_counter"))
		return NULL;
	due = *found;
	internals_set_counter(&due, hz);
	if (found->mult != due.mult || found->shift != due.shift || found->maxadj != due.maxadj ||
	    found->max_cycles != due.max_cycles || found->max_idle_ns != due.max_idle_ns)
		return NULL;
	return found;
}

/* The log says what each costs; only the lack of the clocksource is a reason to do without the raw clock. */
static void internals_find_data(u32 hz)
{
	timer_rate = internals_find_timer_rate(hz);
	if (!timer_rate)
		pr_warn("arch_timer_rate is not as expected: after a move, CPUs would come online with the old "
			"rate.\n");
	counter = internals_find_counter(hz);
	if (!counter)
		pr_warn("arch_sys_counter is not as expected: after a move, it would run at the wrong rate.\n");
	else if (internals_vdso_mode() == VDSO_CLOCKMODE_NONE)
		pr_info("the kernel lets no program read this counter: the clock stays on the page.\n");
}

bool internals_init(u32 hz)
{
	feature = internals_find_feature(hz);
	if (!feature)
		pr_warn("the check of CNTFRQ_EL0 is not as expected: after a move, it would taint the kernel when a "
			"CPU comes online.\n");
	if (COMPAT_NAMES_DATA)
		internals_find_data(hz);
	else
		pr_warn("level reference at most: this kernel was built without CONFIG_KALLSYMS_ALL, so its counter's "
			"clocksource and arch_timer_rate cannot be found to be repaired.\n");
	return counter;
}

/* The kernel knows the processor's errata: some keep all programs from the counter, others only 32-bit ones. */
enum vdso_clock_mode internals_vdso_mode(void)
{
	return counter ? READ_ONCE(counter->vdso_clock_mode) : VDSO_CLOCKMODE_NONE;
}

/*
 * A CPU that comes online compares its rate with what the boot CPU's once was, which must not be changed. So it is made
 * to compare no bits.
 */
void internals_repair(u32 hz)
{
	if (feature) {
		feature->strict_mask &= ~(u64)U32_MAX;
		feature->sys_val = read_sysreg(cntfrq_el0);
		count_add(COUNT_REPAIRED_FEATURE_CHECK);
	}
	if (counter)
		internals_set_counter(counter, hz);
}
