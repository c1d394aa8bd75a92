/* SPDX-License-Identifier: BSD-2-Clause */
/* Series: see the header. */
#include "series.h"

#define LINUX_6_1 0x01u
#define LINUX_6_12 0x02u
#define LINUX_7_3 0x04u
#define TO_6_12 (LINUX_6_1 | LINUX_6_12)
#define FROM_6_12 (LINUX_6_12 | LINUX_7_3)
#define ALL (LINUX_6_1 | LINUX_6_12 | LINUX_7_3)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	struct sc_series series;
	uint8_t bit;
} listed[] = {
	{ { 6, 1 }, LINUX_6_1 },
	{ { 6, 12 }, LINUX_6_12 },
	{ { 7, 3 }, LINUX_7_3 },
};

static const char *const core_members[] = { "seq", "timekeeper" };

const struct series_struct sc_series_structs[] = {
	{ SC_STRUCT_CORE, TO_6_12, NULL, core_members, COUNT_OF(core_members) },
	{ SC_STRUCT_CORE, LINUX_7_3, "tk_data", NULL, 0 },
	{ SC_STRUCT_TIMEKEEPER, ALL, "timekeeper", NULL, 0 },
	{ SC_STRUCT_READ_BASE, ALL, "tk_read_base", NULL, 0 },
	{ SC_STRUCT_FAST, ALL, "tk_fast", NULL, 0 },
	{ SC_STRUCT_TIMESPEC, ALL, "timespec64", NULL, 0 },
	{ SC_STRUCT_NTP, LINUX_7_3, "ntp_data", NULL, 0 },
	{ SC_STRUCT_CLOCKSOURCE, ALL, "clocksource", NULL, 0 },
	{ SC_STRUCT_SCHED, ALL, "clock_data", NULL, 0 },
	{ SC_STRUCT_SCHED_READ, ALL, "clock_read_data", NULL, 0 },
	{ SC_STRUCT_VDSO, LINUX_7_3, "vdso_time_data", NULL, 0 },
	{ SC_STRUCT_VDSO_CLOCK, TO_6_12, "vdso_data", NULL, 0 },
	{ SC_STRUCT_VDSO_CLOCK, LINUX_7_3, "vdso_clock", NULL, 0 },
	{ SC_STRUCT_VDSO_TIME, ALL, "vdso_timestamp", NULL, 0 },
	{ SC_STRUCT_EVENT, ALL, "clock_event_device", NULL, 0 },
	{ SC_STRUCT_TICK, ALL, "tick_device", NULL, 0 },
	{ SC_STRUCT_KVM_INFO, ALL, "arch_timer_kvm_info", NULL, 0 },
	{ SC_STRUCT_TIMECOUNTER, ALL, "timecounter", NULL, 0 },
	{ SC_STRUCT_CYCLECOUNTER, ALL, "cyclecounter", NULL, 0 },
	{ SC_STRUCT_FTR_ENTRY, ALL, "__ftr_reg_entry", NULL, 0 },
	{ SC_STRUCT_FTR, ALL, "arm64_ftr_reg", NULL, 0 },
	{ SC_STRUCT_CPUINFO, ALL, "cpuinfo_arm64", NULL, 0 },
};

const struct series_field sc_series_fields[] = {
	{ SC_CORE_SEQ, SC_STRUCT_CORE, ALL, 4, "seq" },
	{ SC_CORE_TIMEKEEPER, SC_STRUCT_CORE, TO_6_12, 280, "timekeeper" },
	{ SC_CORE_TIMEKEEPER, SC_STRUCT_CORE, LINUX_7_3, 320, "timekeeper" },
	{ SC_CORE_SHADOW, SC_STRUCT_CORE, LINUX_7_3, 320, "shadow_timekeeper" },
	{ SC_CORE_LOCK, SC_STRUCT_CORE, LINUX_7_3, 4, "lock" },
	{ SC_TK_MONO, SC_STRUCT_TIMEKEEPER, ALL, 56, "tkr_mono" },
	{ SC_TK_RAW, SC_STRUCT_TIMEKEEPER, ALL, 56, "tkr_raw" },
	{ SC_TK_XTIME_SEC, SC_STRUCT_TIMEKEEPER, ALL, 8, "xtime_sec" },
	{ SC_TK_KTIME_SEC, SC_STRUCT_TIMEKEEPER, ALL, 8, "ktime_sec" },
	{ SC_TK_WALL_TO_MONOTONIC, SC_STRUCT_TIMEKEEPER, ALL, 16, "wall_to_monotonic" },
	{ SC_TK_OFFS_REAL, SC_STRUCT_TIMEKEEPER, ALL, 8, "offs_real" },
	{ SC_TK_OFFS_BOOT, SC_STRUCT_TIMEKEEPER, ALL, 8, "offs_boot" },
	{ SC_TK_TAI_OFFSET, SC_STRUCT_TIMEKEEPER, ALL, 4, "tai_offset" },
	{ SC_TK_CS_WAS_CHANGED_SEQ, SC_STRUCT_TIMEKEEPER, ALL, 1, "cs_was_changed_seq" },
	{ SC_TK_RAW_SEC, SC_STRUCT_TIMEKEEPER, ALL, 8, "raw_sec" },
	{ SC_TK_MONOTONIC_TO_BOOT, SC_STRUCT_TIMEKEEPER, ALL, 16, "monotonic_to_boot" },
	{ SC_TK_CYCLE_INTERVAL, SC_STRUCT_TIMEKEEPER, ALL, 8, "cycle_interval" },
	{ SC_TK_XTIME_INTERVAL, SC_STRUCT_TIMEKEEPER, ALL, 8, "xtime_interval" },
	{ SC_TK_XTIME_REMAINDER, SC_STRUCT_TIMEKEEPER, TO_6_12, 8, "xtime_remainder" },
	{ SC_TK_RAW_INTERVAL, SC_STRUCT_TIMEKEEPER, ALL, 8, "raw_interval" },
	{ SC_TK_NTP_TICK, SC_STRUCT_TIMEKEEPER, ALL, 8, "ntp_tick" },
	{ SC_TK_NTP_ERROR, SC_STRUCT_TIMEKEEPER, ALL, 8, "ntp_error" },
	{ SC_TK_NTP_ERROR_SHIFT, SC_STRUCT_TIMEKEEPER, ALL, 4, "ntp_error_shift" },
	{ SC_TK_NTP_ERR_MULT, SC_STRUCT_TIMEKEEPER, ALL, 4, "ntp_err_mult" },
	{ SC_TK_COARSE_NSEC, SC_STRUCT_TIMEKEEPER, LINUX_7_3, 4, "coarse_nsec" },
	{ SC_TK_CS_TICK_ADJ, SC_STRUCT_TIMEKEEPER, LINUX_7_3, 8, "cs_tick_adj" },
	{ SC_TK_CS_NS_TO_CYC_MULT, SC_STRUCT_TIMEKEEPER, LINUX_7_3, 4, "cs_ns_to_cyc_mult" },
	{ SC_TK_SKEW_DELTA, SC_STRUCT_TIMEKEEPER, LINUX_7_3, 8, "skew_delta" },
	{ SC_READ_BASE_CLOCK, SC_STRUCT_READ_BASE, ALL, 8, "clock" },
	{ SC_READ_BASE_MASK, SC_STRUCT_READ_BASE, ALL, 8, "mask" },
	{ SC_READ_BASE_CYCLE_LAST, SC_STRUCT_READ_BASE, ALL, 8, "cycle_last" },
	{ SC_READ_BASE_MULT, SC_STRUCT_READ_BASE, ALL, 4, "mult" },
	{ SC_READ_BASE_SHIFT, SC_STRUCT_READ_BASE, ALL, 4, "shift" },
	{ SC_READ_BASE_XTIME_NSEC, SC_STRUCT_READ_BASE, ALL, 8, "xtime_nsec" },
	{ SC_READ_BASE_BASE, SC_STRUCT_READ_BASE, ALL, 8, "base" },
	{ SC_READ_BASE_BASE_REAL, SC_STRUCT_READ_BASE, ALL, 8, "base_real" },
	{ SC_FAST_SEQ, SC_STRUCT_FAST, ALL, 4, "seq" },
	{ SC_FAST_BASE, SC_STRUCT_FAST, ALL, 112, "base" },
	{ SC_TIMESPEC_SEC, SC_STRUCT_TIMESPEC, ALL, 8, "tv_sec" },
	{ SC_TIMESPEC_NSEC, SC_STRUCT_TIMESPEC, ALL, 8, "tv_nsec" },
	{ SC_NTP_TICK_LENGTH, SC_STRUCT_NTP, LINUX_7_3, 8, "tick_length" },
	{ SC_NTP_CS_TICK_ADJ, SC_STRUCT_NTP, LINUX_7_3, 8, "cs_tick_adj" },
	{ SC_CLOCKSOURCE_MASK, SC_STRUCT_CLOCKSOURCE, ALL, 8, "mask" },
	{ SC_CLOCKSOURCE_MULT, SC_STRUCT_CLOCKSOURCE, ALL, 4, "mult" },
	{ SC_CLOCKSOURCE_SHIFT, SC_STRUCT_CLOCKSOURCE, ALL, 4, "shift" },
	{ SC_CLOCKSOURCE_MAX_IDLE_NS, SC_STRUCT_CLOCKSOURCE, ALL, 8, "max_idle_ns" },
	{ SC_CLOCKSOURCE_MAXADJ, SC_STRUCT_CLOCKSOURCE, ALL, 4, "maxadj" },
	{ SC_CLOCKSOURCE_MAX_CYCLES, SC_STRUCT_CLOCKSOURCE, ALL, 8, "max_cycles" },
	{ SC_CLOCKSOURCE_NAME, SC_STRUCT_CLOCKSOURCE, ALL, 8, "name" },
	{ SC_CLOCKSOURCE_FREQ_KHZ, SC_STRUCT_CLOCKSOURCE, FROM_6_12, 4, "freq_khz" },
	{ SC_CLOCKSOURCE_VDSO_CLOCK_MODE, SC_STRUCT_CLOCKSOURCE, ALL, 4, "vdso_clock_mode" },
	{ SC_SCHED_SEQ, SC_STRUCT_SCHED, ALL, 4, "seq" },
	{ SC_SCHED_READ_DATA, SC_STRUCT_SCHED, ALL, 80, "read_data" },
	{ SC_SCHED_WRAP_KT, SC_STRUCT_SCHED, ALL, 8, "wrap_kt" },
	{ SC_SCHED_RATE, SC_STRUCT_SCHED, ALL, 8, "rate" },
	{ SC_SCHED_EPOCH_NS, SC_STRUCT_SCHED_READ, ALL, 8, "epoch_ns" },
	{ SC_SCHED_EPOCH_CYC, SC_STRUCT_SCHED_READ, ALL, 8, "epoch_cyc" },
	{ SC_SCHED_MASK, SC_STRUCT_SCHED_READ, ALL, 8, "sched_clock_mask" },
	{ SC_SCHED_MULT, SC_STRUCT_SCHED_READ, ALL, 4, "mult" },
	{ SC_SCHED_SHIFT, SC_STRUCT_SCHED_READ, ALL, 4, "shift" },
	{ SC_VDSO_CLOCKS, SC_STRUCT_VDSO, LINUX_7_3, 448, "clock_data" },
	{ SC_VDSO_AUX_CLOCKS, SC_STRUCT_VDSO, LINUX_7_3, 1792, "aux_clock_data" },
	{ SC_VDSO_SEQ, SC_STRUCT_VDSO_CLOCK, ALL, 4, "seq" },
	{ SC_VDSO_CLOCK_MODE, SC_STRUCT_VDSO_CLOCK, ALL, 4, "clock_mode" },
	{ SC_VDSO_CYCLE_LAST, SC_STRUCT_VDSO_CLOCK, ALL, 8, "cycle_last" },
	{ SC_VDSO_MASK, SC_STRUCT_VDSO_CLOCK, ALL, 8, "mask" },
	{ SC_VDSO_MULT, SC_STRUCT_VDSO_CLOCK, ALL, 4, "mult" },
	{ SC_VDSO_SHIFT, SC_STRUCT_VDSO_CLOCK, ALL, 4, "shift" },
	{ SC_VDSO_BASETIME, SC_STRUCT_VDSO_CLOCK, ALL, 192, "basetime" },
	{ SC_VDSO_TIME_SEC, SC_STRUCT_VDSO_TIME, ALL, 8, "sec" },
	{ SC_VDSO_TIME_NSEC, SC_STRUCT_VDSO_TIME, ALL, 8, "nsec" },
	{ SC_EVENT_SET_NEXT_EVENT, SC_STRUCT_EVENT, ALL, 8, "set_next_event" },
	{ SC_EVENT_NEXT_EVENT, SC_STRUCT_EVENT, ALL, 8, "next_event" },
	{ SC_EVENT_MAX_DELTA_NS, SC_STRUCT_EVENT, ALL, 8, "max_delta_ns" },
	{ SC_EVENT_MIN_DELTA_NS, SC_STRUCT_EVENT, ALL, 8, "min_delta_ns" },
	{ SC_EVENT_MULT, SC_STRUCT_EVENT, ALL, 4, "mult" },
	{ SC_EVENT_SHIFT, SC_STRUCT_EVENT, ALL, 4, "shift" },
	{ SC_EVENT_FEATURES, SC_STRUCT_EVENT, ALL, 4, "features" },
	{ SC_EVENT_MIN_DELTA_TICKS, SC_STRUCT_EVENT, ALL, 8, "min_delta_ticks" },
	{ SC_EVENT_MAX_DELTA_TICKS, SC_STRUCT_EVENT, ALL, 8, "max_delta_ticks" },
	{ SC_TICK_EVTDEV, SC_STRUCT_TICK, ALL, 8, "evtdev" },
	{ SC_KVM_INFO_TIMECOUNTER, SC_STRUCT_KVM_INFO, ALL, 40, "timecounter" },
	{ SC_TIMECOUNTER_CYCLE_LAST, SC_STRUCT_TIMECOUNTER, ALL, 8, "cycle_last" },
	{ SC_TIMECOUNTER_NSEC, SC_STRUCT_TIMECOUNTER, ALL, 8, "nsec" },
	{ SC_TIMECOUNTER_MASK, SC_STRUCT_TIMECOUNTER, ALL, 8, "mask" },
	{ SC_TIMECOUNTER_FRAC, SC_STRUCT_TIMECOUNTER, ALL, 8, "frac" },
	{ SC_CYCLECOUNTER_MASK, SC_STRUCT_CYCLECOUNTER, ALL, 8, "mask" },
	{ SC_CYCLECOUNTER_MULT, SC_STRUCT_CYCLECOUNTER, ALL, 4, "mult" },
	{ SC_CYCLECOUNTER_SHIFT, SC_STRUCT_CYCLECOUNTER, ALL, 4, "shift" },
	{ SC_FTR_ENTRY_SYS_ID, SC_STRUCT_FTR_ENTRY, ALL, 4, "sys_id" },
	{ SC_FTR_ENTRY_REG, SC_STRUCT_FTR_ENTRY, ALL, 8, "reg" },
	{ SC_FTR_SYS_VAL, SC_STRUCT_FTR, ALL, 8, "sys_val" },
	{ SC_CPUINFO_CNTFRQ, SC_STRUCT_CPUINFO, ALL, 8, "reg_cntfrq" },
};

const struct series_variable sc_series_variables[] = {
	{ SC_VAR_CORE, TO_6_12, "tk_core" },
	{ SC_VAR_CORE, LINUX_7_3, "timekeeper_data" },
	{ SC_VAR_SHADOW, TO_6_12, "shadow_timekeeper" },
	{ SC_VAR_LOCK, TO_6_12, "timekeeper_lock" },
	{ SC_VAR_FAST_MONO, ALL, "tk_fast_mono" },
	{ SC_VAR_FAST_RAW, ALL, "tk_fast_raw" },
	{ SC_VAR_NTP, LINUX_7_3, "tk_ntp_data" },
	{ SC_VAR_SUSPENDED, ALL, "timekeeping_suspended" },
	{ SC_VAR_CLOCKSOURCE, ALL, "clocksource_counter" },
	{ SC_VAR_SCHED, ALL, "cd" },
	{ SC_VAR_VDSO, TO_6_12, "vdso_data_store" },
	{ SC_VAR_VDSO, LINUX_7_3, "vdso_k_time_data" },
	{ SC_VAR_TIMER_RATE, ALL, "arch_timer_rate" },
	{ SC_VAR_LPJ, ALL, "loops_per_jiffy" },
	{ SC_VAR_LPJ_FINE, ALL, "lpj_fine" },
	{ SC_VAR_TICK_DEVICE, ALL, "tick_cpu_device" },
	{ SC_VAR_TIMER_EVT, ALL, "arch_timer_evt" },
	{ SC_VAR_PERCPU_OFFSET, ALL, "__per_cpu_offset" },
	{ SC_VAR_CPU_COUNT, ALL, "nr_cpu_ids" },
	{ SC_VAR_CPU_ONLINE, ALL, "__cpu_online_mask" },
	{ SC_VAR_CPU_DATA, ALL, "cpu_data" },
	{ SC_VAR_BOOT_CPU_DATA, ALL, "boot_cpu_data" },
	{ SC_VAR_FTR_REGS, ALL, "arm64_ftr_regs" },
	{ SC_VAR_KVM_INFO, ALL, "arch_timer_kvm_info" },
	{ SC_VAR_CYCLECOUNTER, ALL, "cyclecounter" },
};

const struct series_function sc_series_functions[] = {
	{ SC_FUNCTION_PROGRAM_EVENT, ALL, "clockevents_program_event" },
	/* In 7.3 only for a device that could not be programmed, which the Arm timer never says. */
	{ SC_FUNCTION_PROGRAM_MIN_DELTA, TO_6_12, "clockevents_program_min_delta" },
	{ SC_FUNCTION_SET_NEXT_EVENT_VIRT, ALL, "arch_timer_set_next_event_virt" },
	{ SC_FUNCTION_SET_NEXT_EVENT_PHYS, ALL, "arch_timer_set_next_event_phys" },
};

const uint32_t sc_series_struct_count = COUNT_OF(sc_series_structs), sc_series_field_count = COUNT_OF(sc_series_fields),
	       sc_series_variable_count = COUNT_OF(sc_series_variables),
	       sc_series_function_count = COUNT_OF(sc_series_functions);

static const char *number_of(const char *text, uint32_t *number)
{
	const char *begin = text;

	*number = 0;
	while (*text >= '0' && *text <= '9' && *number < 100000)
		*number = *number * 10 + (uint32_t)(*text++ - '0');
	return text > begin ? text : NULL;
}

bool sc_series_of_release(const char *release, struct sc_series *series)
{
	const char *rest = number_of(release, &series->major);

	return rest && *rest == '.' && number_of(rest + 1, &series->minor);
}

static char *number_write(char *text, uint32_t number)
{
	char digits[10];
	uint32_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		*text++ = digits[--count];
	return text;
}

void sc_series_text(const struct sc_series *series, char text[SERIES_TEXT_MAX])
{
	char *end = number_write(text, series->major);

	*end = '.';
	end = number_write(end + 1, series->minor);
	*end = '\0';
}

uint8_t sc_series_bit(const struct sc_series *series)
{
	for (uint32_t i = 0; i < COUNT_OF(listed); i++)
		if (listed[i].series.major == series->major && listed[i].series.minor == series->minor)
			return listed[i].bit;
	return 0;
}
