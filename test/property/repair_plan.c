/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Properties of plans: whatever moment a kernel is stopped at, and from whichever rate to whichever, none of its clocks
 * goes back, nor on by more than 1 ns, and they run at the new rate; what is written lies in what is planned; and
 * whatever is in its memory instead, a plan is refused with a clause and nothing is written, or can be taken back.
 */
#include "../fake/linux_clock.h"
#include "random.h"

#include <string.h>

#define KERNELS 60
#define CHANGES 20
#define DAMAGES 40
#define NS ((linux_time)1 << 32)
#define SECOND 1000000000u

static uint8_t memory[SC_PLAN_ARENA_SIZE] __attribute__((aligned(8)));
static struct linux_clock guest;
static struct sc_plan plan;
static struct sc_refusal why;

static int make(const struct sc_rate_change *change)
{
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	const struct sc_plan none = { 0 };
	int err = sc_plan_make(&guest.kernel, change, &arena, &plan, &why);

	PROPERTY(guest.ram.writes == 0 && guest.ram.outside == 0, "planning wrote, or read what is no RAM");
	if (err) {
		PROPERTY(err < 0 && why.text[0] && strlen(why.text) < SC_REFUSAL_MAX, "it is refused without a clause");
		PROPERTY(memcmp(&plan, &none, sizeof(plan)) == 0, "something is planned: %s", why.text);
	}
	return err;
}

static void apply(void)
{
	PROPERTY(sc_plan_apply(&guest.guest, &plan, &why) == 0, "what was planned just now fails: %s", why.text);
	PROPERTY(guest.ram.outside == 0, "what is no RAM was written");
	guest.ram.writes = 0;
}

static void revert(const uint8_t *before)
{
	PROPERTY(sc_plan_revert(&guest.guest, &plan, &why) == 0, "it cannot be taken back: %s", why.text);
	PROPERTY(memcmp(guest.ram.range[0].bytes, before, LINUX_CLOCK_RAM_SIZE) == 0, "it is not as it was");
	guest.ram.writes = 0;
}

/* ---- Moments ---- */

static struct linux_clock_state random_state(struct random *random)
{
	uint32_t hz = linux_clock_rates[random_between(random, 0, LINUX_CLOCK_RATES - 1)];
	struct linux_clock_state state = linux_clock_usual(hz);

	state.count = random_between(random, 2000ull * hz, 1ull << 55);
	state.since = random_between(random, 0, 299ull * hz) >> random_between(random, 0, 40);
	state.xtime_ns = (uint32_t)random_between(random, 0, SECOND - 1);
	state.raw_ns = (uint32_t)random_between(random, 0, SECOND - 1);
	state.to_mono_ns = (uint32_t)random_between(random, 0, SECOND - 1);
	state.to_boot_ns = (uint32_t)random_between(random, 0, SECOND - 1);
	state.series = (enum linux_series)random_between(random, 0, LINUX_SERIES - 1);
	if (state.series == LINUX_7_3)
		state.skewed_ppb = (int32_t)random_between(random, 0, 2000000) - 1000000;
	state.tai_offset = (int32_t)random_between(random, 0, 100) - 50;
	state.adjusted_ppb = (int32_t)random_between(random, 0, 1000000) - 500000;
	state.err_mult = (uint32_t)random_between(random, 0, 1);
	state.cpus = (uint32_t)random_between(random, 1, LINUX_CLOCK_CPUS);
	state.up = (uint32_t)random_between(random, 1, state.cpus);
	return state;
}

/* What runs as the counter does; that of time namespaces and what is coarse is elsewhere. */
static bool is_fine(enum linux_reader reader)
{
	return reader != LINUX_COARSE_REAL && reader != LINUX_COARSE_MONO;
}

static void read_clocks(linux_time *times, uint64_t count)
{
	for (enum linux_reader reader = 0; reader < LINUX_READERS; reader++)
		times[reader] = linux_clock_read(&guest, reader, count);
}

/*
 * Coarse clocks may go on by a tick of the slower counter, and by what two clocks with rounded multipliers make of one
 * number of ticks: less than a millionth of what has passed since the update.
 */
static void clocks_go_on(const linux_time *before, const struct sc_rate_change *change)
{
	uint32_t slower = change->from_hz < change->to_hz ? change->from_hz : change->to_hz;
	linux_time after[LINUX_READERS], passed = before[LINUX_MONO] - before[LINUX_COARSE_MONO];

	read_clocks(after, change->to_ticks);
	for (enum linux_reader reader = 0; reader < LINUX_READERS; reader++) {
		linux_time most = is_fine(reader) ? NS : (SECOND / slower + 2) * NS + passed / 1000000;

		PROPERTY(after[reader] >= before[reader], "clock %d goes back by %" PRIu64 " * 2^-32 ns", (int)reader,
			 (uint64_t)(before[reader] - after[reader]));
		PROPERTY(after[reader] - before[reader] <= most, "clock %d goes on by %" PRIu64 " * 2^-32 ns",
			 (int)reader, (uint64_t)(after[reader] - before[reader]));
	}
	PROPERTY(after[LINUX_MONO] == after[LINUX_SHADOW] && after[LINUX_MONO] == after[LINUX_FAST_0] &&
			 after[LINUX_MONO] == after[LINUX_FAST_1] && after[LINUX_MONO] == after[LINUX_VDSO_MONO] &&
			 after[LINUX_RAW] == after[LINUX_FAST_RAW_0] && after[LINUX_RAW] == after[LINUX_FAST_RAW_1] &&
			 after[LINUX_RAW] == after[LINUX_VDSO_RAW] && after[LINUX_SCHED_0] == after[LINUX_SCHED_1],
		 "copies of a clock differ");
}

/* In 100 s of the new counter 100 s pass, to a bit of the multipliers, the least of which has 21; NTP has its part. */
static void clocks_run(const struct sc_rate_change *change, int32_t ppb)
{
	linux_time before[LINUX_READERS], after[LINUX_READERS];

	read_clocks(before, change->to_ticks);
	read_clocks(after, change->to_ticks + 100ull * change->to_hz);
	for (enum linux_reader reader = 0; reader < LINUX_READERS; reader++) {
		bool disciplined = reader < LINUX_RAW;
		int64_t off = (int64_t)((after[reader] - before[reader]) >> 32) - 100ll * SECOND;

		if (!is_fine(reader))
			continue;
		off -= disciplined ? 100ll * ppb : 0;
		PROPERTY(off > -60000 && off < 60000, "clock %d runs off by %" PRId64 " ns in 100 s", (int)reader, off);
	}
}

/* What is written: structures of the kernel's, the size of a page of variables, and CPUs' own. */
static void writes_are_planned(void)
{
	for (uint32_t n = 0; n < plan.write_count; n++)
		PROPERTY(plan.writes[n].address >= LINUX_CLOCK_DATA &&
				 plan.writes[n].address < LINUX_CLOCK_DATA + LINUX_CLOCK_DATA_SIZE,
			 "%" PRIx64 " is written", plan.writes[n].address);
}

static struct sc_rate_change random_change(struct random *random, uint32_t hz, uint64_t count)
{
	return (struct sc_rate_change){ .from_hz = hz,
					.to_hz = random_rate(random),
					.from_ticks = count,
					.to_ticks = random_chance(random, 4) ? count : random_wide(random) };
}

static void refused_for_the_moment(const struct sc_rate_change *change)
{
	PROPERTY(strstr(why.text, "a second of the kernel's clock is about to end") ||
			 strstr(why.text, "more than five minutes"),
		 "%u to %u Hz is refused: %s", change->from_hz, change->to_hz, why.text);
}

/* Changes one after the other, the guest stopped all the time or going on for less than five minutes in between. */
static uint32_t change_often(struct random *random)
{
	struct linux_clock_state state = random_state(random);
	struct sc_rate_change change;
	uint32_t made = 0, hz = state.hz;
	uint64_t count = state.count;

	linux_clock_begin(&guest, &state);
	for (int n = 0; n < CHANGES; n++) {
		linux_time before[LINUX_READERS];

		change = random_change(random, hz, count);
		read_clocks(before, change.from_ticks);
		if (make(&change)) {
			refused_for_the_moment(&change);
			break;
		}
		made++;
		writes_are_planned();
		apply();
		clocks_go_on(before, &change);
		clocks_run(&change, state.adjusted_ppb + state.skewed_ppb);
		hz = change.to_hz;
		count = change.to_ticks +
			random_between(random, 0, 10ull * hz) / (random_chance(random, 2) ? 1 : 10000000);
	}
	linux_clock_end(&guest);
	return made;
}

/* ---- Damage ---- */

/* Words that matter: addresses of other parts, lengths, one bit more or less. */
static uint64_t random_word(struct random *random, uint64_t was)
{
	switch (random_between(random, 0, 4)) {
	case 0:
		return was ^ 1ull << random_between(random, 0, 63);
	case 1:
		return LINUX_CLOCK_VA + random_between(random, 0, LINUX_CLOCK_DATA_SIZE);
	case 2:
		return random_between(random, 0, 300);
	case 3:
		return LINUX_CLOCK_VA - random_between(random, 0, LINUX_CLOCK_DATA_SIZE);
	default:
		return random_wide(random);
	}
}

static void damage(struct random *random)
{
	uint64_t variable = LINUX_CLOCK_ROOM * random_between(random, 0, SC_VARIABLE_COUNT + 1);
	uint64_t va = LINUX_CLOCK_VA + variable + 8 * random_between(random, 0, 40);
	uint32_t vcpu = (uint32_t)random_between(random, 0, LINUX_CLOCK_CPUS - 1);

	if (random_chance(random, 4))
		va += LINUX_CLOCK_PERCPU * random_between(random, 0, LINUX_CLOCK_CPUS);
	linux_clock_store(&guest, va, random_word(random, linux_clock_load(&guest, va, 8)), 8);
	if (random_chance(random, 4))
		guest.timers[vcpu] = (struct sc_vcpu_timers){ .pc = random_wide(random),
							      .tpidr = guest.timers[vcpu].tpidr,
							      .cntv_ctl = random_between(random, 0, 7),
							      .cntv_cval = random_wide(random),
							      .cntp_ctl = random_between(random, 0, 7),
							      .cntp_cval = random_wide(random),
							      .cntkctl = random_wide(random) };
	if (random_chance(random, 16))
		guest.kernel.address[random_between(random, 0, SC_VARIABLE_COUNT - 1)] = random_word(random, va);
}

static void damage_often(struct random *random)
{
	static uint8_t before[LINUX_CLOCK_RAM_SIZE];
	struct linux_clock_state state = random_state(random);

	linux_clock_begin(&guest, &state);
	for (int n = 0; n < DAMAGES; n++) {
		struct sc_rate_change change = random_change(random, state.hz, state.count);

		if (random_chance(random, 8))
			change.from_hz = (uint32_t)random_wide(random);
		if (random_chance(random, 8))
			change.to_hz = (uint32_t)random_wide(random);
		memcpy(before, guest.ram.range[0].bytes, sizeof(before));
		if (make(&change) == 0) {
			apply();
			revert(before);
		}
		damage(random);
	}
	linux_clock_end(&guest);
}

int main(void)
{
	struct random random = random_start();
	uint32_t made = 0;

	for (int n = 0; n < KERNELS; n++) {
		made += change_often(&random);
		damage_often(&random);
	}
	PROPERTY(made > KERNELS, "hardly a change was made: %u", made);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
