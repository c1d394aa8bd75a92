// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clocksource "seaclock_raw": the architectural counter, at the rate that the hypervisor states. The vDSO reads
 * it without a system call.
 *
 * Policy: current only while the hypervisor knows that it is, and at which rate. It agrees or refuses when the kernel
 * enables this clocksource, before the first read, and from then on leaves the counter's rate as it is. Registered only
 * while it may be used, and in the mode in which the kernel lets programs read the counter. So whichever clocksource
 * the user chooses, and whenever, the kernel finds the right one by itself.
 *
 * Rounding: mult is chosen each time the clocksource is enabled (conversion.h), and the worker registers it again
 * before the difference from reference time exceeds 50 us. Where the rate divides 10^9 there is none.
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/errno.h>
#include <linux/module.h>

#include "conversion.h"
#include "counter.h"

static u32 raw_hz; /* 0: not registered */
static struct conversion conversion;
static u64 since;
static s64 debt;

static notrace u64 clocksource_raw_read(struct clocksource *source)
{
	u64 counter;

	return switch_counter(&counter) ? counter : counter_read().v;
}

/* In stop_machine. The page may be current until this returns, and remains so on an error. */
static int clocksource_raw_enable(struct clocksource *source)
{
	bool switches = declaration_clock() == CLOCK_PAGE;
	int err;

	discipline_changes();
	err = declaration_set_raw(raw_hz);
	if (err)
		return err;
	if (switches)
		switch_begin();
	since = page_reference_ns();
	conversion = conversion_of(raw_hz, source->shift, debt);
	source->mult = conversion.mult;
	return 0;
}

static s64 clocksource_raw_error(void)
{
	return debt + conversion_error(&conversion, page_reference_ns() - since);
}

/* If the page takes over, it has declared itself already. */
static void clocksource_raw_disable(struct clocksource *source)
{
	debt = clocksource_raw_error();
	switch_end();
	declaration_unset(CLOCK_RAW);
}

static struct clocksource source = {
	.name = "seaclock_raw",
	.rating = 600,
	.id = CSID_ARM_ARCH_COUNTER,
	.read = clocksource_raw_read,
	.mask = CLOCKSOURCE_MASK(56),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
	.enable = clocksource_raw_enable,
	.disable = clocksource_raw_disable,
	.owner = THIS_MODULE,
};

static void clocksource_raw_unregister(void)
{
	if (!raw_hz)
		return;
	if (clocksource_unregister(&source))
		pr_warn("cannot unregister seaclock_raw: no other clocksource is usable.\n");
	else
		raw_hz = 0;
}

void clocksource_raw_withdraw(void)
{
	if (!raw_hz)
		return;
	discipline_save();
	clocksource_raw_unregister();
	discipline_restore(false);
}

static void clocksource_raw_register(u32 hz, enum vdso_clock_mode mode)
{
	clocksource_raw_unregister();
	if (raw_hz || mode == VDSO_CLOCKMODE_NONE)
		return;
	raw_hz = hz;
	source.vdso_clock_mode = mode;
	if (clocksource_register_hz(&source, hz))
		raw_hz = 0;
}

static bool clocksource_raw_settled(u32 hz, enum vdso_clock_mode mode)
{
	return raw_hz == hz && source.vdso_clock_mode == mode && declaration_clock() == CLOCK_RAW &&
	       !conversion_expired(&conversion, clocksource_raw_error());
}

/* Registered again even at the same rate if it is not current: the hypervisor may have refused it before. */
void clocksource_raw_offer(u32 hz, bool moved)
{
	enum vdso_clock_mode mode = internals_vdso_mode();

	if (clocksource_raw_settled(hz, mode) || (!raw_hz && mode == VDSO_CLOCKMODE_NONE))
		return;
	discipline_save();
	clocksource_raw_register(hz, mode);
	discipline_restore(moved);
}

u64 clocksource_raw_lasts(void)
{
	return declaration_clock() == CLOCK_RAW ? conversion_lasts(&conversion, clocksource_raw_error()) : 0;
}
