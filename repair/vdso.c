/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vDSO's data: the clocks that user space reads without the kernel.
 *
 * Policy: what the kernel would put there is computed for the timekeeper as it was, which must be what is there, and
 * for what it becomes. The pages of time namespaces have offsets only, and stay. Sources: Linux 6.12 and 7.3,
 * kernel/time/vsyscall.c, lib/vdso/datastore.c, include/vdso/datapage.h, arch/arm64/include/asm/vdso/vsyscall.h.
 */
#include "planner.h"

/* One clock for all that NTP disciplines and its coarse forms, one for CLOCK_MONOTONIC_RAW. */
enum {
	VDSO_FINE,
	VDSO_RAW,
	VDSO_CLOCKS,
};

/* Numbers of clocks, as user space has them. */
enum {
	CLOCK_NUMBER_REALTIME = 0,
	CLOCK_NUMBER_MONOTONIC = 1,
	CLOCK_NUMBER_MONOTONIC_RAW = 4,
	CLOCK_NUMBER_REALTIME_COARSE = 5,
	CLOCK_NUMBER_MONOTONIC_COARSE = 6,
	CLOCK_NUMBER_BOOTTIME = 7,
	CLOCK_NUMBER_TAI = 11,
};

#define TIMES 7u
#define CLOCK_MODE_NONE 0u

struct vdso_time {
	uint32_t clock;	 /* VDSO_FINE or VDSO_RAW */
	uint32_t number; /* of the clock */
	uint64_t sec;
	uint64_t nsec; /* in units of 2^-shift; of coarse clocks, 1 */
};

struct vdso_times {
	struct vdso_time time[TIMES];
};

/* With less than a second of ns. */
static struct vdso_time normal(uint32_t clock, uint32_t number, uint64_t sec, uint64_t nsec, uint64_t second)
{
	return (struct vdso_time){ clock, number, sec + nsec / second, nsec % second };
}

/* All parts are less than a second, and the shift is at most 32: three of them have 64 bits. */
static struct vdso_times times_of(const struct keeper *keeper, const struct keeper_epoch *epoch, uint64_t coarse)
{
	const uint32_t shift = keeper->mono.shift;
	const uint64_t second = (uint64_t)NS_PER_SECOND << shift;
	const uint64_t nsec = keeper->mono.xtime_nsec;
	const uint64_t to_mono = epoch->wall_to_monotonic.nsec, to_boot = epoch->monotonic_to_boot.nsec;
	const uint64_t mono_sec = epoch->xtime_sec + (uint64_t)epoch->wall_to_monotonic.sec;
	const uint64_t boot_sec = mono_sec + (uint64_t)epoch->monotonic_to_boot.sec;

	return (struct vdso_times){ {
		{ VDSO_FINE, CLOCK_NUMBER_REALTIME, epoch->xtime_sec, nsec },
		{ VDSO_FINE, CLOCK_NUMBER_REALTIME_COARSE, epoch->xtime_sec, coarse },
		{ VDSO_FINE, CLOCK_NUMBER_TAI, epoch->xtime_sec + (uint64_t)(int64_t)epoch->tai_offset, nsec },
		{ VDSO_RAW, CLOCK_NUMBER_MONOTONIC_RAW, epoch->raw_sec, keeper->raw.xtime_nsec },
		normal(VDSO_FINE, CLOCK_NUMBER_MONOTONIC, mono_sec, nsec + (to_mono << shift), second),
		normal(VDSO_FINE, CLOCK_NUMBER_MONOTONIC_COARSE, mono_sec, coarse + to_mono, NS_PER_SECOND),
		normal(VDSO_FINE, CLOCK_NUMBER_BOOTTIME, boot_sec, nsec + (to_mono << shift) + (to_boot << shift),
		       second),
	} };
}

static uint64_t clock_at(const struct planner *planner, uint32_t clock)
{
	return planner->vdso + (uint64_t)clock * planner->kernel->layout.size[SC_STRUCT_VDSO_CLOCK];
}

static uint64_t time_at(const struct planner *planner, const struct vdso_time *time)
{
	return sc_planner_at(planner, clock_at(planner, time->clock), SC_VDSO_BASETIME) +
	       (uint64_t)time->number * planner->kernel->layout.size[SC_STRUCT_VDSO_TIME];
}

/* The vDSO takes fewer bits of the counter where the kernel has more: its mask is its own, and stays. */
static void plan_clock(struct planner *planner, uint32_t clock, const struct keeper_clock *from,
		       const struct keeper_clock *to)
{
	uint64_t va = clock_at(planner, clock);

	sc_planner_bump(planner, va, SC_VDSO_SEQ, "the data of its vDSO");
	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_VDSO_CLOCK_MODE) == planner->clock_mode &&
				  planner->clock_mode != CLOCK_MODE_NONE,
			  SC_REFUSED_UNKNOWN, "the kernel's vDSO does not read the counter");
	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_VDSO_CYCLE_LAST) == from->cycle_last &&
				  sc_planner_get(planner, va, SC_VDSO_MULT) == from->mult &&
				  sc_planner_get(planner, va, SC_VDSO_SHIFT) == from->shift,
			  SC_REFUSED_UNKNOWN, "the kernel's vDSO has other numbers than its timekeeper");
	sc_planner_set(planner, va, SC_VDSO_CYCLE_LAST, to->cycle_last);
	sc_planner_set(planner, va, SC_VDSO_MULT, to->mult);
	sc_planner_set(planner, va, SC_VDSO_SHIFT, to->shift);
}

static void plan_time(struct planner *planner, const struct vdso_time *from, const struct vdso_time *to)
{
	uint64_t va = time_at(planner, from);

	sc_planner_expect(planner,
			  sc_planner_get(planner, va, SC_VDSO_TIME_SEC) == from->sec &&
				  sc_planner_get(planner, va, SC_VDSO_TIME_NSEC) == from->nsec,
			  SC_REFUSED_UNKNOWN, "the kernel's vDSO has other times than its timekeeper");
	sc_planner_set(planner, va, SC_VDSO_TIME_SEC, to->sec);
	sc_planner_set(planner, va, SC_VDSO_TIME_NSEC, to->nsec);
}

/* The variable has the clocks, or, where they are part of something, leads there. */
static uint64_t find_clocks(struct planner *planner)
{
	uint64_t va = planner->kernel->address[SC_VAR_VDSO];

	return planner->kernel->layout.size[SC_STRUCT_VDSO]
		       ? sc_planner_at(planner, sc_planner_read(planner, va, 8), SC_VDSO_CLOCKS)
		       : va;
}

/* Auxiliary clocks have timekeepers of their own, and while they are on, they are here as well. */
static void check_auxiliary(struct planner *planner)
{
	const struct sc_layout *layout = &planner->kernel->layout;
	uint64_t va = planner->vdso - layout->field[SC_VDSO_CLOCKS].offset;
	uint32_t size = layout->size[SC_STRUCT_VDSO_CLOCK];

	for (uint32_t at = 0; size && at + size <= layout->field[SC_VDSO_AUX_CLOCKS].size; at += size)
		sc_planner_expect(planner,
				  sc_planner_get(planner, sc_planner_at(planner, va, SC_VDSO_AUX_CLOCKS) + at,
						 SC_VDSO_CLOCK_MODE) == CLOCK_MODE_NONE,
				  SC_REFUSED_UNKNOWN, "the kernel has an auxiliary clock that is on");
}

/* The whole ns that coarse clocks show: the clock's own, or those that the timekeeper has apart, which stay. */
static uint64_t coarse_of(struct planner *planner, const struct keeper *keeper)
{
	uint64_t va = sc_planner_at(planner, planner->kernel->address[SC_VAR_CORE], SC_CORE_TIMEKEEPER);

	return sc_planner_has(planner, SC_TK_COARSE_NSEC) ? sc_planner_get(planner, va, SC_TK_COARSE_NSEC)
							  : keeper->mono.xtime_nsec >> keeper->mono.shift;
}

void sc_plan_vdso(struct planner *planner)
{
	const struct keeper *from = &planner->keeper[0], *to = &planner->keeper[1];
	struct vdso_times times[2];

	/* Unless they were checked, the keeper's numbers may be anything. */
	if (planner->err)
		return;
	planner->vdso = find_clocks(planner);
	check_auxiliary(planner);
	plan_clock(planner, VDSO_FINE, &from->mono, &to->mono);
	plan_clock(planner, VDSO_RAW, &from->raw, &to->raw);
	times[0] = times_of(from, &planner->epoch, coarse_of(planner, from));
	times[1] = times_of(to, &planner->epoch, coarse_of(planner, to));
	for (uint32_t n = 0; n < TIMES; n++)
		plan_time(planner, &times[0].time[n], &times[1].time[n]);
}
