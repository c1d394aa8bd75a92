/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole migrations between two fake hosts: what arrives, what the clock says afterwards, and who is refused. The fake's
 * time is the true one, so that the stated bound of the clock's step can be checked.
 */
#include "pair_fixture.h"
#include "../fake/guest_call.h"
#include "../property/random.h"

#include "transfer/admission.h"

#include <errno.h>
#include <string.h>

#define MS 1000000ull

static void expect_moved(void)
{
	if (pair.source_state != SOURCE_GONE)
		fprintf(stderr, "source: %s; target: %s\n", pair.source_error.text, pair.target_error.text);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(pair.target_result, 0);
	assert_int_equal(machine_get_end(&pair.source), MACHINE_END_MIGRATED);
	assert_int_equal(machine_get_state(&pair.target), MACHINE_RUNNING);
	for (uint32_t n = 0; n < pair.target.vcpus.count; n++)
		assert_true(fake_vcpu_wait_inside(vcpu(&pair.target, n), true));
	assert_int_equal(fake_vm_of(&pair.source.vm)->inside, 0);
}

/* All but the reference TSC page, which is the target's own. */
static void expect_equal_memory(void)
{
	uint64_t page = PAIR_CLOCK_PAGE - LAYOUT_RAM_BASE, next = page + 4096;
	const uint8_t *a = pair.source.memory.region[0].host, *b = pair.target.memory.region[0].host;

	assert_true(!memcmp(a, b, page));
	assert_true(!memcmp(a + next, b + next, LAYOUT_RAM_MIN - next));
}

/* One machine, on another host: its id stays, and its counter was disrupted. */
static void expect_same_machine(void)
{
	const struct wallclock *a = &pair.source.devices.wallclock, *b = &pair.target.devices.wallclock;
	struct vmclock_page page;
	uint8_t id[2][GENID_SIZE];

	assert_true(memory_read(&pair.source.memory, LAYOUT_GENID_BASE, id[0], GENID_SIZE));
	assert_true(memory_read(&pair.target.memory, LAYOUT_GENID_BASE, id[1], GENID_SIZE));
	assert_memory_equal(id[0], id[1], GENID_SIZE);
	assert_int_equal(fake_vm_of(&pair.target.vm)->edges[LAYOUT_GENID_INTID], 0);
	lock_take(&pair.target.devices.wallclock.device.lock);
	assert_true(memory_read(&pair.target.memory, LAYOUT_VMCLOCK_BASE, &page, sizeof(page)));
	assert_int_equal(page.disruption_marker, a->guest.disruption_marker + 1);
	assert_int_equal(page.generation, 0);
	assert_true(page.sequence > a->guest.sequence && page.sequence == b->guest.sequence);
	lock_drop(&pair.target.devices.wallclock.device.lock);
}

/* ---- Time ---- */

/* Time goes by itself, in steps, and frames take their time, unevenly. */
static void let_time_flow(uint64_t jitter)
{
	pair.jitter = jitter;
	fake_time_set_step(50);
}

static void hold_time(void)
{
	fake_time_set_step(0);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What R would be by now if the guest had stayed. */
static uint64_t source_reference(void)
{
	const struct clock *clock = &pair.source.clock;

	fake_host_use(&pair.host[0]);
	return sc_clock_read(&clock->partition.clock, sc_ticks(host_counter().v - clock->offset)).v;
}

/*
 * R goes on as it would have on the source: within the bound that was reported, what the two rates have drifted apart
 * since the stop, and two units for reading it twice.
 */
static void expect_continuity(uint32_t ppm)
{
	uint64_t want = source_reference(), got = pair_reference(&pair, &pair.target);
	uint64_t bound = pair.report.stated_bound_ns + pair.report.downtime_ns * 2 * ppm / 1000000 + 2 * SC_REF_NS;

	if (distance(got, want) * SC_REF_NS > bound)
		fprintf(stderr, "R is %lld ns off, %llu are allowed\n", (long long)(got - want) * SC_REF_NS,
			(unsigned long long)bound);
	assert_true(distance(got, want) * SC_REF_NS <= bound);
}

static void expect_page_tells_the_same(void)
{
	struct sc_reference_tsc_page page;
	uint64_t value;

	assert_true(memory_read(&pair.target.memory, PAIR_CLOCK_PAGE, &page, sizeof(page)));
	assert_int_not_equal(page.sequence, SC_PAGE_SEQUENCE_INVALID);
	value = (uint64_t)((unsigned __int128)pair_guest_counter(&pair, &pair.target) * page.scale >> 64) +
		(uint64_t)page.offset;
	assert_true(value == pair_reference(&pair, &pair.target));
}

/* ns from now until a compare value is reached. */
static uint64_t until(struct machine *machine, uint64_t compare_value)
{
	uint64_t counter = pair_guest_counter(&pair, machine);
	uint32_t hz = pair.host[machine == &pair.target].hz;

	return sc_rate_ticks_to_ns(hz, sc_ticks(compare_value - counter)).v;
}

/* The counter went on from where it was, at the one rate or the other. */
static void expect_counter(uint64_t counter, uint64_t at, uint32_t from_hz, uint32_t to_hz)
{
	sc_ns_t passed = sc_ns(fake_time() - at);
	uint64_t from = sc_rate_ns_to_ticks(from_hz, passed).v, to = sc_rate_ns_to_ticks(to_hz, passed).v;
	uint64_t slack = sc_rate_ns_to_ticks(to_hz, sc_ns(pair.report.stated_bound_ns)).v + to / 1000 + from / 1000 + 2;
	uint64_t least = from < to ? from : to, most = from < to ? to : from;

	assert_in_range(pair_guest_counter(&pair, &pair.target) + slack, counter + least, counter + most + 2 * slack);
	assert_true(pair_guest_counter(&pair, &pair.target) >= pair.source.clock.stop.counter.v);
}

/* A guest with a pending architectural timer and something in its registers, moved while time goes by. */
static void move(uint32_t from_hz, uint32_t to_hz, uint32_t ppm, struct random *random)
{
	uint64_t expiry, counter, at, bound;

	pair_open(&pair, from_hz, to_hz, 2, random_next(random));
	pair.host[0].ppm = (int32_t)ppm;
	pair.host[1].ppm = -(int32_t)ppm;
	pair_load_driver(&pair);
	fake_time_advance(1234567890);
	fake_vcpu_set_register(vcpu(&pair.source, 1), FAKE_REGISTER_CVAL,
			       pair_guest_counter(&pair, &pair.source) + 10ull * from_hz);
	fake_vcpu_set_register(vcpu(&pair.source, 1), FAKE_REGISTER_PC, 0x40080000);
	at = fake_time();
	counter = pair_guest_counter(&pair, &pair.source);
	expiry = at + until(&pair.source, fake_vcpu_register(vcpu(&pair.source, 1), FAKE_REGISTER_CVAL));
	let_time_flow(random_wide(random) % (2 * MS));
	pair_migrate(&pair);
	hold_time();
	expect_moved();
	expect_same_machine();
	expect_continuity(ppm);
	expect_page_tells_the_same();
	expect_equal_memory();
	assert_true(pair_memory_is_intact(&pair, &pair.target));
	expect_counter(counter, at, from_hz, to_hz);
	assert_true(fake_vcpu_register(vcpu(&pair.target, 1), FAKE_REGISTER_PC) == 0x40080000);
	/* The timer fires at the same instant, give or take two ticks of the slower counter. */
	bound = pair.report.stated_bound_ns + 2000000000ull / (from_hz < to_hz ? from_hz : to_hz) + 2;
	if (!ppm)
		assert_true(distance(fake_time() + until(&pair.target,
							 fake_vcpu_register(vcpu(&pair.target, 1), FAKE_REGISTER_CVAL)),
				     expiry) <= bound);
	assert_int_equal(pair.report.from_hz, from_hz);
	assert_int_equal(pair.report.to_hz, to_hz);
	assert_int_equal(pair.report.level, SC_LEVEL_REFERENCE);
	assert_true(pair.report.rounds >= 1);
}

static void test_move(void **state)
{
	static const struct {
		uint32_t from_hz, to_hz;
	} cases[] = {
		{ 25000000, 1000000000 }, { 1000000000, 25000000 },   { 62500000, 100000000 }, { 121875000, 31250000 },
		{ 100000000, 100000000 }, { 1050000000, 1000000000 }, { 19200000, 24000000 },
	};
	struct random random = random_start();

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		if (n)
			assert_int_equal(pair_tear_down(state), 0);
		pair_set_up(state);
		move(cases[n].from_hz, cases[n].to_hz, 0, &random);
	}
}

/* Any rates, right and wrong ones, clock bases and networks. */
static void test_move_random(void **state)
{
	struct random random = random_start();

	for (int n = 0; n < 12; n++) {
		if (n)
			assert_int_equal(pair_tear_down(state), 0);
		pair_set_up(state);
		move(random_rate(&random), random_rate(&random), random_chance(&random, 2) ? 95 : 0, &random);
	}
}

/* Still on the reference clock there, and its timer still works. */
static void test_lives_on(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 5);
	pair_load_driver(&pair);
	pair_migrate(&pair);
	expect_moved();
	assert_int_equal(machine_follow(&pair.target, SC_MOVE_ASKED).level, SC_LEVEL_REFERENCE);
	fake_host_use(&pair.host[1]);
	fake_time_advance(MS);
	guest_set(vcpu(&pair.target, 0), SC_REG_STIMER0_COUNT, 1);
	assert_true(fake_vm_of(&pair.target.vm)->level[0] >> SC_STIMER0_INTID & 1);
	guest_set(vcpu(&pair.target, 0), SC_REG_STIMER0_COUNT, UINT64_MAX);
	assert_false(fake_vm_of(&pair.target.vm)->level[0] >> SC_STIMER0_INTID & 1);
}

/* ---- Interrupts and devices travel ---- */

static void test_line_travels(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 6);
	pair_load_driver(&pair);
	fake_time_advance(MS);
	guest_set(vcpu(&pair.source, 0), SC_REG_STIMER0_COUNT, 1);
	assert_true(fake_vm_of(&pair.source.vm)->level[0] >> SC_STIMER0_INTID & 1);
	uart_receive(&pair.source.devices.uart, 'c');
	pair_migrate(&pair);
	expect_moved();
	assert_true(fake_vm_of(&pair.target.vm)->level[0] >> SC_STIMER0_INTID & 1);
	assert_int_equal(pair.target.devices.uart.pl011.count, 1);
	assert_int_equal(pair.target.devices.uart.pl011.fifo[pair.target.devices.uart.pl011.head], 'c');
	fake_host_use(&pair.host[1]);
	guest_set(vcpu(&pair.target, 0), SC_REG_STIMER0_COUNT, UINT64_MAX);
	assert_false(fake_vm_of(&pair.target.vm)->level[0] >> SC_STIMER0_INTID & 1);
}

/* ---- A guest that writes while it moves ---- */

static void guest_writes(struct fake_vcpu *vcpu_, void *context)
{
	struct random *random = context;
	uint64_t page = random_between(random, 100, 130);
	uint64_t value = random_next(random);

	(void)vcpu_;
	fake_guest_write(&pair.source.vm, LAYOUT_RAM_BASE + page * 4096 + 8 * (value % 512), &value, sizeof(value));
}

static void test_writing_guest(void **state)
{
	struct random random = random_start();

	(void)state;
	pair_open(&pair, 25000000, 100000000, 1, random_next(&random));
	pair_load_driver(&pair);
	fake_vcpu_set_guest(vcpu(&pair.source, 0), guest_writes, &random);
	let_time_flow(1000);
	pair_migrate(&pair);
	expect_moved();
	expect_equal_memory();
	assert_false(fake_vm_of(&pair.source.vm)->logging);
}

/* The monitor's own store in the middle: a page that the guest moves goes out again. */
static size_t tap_moves_page(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_SYNC && !p->context) {
		p->context = p;
		fake_host_use(&p->host[0]);
		guest_set(vcpu(&p->source, 0), SC_REG_REFERENCE_TSC,
			  (PAIR_CLOCK_PAGE + 4096) | SC_REFERENCE_TSC_ENABLE);
		guest_set(vcpu(&p->source, 0), SC_REG_REFERENCE_TSC, PAIR_CLOCK_PAGE | SC_REFERENCE_TSC_ENABLE);
	}
	return PAIR_PASS;
}

static void test_own_store(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 100000000, 1, 4);
	pair_load_driver(&pair);
	pair.tap = tap_moves_page;
	pair_migrate(&pair);
	expect_moved();
	expect_equal_memory();
	assert_int_not_equal(*(uint32_t *)(pair.target.memory.region[0].host + 10 * 4096), 0);
}

/* A page that had contents when it was sent, and has none any more. */
static size_t tap_clears_page(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	static const uint8_t nothing[4096];

	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_SYNC)
		fake_guest_write(&p->source.vm, LAYOUT_RAM_BASE + 7 * 4096, nothing, sizeof(nothing));
	return PAIR_PASS;
}

static void test_cleared_page(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 100000000, 1, 4);
	pair_load_driver(&pair);
	fake_guest_write(&pair.source.vm, LAYOUT_RAM_BASE + 7 * 4096 + 4095, "x", 1);
	pair.tap = tap_clears_page;
	pair_migrate(&pair);
	expect_moved();
	expect_equal_memory();
	assert_int_equal(pair.target.memory.region[0].host[7 * 4096 + 4095], 0);
}

/* ---- Who may move ---- */

static void test_level_none(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 1);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_string_equal(
		pair.source_error.text,
		"pair cannot follow from a counter of 25 MHz to one of 1000 MHz, at 40.00 times the rate: it is not on "
		"the reference clock; load the seaclock module in the guest, have its kernel repaired with --repair if "
		"it is one that is known, or let its clock go wrong with --force");
	assert_non_null(strstr(pair.target_error.text, "the other side says: pair cannot follow"));
	pair.options.terms.force = true;
	pair_migrate(&pair);
	expect_moved();
	assert_int_equal(pair.report.level, SC_LEVEL_NONE);
}

static void test_same_rate(void **state)
{
	(void)state;
	pair_open(&pair, 62500000, 62500000, 1, 1);
	pair_migrate(&pair);
	expect_moved();
}

/* The guest leaves the reference clock during pre-copy: found out after the stop, and it runs on here. */
static size_t tap_leaves_page(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_SYNC) {
		fake_host_use(&p->host[0]);
		guest_set(vcpu(&p->source, 0), SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED);
	}
	return PAIR_PASS;
}

static void test_leaves_the_page(void **state)
{
	uint64_t reference, at;

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 2);
	pair_load_driver(&pair);
	pair.tap = tap_leaves_page;
	at = fake_time();
	reference = pair_reference(&pair, &pair.source);
	let_time_flow(1000);
	pair_migrate(&pair);
	hold_time();
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "declares a clock that is neither the reference page"));
	assert_true(distance(pair_reference(&pair, &pair.source) * SC_REF_NS,
			     reference * SC_REF_NS + fake_time() - at) <= 2 * SC_REF_NS);
}

/* ---- What the other host cannot do ---- */

static void test_register_refused(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 2, 3);
	pair_load_driver(&pair);
	pair.host[1].features = 0x2222;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_string_equal(pair.source_error.text, "the other side says: the fake host refuses a vCPU's register");
	/* Found out before the first page. */
	assert_true(pair.frames[PAIR_TO_TARGET] <= 4);
}

/* An interrupt controller that is like the guest's in its version, and not in what its registers take. */
static void test_gic_refused(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 2, 3);
	pair_load_driver(&pair);
	fake_fail(&pair.host[1], FAKE_GIC_LOAD, 0, 1, EINVAL);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_string_equal(pair.source_error.text,
			    "the other side says: the fake host refuses the interrupt controller's state");
	assert_true(pair.frames[PAIR_TO_TARGET] <= 4);
}

/* Whatever fails on either host before GO: the guest runs on here. */
static void test_host_fails(void **state)
{
	static const struct {
		int host;
		enum fake_call call;
		uint32_t skip;
	} cases[] = {
		{ 1, FAKE_VM_CREATE, 0 },      { 1, FAKE_MEMORY, 0 },	     { 1, FAKE_VCPU_CREATE, 0 },
		{ 1, FAKE_GIC_CREATE, 0 },     { 1, FAKE_TIMER_CREATE, 0 },  { 1, FAKE_VCPU_LOAD, 0 },
		{ 1, FAKE_VCPU_LOAD, 1 },      { 1, FAKE_GIC_LOAD, 0 },	     { 1, FAKE_GIC_LOAD, 1 },
		{ 1, FAKE_COUNTER_OFFSET, 1 }, { 0, FAKE_SET_DIRTY_LOG, 0 }, { 0, FAKE_GET_DIRTY_LOG, 0 },
		{ 0, FAKE_GET_DIRTY_LOG, 1 },  { 0, FAKE_VCPU_SAVE, 0 },     { 0, FAKE_VCPU_SAVE, 1 },
		{ 0, FAKE_GIC_SAVE, 0 },       { 0, FAKE_GIC_SAVE, 1 },
	};

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 3);
	pair_load_driver(&pair);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		fake_fail(&pair.host[cases[n].host], cases[n].call, cases[n].skip, 1, EIO);
		pair_migrate(&pair);
		assert_true(pair_stayed(&pair));
		assert_non_null(strstr(pair.source_error.text,
				       cases[n].host ? "the other side says: " : "the fake host refuses"));
		assert_false(fake_vm_of(&pair.source.vm)->logging);
		assert_int_equal(pair.host[cases[n].host].fail[cases[n].call].times, 0);
	}
	pair_migrate(&pair);
	expect_moved();
}

/* ---- The guest ends in the middle ---- */

static void end_guest(struct machine *machine)
{
	const struct fake_exit off = { .exit = { .kind = HOST_EXIT_SHUTDOWN } };

	fake_vcpu_script(vcpu(machine, 0), &off);
	for (int n = 0; n < 5000 && machine_get_end(machine) == MACHINE_END_NONE; n++)
		usleep(1000);
}

static size_t tap_ends_guest(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_SYNC)
		end_guest(&p->source);
	return PAIR_PASS;
}

/* After the last look at it before the stop. */
static void progress_ends_guest(void *context, const struct precopy_progress *progress)
{
	struct pair *p = context;

	if (progress->round == 1)
		end_guest(&p->source);
}

static void test_guest_ends_last(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 3);
	pair_load_driver(&pair);
	pair.options.progress = progress_ends_guest;
	pair.options.context = &pair;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_RUNNING);
	assert_string_equal(pair.source_error.text, "pair has ended: it cannot be migrated");
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
}

static void test_guest_ends(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, 3);
	pair_load_driver(&pair);
	pair.tap = tap_ends_guest;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_RUNNING);
	assert_string_equal(pair.source_error.text, "pair has ended: it cannot be migrated");
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	assert_true(pair.target_result != 0);
	assert_int_equal(machine_get_end(&pair.source), MACHINE_END_POWER_OFF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_move),
		TEST(test_move_random),
		TEST(test_lives_on),
		TEST(test_line_travels),
		TEST(test_writing_guest),
		TEST(test_own_store),
		TEST(test_cleared_page),
		TEST(test_level_none),
		TEST(test_same_rate),
		TEST(test_leaves_the_page),
		TEST(test_register_refused),
		TEST(test_gic_refused),
		TEST(test_host_fails),
		TEST(test_guest_ends),
		TEST(test_guest_ends_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
