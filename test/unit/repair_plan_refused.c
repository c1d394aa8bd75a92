/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of a repair: each thing that is not as it must be is refused in one clause, and nothing is planned. */
#include "plan_fixture.h"

static void rates_that_are_none(void **state)
{
	static const uint32_t none[] = { 0, 1, 999999, 2000000001, UINT32_MAX };
	const struct linux_clock_state from = linux_clock_usual(25000000);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	for (size_t n = 0; n < ARRAY_SIZE(none); n++) {
		struct sc_rate_change change = usual_change();

		change.from_hz = none[n];
		refused(&clock, &change, SC_REFUSED_UNKNOWN, "less than 1 MHz or more than 2 GHz");
		change = usual_change();
		change.to_hz = none[n];
		refused(&clock, &change, SC_REFUSED_UNKNOWN, "less than 1 MHz or more than 2 GHz");
	}
	linux_clock_end(&clock);
}

/* What else a number could be: where it lies from the variable, and in which of its structures. */
struct fault {
	enum sc_variable variable;
	uint32_t offset; /* of a structure in it */
	enum sc_field field;
	uint64_t change; /* bits that are the other way round */
	enum sc_refusal_reason reason;
	const char *words;
};

static const struct fault faults[] = {
	{ SC_VAR_CORE, 0, SC_CORE_SEQ, 1, SC_REFUSED_BUSY, "about to change its timekeeper" },
	{ SC_VAR_FAST_MONO, 0, SC_FAST_SEQ, 1, SC_REFUSED_BUSY, "about to change a copy of its timekeeper" },
	{ SC_VAR_FAST_RAW, 0, SC_FAST_SEQ, 1, SC_REFUSED_BUSY, "about to change a copy of its timekeeper" },
	{ SC_VAR_VDSO, 0, SC_VDSO_SEQ, 1, SC_REFUSED_BUSY, "about to change the data of its vDSO" },
	{ SC_VAR_VDSO, 240, SC_VDSO_SEQ, 1, SC_REFUSED_BUSY, "about to change the data of its vDSO" },
	{ SC_VAR_SCHED, 0, SC_SCHED_SEQ, 1, SC_REFUSED_BUSY, "about to change its sched_clock" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_MULT, 1, SC_REFUSED_UNKNOWN, "clocksource has another rate" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_SHIFT, 64, SC_REFUSED_UNKNOWN, "clocksource has another rate" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_MAXADJ, 1, SC_REFUSED_UNKNOWN, "clocksource has another rate" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_FREQ_KHZ, 1, SC_REFUSED_UNKNOWN, "clocksource has another rate" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_MASK, 1ull << 55, SC_REFUSED_UNKNOWN, "a mask that is not known" },
	{ SC_VAR_CLOCKSOURCE, 0, SC_CLOCKSOURCE_MASK, UINT64_MAX, SC_REFUSED_UNKNOWN, "a mask that is not known" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_CLOCK, 8, SC_REFUSED_UNKNOWN, "not read from arch_sys_counter" },
	{ SC_VAR_CORE, 64, SC_READ_BASE_CLOCK, 8, SC_REFUSED_UNKNOWN, "not read from arch_sys_counter" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_MASK, 1, SC_REFUSED_UNKNOWN, "another mask than its clocksource" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_MULT, 1, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
	{ SC_VAR_CORE, 64, SC_READ_BASE_MULT, 1, SC_REFUSED_UNKNOWN, "a multiplier or a shift that does not follow" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_SHIFT, 64, SC_REFUSED_UNKNOWN, "a multiplier or a shift that does not follow" },
	{ SC_VAR_CORE, 64, SC_READ_BASE_SHIFT, 1, SC_REFUSED_UNKNOWN, "a multiplier or a shift that does not follow" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_CYCLE_LAST, 1, SC_REFUSED_UNKNOWN, "a count that does not follow" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_XTIME_NSEC, 1ull << 60, SC_REFUSED_UNKNOWN, "a part of a second" },
	{ SC_VAR_CORE, 64, SC_READ_BASE_XTIME_NSEC, 1ull << 60, SC_REFUSED_UNKNOWN, "a part of a second" },
	{ SC_VAR_CORE, 8, SC_READ_BASE_BASE, 1, SC_REFUSED_UNKNOWN, "times that do not follow from its seconds" },
	{ SC_VAR_CORE, 64, SC_READ_BASE_BASE, 1, SC_REFUSED_UNKNOWN, "times that do not follow from its seconds" },
	{ SC_VAR_CORE, 8, SC_TK_KTIME_SEC, 1, SC_REFUSED_UNKNOWN, "times that do not follow from its seconds" },
	{ SC_VAR_CORE, 8, SC_TK_CYCLE_INTERVAL, 1, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_XTIME_INTERVAL, 1, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_XTIME_REMAINDER, 1, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_RAW_INTERVAL, 1, SC_REFUSED_UNKNOWN, "an interval that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_NTP_TICK, 1ull << 40, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_NTP_TICK, 1ull << 63, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_NTP_ERROR_SHIFT, 64, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
	{ SC_VAR_CORE, 8, SC_TK_NTP_ERR_MULT, 1, SC_REFUSED_UNKNOWN, "an adjustment that does not follow" },
	{ SC_VAR_CORE, 136, SC_TIMESPEC_NSEC, 1ull << 63, SC_REFUSED_DAMAGED, "more ns than a second has" },
	{ SC_VAR_SHADOW, 0, SC_TK_OFFS_REAL, 1, SC_REFUSED_BUSY, "the shadow of the kernel's timekeeper differs" },
	{ SC_VAR_FAST_MONO, 8, SC_READ_BASE_BASE_REAL, 1, SC_REFUSED_DAMAGED, "a copy of the kernel's timekeeper" },
	{ SC_VAR_FAST_RAW, 64, SC_READ_BASE_XTIME_NSEC, 1, SC_REFUSED_DAMAGED, "a copy of the kernel's timekeeper" },
	{ SC_VAR_VDSO, 0, SC_VDSO_CLOCK_MODE, 1, SC_REFUSED_UNKNOWN, "vDSO does not read the counter" },
	{ SC_VAR_VDSO, 240, SC_VDSO_CLOCK_MODE, 3, SC_REFUSED_UNKNOWN, "vDSO does not read the counter" },
	{ SC_VAR_VDSO, 0, SC_VDSO_MULT, 1, SC_REFUSED_UNKNOWN, "vDSO has other numbers" },
	{ SC_VAR_VDSO, 240, SC_VDSO_SHIFT, 1, SC_REFUSED_UNKNOWN, "vDSO has other numbers" },
	{ SC_VAR_VDSO, 240, SC_VDSO_CYCLE_LAST, 1, SC_REFUSED_UNKNOWN, "vDSO has other numbers" },
	{ SC_VAR_VDSO, 32, SC_VDSO_TIME_SEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 48, SC_VDSO_TIME_NSEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 336, SC_VDSO_TIME_NSEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 112, SC_VDSO_TIME_NSEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 128, SC_VDSO_TIME_SEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 144, SC_VDSO_TIME_NSEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_VDSO, 208, SC_VDSO_TIME_SEC, 1, SC_REFUSED_UNKNOWN, "vDSO has other times" },
	{ SC_VAR_SCHED, 0, SC_SCHED_RATE, 1, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 0, SC_SCHED_WRAP_KT, 1, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 8, SC_SCHED_MULT, 1, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 8, SC_SCHED_MASK, 1ull << 55, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 48, SC_SCHED_EPOCH_NS, 1, SC_REFUSED_BUSY, "about to change its sched_clock" },
	{ SC_VAR_SCHED, 48, SC_SCHED_MULT, 1, SC_REFUSED_BUSY, "about to change its sched_clock" },
	{ SC_VAR_SCHED, 8, SC_SCHED_SHIFT, 21, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 8, SC_SCHED_SHIFT, 64, SC_REFUSED_UNKNOWN, "sched_clock has another rate" },
	{ SC_VAR_SCHED, 8, SC_SCHED_EPOCH_CYC, 1ull << 50, SC_REFUSED_UNKNOWN, "has not renewed the epoch" },
	{ SC_VAR_BOOT_CPU_DATA, 0, SC_CPUINFO_CNTFRQ, 1, SC_REFUSED_UNKNOWN, "first CPU has another CNTFRQ_EL0" },
	{ SC_VAR_FTR_REGS, 160, SC_FTR_ENTRY_SYS_ID, 1 << 20, SC_REFUSED_UNKNOWN, "has no CNTFRQ_EL0" },
	{ SC_VAR_FTR_REGS, 640, SC_FTR_ENTRY_SYS_ID, 1, SC_REFUSED_UNKNOWN, "has no CNTFRQ_EL0" },
	{ SC_VAR_FTR_REGS, 640, SC_FTR_ENTRY_REG, 1, SC_REFUSED_UNKNOWN, "another CNTFRQ_EL0" },
	{ SC_VAR_FTR_REGS, 640, SC_FTR_ENTRY_REG, 1ull << 63, SC_REFUSED_MEMORY, "is not a kernel address" },
	{ SC_VAR_KVM_INFO, 0, SC_TIMECOUNTER_MASK, 1, SC_REFUSED_UNKNOWN, "hands to KVM" },
	{ SC_VAR_KVM_INFO, 0, SC_TIMECOUNTER_FRAC, 1 << 24, SC_REFUSED_UNKNOWN, "hands to KVM" },
	{ SC_VAR_CYCLECOUNTER, 0, SC_CYCLECOUNTER_MULT, 1, SC_REFUSED_UNKNOWN, "hands to KVM" },
	{ SC_VAR_CYCLECOUNTER, 0, SC_CYCLECOUNTER_MASK, 1, SC_REFUSED_UNKNOWN, "hands to KVM" },
};

static void numbers_that_differ(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = linux_clock_usual(change.from_hz);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(faults); n++) {
		const struct fault *fault = &faults[n];
		struct linux_clock clock;
		uint64_t va, twin;

		linux_clock_begin(&clock, &from);
		va = clock.kernel.address[fault->variable] + fault->offset;
		linux_clock_put(&clock, va, fault->field, linux_clock_get(&clock, va, fault->field) ^ fault->change);
		/* What is in the timekeeper is in its shadow as well. */
		twin = clock.kernel.address[SC_VAR_SHADOW] + fault->offset - 8;
		if (fault->variable == SC_VAR_CORE && fault->offset)
			linux_clock_put(&clock, twin, fault->field, linux_clock_get(&clock, va, fault->field));
		refused(&clock, &change, fault->reason, fault->words);
		linux_clock_end(&clock);
	}
}

/* Variables that are numbers. */
static void variables_that_differ(void **state)
{
	static const struct {
		enum sc_variable variable;
		uint32_t value;
		enum sc_refusal_reason reason;
		const char *words;
	} cases[] = {
		{ SC_VAR_SUSPENDED, 1, SC_REFUSED_UNKNOWN, "timekeeping is suspended" },
		{ SC_VAR_LOCK, 0x100, SC_REFUSED_BUSY, "timekeeper is locked" },
		{ SC_VAR_TIMER_RATE, 25000001, SC_REFUSED_UNKNOWN, "timer has another rate" },
		{ SC_VAR_LPJ, 25000, SC_REFUSED_UNKNOWN, "loops_per_jiffy" },
		{ SC_VAR_LPJ_FINE, 100001, SC_REFUSED_UNKNOWN, "loops_per_jiffy" },
		{ SC_VAR_CPU_COUNT, 0, SC_REFUSED_UNKNOWN, "more CPUs than are taken, or none" },
		{ SC_VAR_CPU_COUNT, 513, SC_REFUSED_UNKNOWN, "more CPUs than are taken, or none" },
		{ SC_VAR_CPU_ONLINE, 3, SC_REFUSED_UNKNOWN, "tick does not come from the counter's timer" },
		{ SC_VAR_CPU_ONLINE, 0, SC_REFUSED_BUSY, "none of the CPUs that the kernel says are up" },
		{ SC_VAR_PERCPU_OFFSET, 0, SC_REFUSED_UNKNOWN, "tick does not come from the counter's timer" },
		{ SC_VAR_TIMER_EVT, 8, SC_REFUSED_MEMORY, "is not mapped" },
	};
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = linux_clock_usual(change.from_hz);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct linux_clock clock;

		linux_clock_begin(&clock, &from);
		linux_clock_store(&clock, clock.kernel.address[cases[n].variable], cases[n].value, 4);
		refused(&clock, &change, cases[n].reason, cases[n].words);
		linux_clock_end(&clock);
	}
}

static void devices_that_differ(void **state)
{
	static const struct {
		enum sc_field field;
		uint64_t value;
	} cases[] = {
		{ SC_EVENT_SET_NEXT_EVENT, 0xffff800080010000u },
		{ SC_EVENT_FEATURES, 1 },
		{ SC_EVENT_MULT, 13421774 },
		{ SC_EVENT_SHIFT, 28 },
		{ SC_EVENT_MIN_DELTA_NS, 1001 },
		{ SC_EVENT_MAX_DELTA_NS, 1 },
		{ SC_EVENT_MAX_DELTA_TICKS, 0x7fffffff },
	};
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = linux_clock_usual(change.from_hz);

	(void)state;
	from.up = 2;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct linux_clock clock;

		linux_clock_begin(&clock, &from);
		linux_clock_put(&clock, linux_clock_event(&clock, 1), cases[n].field, cases[n].value);
		refused(&clock, &change, SC_REFUSED_UNKNOWN, "device is none of the counter's, or has another rate");
		/* Of one that is down: it may be on its way up. */
		linux_clock_store(&clock, clock.kernel.address[SC_VAR_CPU_ONLINE], 1, 8);
		refused(&clock, &change, SC_REFUSED_BUSY, "device is none of the counter's, or has another rate");
		linux_clock_end(&clock);
	}
}

/* Two structures at one place. */
static void structures_that_overlap(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	clock.kernel.address[SC_VAR_FAST_RAW] = clock.kernel.address[SC_VAR_FAST_MONO];
	refused(&clock, &change, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place");
	linux_clock_end(&clock);
	linux_clock_begin(&clock, &from);
	clock.kernel.address[SC_VAR_LPJ_FINE] = clock.kernel.address[SC_VAR_LPJ];
	refused(&clock, &change, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place");
	linux_clock_end(&clock);
	linux_clock_begin(&clock, &from);
	clock.kernel.address[SC_VAR_LPJ]++;
	linux_clock_store(&clock, clock.kernel.address[SC_VAR_LPJ], 100000, 8);
	refused(&clock, &change, SC_REFUSED_DAMAGED, "a value of the kernel's is not aligned");
	linux_clock_end(&clock);
}

/* A series without what is repaired, or in other widths. */
static void series_that_are_not_known(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	clock.kernel.layout.field[SC_TK_RAW_INTERVAL].size = 16;
	refused(&clock, &change, SC_REFUSED_UNKNOWN, "how the kernel's timekeeping is repaired is not known");
	clock.kernel.layout.field[SC_TK_RAW_INTERVAL].size = 8;
	clock.kernel.layout.field[SC_TK_XTIME_REMAINDER].size = 0;
	refused(&clock, &change, SC_REFUSED_UNKNOWN, "how the kernel's timekeeping is repaired is not known");
	linux_clock_end(&clock);
}

/* What is a matter of the moment. */
static void moments(void **state)
{
	struct sc_rate_change change = usual_change();
	struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;

	(void)state;
	/* At 1 GHz to 19.2 MHz, what has passed is up to 52 ns less. */
	from = linux_clock_usual(1000000000);
	from.since = 51;
	from.xtime_ns = 999999960;
	linux_clock_begin(&clock, &from);
	change = (struct sc_rate_change){ 1000000000, 19200000, from.count, 7 };
	refused(&clock, &change, SC_REFUSED_BUSY, "a second of the kernel's clock is about to end");
	linux_clock_end(&clock);
	change = usual_change();
	from = linux_clock_usual(change.from_hz);
	from.adjusted_ppb = 0;
	from.since = 300ull * change.from_hz - 10000;
	linux_clock_begin(&clock, &from);
	carry_out(&clock, &change);
	linux_clock_end(&clock);
	from.since += 20000;
	linux_clock_begin(&clock, &from);
	refused(&clock, &change, SC_REFUSED_BUSY, "not updated its clock for more than five minutes");
	linux_clock_end(&clock);
	/* A counter that went back. */
	from = linux_clock_usual(change.from_hz);
	change.from_ticks -= from.since + 1;
	linux_clock_begin(&clock, &from);
	refused(&clock, &change, SC_REFUSED_UNKNOWN, "not updated its clock for more than five minutes");
	linux_clock_end(&clock);
}

static void vcpus_that_program_their_timers(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;
	uint64_t event, now;

	(void)state;
	from.up = 2;
	linux_clock_begin(&clock, &from);
	for (uint32_t n = 0; n < SC_FUNCTION_COUNT; n++) {
		clock.timers[1].pc = clock.kernel.code[n].start;
		refused(&clock, &change, SC_REFUSED_BUSY, "a vCPU is about to program its timer");
		clock.timers[1].pc = clock.kernel.code[n].end - 4;
		refused(&clock, &change, SC_REFUSED_BUSY, "a vCPU is about to program its timer");
	}
	clock.timers[1].pc = clock.kernel.code[SC_FUNCTION_COUNT - 1].end;
	assert_int_equal(make(&clock, &change), 0);
	/* An event in 10 ms, and a timer that is set to it, or 1.9 or 2.1 ms later. */
	event = linux_clock_event(&clock, 1);
	now = (uint64_t)(linux_clock_read(&clock, LINUX_MONO, change.from_ticks) >> 32);
	linux_clock_put(&clock, event, SC_EVENT_NEXT_EVENT, now + 10000000);
	clock.timers[1].cntv_ctl = 1;
	clock.timers[1].cntv_cval = change.from_ticks + 250000 + 47500;
	assert_int_equal(make(&clock, &change), 0);
	clock.timers[1].cntv_cval = change.from_ticks + 250000 + 52500;
	refused(&clock, &change, SC_REFUSED_BUSY, "set later than to the kernel's next event");
	/* One that has happened. */
	linux_clock_put(&clock, event, SC_EVENT_NEXT_EVENT, now - 10000000);
	refused(&clock, &change, SC_REFUSED_BUSY, "set later than to the kernel's next event");
	/* It does not matter while the timer is off, or masked. */
	clock.timers[1].cntv_ctl = 0;
	assert_int_equal(make(&clock, &change), 0);
	clock.timers[1].cntv_ctl = 3;
	assert_int_equal(make(&clock, &change), 0);
	linux_clock_end(&clock);
}

static void vcpus_that_are_no_cpus(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;

	(void)state;
	from.up = 2;
	linux_clock_begin(&clock, &from);
	clock.timers[1].tpidr = 0;
	refused(&clock, &change, SC_REFUSED_BUSY, "a vCPU is none of the CPUs");
	clock.timers[1].tpidr = linux_clock_percpu(2);
	refused(&clock, &change, SC_REFUSED_BUSY, "a vCPU is none of the CPUs");
	clock.timers[1].tpidr = linux_clock_percpu(1);
	clock.on = 1;
	refused(&clock, &change, SC_REFUSED_BUSY, "about to bring a CPU up or down");
	linux_clock_end(&clock);
}

static void arena_too_small(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = linux_clock_usual(change.from_hz);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	for (size_t size = 0; size < 5000; size += 331) {
		struct sc_arena arena = { .memory = plan_memory, .size = size };

		assert_int_equal(sc_plan_make(&clock.kernel, &change, &arena, &plan, &why), -SC_REFUSED_SPACE);
	}
	linux_clock_end(&clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_that_are_none),
		cmocka_unit_test(numbers_that_differ),
		cmocka_unit_test(variables_that_differ),
		cmocka_unit_test(devices_that_differ),
		cmocka_unit_test(structures_that_overlap),
		cmocka_unit_test(series_that_are_not_known),
		cmocka_unit_test(moments),
		cmocka_unit_test(vcpus_that_program_their_timers),
		cmocka_unit_test(vcpus_that_are_no_cpus),
		cmocka_unit_test(arena_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
