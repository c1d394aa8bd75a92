/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite beside the core: the same cases as in a bare guest, on a simulated machine. Each is one test
 * for each convention.
 */
#include "../fake/sim_machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* Like a real monitor, this one serves what is due much too late. */
static const struct sim_machine machine = {
	.hz = 25000000,
	.other_hz = 1000000000,
	.start = { 1000 },
	.call_ticks = 25,
	.late = 25 * MS,
	.gap = { 300000000 },
	.policy = SC_CLOCK_ADVANCE,
};

struct state {
	const struct conformance_case *test;
	enum sc_guest_convention convention;
};

static struct state states[1024];
static struct CMUnitTest tests[1024];
static uint32_t test_count;

static void run_case(void **state)
{
	const struct state *which = *state;
	struct trial trial;
	uint32_t offers;

	offers = conformance_offers(which->convention, true, true);
	if (conformance_run(&trial, which->convention, which->test, offers) == CONFORMANCE_PASS)
		return;
	fail_msg("%s: %s; step %u saw 0x%llx, expected 0x%llx", which->test->clause, which->test->expects, trial.step,
		 (unsigned long long)trial.seen, (unsigned long long)trial.expected);
}

static int machine_begin(void **state)
{
	(void)state;
	return sim_machine_begin(&machine) ? 0 : -1;
}

static void add(const struct conformance_case *test, void *convention)
{
	struct state *state = &states[test_count];

	assert_true(test_count < ARRAY_SIZE(tests));
	*state = (struct state){ test, *(enum sc_guest_convention *)convention };
	tests[test_count++] = (struct CMUnitTest){ test->name, run_case, machine_begin, NULL, state };
}

int main(void)
{
	enum sc_guest_convention convention = SC_GUEST_SMCCC;

	conformance_each(add, &convention);
	convention = SC_GUEST_HVC1;
	conformance_each(add, &convention);
	return _cmocka_run_group_tests("conformance", tests, test_count, NULL, NULL);
}
