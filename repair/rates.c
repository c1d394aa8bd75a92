/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel knows of the counter's rate besides its clocks: the rate itself, the length of its delays, what it
 * holds the register CNTFRQ_EL0 of CPUs that come up against, and the counter that it hands to KVM.
 *
 * Sources: Linux 6.12, drivers/clocksource/arm_arch_timer.c, arch/arm64/kernel/{time,cpufeature}.c,
 * include/linux/timecounter.h, init/calibrate.c.
 */
#include "planner.h"

/* The register's number in a system instruction, and how many entries of the table are looked at. */
#define SYS_CNTFRQ_EL0 0x1be000u
#define FTR_REGS_MAX 128u

static uint64_t per_jiffy(const struct planner *planner, uint32_t hz)
{
	uint32_t tick_ns = sc_keeper_tick_ns(&planner->keeper[0]);

	return tick_ns ? hz / (NS_PER_SECOND / tick_ns) : 0;
}

static void plan_rate(struct planner *planner, uint64_t va, uint32_t size, const char *clause)
{
	sc_planner_expect(planner, sc_planner_read(planner, va, size) == planner->change->from_hz, SC_REFUSED_UNKNOWN,
			  clause);
	sc_planner_write(planner, va, size, planner->change->to_hz);
}

static void plan_delay(struct planner *planner, uint64_t va)
{
	sc_planner_expect(planner, sc_planner_read(planner, va, 8) == per_jiffy(planner, planner->change->from_hz),
			  SC_REFUSED_UNKNOWN, "the kernel's loops_per_jiffy does not follow from the counter's rate");
	sc_planner_write(planner, va, 8, per_jiffy(planner, planner->change->to_hz));
}

/* The register's entry in a table that is sorted by numbers; 0 if there is none. */
static uint64_t find_register(struct planner *planner)
{
	uint64_t va = planner->kernel->address[SC_VAR_FTR_REGS];
	uint32_t last = 0;

	for (uint32_t n = 0; !planner->err && n < FTR_REGS_MAX; n++) {
		uint32_t number = (uint32_t)sc_planner_get(planner, va, SC_FTR_ENTRY_SYS_ID);

		if (number == SYS_CNTFRQ_EL0)
			return sc_planner_get(planner, va, SC_FTR_ENTRY_REG);
		if (number <= last || number > SYS_CNTFRQ_EL0)
			break;
		last = number;
		va += planner->kernel->layout.size[SC_STRUCT_FTR_ENTRY];
	}
	sc_planner_refuse(planner, SC_REFUSED_UNKNOWN, "the kernel's table of registers has no CNTFRQ_EL0");
	return 0;
}

static void plan_register(struct planner *planner)
{
	uint64_t va = find_register(planner);

	plan_rate(planner, sc_planner_at(planner, va, SC_FTR_SYS_VAL), 8,
		  "the kernel has another CNTFRQ_EL0 than the counter's rate");
	plan_rate(planner, sc_planner_at(planner, planner->kernel->address[SC_VAR_BOOT_CPU_DATA], SC_CPUINFO_CNTFRQ), 8,
		  "the kernel's first CPU has another CNTFRQ_EL0 than the counter's rate");
}

/* Of a clock that nobody has read since the boot, much may have passed: products of more than 64 bits. */
static void plan_timecounter(struct planner *planner)
{
	const struct scale *from = &planner->source[0].scale, *to = &planner->source[1].scale;
	uint64_t va = sc_planner_at(planner, planner->kernel->address[SC_VAR_KVM_INFO], SC_KVM_INFO_TIMECOUNTER);
	uint64_t passed =
		(planner->change->from_ticks - sc_planner_get(planner, va, SC_TIMECOUNTER_CYCLE_LAST)) & planner->mask;
	uint64_t mask = sc_planner_get(planner, va, SC_TIMECOUNTER_MASK);
	uint64_t frac = sc_planner_get(planner, va, SC_TIMECOUNTER_FRAC);
	uint64_t nsec = sc_planner_get(planner, va, SC_TIMECOUNTER_NSEC);
	scale_product units = (scale_product)passed * from->mult + frac;

	sc_planner_expect(planner, mask == (1ull << from->shift) - 1 && frac <= mask, SC_REFUSED_UNKNOWN,
			  "the counter that the kernel hands to KVM has other numbers than its clocksource");
	nsec += (uint64_t)(units >> from->shift);
	/* Rounded up it may be a whole one. */
	frac = (uint64_t)units & mask;
	frac = sc_keeper_reshift(frac, from->shift, to->shift);
	sc_planner_set(planner, va, SC_TIMECOUNTER_CYCLE_LAST, planner->change->to_ticks);
	sc_planner_set(planner, va, SC_TIMECOUNTER_NSEC, nsec + (frac >> to->shift));
	sc_planner_set(planner, va, SC_TIMECOUNTER_MASK, (1ull << to->shift) - 1);
	sc_planner_set(planner, va, SC_TIMECOUNTER_FRAC, frac & ((1ull << to->shift) - 1));
}

static void plan_cyclecounter(struct planner *planner)
{
	const struct scale *from = &planner->source[0].scale, *to = &planner->source[1].scale;
	uint64_t va = planner->kernel->address[SC_VAR_CYCLECOUNTER];

	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_CYCLECOUNTER_MULT) == from->mult &&
				  sc_planner_get(planner, va, SC_CYCLECOUNTER_SHIFT) == from->shift &&
				  sc_planner_get(planner, va, SC_CYCLECOUNTER_MASK) == planner->mask,
			  SC_REFUSED_UNKNOWN,
			  "the counter that the kernel hands to KVM has other numbers than its clocksource");
	sc_planner_set(planner, va, SC_CYCLECOUNTER_MULT, to->mult);
	sc_planner_set(planner, va, SC_CYCLECOUNTER_SHIFT, to->shift);
}

void sc_plan_rates(struct planner *planner)
{
	const uint64_t *address = planner->kernel->address;

	if (planner->err)
		return;
	plan_rate(planner, address[SC_VAR_TIMER_RATE], 4, "the kernel's timer has another rate than the counter");
	plan_delay(planner, address[SC_VAR_LPJ]);
	plan_delay(planner, address[SC_VAR_LPJ_FINE]);
	plan_register(planner);
	plan_timecounter(planner);
	plan_cyclecounter(planner);
}
