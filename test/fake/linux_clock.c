/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with Linux's timekeeping: see the header. */
#include "linux_clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull
#define HZ 250u
#define TICK_NS (SECOND / HZ)
#define MASK 0xffffffffffffffull
#define TABLES (LINUX_CLOCK_RAM + 0x10000)
#define CODE 0xfffffff080010200u
#define CODE_SIZE 0x80u
#define EVENTS (LINUX_CLOCK_VA + LINUX_CLOCK_ROOM * SC_VARIABLE_COUNT)
#define REGISTER (EVENTS + LINUX_CLOCK_ROOM)
#define VDSO_DATA (REGISTER + LINUX_CLOCK_ROOM)
#define ONESHOT 3u

const uint32_t linux_clock_rates[LINUX_CLOCK_RATES] = {
	19200000, 24000000,  25000000,	31250000,  50000000,  54000000,
	62500000, 100000000, 192000000, 200000000, 250000000, 1000000000
};

/* What kernels print of a clocksource and of sched_clock, of 56 bits; only 192 MHz is computed, for want of a log. */
static const struct {
	uint64_t max_cycles, max_idle_ns, wrap_ns;
	uint32_t mult, shift, event_shift;
} printed[LINUX_CLOCK_RATES] = {
	{ 0x46d987e47, 440795202767, 4398046511078, 873813333, 24, 29 },
	{ 0x588fe9dc0, 440795202592, 4398046511097, 699050667, 24, 29 },
	{ 0x5c40939b5, 440795202646, 4398046511100, 671088640, 24, 29 },
	{ 0xe6a171046, 881590405314, 4398046511088, 268435456, 23, 28 },
	{ 0xb8812736b, 440795202655, 4398046511100, 335544320, 24, 28 },
	{ 0xc743ce346, 440795203123, 4398046511102, 310689185, 24, 28 },
	{ 0x1cd42e208c, 881590405314, 4398046511096, 134217728, 23, 27 },
	{ 0x171024e7e0, 440795205315, 4398046511100, 167772160, 24, 27 },
	{ 0x2c47f4f5ab, 440795208558, 4398046511103, 87381333, 24, 26 },
	{ 0x2e2049d3e8, 440795210634, 4398046511102, 83886080, 24, 26 },
	{ 0x7350b89c29, 881590431910, 4398046511102, 33554432, 23, 25 },
	{ 0x1cd42e4dffb, 881590591483, 4398046511103, 8388608, 23, 23 },
};

/* ---- Memory ---- */

static uint64_t physical(uint64_t va)
{
	return va - LINUX_CLOCK_VA + LINUX_CLOCK_DATA;
}

uint64_t linux_clock_at(const struct linux_clock *clock, uint64_t va, enum sc_field field)
{
	return va + clock->kernel.layout.field[field].offset;
}

uint64_t linux_clock_load(struct linux_clock *clock, uint64_t va, uint32_t size)
{
	const uint8_t *at = linux_ram_at(&clock->ram, physical(va), size);
	uint64_t value = 0;

	assert(at);
	memcpy(&value, at, size);
	return value;
}

void linux_clock_store(struct linux_clock *clock, uint64_t va, uint64_t value, uint32_t size)
{
	linux_ram_store(&clock->ram, physical(va), value, size);
}

uint64_t linux_clock_get(struct linux_clock *clock, uint64_t va, enum sc_field field)
{
	return linux_clock_load(clock, linux_clock_at(clock, va, field), clock->kernel.layout.field[field].size);
}

void linux_clock_put(struct linux_clock *clock, uint64_t va, enum sc_field field, uint64_t value)
{
	linux_clock_store(clock, linux_clock_at(clock, va, field), value, clock->kernel.layout.field[field].size);
}

uint64_t linux_clock_percpu(uint32_t cpu)
{
	return (cpu + 1ull) * LINUX_CLOCK_PERCPU;
}

uint64_t linux_clock_event(const struct linux_clock *clock, uint32_t cpu)
{
	(void)clock;
	return EVENTS + linux_clock_percpu(cpu);
}

static bool has(const struct linux_clock *clock, enum sc_field field)
{
	return clock->kernel.layout.field[field].size;
}

static uint64_t variable(const struct linux_clock *clock, enum sc_variable variable)
{
	return clock->kernel.address[variable];
}

uint64_t linux_clock_keeper(const struct linux_clock *clock)
{
	return linux_clock_at(clock, variable(clock, SC_VAR_CORE), SC_CORE_TIMEKEEPER);
}

uint64_t linux_clock_shadow(const struct linux_clock *clock)
{
	return has(clock, SC_CORE_SHADOW) ? linux_clock_at(clock, variable(clock, SC_VAR_CORE), SC_CORE_SHADOW)
					  : variable(clock, SC_VAR_SHADOW);
}

uint64_t linux_clock_vdso(const struct linux_clock *clock, uint32_t which)
{
	return (has(clock, SC_VDSO_CLOCKS) ? VDSO_DATA : variable(clock, SC_VAR_VDSO)) +
	       (uint64_t)which * clock->kernel.layout.size[SC_STRUCT_VDSO_CLOCK];
}

/* ---- What a kernel has ---- */

static uint32_t row_of(uint32_t hz)
{
	for (uint32_t n = 0; n < LINUX_CLOCK_RATES; n++)
		if (linux_clock_rates[n] == hz)
			return n;
	assert(!"there is no such rate");
	return 0;
}

static void put_source(struct linux_clock *clock, const struct linux_clock_state *state)
{
	uint64_t va = variable(clock, SC_VAR_CLOCKSOURCE), cyclecounter = variable(clock, SC_VAR_CYCLECOUNTER);
	uint64_t timecounter = linux_clock_at(clock, variable(clock, SC_VAR_KVM_INFO), SC_KVM_INFO_TIMECOUNTER);
	uint32_t row = row_of(state->hz);

	linux_clock_put(clock, va, SC_CLOCKSOURCE_MASK, MASK);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_MULT, printed[row].mult);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_SHIFT, printed[row].shift);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_MAXADJ, printed[row].mult * 11ull / 100);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_MAX_CYCLES, printed[row].max_cycles);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_MAX_IDLE_NS, printed[row].max_idle_ns);
	linux_clock_put(clock, va, SC_CLOCKSOURCE_VDSO_CLOCK_MODE, 1);
	linux_clock_put(clock, cyclecounter, SC_CYCLECOUNTER_MASK, MASK);
	linux_clock_put(clock, cyclecounter, SC_CYCLECOUNTER_MULT, printed[row].mult);
	linux_clock_put(clock, cyclecounter, SC_CYCLECOUNTER_SHIFT, printed[row].shift);
	linux_clock_put(clock, timecounter, SC_TIMECOUNTER_CYCLE_LAST, state->count / 3);
	linux_clock_put(clock, timecounter, SC_TIMECOUNTER_NSEC, 77);
	linux_clock_put(clock, timecounter, SC_TIMECOUNTER_MASK, (1ull << printed[row].shift) - 1);
	linux_clock_put(clock, timecounter, SC_TIMECOUNTER_FRAC, 4711);
}

static void put_base(struct linux_clock *clock, uint64_t va, const struct linux_clock_state *state, uint32_t mult,
		     uint64_t ns, uint64_t base)
{
	uint32_t shift = printed[row_of(state->hz)].shift;

	linux_clock_put(clock, va, SC_READ_BASE_CLOCK, variable(clock, SC_VAR_CLOCKSOURCE));
	linux_clock_put(clock, va, SC_READ_BASE_MASK, MASK);
	linux_clock_put(clock, va, SC_READ_BASE_CYCLE_LAST, state->count - state->since);
	linux_clock_put(clock, va, SC_READ_BASE_MULT, mult);
	linux_clock_put(clock, va, SC_READ_BASE_SHIFT, shift);
	/* A part of a ns as well. */
	linux_clock_put(clock, va, SC_READ_BASE_XTIME_NSEC, (ns << shift) + (1u << shift) / 3);
	linux_clock_put(clock, va, SC_READ_BASE_BASE, base);
	linux_clock_put(clock, va, SC_READ_BASE_BASE_REAL, base + 12345);
}

static uint64_t mono_sec(const struct linux_clock_state *state)
{
	return state->xtime_sec + (uint64_t)state->to_mono_sec;
}

/* What NTP adds to a tick. */
static int64_t correction(const struct linux_clock_state *state)
{
	return (int64_t)(TICK_NS << 12) * state->adjusted_ppb / 1000000000 * (1 << 20);
}

static int64_t skew(const struct linux_clock_state *state)
{
	return (int64_t)((uint64_t)state->skewed_ppb << 32) / (int64_t)(HZ * HZ);
}

/* As 7.3 has it, whose tick is that of the intervals. */
static uint32_t adjusted_7_3(const struct linux_clock_state *state, uint64_t *tick)
{
	uint32_t row = row_of(state->hz), error_shift = 32 - printed[row].shift;
	uint64_t ticks = ((TICK_NS << printed[row].shift) + printed[row].mult / 2) / printed[row].mult;

	*tick = (ticks * printed[row].mult << error_shift) + (uint64_t)correction(state);
	return (uint32_t)(((*tick + (uint64_t)(skew(state) * (int64_t)HZ)) >> error_shift) / ticks) + state->err_mult;
}

/* What NTP makes of the clocksource's multiplier; *tick is a tick of its. */
static uint32_t adjusted_6_12(const struct linux_clock_state *state, uint64_t *tick)
{
	uint32_t row = row_of(state->hz);
	uint64_t interval = TICK_NS << printed[row].shift,
		 ticks = (interval + printed[row].mult / 2) / printed[row].mult;
	int64_t rest = (int64_t)(interval - ticks * printed[row].mult);

	*tick = (TICK_NS << 32) + (uint64_t)correction(state);
	return (uint32_t)(((int64_t)(*tick >> (32 - printed[row].shift)) - rest) / (int64_t)ticks) + state->err_mult;
}

static uint32_t adjusted(const struct linux_clock_state *state, uint64_t *tick)
{
	return state->series == LINUX_7_3 ? adjusted_7_3(state, tick) : adjusted_6_12(state, tick);
}

static void put_ntp(struct linux_clock *clock, uint64_t va, const struct linux_clock_state *state, int64_t second,
		    uint64_t tick)
{
	uint64_t ntp = variable(clock, SC_VAR_NTP);

	linux_clock_put(clock, va, SC_TK_CS_TICK_ADJ, (uint64_t)second);
	linux_clock_put(clock, va, SC_TK_SKEW_DELTA, (uint64_t)skew(state));
	/* NTP is about to be another ppm off. */
	linux_clock_put(clock, ntp, SC_NTP_TICK_LENGTH, tick + (TICK_NS << 32) / 1000000);
	linux_clock_put(clock, ntp, SC_NTP_CS_TICK_ADJ, (uint64_t)second);
}

static void put_intervals(struct linux_clock *clock, uint64_t va, const struct linux_clock_state *state)
{
	uint32_t row = row_of(state->hz);
	uint64_t interval = TICK_NS << printed[row].shift,
		 ticks = (interval + printed[row].mult / 2) / printed[row].mult;
	uint64_t tick;
	uint32_t mult = adjusted(state, &tick);

	linux_clock_put(clock, va, SC_TK_CYCLE_INTERVAL, ticks);
	linux_clock_put(clock, va, SC_TK_XTIME_INTERVAL, ticks * mult);
	if (has(clock, SC_TK_XTIME_REMAINDER))
		linux_clock_put(clock, va, SC_TK_XTIME_REMAINDER, interval - ticks * printed[row].mult);
	else
		put_ntp(clock, va, state,
			(int64_t)((ticks * printed[row].mult - interval) << (32 - printed[row].shift)) * (int64_t)HZ,
			tick);
	linux_clock_put(clock, va, SC_TK_RAW_INTERVAL, ticks * printed[row].mult);
	linux_clock_put(clock, va, SC_TK_NTP_TICK, tick);
	linux_clock_put(clock, va, SC_TK_NTP_ERROR, 987654321);
	linux_clock_put(clock, va, SC_TK_NTP_ERROR_SHIFT, 32 - printed[row].shift);
	linux_clock_put(clock, va, SC_TK_NTP_ERR_MULT, state->err_mult);
}

static void put_timespec(struct linux_clock *clock, uint64_t va, int64_t sec, uint32_t ns)
{
	linux_clock_put(clock, va, SC_TIMESPEC_SEC, (uint64_t)sec);
	linux_clock_put(clock, va, SC_TIMESPEC_NSEC, ns);
}

static void put_timekeeper(struct linux_clock *clock, const struct linux_clock_state *state)
{
	const uint32_t *size = clock->kernel.layout.size;
	uint64_t va = linux_clock_keeper(clock), tick;

	put_base(clock, linux_clock_at(clock, va, SC_TK_MONO), state, adjusted(state, &tick), state->xtime_ns,
		 mono_sec(state) * SECOND + state->to_mono_ns);
	put_base(clock, linux_clock_at(clock, va, SC_TK_RAW), state, printed[row_of(state->hz)].mult, state->raw_ns,
		 state->raw_sec * SECOND);
	linux_clock_put(clock, va, SC_TK_XTIME_SEC, state->xtime_sec);
	linux_clock_put(clock, va, SC_TK_RAW_SEC, state->raw_sec);
	linux_clock_put(clock, va, SC_TK_KTIME_SEC, mono_sec(state) + (state->xtime_ns + state->to_mono_ns) / SECOND);
	linux_clock_put(clock, va, SC_TK_TAI_OFFSET, (uint32_t)state->tai_offset);
	linux_clock_put(clock, va, SC_TK_CS_WAS_CHANGED_SEQ, 255);
	put_timespec(clock, linux_clock_at(clock, va, SC_TK_WALL_TO_MONOTONIC), state->to_mono_sec, state->to_mono_ns);
	put_timespec(clock, linux_clock_at(clock, va, SC_TK_MONOTONIC_TO_BOOT), state->to_boot_sec, state->to_boot_ns);
	put_intervals(clock, va, state);
	if (has(clock, SC_TK_COARSE_NSEC))
		linux_clock_put(clock, va, SC_TK_COARSE_NSEC, state->xtime_ns);
	linux_clock_put(clock, variable(clock, SC_VAR_CORE), SC_CORE_SEQ, 0xfffffffe);
	memcpy(linux_ram_at(&clock->ram, physical(linux_clock_shadow(clock)), size[SC_STRUCT_TIMEKEEPER]),
	       linux_ram_at(&clock->ram, physical(va), size[SC_STRUCT_TIMEKEEPER]), size[SC_STRUCT_TIMEKEEPER]);
	for (uint32_t n = 0; n < 4; n++)
		memcpy(linux_ram_at(&clock->ram,
				    physical(variable(clock, n < 2 ? SC_VAR_FAST_MONO : SC_VAR_FAST_RAW)) + 8 +
					    (uint64_t)(n % 2) * 56,
				    56),
		       linux_ram_at(&clock->ram, physical(linux_clock_at(clock, va, n < 2 ? SC_TK_MONO : SC_TK_RAW)),
				    56),
		       56);
}

static void put_time(struct linux_clock *clock, uint32_t which, uint32_t number, uint64_t sec, uint64_t nsec,
		     uint64_t second)
{
	uint64_t va = linux_clock_vdso(clock, which) + 32 + number * 16ull;

	for (; nsec >= second; nsec -= second)
		sec++;
	linux_clock_store(clock, va, sec, 8);
	linux_clock_store(clock, va + 8, nsec, 8);
}

static void put_vdso(struct linux_clock *clock, const struct linux_clock_state *state)
{
	uint64_t tk = linux_clock_keeper(clock), raw = linux_clock_at(clock, tk, SC_TK_RAW);
	uint64_t nsec = linux_clock_get(clock, tk, SC_READ_BASE_XTIME_NSEC);
	uint32_t shift = printed[row_of(state->hz)].shift;
	uint64_t second = SECOND << shift, mono = (uint64_t)state->to_mono_ns << shift;

	if (has(clock, SC_VDSO_CLOCKS))
		linux_clock_store(clock, variable(clock, SC_VAR_VDSO), VDSO_DATA, 8);
	for (uint32_t n = 0; n < 2; n++) {
		uint64_t va = linux_clock_vdso(clock, n), base = n ? raw : tk;

		linux_clock_put(clock, va, SC_VDSO_SEQ, 6);
		linux_clock_put(clock, va, SC_VDSO_CLOCK_MODE, 1);
		linux_clock_put(clock, va, SC_VDSO_CYCLE_LAST, linux_clock_get(clock, base, SC_READ_BASE_CYCLE_LAST));
		linux_clock_put(clock, va, SC_VDSO_MASK, MASK);
		linux_clock_put(clock, va, SC_VDSO_MULT, linux_clock_get(clock, base, SC_READ_BASE_MULT));
		linux_clock_put(clock, va, SC_VDSO_SHIFT, shift);
	}
	put_time(clock, 0, 0, state->xtime_sec, nsec, second);
	put_time(clock, 0, 1, mono_sec(state), nsec + mono, second);
	put_time(clock, 1, 4, state->raw_sec, linux_clock_get(clock, raw, SC_READ_BASE_XTIME_NSEC), second);
	put_time(clock, 0, 5, state->xtime_sec, nsec >> shift, SECOND);
	put_time(clock, 0, 6, mono_sec(state), (nsec >> shift) + state->to_mono_ns, SECOND);
	put_time(clock, 0, 7, mono_sec(state) + (uint64_t)state->to_boot_sec,
		 nsec + mono + ((uint64_t)state->to_boot_ns << shift), second);
	put_time(clock, 0, 11, state->xtime_sec + (uint64_t)state->tai_offset, nsec, second);
}

static void put_sched(struct linux_clock *clock, const struct linux_clock_state *state)
{
	uint64_t va = variable(clock, SC_VAR_SCHED);

	for (uint32_t n = 0; n < 2; n++) {
		uint64_t half = linux_clock_at(clock, va, SC_SCHED_READ_DATA) + n * 40ull;

		linux_clock_put(clock, half, SC_SCHED_EPOCH_NS, 5555555555);
		linux_clock_put(clock, half, SC_SCHED_EPOCH_CYC, state->count - 1000ull * state->hz);
		linux_clock_put(clock, half, SC_SCHED_MASK, MASK);
		linux_clock_put(clock, half, SC_SCHED_MULT, ((SECOND << 21) + state->hz / 2) / state->hz);
		linux_clock_put(clock, half, SC_SCHED_SHIFT, 21);
	}
	linux_clock_put(clock, va, SC_SCHED_SEQ, 2);
	linux_clock_put(clock, va, SC_SCHED_RATE, state->hz);
	linux_clock_put(clock, va, SC_SCHED_WRAP_KT, printed[row_of(state->hz)].wrap_ns);
}

static void put_cpu(struct linux_clock *clock, const struct linux_clock_state *state, uint32_t cpu)
{
	uint64_t va = linux_clock_event(clock, cpu);
	uint32_t row = row_of(state->hz), shift = printed[row].event_shift;
	uint32_t mult = (uint32_t)((((uint64_t)state->hz << shift) + SECOND / 2) / SECOND);

	linux_clock_put(clock, va, SC_EVENT_SET_NEXT_EVENT, clock->kernel.code[SC_FUNCTION_SET_NEXT_EVENT_VIRT].start);
	linux_clock_put(clock, va, SC_EVENT_NEXT_EVENT, INT64_MAX);
	linux_clock_put(clock, va, SC_EVENT_MIN_DELTA_TICKS, 15);
	linux_clock_put(clock, va, SC_EVENT_MAX_DELTA_TICKS, MASK);
	linux_clock_put(clock, va, SC_EVENT_MIN_DELTA_NS, 1000);
	linux_clock_put(clock, va, SC_EVENT_MAX_DELTA_NS, UINT64_MAX / mult);
	linux_clock_put(clock, va, SC_EVENT_MULT, mult);
	linux_clock_put(clock, va, SC_EVENT_SHIFT, shift);
	linux_clock_put(clock, va, SC_EVENT_FEATURES, ONESHOT);
	linux_clock_put(clock, variable(clock, SC_VAR_TICK_DEVICE) + linux_clock_percpu(cpu), SC_TICK_EVTDEV, va);
	linux_clock_put(clock, variable(clock, SC_VAR_CPU_DATA) + linux_clock_percpu(cpu), SC_CPUINFO_CNTFRQ,
			state->hz);
}

static void put_cpus(struct linux_clock *clock, const struct linux_clock_state *state)
{
	linux_clock_store(clock, variable(clock, SC_VAR_CPU_COUNT), state->cpus, 4);
	linux_clock_store(clock, variable(clock, SC_VAR_CPU_ONLINE), (1u << state->up) - 1, 8);
	linux_clock_store(clock, variable(clock, SC_VAR_TIMER_EVT), EVENTS, 8);
	for (uint32_t cpu = 0; cpu < state->cpus; cpu++) {
		linux_clock_store(clock, variable(clock, SC_VAR_PERCPU_OFFSET) + 8ull * cpu, linux_clock_percpu(cpu),
				  8);
		if (cpu >= state->up)
			continue;
		put_cpu(clock, state, cpu);
		clock->on |= 1u << cpu;
		clock->timers[cpu].tpidr = linux_clock_percpu(cpu);
	}
}

static void put_rates(struct linux_clock *clock, const struct linux_clock_state *state)
{
	uint64_t registers = variable(clock, SC_VAR_FTR_REGS);

	linux_clock_store(clock, variable(clock, SC_VAR_TIMER_RATE), state->hz, 4);
	linux_clock_store(clock, variable(clock, SC_VAR_LPJ), state->hz / HZ, 8);
	linux_clock_store(clock, variable(clock, SC_VAR_LPJ_FINE), state->hz / HZ, 8);
	linux_clock_put(clock, variable(clock, SC_VAR_BOOT_CPU_DATA), SC_CPUINFO_CNTFRQ, state->hz);
	for (uint32_t n = 0; n < 40; n++)
		linux_clock_put(clock, registers + n * 16ull, SC_FTR_ENTRY_SYS_ID, 0x180000 + n * 0x20);
	linux_clock_put(clock, registers + 40 * 16ull, SC_FTR_ENTRY_SYS_ID, 0x1be000);
	linux_clock_put(clock, registers + 40 * 16ull, SC_FTR_ENTRY_REG, REGISTER);
	linux_clock_put(clock, REGISTER, SC_FTR_SYS_VAL, state->hz);
}

/* ---- The guest ---- */

static bool get_timers(void *context, uint32_t vcpu, struct sc_vcpu_timers *timers)
{
	const struct linux_clock *clock = context;

	*timers = clock->timers[vcpu];
	return clock->on >> vcpu & 1;
}

static void open_kernel(struct linux_clock *clock, enum linux_series series)
{
	static const struct linux_shape shape = { 12, 48, false };
	struct sc_kernel *kernel = &clock->kernel;
	struct linux_tables tables;

	linux_ram_begin(&clock->ram, LINUX_CLOCK_RAM, LINUX_CLOCK_RAM_SIZE, 0);
	linux_tables_begin(&tables, &clock->ram, &shape, TABLES);
	for (uint64_t at = 0; at < LINUX_CLOCK_DATA_SIZE; at += 4096)
		linux_tables_map(&tables, LINUX_CLOCK_VA + at, LINUX_CLOCK_DATA + at, 3);
	clock->guest = linux_ram_guest(&clock->ram);
	clock->guest.vcpu_count = LINUX_CLOCK_CPUS;
	clock->guest.timers = get_timers;
	kernel->space = (struct sc_space){
		.guest = &clock->guest, .table = TABLES, .granule_bits = 12, .va_bits = 48, .pa_bits = 48
	};
	for (uint32_t n = 0; n < SC_VARIABLE_COUNT; n++)
		kernel->address[n] = LINUX_CLOCK_VA + (uint64_t)n * LINUX_CLOCK_ROOM;
	for (uint32_t n = 0; n < SC_FUNCTION_COUNT; n++)
		kernel->code[n] =
			(struct sc_code){ .start = CODE + n * CODE_SIZE, .end = CODE + (n + 1ull) * CODE_SIZE };
	linux_layout_of(&kernel->layout, series);
	if (series == LINUX_7_3) {
		kernel->address[SC_VAR_SHADOW] = 0;
		kernel->address[SC_VAR_LOCK] = 0;
	}
}

struct linux_clock_state linux_clock_usual(uint32_t hz)
{
	return (struct linux_clock_state){ .series = LINUX_6_12,
					   .hz = hz,
					   .count = 0x123456789abull * (hz / 1000000),
					   .since = hz / 400,
					   .xtime_sec = 1790000000,
					   .raw_sec = 20015,
					   .xtime_ns = 123456789,
					   .raw_ns = 987654321,
					   .to_mono_sec = -1789980000,
					   .to_mono_ns = 900000000,
					   .to_boot_sec = 3,
					   .to_boot_ns = 999999999,
					   .tai_offset = 37,
					   .adjusted_ppb = 25000,
					   .err_mult = 1,
					   .cpus = 2,
					   .up = 1 };
}

void linux_clock_begin(struct linux_clock *clock, const struct linux_clock_state *state)
{
	memset(clock, 0, sizeof(*clock));
	open_kernel(clock, state->series);
	put_source(clock, state);
	put_timekeeper(clock, state);
	put_vdso(clock, state);
	put_sched(clock, state);
	put_cpus(clock, state);
	put_rates(clock, state);
}

void linux_clock_end(struct linux_clock *clock)
{
	linux_ram_end(&clock->ram);
}

/* ---- The clocks ---- */

static linux_time fine(linux_time ns, linux_time units, uint32_t shift)
{
	return (ns << 32) + (units << (32 - shift));
}

static linux_time read_base(struct linux_clock *clock, uint64_t va, uint64_t count)
{
	linux_time passed = (count - linux_clock_get(clock, va, SC_READ_BASE_CYCLE_LAST)) &
			    linux_clock_get(clock, va, SC_READ_BASE_MASK);

	return fine(linux_clock_get(clock, va, SC_READ_BASE_BASE),
		    passed * linux_clock_get(clock, va, SC_READ_BASE_MULT) +
			    linux_clock_get(clock, va, SC_READ_BASE_XTIME_NSEC),
		    (uint32_t)linux_clock_get(clock, va, SC_READ_BASE_SHIFT));
}

static linux_time read_vdso(struct linux_clock *clock, uint32_t which, uint32_t number, uint64_t count)
{
	uint64_t va = linux_clock_vdso(clock, which), time = va + 32 + number * 16ull;
	linux_time passed =
		(count - linux_clock_get(clock, va, SC_VDSO_CYCLE_LAST)) & linux_clock_get(clock, va, SC_VDSO_MASK);

	return fine((linux_time)linux_clock_load(clock, time, 8) * SECOND,
		    passed * linux_clock_get(clock, va, SC_VDSO_MULT) + linux_clock_load(clock, time + 8, 8),
		    (uint32_t)linux_clock_get(clock, va, SC_VDSO_SHIFT));
}

static linux_time read_coarse(struct linux_clock *clock, uint32_t number)
{
	uint64_t time = linux_clock_vdso(clock, 0) + 32 + number * 16ull;

	return fine((linux_time)linux_clock_load(clock, time, 8) * SECOND + linux_clock_load(clock, time + 8, 8), 0, 0);
}

/* In whole ns, as it is computed. */
static linux_time read_sched(struct linux_clock *clock, uint32_t which, uint64_t count)
{
	uint64_t half = linux_clock_at(clock, variable(clock, SC_VAR_SCHED), SC_SCHED_READ_DATA) + which * 40ull;
	uint64_t passed = (count - linux_clock_get(clock, half, SC_SCHED_EPOCH_CYC)) &
			  linux_clock_get(clock, half, SC_SCHED_MASK);

	return (linux_time)(linux_clock_get(clock, half, SC_SCHED_EPOCH_NS) +
			    (passed * linux_clock_get(clock, half, SC_SCHED_MULT) >>
			     linux_clock_get(clock, half, SC_SCHED_SHIFT)))
	       << 32;
}

static linux_time read_timecounter(struct linux_clock *clock, uint64_t count)
{
	uint64_t cc = variable(clock, SC_VAR_CYCLECOUNTER);
	uint64_t tc = linux_clock_at(clock, variable(clock, SC_VAR_KVM_INFO), SC_KVM_INFO_TIMECOUNTER);
	linux_time passed = (count - linux_clock_get(clock, tc, SC_TIMECOUNTER_CYCLE_LAST)) &
			    linux_clock_get(clock, cc, SC_CYCLECOUNTER_MASK);

	return fine(linux_clock_get(clock, tc, SC_TIMECOUNTER_NSEC),
		    passed * linux_clock_get(clock, cc, SC_CYCLECOUNTER_MULT) +
			    linux_clock_get(clock, tc, SC_TIMECOUNTER_FRAC),
		    (uint32_t)linux_clock_get(clock, cc, SC_CYCLECOUNTER_SHIFT));
}

linux_time linux_clock_read(struct linux_clock *clock, enum linux_reader reader, uint64_t count)
{
	uint64_t tk = linux_clock_keeper(clock);
	uint64_t fast_mono = linux_clock_at(clock, variable(clock, SC_VAR_FAST_MONO), SC_FAST_BASE);
	uint64_t fast_raw = linux_clock_at(clock, variable(clock, SC_VAR_FAST_RAW), SC_FAST_BASE);

	switch (reader) {
	case LINUX_MONO:
		return read_base(clock, tk, count);
	case LINUX_SHADOW:
		return read_base(clock, linux_clock_shadow(clock), count);
	case LINUX_FAST_0:
	case LINUX_FAST_1:
		return read_base(clock, fast_mono + (reader == LINUX_FAST_0 ? 0u : 56u), count);
	case LINUX_VDSO_MONO:
		return read_vdso(clock, 0, 1, count);
	case LINUX_VDSO_REAL:
		return read_vdso(clock, 0, 0, count);
	case LINUX_VDSO_BOOT:
		return read_vdso(clock, 0, 7, count);
	case LINUX_VDSO_TAI:
		return read_vdso(clock, 0, 11, count);
	case LINUX_COARSE_REAL:
		return read_coarse(clock, 5);
	case LINUX_COARSE_MONO:
		return read_coarse(clock, 6);
	case LINUX_RAW:
		return read_base(clock, linux_clock_at(clock, tk, SC_TK_RAW), count);
	case LINUX_FAST_RAW_0:
	case LINUX_FAST_RAW_1:
		return read_base(clock, fast_raw + (reader == LINUX_FAST_RAW_0 ? 0u : 56u), count);
	case LINUX_VDSO_RAW:
		return read_vdso(clock, 1, 4, count);
	case LINUX_SCHED_0:
	case LINUX_SCHED_1:
		return read_sched(clock, reader == LINUX_SCHED_0 ? 0 : 1, count);
	case LINUX_TIMECOUNTER:
		return read_timecounter(clock, count);
	case LINUX_READERS:
		break;
	}
	return 0;
}
