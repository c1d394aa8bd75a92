// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the kernel's sched_clock on the reference TSC page.
 *
 * sched_clock() is computed from the architectural counter with a rate that the kernel learns at boot and offers no way
 * to change: sched_clock_register() is gone after boot. Correcting the rate when the first timer interrupt on the new
 * host sees it changed would be too late: by then the scheduler may have read a time that is seconds ahead, and it
 * waits for the right one to catch up. So the counter itself is replaced, once, by one that does not change its rate:
 * page_reference_ns(). After that a migration takes no work, and perf offers programs no conversion of the raw counter,
 * which would become wrong.
 *
 * Policy: trust nothing about the kernel unchecked. One symbol is looked up; what it leads to must agree, field by
 * field, with what this running kernel is known to have, and must reproduce sched_clock() itself. Otherwise
 * nothing is touched. All checks and the change are made while every other CPU stands still in stop_machine().
 */
#include "seaclock.h"

#include <linux/clocksource.h>
#include <linux/sched/clock.h>
#include <linux/sched_clock.h>
#include <linux/seqlock.h>
#include <linux/stop_machine.h>
#include <linux/time64.h>
#include <asm/sysreg.h>

#include "counter.h"

/* As in kernel/time/sched_clock.c. */
struct clock_data {
	seqcount_latch_t seq;
	struct clock_read_data read_data[2];
	ktime_t wrap_kt;
	unsigned long rate;
	u64 (*actual_read_sched_clock)(void);
};

typedef struct clock_read_data *read_begin_t(unsigned int *seq);

/* The horizon that sched_clock_register() asks for, in seconds. */
#define CONVERSION_RANGE 3600

static u64 sched_clock_at(const struct clock_read_data *data, u64 counter)
{
	return data->epoch_ns + (((counter - data->epoch_cyc) & data->sched_clock_mask) * data->mult >> data->shift);
}

/* The kernel has computed its conversion at boot, from the rate that the counter still has. */
static bool sched_clock_is_counter(const struct clock_data *clock)
{
	const struct clock_read_data *data = &clock->read_data[0];
	u32 mult, shift;

	clocks_calc_mult_shift(&mult, &shift, (u32)read_sysreg(cntfrq_el0), NSEC_PER_SEC, CONVERSION_RANGE);
	return clock->rate == read_sysreg(cntfrq_el0) && data->mult == mult && data->shift == shift &&
	       clock->wrap_kt > 0;
}

static bool sched_clock_reproduced(const struct clock_data *clock)
{
	u64 before = sched_clock(), computed = sched_clock_at(&clock->read_data[0], counter_read().v);

	return before <= computed && computed <= sched_clock();
}

static const char *sched_clock_check(const struct clock_data *clock, unsigned int seq)
{
	if (seq & 1 || clock->seq.seqcount.sequence != seq)
		return "its sequence counter is not where it should be";
	if (clock->read_data[0].read_sched_clock != clock->actual_read_sched_clock)
		return "its read function is not where it should be, or it is suspended";
	if (!sched_clock_is_counter(clock))
		return "its rate is not the architectural counter's";
	if (!sched_clock_reproduced(clock))
		return "its value cannot be reproduced";
	return NULL;
}

/* From here on ns are counted, one by one: the product of the conversion cannot overflow for centuries. */
static void sched_clock_switch(struct clock_data *clock)
{
	struct clock_read_data data = clock->read_data[0];

	data.epoch_ns = sched_clock_at(&data, counter_read().v);
	data.epoch_cyc = page_reference_ns();
	data.sched_clock_mask = CLOCKSOURCE_MASK(64);
	data.read_sched_clock = page_reference_ns;
	data.mult = 1;
	data.shift = 0;

	/* As the kernel does it, for an NMI may read meanwhile: the odd copy serves while the even one is written. */
	clock->read_data[1] = data;
	raw_write_seqcount_latch(&clock->seq);
	clock->read_data[0] = data;
	raw_write_seqcount_latch(&clock->seq);
	clock->actual_read_sched_clock = page_reference_ns;
	clock->rate = NSEC_PER_SEC;
}

struct replacement {
	read_begin_t *read_begin;
	const char *refused;
};

static int sched_clock_replace(void *argument)
{
	struct replacement *replacement = argument;
	struct clock_read_data *data;
	struct clock_data *clock;
	unsigned int seq;

	data = replacement->read_begin(&seq);
	clock = container_of(data - (seq & 1), struct clock_data, read_data[0]);
	replacement->refused = sched_clock_check(clock, seq);
	if (!replacement->refused)
		sched_clock_switch(clock);
	return 0;
}

const char *sched_clock_follow_page(void)
{
	struct replacement replacement = { .read_begin = internals_find("sched_clock_read_begin") };

	if (!replacement.read_begin)
		return "its symbol sched_clock_read_begin cannot be found";
	if (stop_machine(sched_clock_replace, &replacement, NULL))
		return "the CPUs could not be stopped";
	return replacement.refused;
}
