/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests whose kernel is repaired on the way, by connection and by file: their clocks go on where they were, their
 * timers expire when they would have, and whatever goes wrong leaves the guest where it was, with nothing written.
 */
#include "snapshot_fixture.h"
#include "../fake/linux_kernel.h"
#include "../../repair/known.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define FROM_HZ 25000000u
#define TO_HZ 62500000u
#define NS_PER_S 1000000000ull
#define AHEAD (FROM_HZ / 100)
/* That passes with each look at a clock, where a limit is to be reached. */
#define QUICK_NS 100000u

static struct linux_clock linux_clock;
static uint8_t ram[LINUX_RAM_SIZE];

/* The layout of the guest below is that of no real kernel; here it is known. */
const char *sc_known_build(const struct sc_series *series, uint64_t fingerprint)
{
	return fingerprint && series->major == 6 && series->minor == 12 ? "6.12.0-made-up" : NULL;
}

/* The vCPU's registers come with it, in a fake host as in a real one; here each host has them from the start. */
static void set_registers(const struct linux_kernel *kernel, uint64_t count)
{
	const struct host_tables tables = { kernel->ram.tables.ttbr1, kernel->ram.tables.tcr,
					    kernel->ram.tables.sctlr };
	const struct host_timers timers = {
		.pc = LINUX_BASE_VA,
		.tpidr = linux_clock_percpu(0),
		.cntv_ctl = 1,
		.cntv_cval = count + AHEAD,
		.cntkctl = 0xa4,
	};

	for (int n = 0; n < 2; n++) {
		pair.host[n].tables = tables;
		pair.host[n].timers = timers;
	}
	fake_vcpu_set_tables(vcpu(&pair.source, 0), &tables);
	fake_vcpu_set_timers(vcpu(&pair.source, 0), &timers);
}

/* A machine on the first host whose guest is a Linux with one vCPU and a timer that is set. */
static void open_guest(void)
{
	static struct linux_kernel kernel;
	static const struct linux_shape shape = { 12, 48, false };
	struct linux_clock_state state = linux_clock_usual(FROM_HZ);

	pair_open(&pair, FROM_HZ, TO_HZ, 1, SEED);
	fake_time_advance(2000 * NS_PER_S);
	state.count = pair_guest_counter(&pair, &pair.source);
	linux_clock_begin(&linux_clock, &state);
	linux_clock_put(&linux_clock, linux_clock_event(&linux_clock, 0), SC_EVENT_NEXT_EVENT,
			(uint64_t)(linux_clock_read(&linux_clock, LINUX_MONO, state.count + AHEAD) >> 32));
	linux_kernel_begin(&kernel, &shape, "6.12.3");
	linux_kernel_keep_time(&kernel, &linux_clock);
	linux_kernel_write(&kernel);
	assert_true(memory_write(&pair.source.memory, LINUX_RAM, kernel.ram.range[0].bytes, LINUX_RAM_SIZE));
	set_registers(&kernel, state.count);
	assert_true(memory_read(&pair.source.memory, LINUX_RAM, ram, sizeof(ram)));
	linux_kernel_end(&kernel);
	fake_time_set_step(50);
	pair.limits.hold_ms = 200;
	pair.options.terms.repair = true;
}

static int tear_down(void **state)
{
	linux_clock_end(&linux_clock);
	return pair_tear_down(state);
}

static void set_pc(uint64_t pc)
{
	struct host_timers timers = fake_vcpu_of(vcpu(&pair.source, 0))->timers;

	timers.pc = pc;
	fake_vcpu_set_timers(vcpu(&pair.source, 0), &timers);
}

/* ---- What is due ---- */

/* At the instant of the stop each clock is where it was, or a ns ahead; coarse ones a tick of the slower counter. */
static void expect_clocks_go_on(uint64_t count)
{
	linux_time before[LINUX_READERS];

	for (int reader = 0; reader < LINUX_READERS; reader++)
		before[reader] = linux_clock_read(&linux_clock, (enum linux_reader)reader, count);
	assert_true(memory_read(&pair.target.memory, LINUX_RAM, linux_clock.ram.range[0].bytes, LINUX_RAM_SIZE));
	for (int reader = 0; reader < LINUX_READERS; reader++) {
		linux_time after = linux_clock_read(&linux_clock, (enum linux_reader)reader, count);
		bool coarse = reader == LINUX_COARSE_REAL || reader == LINUX_COARSE_MONO;

		if (after < before[reader] || after - before[reader] > (linux_time)(coarse ? 5000 : 1) << 32)
			fail_msg("clock %d was at %" PRIu64 " ns, and is at %" PRIu64, reader,
				 (uint64_t)(before[reader] >> 32), (uint64_t)(after >> 32));
	}
}

static void expect_repaired(void)
{
	const struct fake_vcpu *there = fake_vcpu_of(vcpu(&pair.target, 0));
	uint64_t count = clock_stopped_counter(&pair.source.clock).v;
	uint64_t before = fake_vcpu_of(vcpu(&pair.source, 0))->timers.cntv_cval - count;

	expect_clocks_go_on(count);
	assert_in_range(there->timers.cntv_cval - count, before * TO_HZ / FROM_HZ, before * TO_HZ / FROM_HZ + 3);
	/* 3125 ticks are the nearest to two changes each at 10 kHz: bit 12, where it was bit 10. */
	assert_int_equal(there->timers.cntkctl, 0xc4);
	assert_int_equal(linux_clock_load(&linux_clock, linux_clock.kernel.address[SC_VAR_TIMER_RATE], 4), TO_HZ);
}

/* The guest runs where it was, and nothing was written there, nor has it run elsewhere. */
static void expect_stayed(const char *words)
{
	static uint8_t now[LINUX_RAM_SIZE];

	if (!strstr(pair.source_error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", pair.source_error.text, words);
	assert_int_equal(pair.source_state, SOURCE_RUNNING);
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
	assert_true(memory_read(&pair.source.memory, LINUX_RAM, now, sizeof(now)));
	assert_memory_equal(now, ram, sizeof(now));
}

/* ---- By a connection ---- */

static void test_moves(void **state)
{
	(void)state;
	open_guest();
	pair.dry_run = true;
	pair_migrate(&pair);
	assert_int_equal(pair.dry_run_result, 0);
	assert_int_equal(pair.report.level, SC_LEVEL_TRANSPARENT);
	pair.dry_run = false;
	pair_migrate(&pair);
	if (pair.source_state != SOURCE_GONE)
		fail_msg("%s; %s", pair.source_error.text, pair.target_error.text);
	assert_int_equal(pair.report.level, SC_LEVEL_TRANSPARENT);
	expect_repaired();
}

static void test_not_allowed(void **state)
{
	(void)state;
	open_guest();
	pair.options.terms.repair = false;
	pair_migrate(&pair);
	expect_stayed("have its kernel repaired with --repair if it is one that is known");
}

/* What is not needed is not done. */
static void test_same_rate(void **state)
{
	(void)state;
	open_guest();
	pair.host[1].hz = FROM_HZ;
	set_pc(linux_clock.kernel.code[0].start);
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(pair.report.level, SC_LEVEL_NONE);
	assert_true(memory_read(&pair.target.memory, LINUX_RAM, linux_clock.ram.range[0].bytes, LINUX_RAM_SIZE));
	assert_memory_equal(linux_clock.ram.range[0].bytes, ram, sizeof(ram));
}

static void test_not_known(void **state)
{
	(void)state;
	open_guest();
	fake_vcpu_of(vcpu(&pair.source, 0))->tables.ttbr1 = LINUX_RAM;
	pair_migrate(&pair);
	expect_stayed("its kernel cannot be repaired: no VMCOREINFO note is that of the kernel that the vCPUs run");
	/* The operator may have it go wrong. */
	pair.options.terms.force = true;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(pair.report.level, SC_LEVEL_NONE);
}

static void test_programs_its_timer(void **state)
{
	(void)state;
	open_guest();
	fake_time_set_step(QUICK_NS);
	set_pc(linux_clock.kernel.code[SC_FUNCTION_PROGRAM_EVENT].start + 4);
	pair_migrate(&pair);
	expect_stayed("its kernel cannot be repaired: a vCPU is about to program its timer");
}

static void operator_lets_it(struct pair *of)
{
	(void)of;
	poll(NULL, 0, 20);
	set_pc(LINUX_BASE_VA);
}

/* The same for a moment: it is stopped again. */
static void test_has_programmed_its_timer(void **state)
{
	(void)state;
	open_guest();
	pair.limits.hold_ms = 20000;
	set_pc(linux_clock.kernel.code[SC_FUNCTION_PROGRAM_EVENT].start + 4);
	pair.operator= operator_lets_it;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	expect_repaired();
}

/* The target finds for itself, and plans for itself. */
static void test_target_finds_none(void **state)
{
	(void)state;
	open_guest();
	pair.host[1].tables.ttbr1 = LINUX_RAM;
	pair_migrate(&pair);
	expect_stayed("no VMCOREINFO note is that of the kernel that the vCPUs run");
}

static void test_target_refuses(void **state)
{
	(void)state;
	open_guest();
	pair.host[1].timers.pc = linux_clock.kernel.code[SC_FUNCTION_SET_NEXT_EVENT_VIRT].start;
	pair_migrate(&pair);
	expect_stayed("its kernel cannot be repaired: a vCPU is about to program its timer");
}

static void test_registers_fail(void **state)
{
	(void)state;
	open_guest();
	fake_fail(&pair.host[1], FAKE_SET_TIMERS, 0, 1, EIO);
	pair_migrate(&pair);
	expect_stayed("KVM does not set the timers of pair");
}

/* A source that asks for a repair, and not for the kernel first. */
static size_t tap_without_find(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)of;
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_FIND) {
		frame[0] = FRAME_SYNC;
		pair.context = &pair;
	} else if (way == PAIR_TO_SOURCE && frame[0] == FRAME_SYNCED && pair.context) {
		frame[0] = FRAME_FOUND;
		pair.context = NULL;
	}
	return PAIR_PASS;
}

static void test_without_find(void **state)
{
	(void)state;
	open_guest();
	pair.tap = tap_without_find;
	pair_migrate(&pair);
	expect_stayed("has not asked for the kernel that is to be repaired");
}

/* ---- By a file ---- */

static int save_for_repair(void)
{
	return save_as((struct save_options){ .policy = SC_CLOCK_FREEZE, .repair = true });
}

static int restore_repaired(bool repair)
{
	return restore_by(NULL, (struct admission_terms){ .repair = repair });
}

static void test_file(void **state)
{
	(void)state;
	open_guest();
	assert_int_equal(save_for_repair(), 0);
	assert_int_equal(report.level, SC_LEVEL_TRANSPARENT);
	assert_true(restore_repaired(false) < 0);
	assert_non_null(strstr(error.text, "--repair"));
	assert_int_equal(restore_repaired(true), 0);
	assert_int_equal(pair.target.restored.level, SC_LEVEL_TRANSPARENT);
	expect_repaired();
}

static void test_file_refused(void **state)
{
	(void)state;
	open_guest();
	fake_time_set_step(QUICK_NS);
	set_pc(linux_clock.kernel.code[SC_FUNCTION_PROGRAM_EVENT].start + 4);
	assert_true(save_for_repair() < 0);
	assert_non_null(strstr(error.text, "its kernel could not be repaired: a vCPU is about to program its timer"));
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
	fake_vcpu_of(vcpu(&pair.source, 0))->tables.ttbr1 = LINUX_RAM;
	assert_true(save_for_repair() < 0);
	assert_non_null(strstr(
		error.text,
		"its kernel could not be repaired: no VMCOREINFO note is that of the kernel that the vCPUs run"));
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
}

/* A machine may be described so; then a save does not fail because of it. */
static void test_file_of_one_described_so(void **state)
{
	(void)state;
	open_guest();
	pair.source.config.repair = true;
	fake_vcpu_of(vcpu(&pair.source, 0))->tables.ttbr1 = LINUX_RAM;
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(report.level, SC_LEVEL_NONE);
	assert_int_equal(restore_repaired(false), 0);
	assert_int_equal(pair.target.restored.level, SC_LEVEL_TRANSPARENT);
	expect_repaired();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_moves),
		TEST(test_not_allowed),
		TEST(test_same_rate),
		TEST(test_not_known),
		TEST(test_programs_its_timer),
		TEST(test_has_programmed_its_timer),
		TEST(test_target_finds_none),
		TEST(test_target_refuses),
		TEST(test_registers_fail),
		TEST(test_without_find),
		TEST(test_file),
		TEST(test_file_refused),
		TEST(test_file_of_one_described_so),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
