/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has the guest: every event in every state of both sides, what a receiver remembers, and the point of no return.
 *
 * Policy: the tables are written down here a second time. A pair that is not in its table must leave the state as it
 * is, without an action.
 */
#include "unit.h"

#include "transfer/gate.h"
#include "migrate/ledger.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

static struct error error;

/* ---- Source ---- */

static const struct source_row {
	enum source_state state;
	enum source_event event;
	enum source_state next;
	enum source_action action;
} source_rows[] = {
	{ SOURCE_RUNNING, SOURCE_EVENT_STOP, SOURCE_STOPPED, SOURCE_ACTION_STOP },
	{ SOURCE_RUNNING, SOURCE_EVENT_NO_DISKS, SOURCE_DISKLESS, SOURCE_ACTION_NONE },
	{ SOURCE_STOPPED, SOURCE_EVENT_READY, SOURCE_HANDED, SOURCE_ACTION_SEND_GO },
	{ SOURCE_STOPPED, SOURCE_EVENT_FAILED, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
	{ SOURCE_HANDED, SOURCE_EVENT_DONE, SOURCE_GONE, SOURCE_ACTION_DISCARD },
	{ SOURCE_HANDED, SOURCE_EVENT_FAILED, SOURCE_HANDED, SOURCE_ACTION_ASK },
	{ SOURCE_HANDED, SOURCE_EVENT_ANSWER_RUNNING, SOURCE_GONE, SOURCE_ACTION_DISCARD },
	{ SOURCE_HANDED, SOURCE_EVENT_ANSWER_NEVER, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
	{ SOURCE_HANDED, SOURCE_EVENT_ABORT, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
	{ SOURCE_HANDED, SOURCE_EVENT_NO_ANSWER, SOURCE_UNDECIDED, SOURCE_ACTION_NONE },
	{ SOURCE_UNDECIDED, SOURCE_EVENT_RESUME, SOURCE_HANDED, SOURCE_ACTION_ASK },
	{ SOURCE_UNDECIDED, SOURCE_EVENT_FORCE, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
	{ SOURCE_DISKLESS, SOURCE_EVENT_RESUME, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
	{ SOURCE_DISKLESS, SOURCE_EVENT_FORCE, SOURCE_RUNNING, SOURCE_ACTION_RESUME },
};

static struct source_row source_row_of(enum source_state state, enum source_event event)
{
	for (size_t n = 0; n < ARRAY_SIZE(source_rows); n++)
		if (source_rows[n].state == state && source_rows[n].event == event)
			return source_rows[n];
	return (struct source_row){ state, event, state, SOURCE_ACTION_NONE };
}

static void test_source(void **state)
{
	(void)state;
	for (int from = 0; from < SOURCE_STATES; from++)
		for (int event = 0; event < SOURCE_EVENTS; event++) {
			struct source_row want = source_row_of(from, event);
			enum source_action action;

			if (source_step(from, event, &action) != want.next || action != want.action)
				fail_msg("state %d, event %d", from, event);
		}
}

/* ---- Target ---- */

static const struct target_row {
	enum target_state state;
	enum target_event event;
	enum target_state next;
	enum target_action action;
} target_rows[] = {
	{ TARGET_LOADING, TARGET_EVENT_LOADED, TARGET_READY, TARGET_ACTION_SEND_READY },
	{ TARGET_LOADING, TARGET_EVENT_FAILED, TARGET_NEVER, TARGET_ACTION_GIVE_UP },
	{ TARGET_LOADING, TARGET_EVENT_QUESTION, TARGET_NEVER, TARGET_ACTION_ANSWER_NEVER },
	{ TARGET_READY, TARGET_EVENT_GO, TARGET_RUNNING, TARGET_ACTION_RUN },
	{ TARGET_READY, TARGET_EVENT_FAILED, TARGET_NEVER, TARGET_ACTION_GIVE_UP },
	{ TARGET_READY, TARGET_EVENT_QUESTION, TARGET_NEVER, TARGET_ACTION_ANSWER_NEVER },
	{ TARGET_RUNNING, TARGET_EVENT_QUESTION, TARGET_RUNNING, TARGET_ACTION_ANSWER_RUNNING },
	{ TARGET_NEVER, TARGET_EVENT_QUESTION, TARGET_NEVER, TARGET_ACTION_ANSWER_NEVER },
};

static struct target_row target_row_of(enum target_state state, enum target_event event)
{
	for (size_t n = 0; n < ARRAY_SIZE(target_rows); n++)
		if (target_rows[n].state == state && target_rows[n].event == event)
			return target_rows[n];
	return (struct target_row){ state, event, state, TARGET_ACTION_NONE };
}

static void test_target(void **state)
{
	(void)state;
	for (int from = 0; from < TARGET_STATES; from++)
		for (int event = 0; event < TARGET_EVENTS; event++) {
			struct target_row want = target_row_of(from, event);
			enum target_action action;

			if (target_step(from, event, &action) != want.next || action != want.action)
				fail_msg("state %d, event %d", from, event);
		}
}

/* ---- Ledger ---- */

static struct frame_id id_of(unsigned int n)
{
	return (struct frame_id){ { (uint8_t)n, (uint8_t)(n >> 8), 7 } };
}

static void expect_answer(struct ledger *ledger, unsigned int n, enum frame_answer want)
{
	struct frame_id id = id_of(n);

	assert_int_equal(ledger_answer(ledger, &id), want);
}

static void ledger_begin(struct ledger *ledger, unsigned int n)
{
	struct frame_id id = id_of(n);

	assert_int_equal(ledger_open(ledger, &id, "", &error), 0);
}

static void test_ledger_answers(void **state)
{
	struct ledger ledger = { 0 };
	struct frame_id id = id_of(3);
	enum target_state known;

	(void)state;
	expect_answer(&ledger, 0, FRAME_ANSWER_UNKNOWN);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_LOADED), TARGET_ACTION_NONE);
	assert_false(ledger_find(&ledger, &id, &known));
	for (unsigned int n = 1; n <= 4; n++)
		ledger_begin(&ledger, n);
	id = id_of(2);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_FAILED), TARGET_ACTION_GIVE_UP);
	id = id_of(3);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_LOADED), TARGET_ACTION_SEND_READY);
	id = id_of(4);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_LOADED), TARGET_ACTION_SEND_READY);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_GO), TARGET_ACTION_RUN);
	/* The question itself decides what is still open, and once. */
	for (int again = 0; again < 2; again++) {
		expect_answer(&ledger, 1, FRAME_ANSWER_NEVER);
		expect_answer(&ledger, 2, FRAME_ANSWER_NEVER);
		expect_answer(&ledger, 3, FRAME_ANSWER_NEVER);
		expect_answer(&ledger, 4, FRAME_ANSWER_RUNNING);
		expect_answer(&ledger, 5, FRAME_ANSWER_UNKNOWN);
	}
	id = id_of(3);
	assert_int_equal(ledger_step(&ledger, &id, TARGET_EVENT_GO), TARGET_ACTION_NONE);
	assert_true(ledger_find(&ledger, &id, &known));
	assert_int_equal(known, TARGET_NEVER);
}

/* An id never comes twice; of more than LEDGER_SIZE the oldest is forgotten, which promises nothing. */
static void test_ledger_size(void **state)
{
	struct ledger ledger = { 0 };
	struct frame_id id = id_of(9);

	(void)state;
	for (unsigned int n = 0; n < LEDGER_SIZE + 3; n++)
		ledger_begin(&ledger, n);
	assert_int_equal(ledger_open(&ledger, &id, "", &error), -EEXIST);
	assert_string_equal(error.text, "this migration was here before and will not run here: begin a new one");
	for (unsigned int n = 0; n < LEDGER_SIZE + 3; n++)
		expect_answer(&ledger, n, n < 3 ? FRAME_ANSWER_UNKNOWN : FRAME_ANSWER_NEVER);
}

/* ---- Gate ---- */

static bool called(const struct gate *gate)
{
	struct pollfd item = { .fd = gate->cancelled, .events = POLLIN };

	return poll(&item, 1, 0) == 1;
}

static void test_gate(void **state)
{
	struct gate gate;

	(void)state;
	assert_int_equal(gate_open(&gate, &error), 0);
	assert_false(called(&gate));
	assert_true(gate_cancel(&gate));
	assert_true(gate_cancel(&gate));
	assert_true(called(&gate));
	assert_false(gate_pass(&gate));
	gate_close(&gate);
	assert_int_equal(gate_open(&gate, &error), 0);
	assert_true(gate_pass(&gate));
	assert_false(gate_cancel(&gate));
	assert_false(called(&gate));
	gate_close(&gate);
	assert_int_equal(gate_on_cancel(NULL, &error), -ECANCELED);
	assert_string_equal(error.text, "the migration was cancelled");
}

struct racer {
	struct gate *gate;
	pthread_barrier_t *start;
	bool (*act)(struct gate *gate);
	bool won;
};

static void *race(void *argument)
{
	struct racer *racer = argument;

	pthread_barrier_wait(racer->start);
	racer->won = racer->act(racer->gate);
	return NULL;
}

/* Whoever comes first, and never both. */
static void test_gate_race(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		pthread_barrier_t start;
		struct gate gate;
		struct racer racers[2] = { { &gate, &start, gate_cancel, false }, { &gate, &start, gate_pass, false } };
		pthread_t threads[2];

		assert_int_equal(gate_open(&gate, &error), 0);
		pthread_barrier_init(&start, NULL, 2);
		for (int n = 0; n < 2; n++)
			pthread_create(&threads[n], NULL, race, &racers[n]);
		for (int n = 0; n < 2; n++)
			pthread_join(threads[n], NULL);
		assert_int_equal(racers[0].won + racers[1].won, 1);
		assert_int_equal(called(&gate), racers[0].won);
		pthread_barrier_destroy(&start);
		gate_close(&gate);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source),	       cmocka_unit_test(test_target),
		cmocka_unit_test(test_ledger_answers), cmocka_unit_test(test_ledger_size),
		cmocka_unit_test(test_gate),	       cmocka_unit_test(test_gate_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
