/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of a repair: after one, the kernel has what a kernel of the new rate has, and all its clocks go on. */
#include "plan_fixture.h"

#define NS ((linux_time)1 << 32)

/* The clocks read on, from where they were: coarse clocks from where they were updated, others to the ns. */
static void clocks_go_on(const struct sc_rate_change *change)
{
	const struct linux_clock_state state = usual_state(change->from_hz);
	linux_time before[LINUX_READERS];
	struct linux_clock clock;

	linux_clock_begin(&clock, &state);
	for (enum linux_reader reader = 0; reader < LINUX_READERS; reader++)
		before[reader] = linux_clock_read(&clock, reader, change->from_ticks);
	carry_out(&clock, change);
	for (enum linux_reader reader = 0; reader < LINUX_READERS; reader++) {
		linux_time after = linux_clock_read(&clock, reader, change->to_ticks);
		linux_time most = reader == LINUX_COARSE_REAL || reader == LINUX_COARSE_MONO
					  ? 2000000000 / change->to_hz * NS + NS
					  : NS;

		if (after < before[reader] || after - before[reader] > most)
			fail_msg("clock %d goes %lld ns from %u to %u Hz", (int)reader,
				 ((long long)(after - before[reader])) >> 32, change->from_hz, change->to_hz);
	}
	linux_clock_end(&clock);
}

static void every_rate_to_every_rate(void **state)
{
	(void)state;
	for (uint32_t from = 0; from < LINUX_CLOCK_RATES; from++)
		for (uint32_t to = 0; to < LINUX_CLOCK_RATES; to++) {
			struct sc_rate_change change = { .from_hz = linux_clock_rates[from],
							 .to_hz = linux_clock_rates[to],
							 .to_ticks = 0x30000000000 };

			change.from_ticks = linux_clock_usual(change.from_hz).count;
			clocks_go_on(&change);
		}
}

/* Variables that are all the rate: as in a kernel that was never at another one. */
static void as_if_it_was_never_at_another_rate(void **state)
{
	static const enum sc_variable whole[] = { SC_VAR_CLOCKSOURCE, SC_VAR_TIMER_RATE,    SC_VAR_LPJ,
						  SC_VAR_LPJ_FINE,    SC_VAR_BOOT_CPU_DATA, SC_VAR_CYCLECOUNTER,
						  SC_VAR_TICK_DEVICE, SC_VAR_FTR_REGS,	    SC_VAR_NTP };
	static const enum sc_field same[] = { SC_TK_CYCLE_INTERVAL,  SC_TK_XTIME_INTERVAL, SC_TK_XTIME_REMAINDER,
					      SC_TK_RAW_INTERVAL,    SC_TK_NTP_TICK,	   SC_TK_NTP_ERROR,
					      SC_TK_NTP_ERROR_SHIFT, SC_TK_NTP_ERR_MULT,   SC_TK_XTIME_SEC,
					      SC_TK_CS_TICK_ADJ,     SC_TK_SKEW_DELTA,	   SC_TK_COARSE_NSEC };
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = usual_state(change.from_hz), to = usual_state(change.to_hz);
	struct linux_clock clock, want;

	(void)state;
	from.skewed_ppb = to.skewed_ppb = series == LINUX_7_3 ? -300000 : 0;
	linux_clock_begin(&clock, &from);
	linux_clock_begin(&want, &to);
	carry_out(&clock, &change);
	for (size_t n = 0; n < ARRAY_SIZE(whole); n++) {
		uint64_t at = LINUX_CLOCK_DATA + (uint64_t)whole[n] * LINUX_CLOCK_ROOM;

		assert_memory_equal(linux_ram_at(&clock.ram, at, LINUX_CLOCK_ROOM),
				    linux_ram_at(&want.ram, at, LINUX_CLOCK_ROOM), LINUX_CLOCK_ROOM);
	}
	/* The CPUs' own: devices and rates. */
	assert_memory_equal(linux_ram_at(&clock.ram, LINUX_CLOCK_DATA + LINUX_CLOCK_PERCPU, LINUX_CLOCK_PERCPU),
			    linux_ram_at(&want.ram, LINUX_CLOCK_DATA + LINUX_CLOCK_PERCPU, LINUX_CLOCK_PERCPU),
			    LINUX_CLOCK_PERCPU);
	for (size_t n = 0; n < ARRAY_SIZE(same); n++) {
		uint64_t tk = linux_clock_keeper(&clock);

		if (!clock.kernel.layout.field[same[n]].size)
			continue;
		assert_int_equal(linux_clock_get(&clock, tk, same[n]), linux_clock_get(&want, tk, same[n]));
	}
	linux_clock_end(&want);
	linux_clock_end(&clock);
}

/* Whoever was reading while the guest was stopped has to begin anew; and what is for no reader stays. */
static void sequences_count_on(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	const uint64_t *at;
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	carry_out(&clock, &change);
	at = clock.kernel.address;
	assert_int_equal(linux_clock_get(&clock, at[SC_VAR_CORE], SC_CORE_SEQ), 0);
	assert_int_equal(linux_clock_get(&clock, at[SC_VAR_FAST_MONO], SC_FAST_SEQ), 2);
	assert_int_equal(linux_clock_get(&clock, at[SC_VAR_FAST_RAW], SC_FAST_SEQ), 2);
	assert_int_equal(linux_clock_get(&clock, linux_clock_vdso(&clock, 0), SC_VDSO_SEQ), 8);
	assert_int_equal(linux_clock_get(&clock, linux_clock_vdso(&clock, 1), SC_VDSO_SEQ), 8);
	assert_int_equal(linux_clock_get(&clock, at[SC_VAR_SCHED], SC_SCHED_SEQ), 4);
	assert_int_equal(linux_clock_get(&clock, linux_clock_keeper(&clock), SC_TK_CS_WAS_CHANGED_SEQ), 0);
	assert_int_equal(linux_clock_get(&clock, linux_clock_shadow(&clock), SC_TK_CS_WAS_CHANGED_SEQ), 0);
	linux_clock_end(&clock);
}

/* From rate to rate, the count going anywhere: a kernel that was repaired is one that can be repaired. */
static void again_and_again(void **state)
{
	struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	linux_time before, after;
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	before = linux_clock_read(&clock, LINUX_MONO, change.from_ticks);
	for (uint32_t n = 0; n < 100; n++) {
		clock.ram.writes = 0;
		carry_out(&clock, &change);
		change.from_hz = change.to_hz;
		change.to_hz = linux_clock_rates[n * 5 % LINUX_CLOCK_RATES];
		change.from_ticks = change.to_ticks;
		change.to_ticks = change.to_ticks * 7 + 3;
	}
	after = linux_clock_read(&clock, LINUX_MONO, change.from_ticks);
	assert_true(after >= before && after - before < 100 * NS);
	linux_clock_end(&clock);
}

/* The guest has run since its kernel was found: what was translated last may lie elsewhere. */
static void tables_that_have_changed(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;

	(void)state;
	linux_clock_begin(&clock, &from);
	clock.kernel.space.leaf_va = LINUX_CLOCK_VA;
	clock.kernel.space.leaf_pa = LINUX_CLOCK_RAM;
	clock.kernel.space.leaf_size = LINUX_CLOCK_DATA_SIZE;
	carry_out(&clock, &change);
	linux_clock_end(&clock);
}

static void reverted(void **state)
{
	const struct sc_rate_change change = usual_change();
	const struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock, was;

	(void)state;
	linux_clock_begin(&clock, &from);
	linux_clock_begin(&was, &from);
	carry_out(&clock, &change);
	assert_int_equal(sc_plan_revert(&clock.guest, &plan, &why), 0);
	assert_memory_equal(clock.ram.range[0].bytes, was.ram.range[0].bytes, LINUX_CLOCK_RAM_SIZE);
	linux_clock_end(&was);
	linux_clock_end(&clock);
}

/* A CPU that went down keeps its device, and what its rate was, for its return. */
static void cpus_that_are_down(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;

	(void)state;
	from.cpus = 3;
	from.up = 2;
	linux_clock_begin(&clock, &from);
	clock.on = 1;
	linux_clock_store(&clock, clock.kernel.address[SC_VAR_CPU_ONLINE], 1, 8);
	carry_out(&clock, &change);
	assert_int_equal(linux_clock_get(&clock, linux_clock_event(&clock, 1), SC_EVENT_MULT), 8388608);
	assert_int_equal(linux_clock_get(&clock, linux_clock_event(&clock, 2), SC_EVENT_MULT), 0);
	assert_int_equal(linux_clock_get(&clock, clock.kernel.address[SC_VAR_CPU_DATA] + linux_clock_percpu(1),
					 SC_CPUINFO_CNTFRQ),
			 62500000);
	linux_clock_end(&clock);
}

/*
 * One number of ticks is what has passed of two clocks, each with a rounded multiplier. At the beginning of a second
 * there is nothing that more of them could be taken from.
 */
static void beginning_of_a_second(void **state)
{
	const struct sc_rate_change change = usual_change();

	(void)state;
	for (int32_t ppb = -500000; ppb <= 500000; ppb += 12345) {
		struct linux_clock_state from = usual_state(change.from_hz);
		struct linux_clock clock;

		from.since = 200ull * change.from_hz;
		from.xtime_ns = 0;
		from.raw_ns = 0;
		from.adjusted_ppb = ppb;
		from.err_mult = (uint32_t)ppb % 2;
		linux_clock_begin(&clock, &from);
		carry_out(&clock, &change);
		linux_clock_end(&clock);
	}
}

/* A part of a ns that a smaller shift has only as a whole one. */
static void carry_of_the_timecounter(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;
	uint64_t va;

	(void)state;
	linux_clock_begin(&clock, &from);
	va = linux_clock_at(&clock, clock.kernel.address[SC_VAR_KVM_INFO], SC_KVM_INFO_TIMECOUNTER);
	linux_clock_put(&clock, va, SC_TIMECOUNTER_CYCLE_LAST, change.from_ticks);
	linux_clock_put(&clock, va, SC_TIMECOUNTER_FRAC, (1 << 24) - 1);
	carry_out(&clock, &change);
	assert_int_equal(linux_clock_get(&clock, va, SC_TIMECOUNTER_NSEC), 78);
	assert_int_equal(linux_clock_get(&clock, va, SC_TIMECOUNTER_FRAC), 0);
	assert_int_equal(linux_clock_get(&clock, va, SC_TIMECOUNTER_MASK), (1 << 23) - 1);
	linux_clock_end(&clock);
}

/* The timer that renews sched_clock's epoch was set for the old shift: the new one is not above that. */
static void shift_of_sched_clock(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;
	uint64_t sched, half;

	(void)state;
	linux_clock_begin(&clock, &from);
	sched = clock.kernel.address[SC_VAR_SCHED];
	for (uint32_t n = 0; n < 2; n++) {
		half = linux_clock_at(&clock, sched, SC_SCHED_READ_DATA) + n * 40ull;
		linux_clock_put(&clock, half, SC_SCHED_SHIFT, 19);
		linux_clock_put(&clock, half, SC_SCHED_MULT, 40 << 19);
	}
	linux_clock_put(&clock, sched, SC_SCHED_WRAP_KT, UINT64_MAX / (40 << 19) * 40 >> 1);
	carry_out(&clock, &change);
	for (uint32_t n = 0; n < 2; n++) {
		half = linux_clock_at(&clock, sched, SC_SCHED_READ_DATA) + n * 40ull;
		assert_int_equal(linux_clock_get(&clock, half, SC_SCHED_SHIFT), 19);
		assert_int_equal(linux_clock_get(&clock, half, SC_SCHED_MULT), 16 << 19);
	}
	assert_int_equal(linux_clock_get(&clock, sched, SC_SCHED_RATE), 62500000);
	assert_in_range(linux_clock_get(&clock, sched, SC_SCHED_WRAP_KT), (1ull << 44) - 16, 1ull << 44);
	linux_clock_end(&clock);
}

static void timers(void **state)
{
	const struct sc_rate_change change = usual_change();
	struct linux_clock_state from = usual_state(change.from_hz);
	struct linux_clock clock;

	(void)state;
	from.up = 2;
	linux_clock_begin(&clock, &from);
	clock.timers[0].cntv_ctl = 1;
	clock.timers[0].cntv_cval = change.from_ticks + 25;
	clock.timers[0].cntp_cval = 9;
	clock.timers[0].cntkctl = 0xa6; /* bit 10, for 25 MHz */
	clock.timers[0].pc = 4711;
	clock.timers[1].cntv_ctl = 7;
	clock.timers[1].cntv_cval = change.from_ticks - 50;
	clock.timers[1].cntkctl = 0xa2;
	carry_out(&clock, &change);
	assert_true(plan.vcpus[0].on && plan.vcpus[1].on && !plan.vcpus[2].on && !plan.vcpus[3].on);
	/* 62 and a half ticks. */
	assert_int_equal(plan.vcpus[0].timers.cntv_cval, change.to_ticks + 63);
	assert_int_equal(plan.vcpus[0].timers.cntv_ctl, 1);
	assert_int_equal(plan.vcpus[0].timers.cntp_cval, 9);
	assert_int_equal(plan.vcpus[0].timers.cntkctl, 0xc6);
	assert_int_equal(plan.vcpus[0].timers.pc, 4711);
	assert_int_equal(plan.vcpus[1].timers.cntv_cval, change.to_ticks - 125);
	assert_int_equal(plan.vcpus[1].timers.cntkctl, 0xa2);
	linux_clock_end(&clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rate_to_every_rate),
		cmocka_unit_test(as_if_it_was_never_at_another_rate),
		cmocka_unit_test(sequences_count_on),
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(tables_that_have_changed),
		cmocka_unit_test(reverted),
		cmocka_unit_test(cpus_that_are_down),
		cmocka_unit_test(beginning_of_a_second),
		cmocka_unit_test(carry_of_the_timecounter),
		cmocka_unit_test(shift_of_sched_clock),
		cmocka_unit_test(timers),
	};

	int failed = 0;

	for (series = 0; series < LINUX_SERIES; series++) {
		print_message("series %d\n", (int)series);
		failed += cmocka_run_group_tests(tests, NULL, NULL);
	}
	return failed;
}
