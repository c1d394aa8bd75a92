/* SPDX-License-Identifier: BSD-2-Clause */
/* Layouts of the timekeeping of real kernels: see the header. */
#include "linux_layout.h"

#include <stddef.h>
#include <string.h>

struct member_place {
	enum sc_field field;
	uint32_t offset, size;
};

/* Debian's 6.12.117, arm64. */
static const struct member_place places[] = {
	{ SC_CORE_SEQ, 0, 4 },
	{ SC_CORE_TIMEKEEPER, 8, 280 },
	{ SC_TK_MONO, 0, 56 },
	{ SC_TK_RAW, 56, 56 },
	{ SC_TK_XTIME_SEC, 112, 8 },
	{ SC_TK_KTIME_SEC, 120, 8 },
	{ SC_TK_WALL_TO_MONOTONIC, 128, 16 },
	{ SC_TK_OFFS_REAL, 144, 8 },
	{ SC_TK_OFFS_BOOT, 152, 8 },
	{ SC_TK_TAI_OFFSET, 168, 4 },
	{ SC_TK_CS_WAS_CHANGED_SEQ, 176, 1 },
	{ SC_TK_RAW_SEC, 192, 8 },
	{ SC_TK_MONOTONIC_TO_BOOT, 200, 16 },
	{ SC_TK_CYCLE_INTERVAL, 216, 8 },
	{ SC_TK_XTIME_INTERVAL, 224, 8 },
	{ SC_TK_XTIME_REMAINDER, 232, 8 },
	{ SC_TK_RAW_INTERVAL, 240, 8 },
	{ SC_TK_NTP_TICK, 248, 8 },
	{ SC_TK_NTP_ERROR, 256, 8 },
	{ SC_TK_NTP_ERROR_SHIFT, 264, 4 },
	{ SC_TK_NTP_ERR_MULT, 268, 4 },
	{ SC_READ_BASE_CLOCK, 0, 8 },
	{ SC_READ_BASE_MASK, 8, 8 },
	{ SC_READ_BASE_CYCLE_LAST, 16, 8 },
	{ SC_READ_BASE_MULT, 24, 4 },
	{ SC_READ_BASE_SHIFT, 28, 4 },
	{ SC_READ_BASE_XTIME_NSEC, 32, 8 },
	{ SC_READ_BASE_BASE, 40, 8 },
	{ SC_READ_BASE_BASE_REAL, 48, 8 },
	{ SC_FAST_SEQ, 0, 4 },
	{ SC_FAST_BASE, 8, 112 },
	{ SC_TIMESPEC_SEC, 0, 8 },
	{ SC_TIMESPEC_NSEC, 8, 8 },
	{ SC_CLOCKSOURCE_MASK, 8, 8 },
	{ SC_CLOCKSOURCE_MULT, 16, 4 },
	{ SC_CLOCKSOURCE_SHIFT, 20, 4 },
	{ SC_CLOCKSOURCE_MAX_IDLE_NS, 24, 8 },
	{ SC_CLOCKSOURCE_MAXADJ, 32, 4 },
	{ SC_CLOCKSOURCE_MAX_CYCLES, 40, 8 },
	{ SC_CLOCKSOURCE_NAME, 48, 8 },
	{ SC_CLOCKSOURCE_FREQ_KHZ, 80, 4 },
	{ SC_CLOCKSOURCE_VDSO_CLOCK_MODE, 92, 4 },
	{ SC_SCHED_SEQ, 0, 4 },
	{ SC_SCHED_READ_DATA, 8, 80 },
	{ SC_SCHED_WRAP_KT, 88, 8 },
	{ SC_SCHED_RATE, 96, 8 },
	{ SC_SCHED_EPOCH_NS, 0, 8 },
	{ SC_SCHED_EPOCH_CYC, 8, 8 },
	{ SC_SCHED_MASK, 16, 8 },
	{ SC_SCHED_MULT, 32, 4 },
	{ SC_SCHED_SHIFT, 36, 4 },
	{ SC_VDSO_SEQ, 0, 4 },
	{ SC_VDSO_CLOCK_MODE, 4, 4 },
	{ SC_VDSO_CYCLE_LAST, 8, 8 },
	{ SC_VDSO_MASK, 16, 8 },
	{ SC_VDSO_MULT, 24, 4 },
	{ SC_VDSO_SHIFT, 28, 4 },
	{ SC_VDSO_BASETIME, 32, 192 },
	{ SC_VDSO_TIME_SEC, 0, 8 },
	{ SC_VDSO_TIME_NSEC, 8, 8 },
	{ SC_EVENT_SET_NEXT_EVENT, 8, 8 },
	{ SC_EVENT_NEXT_EVENT, 24, 8 },
	{ SC_EVENT_MAX_DELTA_NS, 32, 8 },
	{ SC_EVENT_MIN_DELTA_NS, 40, 8 },
	{ SC_EVENT_MULT, 48, 4 },
	{ SC_EVENT_SHIFT, 52, 4 },
	{ SC_EVENT_FEATURES, 60, 4 },
	{ SC_EVENT_MIN_DELTA_TICKS, 136, 8 },
	{ SC_EVENT_MAX_DELTA_TICKS, 144, 8 },
	{ SC_TICK_EVTDEV, 0, 8 },
	{ SC_KVM_INFO_TIMECOUNTER, 0, 40 },
	{ SC_TIMECOUNTER_CYCLE_LAST, 8, 8 },
	{ SC_TIMECOUNTER_NSEC, 16, 8 },
	{ SC_TIMECOUNTER_MASK, 24, 8 },
	{ SC_TIMECOUNTER_FRAC, 32, 8 },
	{ SC_CYCLECOUNTER_MASK, 8, 8 },
	{ SC_CYCLECOUNTER_MULT, 16, 4 },
	{ SC_CYCLECOUNTER_SHIFT, 20, 4 },
	{ SC_FTR_ENTRY_SYS_ID, 0, 4 },
	{ SC_FTR_ENTRY_REG, 8, 8 },
	{ SC_FTR_SYS_VAL, 24, 8 },
	{ SC_CPUINFO_CNTFRQ, 72, 8 },
};

/* What lies elsewhere in Debian's 6.1.176, arm64. */
static const struct member_place places_6_1[] = {
	{ SC_CLOCKSOURCE_NAME, 48, 8 },
	{ SC_CLOCKSOURCE_FREQ_KHZ, 0, 0 },
	{ SC_CLOCKSOURCE_VDSO_CLOCK_MODE, 80, 4 },
	{ SC_CPUINFO_CNTFRQ, 840, 8 },
};

/* And in 7.3.4. */
static const struct member_place places_7_3[] = {
	{ SC_CORE_TIMEKEEPER, 8, 320 },
	{ SC_CORE_SHADOW, 328, 320 },
	{ SC_CORE_LOCK, 648, 4 },
	{ SC_TK_XTIME_SEC, 56, 8 },
	{ SC_TK_KTIME_SEC, 64, 8 },
	{ SC_TK_WALL_TO_MONOTONIC, 72, 16 },
	{ SC_TK_OFFS_REAL, 88, 8 },
	{ SC_TK_OFFS_BOOT, 96, 8 },
	{ SC_TK_COARSE_NSEC, 112, 4 },
	{ SC_TK_RAW, 120, 56 },
	{ SC_TK_RAW_SEC, 176, 8 },
	{ SC_TK_CS_NS_TO_CYC_MULT, 188, 4 },
	{ SC_TK_CS_WAS_CHANGED_SEQ, 212, 1 },
	{ SC_TK_MONOTONIC_TO_BOOT, 216, 16 },
	{ SC_TK_CYCLE_INTERVAL, 232, 8 },
	{ SC_TK_XTIME_INTERVAL, 240, 8 },
	{ SC_TK_XTIME_REMAINDER, 0, 0 },
	{ SC_TK_RAW_INTERVAL, 248, 8 },
	{ SC_TK_NTP_TICK, 264, 8 },
	{ SC_TK_NTP_ERROR, 272, 8 },
	{ SC_TK_NTP_ERROR_SHIFT, 280, 4 },
	{ SC_TK_NTP_ERR_MULT, 284, 4 },
	{ SC_TK_CS_TICK_ADJ, 288, 8 },
	{ SC_TK_SKEW_DELTA, 304, 8 },
	{ SC_TK_TAI_OFFSET, 312, 4 },
	{ SC_NTP_TICK_LENGTH, 8, 8 },
	{ SC_NTP_CS_TICK_ADJ, 104, 8 },
	{ SC_VDSO_CLOCKS, 0, 448 },
	{ SC_VDSO_AUX_CLOCKS, 448, 1792 },
	{ SC_EVENT_NEXT_EVENT, 32, 8 },
	{ SC_EVENT_MAX_DELTA_NS, 40, 8 },
	{ SC_EVENT_MIN_DELTA_NS, 48, 8 },
	{ SC_EVENT_MULT, 56, 4 },
	{ SC_EVENT_SHIFT, 60, 4 },
	{ SC_EVENT_FEATURES, 68, 4 },
	{ SC_EVENT_MIN_DELTA_TICKS, 152, 8 },
	{ SC_EVENT_MAX_DELTA_TICKS, 160, 8 },
};

static const uint32_t sizes[SC_STRUCT_COUNT] = {
	[SC_STRUCT_CORE] = 288,	    [SC_STRUCT_TIMEKEEPER] = 280, [SC_STRUCT_READ_BASE] = 56,
	[SC_STRUCT_FAST] = 120,	    [SC_STRUCT_TIMESPEC] = 16,	  [SC_STRUCT_CLOCKSOURCE] = 168,
	[SC_STRUCT_SCHED] = 112,    [SC_STRUCT_SCHED_READ] = 40,  [SC_STRUCT_VDSO_CLOCK] = 240,
	[SC_STRUCT_VDSO_TIME] = 16, [SC_STRUCT_EVENT] = 256,	  [SC_STRUCT_TICK] = 16,
	[SC_STRUCT_KVM_INFO] = 48,  [SC_STRUCT_TIMECOUNTER] = 40, [SC_STRUCT_CYCLECOUNTER] = 24,
	[SC_STRUCT_FTR_ENTRY] = 16, [SC_STRUCT_FTR] = 56,	  [SC_STRUCT_CPUINFO] = 344,
};

struct struct_size {
	enum sc_struct structure;
	uint32_t size;
};

static const struct struct_size sizes_6_1[] = {
	{ SC_STRUCT_CLOCKSOURCE, 152 },
	{ SC_STRUCT_CPUINFO, 1088 },
};

static const struct struct_size sizes_7_3[] = {
	{ SC_STRUCT_CORE, 704 },    { SC_STRUCT_TIMEKEEPER, 320 }, { SC_STRUCT_NTP, 200 },
	{ SC_STRUCT_VDSO, 2304 },   { SC_STRUCT_VDSO_CLOCK, 224 }, { SC_STRUCT_CLOCKSOURCE, 176 },
	{ SC_STRUCT_CPUINFO, 360 },
};

static void put_places(struct sc_layout *layout, const struct member_place *from, size_t count)
{
	for (size_t n = 0; n < count; n++)
		layout->field[from[n].field] = (struct sc_place){ .offset = from[n].offset, .size = from[n].size };
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	struct sc_series series;
	const struct member_place *places; /* what is not as in 6.12 */
	size_t place_count;
	const struct struct_size *sizes;
	size_t size_count;
} layouts[LINUX_SERIES] = {
	[LINUX_6_1] = { { 6, 1 }, places_6_1, COUNT_OF(places_6_1), sizes_6_1, COUNT_OF(sizes_6_1) },
	[LINUX_6_12] = { { 6, 12 }, NULL, 0, NULL, 0 },
	[LINUX_7_3] = { { 7, 3 }, places_7_3, COUNT_OF(places_7_3), sizes_7_3, COUNT_OF(sizes_7_3) },
};

void linux_layout_of(struct sc_layout *layout, enum linux_series series)
{
	*layout = (struct sc_layout){ .series = layouts[series].series };
	memcpy(layout->size, sizes, sizeof(sizes));
	put_places(layout, places, COUNT_OF(places));
	put_places(layout, layouts[series].places, layouts[series].place_count);
	for (size_t n = 0; n < layouts[series].size_count; n++)
		layout->size[layouts[series].sizes[n].structure] = layouts[series].sizes[n].size;
}
