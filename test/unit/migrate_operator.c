/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operator may ask of a migration, between two fake hosts: whether it could be, to call it off at any moment,
 * how good it must be, what the clock does; and a peer that falls silent at any moment.
 *
 * Policy: limits of waits are milliseconds here. After each case the guest is on one side, or paused on the source
 * until the target can be asked.
 */
#include "pair_fixture.h"
#include "../fake/guest_call.h"
#include "../property/random.h"

#include <errno.h>
#include <string.h>

#define SHORT_MS 300
#define LONG_MS 10000
#define MS 1000000ull

static int set_up(void **state)
{
	pair_set_up(state);
	pair_open(&pair, 25000000, 1000000000, 2, 78);
	pair_load_driver(&pair);
	return 0;
}

static void renew(void **state)
{
	pair_tear_down(state);
	set_up(state);
}

static void expect_moved(void)
{
	if (pair.source_state != SOURCE_GONE)
		fail_msg("source: %d, %s; target: %s", pair.source_state, pair.source_error.text,
			 pair.target_error.text);
	assert_true(pair.target_lives);
	assert_true(fake_vcpu_wait_inside(&pair.target.vcpus.vcpu[0].host, true));
	assert_int_equal(fake_vm_of(&pair.source.vm)->inside, 0);
	assert_true(pair_memory_is_intact(&pair, &pair.target));
}

static void expect_stayed(const char *sentence)
{
	assert_true(pair_stayed(&pair));
	if (!strstr(pair.source_error.text, sentence))
		fail_msg("it says: %s", pair.source_error.text);
}

/* ---- Dry run ---- */

static void test_dry_run(void **state)
{
	(void)state;
	pair.dry_run = true;
	for (int again = 0; again < 2; again++) {
		pair_migrate(&pair);
		assert_int_equal(pair.dry_run_result, 0);
		assert_int_equal(pair.report.from_hz, 25000000);
		assert_int_equal(pair.report.to_hz, 1000000000);
		assert_int_equal(pair.report.level, SC_LEVEL_REFERENCE);
		assert_string_equal(pair.target_error.text, "a dry run: it could run here");
		assert_int_equal(pair.target_result, -ECANCELED);
		assert_int_equal(fake_host_entries(&pair.host[1]), 0);
		/* HELLO, MACHINE and CHECK, and not one page. */
		assert_int_equal(pair.frames[PAIR_TO_TARGET], 3);
		assert_true(fake_vcpu_wait_inside(&pair.source.vcpus.vcpu[0].host, true));
		assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	}
	pair.dry_run = false;
	pair_migrate(&pair);
	expect_moved();
}

/* ---- What this host or the other cannot ---- */

/* Of the description, behind what it has had in protocol 5. */
#define SECTIONS 88

struct change {
	enum frame_type type;
	size_t place; /* in that frame, from its end */
	uint8_t value;
};

static size_t tap_changes(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	const struct change *change = p->context;

	(void)index;
	if (way == PAIR_TO_TARGET && frame[0] == change->type)
		frame[size - change->place] = change->value;
	return PAIR_PASS;
}

static void test_incompatible(void **state)
{
	static const struct {
		struct change change;
		const char *sentence;
	} cases[] = {
		{ { FRAME_MACHINE, SECTIONS + 40, 62 },
		  "the guest's architecture has the number 62 in ELF files, this host's has 183" },
		{ { FRAME_MACHINE, SECTIONS + 36, 2 }, "the guest has a GIC of version 2, here they have version 3" },
		{ { FRAME_MACHINE, SECTIONS + 32, 52 },
		  "the guest has physical addresses of 52 bits, this host's KVM gives 48" },
		{ { FRAME_MACHINE, SECTIONS + 28, 9 }, "none of Seaclock's: vcpus takes 1 to 8, not 9" },
		{ { FRAME_MACHINE, SECTIONS + 24, 2 }, "the guest has memory that this version does not know" },
		{ { FRAME_MACHINE, SECTIONS + 20, 2 }, "the guest has memory that this version does not know" },
		{ { FRAME_MACHINE, SECTIONS + 13, 2 }, "the guest has memory that this version does not know" },
		{ { FRAME_MACHINE, SECTIONS + 41, 'x' }, "HELLO names pair, and the machine's description paix" },
		{ { FRAME_HELLO, 7, 64 }, "the other host's kernel has pages of 16384 bytes, this one's of 4096" },
		{ { FRAME_HELLO, 4, 2 }, "the other side's HELLO is damaged" },
		{ { FRAME_HELLO, 12, 7 }, "the other side's HELLO is damaged" },
	};

	(void)state;
	pair.tap = tap_changes;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		for (int dry = 0; dry < 2; dry++) {
			struct change change = cases[n].change;

			pair.context = &change;
			pair.dry_run = dry;
			pair_migrate(&pair);
			if (dry) {
				assert_int_equal(pair.dry_run_result, -ECONNABORTED);
				assert_non_null(strstr(pair.source_error.text, cases[n].sentence));
			} else {
				expect_stayed(cases[n].sentence);
			}
			/* Before a single page was sent. */
			assert_true(pair.frames[PAIR_TO_TARGET] <= 3);
		}
}

static void test_no_memory(void **state)
{
	(void)state;
	pair.host[1].available = LAYOUT_RAM_MIN - 1;
	pair_migrate(&pair);
	expect_stayed("the guest has 64 MiB of memory, and this host has 63 MiB available: free some, or migrate to "
		      "another host");
	pair.host[1].available = LAYOUT_RAM_MIN;
	pair_migrate(&pair);
	expect_moved();
}

/* ---- Called off ---- */

struct moment {
	enum pair_way way;
	enum frame_type type;
	uint32_t nth;
	bool in_time;
	uint32_t seen;
	bool called_off;
	bool said;
};

static size_t tap_cancels(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct moment *moment = p->context;

	(void)index;
	(void)size;
	if (way == moment->way && frame[0] == moment->type && moment->seen++ == moment->nth) {
		moment->called_off = gate_cancel(&p->gate);
		moment->said = true;
	}
	return PAIR_PASS;
}

static const struct moment moments[] = {
	{ PAIR_TO_TARGET, FRAME_HELLO, 0, true, 0, false, false },
	{ PAIR_TO_SOURCE, FRAME_WELCOME, 0, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_CHECK, 0, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_PAGES, 0, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_ZEROES, 100, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_SYNC, 0, true, 0, false, false },
	{ PAIR_TO_SOURCE, FRAME_STAMPED, 5, true, 0, false, false },
	{ PAIR_TO_SOURCE, FRAME_STAMPED, 63, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_STATE, 0, true, 0, false, false },
	{ PAIR_TO_SOURCE, FRAME_READY, 0, true, 0, false, false },
	{ PAIR_TO_TARGET, FRAME_GO, 0, false, 0, false, false },
	{ PAIR_TO_SOURCE, FRAME_DONE, 0, false, 0, false, false },
};

/* The answer is definite: what was called off runs on here, and what came too late has moved. */
static void test_cancel(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(moments); n++) {
		struct moment moment = moments[n];

		pair.tap = tap_cancels;
		pair.context = &moment;
		pair_migrate(&pair);
		assert_true(moment.said);
		assert_int_equal(moment.called_off, moment.in_time);
		if (moment.in_time) {
			expect_stayed("the migration was cancelled");
		} else {
			expect_moved();
			renew(state);
		}
	}
	pair.tap = NULL;
	pair_migrate(&pair);
	expect_moved();
}

/* Called off while the peer is silent: the wait ends at once, not at its limit. */
static size_t tap_silent_then_cancels(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	size_t pass = tap_cancels(p, way, index, frame, size);

	return ((struct moment *)p->context)->said && way == PAIR_TO_TARGET ? PAIR_LOSE : pass;
}

static void test_cancel_in_silence(void **state)
{
	struct moment moment = moments[5];

	(void)state;
	pair.tap = tap_silent_then_cancels;
	pair.context = &moment;
	pair_migrate(&pair);
	expect_stayed("the migration was cancelled");
}

/* ---- Silence ---- */

static size_t tap_loses(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct moment *moment = p->context;

	(void)index;
	(void)size;
	if (way == moment->way && frame[0] == moment->type && moment->seen++ == moment->nth)
		moment->said = true;
	return moment->said ? PAIR_LOSE : PAIR_PASS;
}

/* Both sides wait so long for the other; a question is asked until it is answered, if it can be. */
static void silence_try(struct moment *moment, enum pair_asked asked, unsigned int limit_ms)
{
	pair.limits.frame_ms = pair.limits.stopped_ms = (int)limit_ms;
	pair.limits.question_ms = asked == PAIR_ASKED_TARGET ? (int)wait_scaled(LONG_MS) : 0;
	pair.tap = tap_loses;
	pair.context = moment;
	pair.asked = asked;
	pair_migrate(&pair);
}

/*
 * A machine that is busy with something else may be slower than the limit: the migration fails before the moment, which
 * says nothing about it, and is tried again with a longer limit.
 */
static void silence_reach(void **state, const struct moment *at, struct moment *moment, enum pair_asked asked)
{
	for (unsigned int limit_ms = wait_scaled(SHORT_MS); limit_ms <= wait_scaled(LONG_MS); limit_ms *= 2) {
		*moment = *at;
		silence_try(moment, asked, limit_ms);
		if (moment->said)
			return;
		assert_false(pair.target_lives && pair.source_state == SOURCE_RUNNING);
		renew(state);
	}
	fail_msg("%s %u has not come: %s", frame_name(at->type), at->nth, pair.source_error.text);
}

static void silence_at(void **state, const struct moment *at, enum pair_asked asked)
{
	struct moment moment;
	enum source_state want = at->in_time		      ? SOURCE_RUNNING
				 : asked != PAIR_ASKED_TARGET ? SOURCE_UNDECIDED
				 : at->type == FRAME_GO	      ? SOURCE_RUNNING
							      : SOURCE_GONE;

	silence_reach(state, at, &moment, asked);
	if (pair.source_state != want)
		fail_msg("silence at %s %u: %d, %s", frame_name(moment.type), moment.nth, pair.source_state,
			 pair.source_error.text);
	assert_int_equal(pair.target_lives, pair.go_passed);
	if (want == SOURCE_UNDECIDED) {
		pair.asked = PAIR_ASKED_TARGET;
		pair.limits.stopped_ms = (int)wait_scaled(LONG_MS);
		pair_ask_again(&pair);
	}
	assert_int_equal(pair.source_state, pair.target_lives ? SOURCE_GONE : SOURCE_RUNNING);
	if (pair.source_state == SOURCE_RUNNING)
		assert_true(pair_stayed(&pair));
	if (pair.target_lives)
		renew(state);
}

/* A peer that stays connected and says nothing more is no better than one that has gone. */
static void test_silence(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(moments); n++)
		for (int asked = PAIR_ASKED_TARGET; asked <= (moments[n].in_time ? 0 : PAIR_ASKED_STRANGER); asked++)
			silence_at(state, &moments[n], asked);
}

/* ---- How good it must be ---- */

static void test_max_step(void **state)
{
	(void)state;
	pair.options.max_step_us = 1;
	pair.limits.comparison_ms = 5;
	pair.jitter = 1000000;
	fake_time_set_step(50);
	pair_migrate(&pair);
	fake_time_set_step(0);
	expect_stayed("the hosts' clocks could be compared to within");
	expect_stayed(
		"us only, in 0 s: the connection is too uneven for the 1 us asked for; allow more with --max-step");
	/* It was never stopped. */
	assert_false(pair.report.downtime_ns);
	pair.options.max_step_us = 5000;
	fake_time_set_step(50);
	pair_migrate(&pair);
	fake_time_set_step(0);
	expect_moved();
	assert_true(pair.report.stated_bound_ns <= 5000000 + SC_REF_NS);
}

static void test_report(void **state)
{
	const struct report_parts *parts = &pair.report.parts;
	struct report seen;

	(void)state;
	pair.jitter = 100000;
	fake_time_set_step(50);
	pair_migrate(&pair);
	fake_time_set_step(0);
	expect_moved();
	assert_true(parts->pages + parts->state + parts->transfer + parts->load + parts->resume ==
		    pair.report.downtime_ns);
	assert_true(parts->pages && parts->state && parts->transfer && parts->load && parts->resume);
	assert_true(pair.report.gap_ns > 0 && pair.report.gap_ns < pair.report.downtime_ns);
	/* The target has heard all of it. */
	assert_true(pair.incoming[0].settled);
	seen = pair.incoming[0].report;
	assert_memory_equal(&seen, &pair.report, sizeof(seen));
}

/* ---- What the clock does ---- */

static size_t tap_takes_time(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)p;
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_STATE)
		fake_time_advance(50 * MS);
	return PAIR_PASS;
}

static void test_freeze(void **state)
{
	uint64_t stopped;

	(void)state;
	pair.options.policy = SC_CLOCK_FREEZE;
	pair.tap = tap_takes_time;
	fake_time_set_step(50);
	pair_migrate(&pair);
	fake_time_set_step(0);
	expect_moved();
	stopped = pair.source.clock.stop.reference.v;
	assert_true(pair.report.gap_ns >= 50 * MS);
	assert_true(report_step_ns(&pair.report) == -(int64_t)pair.report.gap_ns);
	/* What has passed since the load, and no more. */
	assert_in_range(pair_reference(&pair, &pair.target), stopped,
			stopped + (pair.report.downtime_ns - pair.report.gap_ns + 20 * MS) / SC_REF_NS);
}

/* A migration that fails after the stop lets the clock go on by the same policy. */
static void test_freeze_fails(void **state)
{
	struct moment moment = { .way = PAIR_TO_SOURCE, .type = FRAME_READY };
	uint64_t reference = pair_reference(&pair, &pair.source);

	(void)state;
	pair.options.policy = SC_CLOCK_FREEZE;
	pair.tap = tap_cancels;
	pair.context = &moment;
	pair_migrate(&pair);
	expect_stayed("cancelled");
	/* The fake's time has not moved but for nothing: R is where it was. */
	assert_in_range(pair_reference(&pair, &pair.source), reference, reference + 2);
}

/* The host refuses to let the clock go on, once: no vCPU runs while time stands, and the operator can try again. */
static void test_freeze_cannot_go_on(void **state)
{
	struct moment moment = { .way = PAIR_TO_SOURCE, .type = FRAME_READY };
	struct error error;
	uint64_t reference;

	(void)state;
	pair.options.policy = SC_CLOCK_FREEZE;
	pair.tap = tap_cancels;
	pair.context = &moment;
	fake_fail(&pair.host[0], FAKE_COUNTER_OFFSET, 0, 1, EBUSY);
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_RUNNING);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_PAUSED);
	assert_int_equal(machine_policy(&pair.source), SC_CLOCK_FREEZE);
	assert_int_equal(fake_vm_of(&pair.source.vm)->inside, 0);
	reference = pair_reference(&pair, &pair.source);
	fake_time_advance(5000 * MS);
	assert_int_equal(pair_reference(&pair, &pair.source), reference);
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_FREEZE, false, &error), 0);
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
	assert_in_range(pair_reference(&pair, &pair.source), reference, reference + 2);
	fake_time_advance(5000 * MS);
	assert_in_range(pair_reference(&pair, &pair.source), reference + 50000000 - 2, reference + 50000000 + 2);
	pair.tap = NULL;
	pair_migrate(&pair);
	expect_moved();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_dry_run),
		TEST(test_incompatible),
		TEST(test_no_memory),
		TEST(test_cancel),
		TEST(test_cancel_in_silence),
		TEST(test_silence),
		TEST(test_max_step),
		TEST(test_report),
		TEST(test_freeze),
		TEST(test_freeze_fails),
		TEST(test_freeze_cannot_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
