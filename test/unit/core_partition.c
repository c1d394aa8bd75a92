/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The partition: creation, reset, deadlines over all timers, and the level at which a guest follows a migration.
 *
 * Policy: states are set up directly; what hypercalls do to them is in core_register.c.
 */
#include <seaclock/core.h>

#include "unit.h"

#define DIRECT (SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)
#define HZ 100000000u

static struct sc_partition new_partition(uint32_t vcpus)
{
	struct sc_partition partition;

	assert_int_equal(sc_partition_init(&partition, vcpus, HZ, sc_ticks(0)), 0);
	return partition;
}

static void arm(struct sc_partition *partition, uint32_t vp, uint32_t n, uint64_t count)
{
	sc_stimer_set_config(&partition->vcpu[vp].timer[n], DIRECT | SC_STIMER_AUTO_ENABLE, sc_ref(0));
	sc_stimer_set_count(&partition->vcpu[vp].timer[n], count, sc_ref(0));
}

static void starts_at_zero(void **state)
{
	struct sc_partition partition;

	(void)state;
	assert_int_equal(sc_partition_init(&partition, 4, HZ, sc_ticks(123456)), 0);
	assert_int_equal(sc_clock_read(&partition.clock, sc_ticks(123456)).v, 0);
	assert_int_equal(partition.vcpu_count, 4);
	assert_int_equal(partition.guest_os_id, 0);
	assert_int_equal(partition.reference_tsc, 0);
}

static void refuses_bad_arguments(void **state)
{
	struct sc_partition partition;

	(void)state;
	assert_int_equal(sc_partition_init(&partition, 1, SC_RATE_MIN_HZ - 1, sc_ticks(0)), -SC_E_RATE);
	assert_int_equal(sc_partition_init(&partition, 0, HZ, sc_ticks(0)), -SC_E_VALUE);
	assert_int_equal(sc_partition_init(&partition, SC_VCPU_MAX + 1, HZ, sc_ticks(0)), -SC_E_VALUE);
}

static void deadline_is_the_earliest(void **state)
{
	struct sc_partition partition = new_partition(2);
	sc_ref_t deadline = sc_ref(42);

	(void)state;
	assert_false(sc_partition_deadline(&partition, &deadline));
	assert_int_equal(deadline.v, 42);
	arm(&partition, 0, 0, 3000);
	arm(&partition, 1, 2, 1000);
	arm(&partition, 1, 3, 2000);
	assert_true(sc_partition_deadline(&partition, &deadline));
	assert_int_equal(deadline.v, 1000);
	partition.vcpu[1].timer[2].pending = true;
	assert_true(sc_partition_deadline(&partition, &deadline));
	assert_int_equal(deadline.v, 2000);
	/* A line that is up: another expiry would change nothing before the guest's next write. */
	partition.vcpu[1].timer[3].asserted = true;
	assert_true(sc_partition_deadline(&partition, &deadline));
	assert_int_equal(deadline.v, 3000);
}

static void expire_marks_what_is_due(void **state)
{
	struct sc_partition partition = new_partition(2);

	(void)state;
	arm(&partition, 0, 0, 1000);
	arm(&partition, 1, 1, 2000);
	/* 10 ticks per unit; one tick more, because the scale is truncated. */
	assert_false(sc_partition_expire(&partition, sc_ticks(9999)));
	assert_true(sc_partition_expire(&partition, sc_ticks(10001)));
	assert_true(partition.vcpu[0].timer[0].pending);
	assert_false(partition.vcpu[1].timer[1].pending);
	/* Still pending, though nothing new is due. */
	assert_true(sc_partition_expire(&partition, sc_ticks(10002)));
	sc_stimer_delivered(&partition.vcpu[0].timer[0], false);
	assert_false(sc_partition_expire(&partition, sc_ticks(10003)));
}

static void message(struct sc_partition *partition, uint32_t vp, uint32_t n, uint32_t sint)
{
	sc_stimer_set_config(&partition->vcpu[vp].timer[n],
			     SC_STIMER_AUTO_ENABLE | (uint64_t)sint << SC_STIMER_SINT_SHIFT, sc_ref(0));
	sc_stimer_set_count(&partition->vcpu[vp].timer[n], 1, sc_ref(0));
}

/* Four timers are due: a direct one, one to a SINT that takes messages, one to a masked SINT, one without a SynIC. */
static void pending_says_where_each_goes(void **state)
{
	struct sc_partition partition = new_partition(2);
	struct sc_synic *synic = &partition.vcpu[1].synic;
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	(void)state;
	message(&partition, 0, 0, 2);
	arm(&partition, 1, 0, 1);
	message(&partition, 1, 1, 3);
	message(&partition, 1, 3, 4);
	*synic = (struct sc_synic){ .control = SC_SCONTROL_ENABLE, .simp = 0x40005001 };
	synic->sint[3] = 20;
	synic->sint[4] = SC_SINT_MASKED | 21;
	assert_false(sc_partition_pending(&partition, &cursor, &delivery));
	assert_true(sc_partition_expire(&partition, sc_ticks(1000)));
	cursor = 0;
	assert_true(sc_partition_pending(&partition, &cursor, &delivery));
	assert_int_equal(delivery.vp, 1);
	assert_int_equal(delivery.timer, 0);
	assert_false(delivery.message);
	assert_true(delivery.interrupt);
	assert_int_equal(delivery.intid, SC_STIMER0_INTID);
	assert_true(sc_partition_pending(&partition, &cursor, &delivery));
	assert_int_equal(delivery.timer, 1);
	assert_true(delivery.message);
	assert_true(delivery.interrupt);
	assert_int_equal(delivery.intid, 20);
	assert_int_equal(delivery.slot_gpa, 0x40005300);
	assert_false(sc_partition_pending(&partition, &cursor, &delivery));
	assert_false(sc_partition_pending(&partition, &cursor, &delivery));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_at_zero),
		cmocka_unit_test(refuses_bad_arguments),
		cmocka_unit_test(deadline_is_the_earliest),
		cmocka_unit_test(expire_marks_what_is_due),
		cmocka_unit_test(pending_says_where_each_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
