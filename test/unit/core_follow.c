/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can follow, over all combinations of what it has set up, declared and been asked, against a table that
 * is read from the top.
 */
#include "unit.h"

#include <seaclock/core.h>

#define HZ 100000000u
#define PAGE 0x40001000ull
#define DIRECT (SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)

/* One bit for each fact; the table's rows give the facts that must be, and must not be. */
enum {
	ENABLED = 1 << 0,  /* the page */
	SLOW = 1 << 1,	   /* a counter without a page */
	DECLARED = 1 << 2, /* by a driver */
	ON_PAGE = 1 << 3,  /* in what the guest says */
	HOLDS = 1 << 4,
	RAW = 1 << 5,
	HELD = 1 << 6,
	STANDS = 1 << 7,  /* it is moved as it stands */
	TIMER_0 = 1 << 8, /* vCPU 0 has a timer */
	TIMER_1 = 1 << 9,
	ONLINE_1 = 1 << 10, /* vCPU 1 is on; vCPU 0 always is */
	FACTS = 1 << 11
};

struct row {
	uint32_t are;
	uint32_t are_not;
	enum sc_obstacle obstacle;
};

/* The clock: the first row that fits. */
static const struct row clock_rows[] = {
	{ RAW | HOLDS, STANDS, SC_OBSTACLE_NONE },
	{ RAW, 0, SC_OBSTACLE_RAW },
	{ DECLARED | ON_PAGE | ENABLED, 0, SC_OBSTACLE_NONE },
	{ DECLARED, 0, SC_OBSTACLE_OTHER },
	{ 0, ENABLED, SC_OBSTACLE_NO_PAGE },
	{ SLOW, 0, SC_OBSTACLE_SLOW },
	{ 0, 0, SC_OBSTACLE_NONE },
};

static struct sc_partition partition_of(uint32_t facts)
{
	struct sc_partition partition;

	assert_int_equal(sc_partition_init(&partition, 2, facts & SLOW ? SC_REF_HZ : HZ, sc_ticks(0)), 0);
	partition.reference_tsc = PAGE | (facts & ENABLED ? SC_REFERENCE_TSC_ENABLE : 0);
	partition.guest_clock = (facts & DECLARED ? SC_GUEST_CLOCK_DECLARED : 0) |
				(facts & ON_PAGE ? SC_GUEST_CLOCK_ON_PAGE : 0) |
				(facts & HOLDS ? SC_GUEST_CLOCK_HOLDS : 0) |
				(facts & RAW ? (uint64_t)HZ << SC_GUEST_CLOCK_RAW_HZ_SHIFT : 0);
	partition.held = facts & HELD;
	partition.vcpu[0].timer[0].config = facts & TIMER_0 ? DIRECT | SC_STIMER_AUTO_ENABLE : DIRECT;
	partition.vcpu[1].timer[3].config = facts & TIMER_1 ? DIRECT | SC_STIMER_ENABLE : SC_STIMER_ENABLE;
	return partition;
}

static enum sc_obstacle clock_obstacle(uint32_t facts)
{
	const struct row *row = clock_rows;

	while ((facts & row->are) != row->are || facts & row->are_not)
		row++;
	return row->obstacle;
}

static void check(uint32_t facts)
{
	const struct sc_partition partition = partition_of(facts);
	struct sc_follow follow = sc_partition_follow(&partition, facts & ONLINE_1 ? 3 : 1,
						      facts & STANDS ? SC_MOVE_AS_STANDS : SC_MOVE_ASKED);
	bool missing_0 = !(facts & TIMER_0), missing_1 = facts & ONLINE_1 && !(facts & TIMER_1);
	enum sc_obstacle obstacle = clock_obstacle(facts);
	enum sc_level level = SC_LEVEL_NONE;

	if (obstacle == SC_OBSTACLE_NONE && (missing_0 || missing_1))
		obstacle = SC_OBSTACLE_TIMER;
	if (obstacle == SC_OBSTACLE_NONE)
		level = facts & (facts & STANDS ? HELD : HOLDS) ? SC_LEVEL_COOPERATIVE : SC_LEVEL_REFERENCE;
	assert_int_equal(follow.obstacle, obstacle);
	assert_int_equal(follow.level, level);
	assert_int_equal(follow.vp, obstacle == SC_OBSTACLE_TIMER && !missing_0);
	assert_int_equal(follow.inferred, !(facts & DECLARED) && facts & ENABLED);
	assert_int_equal(follow.on_page,
			 facts & ENABLED && (facts & DECLARED ? (facts & ON_PAGE) != 0 : !(facts & SLOW)));
}

static void all_combinations(void **state)
{
	(void)state;
	for (uint32_t facts = 0; facts < FACTS; facts++)
		check(facts);
}

/* What the clock alone allows: no vCPU is looked at. */
static void without_vcpus(void **state)
{
	const struct sc_partition partition = partition_of(ENABLED | DECLARED | ON_PAGE | HOLDS);

	(void)state;
	assert_int_equal(sc_partition_follow(&partition, 0, SC_MOVE_ASKED).level, SC_LEVEL_COOPERATIVE);
	assert_int_equal(sc_partition_follow(&partition, 1, SC_MOVE_ASKED).level, SC_LEVEL_NONE);
}

/* Bits of vCPUs that the machine does not have mean nothing. */
static void beyond_the_machine(void **state)
{
	const struct sc_partition partition = partition_of(ENABLED | DECLARED | ON_PAGE | TIMER_0 | TIMER_1);

	(void)state;
	assert_int_equal(sc_partition_follow(&partition, UINT32_MAX, SC_MOVE_ASKED).level, SC_LEVEL_REFERENCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(without_vcpus),
		cmocka_unit_test(beyond_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
