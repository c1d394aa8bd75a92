/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: the conformance suite passes at any counter rate, from any counter value, however late the monitor is,
 * however long calls take and machines stand still, and under both clock policies.
 *
 * Policy: the machine is the simulated one of the unit test; cases that it does not offer, as the page of a slow
 * counter, are skipped, but never more than a few.
 */
#include "../fake/sim_machine.h"

#include "random.h"

#define MACHINES 40
#define SKIPPED_MAX 60u

struct walk {
	struct sim_machine machine;
	enum sc_guest_convention convention;
	uint32_t skipped;
};

static struct sim_machine machine_draw(struct random *random)
{
	struct sim_machine machine = {
		.hz = random_rate(random),
		.other_hz = random_rate(random),
		.start = { random_next(random) >> random_between(random, 8, 60) },
		.late = random_between(random, 0, 25 * MS),
		.gap = { random_between(random, 0, 2000000000) },
		.policy = random_chance(random, 2) ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE,
	};

	/* Slow enough for Seaclock, too slow for a page. */
	if (random_chance(random, 8))
		machine.hz = (uint32_t)random_between(random, SC_RATE_MIN_HZ, 10000000);
	/* Up to a tenth of a millisecond. */
	machine.call_ticks = random_between(random, 1, machine.hz / 10000);
	return machine;
}

static void run_case(const struct conformance_case *test, void *argument)
{
	struct walk *walk = argument;
	struct trial trial;
	enum conformance_result result;

	PROPERTY(sim_machine_begin(&walk->machine), "%u Hz refused", walk->machine.hz);
	result = conformance_run(&trial, walk->convention, test, conformance_offers(walk->convention, true, true));
	PROPERTY(result != CONFORMANCE_FAIL, "%s at %u and %u Hz: %s; step %u saw 0x%" PRIx64 ", expected 0x%" PRIx64,
		 test->name, walk->machine.hz, walk->machine.other_hz, test->expects, trial.step, trial.seen,
		 trial.expected);
	walk->skipped += result == CONFORMANCE_SKIP;
}

static void live(struct random *random)
{
	struct walk walk = { .machine = machine_draw(random) };

	walk.convention = random_chance(random, 2) ? SC_GUEST_HVC1 : SC_GUEST_SMCCC;
	conformance_each(run_case, &walk);
	PROPERTY(walk.skipped <= (walk.machine.hz > SC_REF_HZ ? 0 : SKIPPED_MAX), "%u cases skipped at %u Hz",
		 walk.skipped, walk.machine.hz);
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < MACHINES; i++)
		live(&random);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
