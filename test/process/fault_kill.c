/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Either process of a migration is killed, at each message: the message is held back, and nobody is there any more when
 * it would have come. A guest is lost only with the process that held the only copy.
 */
#include "fixture/crossing.h"

#include <signal.h>

static const char words[] = "stopped_ms=3000,question_ms=500,retry_ms=20";

enum side {
	SOURCE,
	TARGET
};

enum outcome {
	STAYS,	/* it runs on at the source */
	LOST,	/* and the receiver waits for another */
	MOVES,	/* it runs at the target */
	PAUSES, /* at the source, whose operator decides */
};

static const struct kill_case {
	const char *name;
	enum side killed;
	enum outcome outcome;
	const char *message; /* held back */
} cases[] = {
	{ "target, at WELCOME", TARGET, STAYS, "WELCOME" },  { "target, at CHECKED", TARGET, STAYS, "CHECKED" },
	{ "target, in pre-copy", TARGET, STAYS, "PAGES:5" }, { "target, at SYNCED", TARGET, STAYS, "SYNCED" },
	{ "target, at STATE", TARGET, STAYS, "STATE" },	     { "target, at READY", TARGET, STAYS, "READY" },
	{ "target, at GO", TARGET, PAUSES, "GO" },	     { "target, at DONE", TARGET, PAUSES, "DONE" },
	{ "source, at WELCOME", SOURCE, LOST, "WELCOME" },   { "source, at CHECKED", SOURCE, LOST, "CHECKED" },
	{ "source, in pre-copy", SOURCE, LOST, "PAGES:5" },  { "source, at STATE", SOURCE, LOST, "STATE" },
	{ "source, at READY", SOURCE, LOST, "READY" },	     { "source, at GO", SOURCE, LOST, "GO" },
	{ "source, at DONE", SOURCE, MOVES, "DONE" },	     { "source, at SETTLED", SOURCE, MOVES, "SETTLED" },
};

/* Nobody answers; then a receiver that knows nothing of it does. The operator decides. */
static void expect_paused_until_forced(struct crossing *crossing)
{
	struct node *altra = &crossing->altra;

	crossing_expect(crossing, CROSSING_PAUSES);
	node_expect_nobody(&crossing->grace, CROSSING_GUEST);
	crossing->receiver = node_receive(&crossing->grace);
	relay_mend(&crossing->relay, crossing->grace.address);
	node_expect_failed(altra, node_command(altra, "resume", CROSSING_GUEST, NULL), NODE_UNDECIDED, "knows nothing");
	crossing_expect_paused(crossing);
	assert_int_equal(node_command(altra, "resume", CROSSING_GUEST, "--force", NULL), 0);
	crossing_expect_on_source(crossing);
}

static void expect_lost(struct crossing *crossing)
{
	assert_int_equal(node_finish(&crossing->altra, crossing->migrate), NODE_UNHEARD);
	node_expect_nobody(&crossing->grace, CROSSING_GUEST);
	assert_false(process_has_ended(crossing->receiver));
	crossing_expect_disk_free();
	process_signal(crossing->receiver, SIGTERM);
	assert_int_equal(process_wait(crossing->receiver), 6);
}

static void expect_moved(struct crossing *crossing)
{
	process_wait(crossing->migrate);
	crossing_expect_on_target(crossing);
}

static void test_kill(void **state)
{
	const struct kill_case *item = *state;
	const char *const faults[] = { "swallow", item->message, NULL };
	struct crossing crossing;

	crossing_open(&crossing, "guest=reference", words);
	crossing_begin(&crossing, faults);
	process_kill(item->killed == SOURCE ? crossing.monitor : crossing.receiver);
	switch (item->outcome) {
	case STAYS:
		node_expect_refused(&crossing.altra, node_finish(&crossing.altra, crossing.migrate), "");
		crossing_expect_on_source(&crossing);
		break;
	case LOST:
		expect_lost(&crossing);
		break;
	case MOVES:
		expect_moved(&crossing);
		break;
	case PAUSES:
		expect_paused_until_forced(&crossing);
		break;
	}
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(cases)];

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		tests[n] = (struct CMUnitTest){
			.name = cases[n].name,
			.test_func = test_kill,
			.setup_func = process_set_up,
			.teardown_func = process_tear_down,
			.initial_state = (void *)&cases[n],
		};
	return process_run_tests(tests, ARRAY_SIZE(tests));
}
