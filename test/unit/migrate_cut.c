/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migrations that break: the connection ends at any frame and any byte, or the other side says what it must not.
 *
 * Policy: after each the guest is on exactly one side, or paused on the source until the target says what became of it,
 * and only a GO that arrived whole lets the target run. The same source machine goes through one broken migration after
 * the other.
 */
#include "pair_fixture.h"
#include "../fake/guest_call.h"
#include "../property/random.h"

#include <string.h>
#include <sys/socket.h>

static int set_up(void **state)
{
	pair_set_up(state);
	pair_open(&pair, 25000000, 1000000000, 2, 77);
	pair_load_driver(&pair);
	return 0;
}

/* What a tap does to the `nth` frame of a type. */
struct blow {
	enum pair_way way;
	enum frame_type type;
	uint32_t nth;
	size_t pass; /* bytes that pass; PAIR_PASS: no cut */
	void (*change)(struct random *random, uint8_t *frame, size_t size);
	struct random *random;
	uint32_t seen;
	bool struck;
};

static size_t tap_blow(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct blow *blow = p->context;

	(void)index;
	if (way != blow->way || frame[0] != blow->type || blow->seen++ != blow->nth)
		return PAIR_PASS;
	blow->struck = true;
	if (blow->change)
		blow->change(blow->random, frame, size);
	return blow->pass == PAIR_PASS ? PAIR_PASS : blow->pass % size;
}

/*
 * R as if nothing had happened: the source's clock counts the time that it stood still. Each reading may be a unit and
 * a tick below its exact value.
 */
static void expect_time_went_on(uint64_t reference, uint64_t at)
{
	uint64_t want = reference + (fake_time() - at) / SC_REF_NS, got = pair_reference(&pair, &pair.source);

	assert_in_range(got, want - 2, want + 2);
}

static void expect_target_obeys(void)
{
	assert_int_equal(pair.target_lives, pair.go_passed);
	if (pair.target_lives)
		assert_true(fake_vcpu_wait_inside(&pair.target.vcpus.vcpu[0].host, true));
	assert_int_equal(fake_host_entries(&pair.host[1]) != 0, pair.go_passed);
}

static bool source_runs(void)
{
	return fake_vm_of(&pair.source.vm)->inside > 0;
}

/* Undecided: paused here, and it stays so until the target says what became of it. */
static void expect_undecided(void)
{
	struct error error;

	assert_int_equal(machine_get_state(&pair.source), MACHINE_UNDECIDED);
	assert_false(source_runs());
	assert_int_not_equal(machine_resume(&pair.source, SC_CLOCK_FREEZE, false, &error), 0);
	for (pair.asked = PAIR_ASKED_NOBODY; pair.asked <= PAIR_ASKED_STRANGER; pair.asked++) {
		pair_ask_again(&pair);
		assert_int_equal(pair.source_state, SOURCE_UNDECIDED);
		assert_int_equal(machine_get_state(&pair.source), MACHINE_UNDECIDED);
		assert_false(source_runs());
	}
	assert_true(pair_memory_is_intact(&pair, &pair.source));
	pair.asked = PAIR_ASKED_TARGET;
	pair_ask_again(&pair);
	assert_int_equal(pair.source_state, pair.target_lives ? SOURCE_GONE : SOURCE_RUNNING);
	assert_true(pair.target_lives || fake_vcpu_wait_inside(&pair.source.vcpus.vcpu[0].host, true));
	assert_true(!pair.target_lives || !source_runs());
}

static void renew(void **state)
{
	pair_tear_down(state);
	set_up(state);
}

/* The state that the migration ended in, and its sentence; what became of that later is checked here. */
static enum source_state strike(struct blow *blow, struct error *error)
{
	uint64_t at = fake_time(), reference = pair_reference(&pair, &pair.source);
	enum source_state state;

	pair.tap = tap_blow;
	pair.context = blow;
	fake_time_set_step(50);
	pair.jitter = 1000;
	pair_migrate(&pair);
	fake_time_set_step(0);
	state = pair.source_state;
	*error = pair.source_error;
	assert_true(blow->struck);
	expect_target_obeys();
	if (state == SOURCE_UNDECIDED)
		expect_undecided();
	if (pair.source_state == SOURCE_RUNNING) {
		assert_true(pair_stayed(&pair));
		expect_time_went_on(reference, at);
	}
	return state;
}

static const struct cut {
	enum pair_way way;
	enum frame_type type;
	uint32_t nth;
	enum source_state result;
} cuts[] = {
	{ PAIR_TO_TARGET, FRAME_HELLO, 0, SOURCE_RUNNING },    { PAIR_TO_SOURCE, FRAME_WELCOME, 0, SOURCE_RUNNING },
	{ PAIR_TO_TARGET, FRAME_CHECK, 0, SOURCE_RUNNING },    { PAIR_TO_SOURCE, FRAME_CHECKED, 0, SOURCE_RUNNING },
	{ PAIR_TO_TARGET, FRAME_ZEROES, 0, SOURCE_RUNNING },   { PAIR_TO_TARGET, FRAME_PAGES, 0, SOURCE_RUNNING },
	{ PAIR_TO_TARGET, FRAME_PAGES, 1, SOURCE_RUNNING },    { PAIR_TO_TARGET, FRAME_PAGES, 30, SOURCE_RUNNING },
	{ PAIR_TO_TARGET, FRAME_ZEROES, 200, SOURCE_RUNNING }, { PAIR_TO_TARGET, FRAME_SYNC, 0, SOURCE_RUNNING },
	{ PAIR_TO_SOURCE, FRAME_SYNCED, 0, SOURCE_RUNNING },   { PAIR_TO_TARGET, FRAME_STAMP, 0, SOURCE_RUNNING },
	{ PAIR_TO_SOURCE, FRAME_STAMPED, 0, SOURCE_RUNNING },  { PAIR_TO_TARGET, FRAME_STAMP, 63, SOURCE_RUNNING },
	{ PAIR_TO_SOURCE, FRAME_STAMPED, 63, SOURCE_RUNNING }, { PAIR_TO_TARGET, FRAME_STATE, 0, SOURCE_RUNNING },
	{ PAIR_TO_SOURCE, FRAME_READY, 0, SOURCE_RUNNING },    { PAIR_TO_TARGET, FRAME_GO, 0, SOURCE_RUNNING },
	{ PAIR_TO_SOURCE, FRAME_DONE, 0, SOURCE_GONE },	       { PAIR_TO_TARGET, FRAME_SETTLED, 0, SOURCE_GONE },
};

/* What the source is left with if only the target could have told it what became of GO or DONE. */
static enum source_state result_of(const struct cut *cut, enum pair_asked asked)
{
	bool handed = cut->type == FRAME_GO || cut->type == FRAME_DONE;

	return handed && asked != PAIR_ASKED_TARGET ? SOURCE_UNDECIDED : cut->result;
}

static void cut_at(void **state, const struct cut *cut, size_t pass, enum pair_asked asked)
{
	struct blow blow = { .way = cut->way, .type = cut->type, .nth = cut->nth, .pass = pass };
	struct error error;
	enum source_state result;

	pair.asked = asked;
	result = strike(&blow, &error);
	if (result != result_of(cut, asked))
		fail_msg("cut of %s number %u after %zu bytes, asked %d: %d, %s", frame_name(cut->type), cut->nth, pass,
			 asked, result, error.text);
	if (pair.target_lives)
		renew(state);
}

static void move_at_last(void)
{
	pair.tap = NULL;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_true(pair_memory_is_intact(&pair, &pair.target));
}

static void test_cut_at_every_boundary(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(cuts); n++)
		for (int asked = PAIR_ASKED_TARGET; asked <= PAIR_ASKED_STRANGER; asked++)
			cut_at(state, &cuts[n], 0, asked);
	move_at_last();
}

/* In the middle of a frame; never a byte less than the frame's own length. */
static void test_cut_inside(void **state)
{
	struct random random = random_start();

	for (size_t n = 0; n < ARRAY_SIZE(cuts); n++) {
		enum pair_asked asked = random_between(&random, PAIR_ASKED_TARGET, PAIR_ASKED_STRANGER);

		cut_at(state, &cuts[n], FRAME_HEADER_SIZE - 1, asked);
		cut_at(state, &cuts[n], random_wide(&random) >> 1, asked);
	}
	move_at_last();
}

/* ---- A target that says what it must not ---- */

static void change_magic(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[FRAME_HEADER_SIZE] ^= 1;
}

static void change_to_done(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[0] = FRAME_DONE;
}

static void change_to_ready(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[0] = FRAME_READY;
}

/* Says that the stream has no such type any more. */
static void change_to_nothing(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[0] = 0xee;
}

static void change_to_empty_abort(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[0] = FRAME_ABORT;
	memset(frame + 4, 0, 4);
}

static void change_to_short(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[4] -= 4;
}

static void change_to_ones(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	memset(frame + FRAME_HEADER_SIZE, 0xff, size - FRAME_HEADER_SIZE);
}

/* Answered before it was received. */
static void change_order(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	memset(frame + FRAME_HEADER_SIZE + 8, 0, 8);
}

static void test_hostile_target(void **state)
{
	static const struct {
		enum frame_type type;
		void (*change)(struct random *random, uint8_t *frame, size_t size);
		enum source_state result;
		const char *sentence;
	} cases[] = {
		{ FRAME_WELCOME, change_magic, SOURCE_RUNNING, "does not speak Seaclock's migration protocol" },
		{ FRAME_WELCOME, change_to_short, SOURCE_RUNNING, "the other" },
		{ FRAME_CHECKED, change_to_done, SOURCE_RUNNING, "sent DONE where CHECKED was due" },
		{ FRAME_CHECKED, change_to_ready, SOURCE_RUNNING, "sent READY where CHECKED was due" },
		{ FRAME_SYNCED, change_to_ready, SOURCE_RUNNING, "sent READY where SYNCED was due" },
		{ FRAME_STAMPED, change_to_ones, SOURCE_RUNNING, "time stamps contradict each other" },
		{ FRAME_STAMPED, change_order, SOURCE_RUNNING, "time stamps contradict each other" },
		{ FRAME_STAMPED, change_to_short, SOURCE_RUNNING, "time stamps contradict each other" },
		{ FRAME_READY, change_to_short, SOURCE_RUNNING, "READY is damaged" },
		{ FRAME_READY, change_to_done, SOURCE_RUNNING, "limit is 0" },
		{ FRAME_READY, change_to_nothing, SOURCE_RUNNING, "0xee, which does not exist" },
		{ FRAME_DONE, change_to_nothing, SOURCE_UNDECIDED, "0xee, which does not exist" },
		{ FRAME_DONE, change_to_ready, SOURCE_UNDECIDED, "sent READY where DONE was due" },
		{ FRAME_DONE, change_to_empty_abort, SOURCE_UNDECIDED, "the other side gives up, and gives no reason" },
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct blow blow = {
			.way = PAIR_TO_SOURCE, .type = cases[n].type, .pass = PAIR_PASS, .change = cases[n].change
		};
		struct error error;
		enum source_state result;

		pair.asked = PAIR_ASKED_NOBODY;
		result = strike(&blow, &error);
		if (result != cases[n].result || !strstr(error.text, cases[n].sentence))
			fail_msg("case %zu: %d, %s", n, result, error.text);
		if (pair.target_lives)
			renew(state);
	}
	move_at_last();
}

/* ---- A target that gives up after READY ---- */

static void change_to_sync(struct random *random, uint8_t *frame, size_t size)
{
	(void)random;
	(void)size;
	frame[0] = FRAME_SYNC;
}

/* It says so on the migration's own connection, and nobody need be asked. */
static void test_abort_after_ready(void **state)
{
	struct blow blow = { .way = PAIR_TO_TARGET, .type = FRAME_GO, .pass = PAIR_PASS, .change = change_to_sync };
	struct error error;

	(void)state;
	pair.asked = PAIR_ASKED_NOBODY;
	if (strike(&blow, &error) != SOURCE_RUNNING)
		fail_msg("state %d: %s", pair.source_state, error.text);
	assert_non_null(strstr(error.text, "the other side gave up in the handover and promises never to run pair, "
					   "which goes on here (the other side says: the other side sent SYNC"));
	move_at_last();
}

/* GO cannot be sent any more, for the target has closed; what it said before is heard all the same. */
static size_t tap_refuses_for_target(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	static const uint8_t last[] = { FRAME_ABORT, 0, 0, 0, 2, 0, 0, 0, 'n', 'o' };

	(void)index;
	(void)size;
	if (way != PAIR_TO_SOURCE || frame[0] != FRAME_READY)
		return PAIR_PASS;
	/* The same bytes on the wire as from a target that closes right behind its ABORT. */
	send(p->ends[0][1], frame, size, MSG_NOSIGNAL);
	send(p->ends[0][1], last, sizeof(last), MSG_NOSIGNAL);
	shutdown(p->ends[0][1], SHUT_RD);
	return 0;
}

static void test_abort_before_go(void **state)
{
	(void)state;
	pair.asked = PAIR_ASKED_NOBODY;
	pair.tap = tap_refuses_for_target;
	pair_migrate(&pair);
	if (pair.source_state != SOURCE_RUNNING)
		fail_msg("state %d: %s", pair.source_state, pair.source_error.text);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "promises never to run pair"));
	move_at_last();
}

/* A gap that is longer than the guest has stood still. */
static void test_hostile_gap(void **state)
{
	struct blow blow = { .way = PAIR_TO_SOURCE, .type = FRAME_READY, .pass = PAIR_PASS, .change = change_to_ones };
	struct error error;

	(void)state;
	assert_int_equal(strike(&blow, &error), SOURCE_RUNNING);
	assert_non_null(strstr(error.text,
			       "the other side counts a gap of 18446744073709 ms where the guest has been stopped"));
	move_at_last();
}

/* Not the lower bytes of the length: both sides would wait for what never comes, until the time limit. */
static void change_randomly(struct random *random, uint8_t *frame, size_t size)
{
	for (uint64_t n = random_between(random, 1, 3); n; n--) {
		uint64_t place = random_between(random, 0, size - 1);

		if (place < 4 || place > 6)
			frame[place] ^= (uint8_t)(1u << random_between(random, 0, 7));
	}
}

/* Damage in either direction; whatever comes of it, strike() checks that the guest is on one side only. */
static void test_random_damage(void **state)
{
	struct random random = random_start();
	struct error error;

	for (int round = 0; round < 60; round++) {
		const struct cut *cut = &cuts[random_between(&random, 0, ARRAY_SIZE(cuts) - 2)];
		struct blow blow = { .way = cut->way,
				     .type = cut->type,
				     .nth = cut->nth,
				     .pass = PAIR_PASS,
				     .change = change_randomly,
				     .random = &random };

		strike(&blow, &error);
		/* A damaged HELLO may bear the name of a migration that is yet to come: that one would be refused. */
		if (pair.target_lives || pair.source_state == SOURCE_GONE || cut->type == FRAME_HELLO)
			renew(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cut_at_every_boundary), TEST(test_cut_inside),    TEST(test_hostile_target),
		TEST(test_hostile_gap),		  TEST(test_random_damage), TEST(test_abort_after_ready),
		TEST(test_abort_before_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
