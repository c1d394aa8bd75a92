/* SPDX-License-Identifier: BSD-2-Clause */
/* Who can move where: what stands in the way is named, and hosts that are the same are one group. */
#include "unit.h"

#include "../fake/host_fake.h"
#include "transfer/passage.h"

#include <string.h>

static struct host_facts from, to;
static struct error error;

static int setup(void **state)
{
	int result;

	(void)state;
	fake_reset();
	result = host_get_facts(&from, &error);
	from.protocol = to.protocol = 6;
	from.protocol_oldest = 5;
	to = from;
	return result;
}

static void register_put(struct host_facts *host, uint64_t id, uint64_t value, uint64_t writable)
{
	const struct identity_register reg = { id, value, writable };

	assert_true(identity_set(&host->identity, &reg));
}

static void expect_refused(const char *reason)
{
	struct passage passage = passage_judge(&from, &to);

	assert_false(passage.possible);
	assert_string_equal(passage.why.text, reason);
	assert_false(passage_same(&from, &to));
}

static void test_alike(void **state)
{
	struct passage passage = passage_judge(&from, &to);

	(void)state;
	assert_true(passage.possible);
	assert_int_equal(passage.level, SC_LEVEL_NONE);
	strcpy(to.name, "other");
	strcpy(to.kernel, "6.18");
	strcpy(to.seaclock, "9");
	assert_true(passage_same(&from, &to));
}

static void test_rate(void **state)
{
	struct passage passage;

	(void)state;
	to.counter_hz = from.counter_hz + 1;
	passage = passage_judge(&from, &to);
	assert_true(passage.possible);
	assert_int_equal(passage.level, SC_LEVEL_REFERENCE);
	assert_false(passage_same(&from, &to));
}

static void test_host(void **state)
{
	(void)state;
	to.page_size = 65536;
	expect_refused("its kernel has pages of 4096 bytes, and the one there of 65536");
	to = from;
	to.address_bits = 39;
	expect_refused("guests have physical addresses of 40 bits, and KVM there gives 39");
	to = from;
	to.gic = 4;
	expect_refused("guests have a GICv3, and there a GICv4");
}

static void test_protocol(void **state)
{
	(void)state;
	to.protocol = to.protocol_oldest = 5;
	expect_refused("it sends protocol 6, and 5 to 5 are taken there");
	to.protocol = to.protocol_oldest = 7;
	expect_refused("it sends protocol 6, and 7 to 7 are taken there");
	to.protocol_oldest = 6;
	assert_true(passage_judge(&from, &to).possible);
}

static void test_registers(void **state)
{
	const uint64_t isar0 = IDENTITY_SYSTEM(3, 0, 0, 6, 0), isar1 = IDENTITY_SYSTEM(3, 0, 0, 6, 1);

	(void)state;
	register_put(&from, isar0, 0x20, UINT64_MAX);
	register_put(&to, isar0, 0x10, UINT64_MAX);
	expect_refused("ID_AA64ISAR0_EL1: AES is 0x2, and 0x1 there; a baseline of both would fit");
	register_put(&from, isar0, 0x20, 0);
	expect_refused("ID_AA64ISAR0_EL1: AES is 0x2, and 0x1 there");
	/* The other way round there is room for less. */
	register_put(&from, isar0, 0x10, 0);
	register_put(&to, isar0, 0x20, UINT64_MAX);
	assert_true(passage_judge(&from, &to).possible);
	assert_false(passage_same(&from, &to));
	register_put(&from, isar1, 0, 0);
	expect_refused("KVM there has no register ID_AA64ISAR1_EL1");
}

/* A machine is judged by what it was told, and by what its guest can follow. */
static void test_machine(void **state)
{
	const uint64_t isar0 = IDENTITY_SYSTEM(3, 0, 0, 6, 0);
	const struct identity_register told = { isar0, 0x10, 0 };
	struct identity cpu = { .count = 0 };
	struct sc_follow follow = { .level = SC_LEVEL_NONE };
	struct passage_machine machine = { .cpu = &cpu, .obstacle = "" };

	(void)state;
	register_put(&from, isar0, 0x20, UINT64_MAX);
	register_put(&to, isar0, 0x10, UINT64_MAX);
	assert_false(passage_judge_machine(&from, &machine, &to).possible);
	assert_true(identity_set(&cpu, &told));
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
	machine.follow = &follow;
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
	to.counter_hz = 10000000;
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "its clock cannot follow another rate");
	machine.obstacle = "it is late";
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "its clock cannot follow another rate: it is late");
	follow.level = SC_LEVEL_REFERENCE;
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
	follow.inferred = true;
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "that its clock can follow is only inferred, and on a counter of 10 MHz or less it could "
			    "not be, so it could not be moved from there");
	to.counter_hz++;
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "that its clock can follow is only inferred, so --inferred is needed");
	/* What stands in the way of any guest comes first. */
	to.page_size = 65536;
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "its kernel has pages of 4096 bytes, and the one there of 65536");
}

/* Another MIDR_EL1 is only for machines that were told theirs, or one of its like, and for hosts that can write it. */
static void test_implementation(void **state)
{
	const uint64_t isar0 = IDENTITY_SYSTEM(3, 0, 0, 6, 0);
	const struct identity_register same = { IDENTITY_MIDR, 1, 0 }, revision = { IDENTITY_REVIDR, 5, 0 };
	const struct identity_register other = { isar0, 0x10, 0 };
	struct identity cpu = { .count = 0 };
	const struct passage_machine machine = { .cpu = &cpu, .obstacle = "" };

	(void)state;
	register_put(&from, IDENTITY_MIDR, 1, UINT32_MAX);
	register_put(&to, IDENTITY_MIDR, 2, UINT32_MAX);
	expect_refused("MIDR_EL1: its value is 0x1, and 0x2 there; a baseline of both would fit");
	assert_true(identity_set(&cpu, &other));
	register_put(&from, isar0, 0x10, UINT64_MAX);
	register_put(&to, isar0, 0x10, UINT64_MAX);
	assert_false(passage_judge_machine(&from, &machine, &to).possible);
	assert_true(identity_set(&cpu, &same));
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
	register_put(&to, IDENTITY_MIDR, 2, 0);
	assert_string_equal(passage_judge_machine(&from, &machine, &to).why.text,
			    "MIDR_EL1: its value is 0x1, and 0x2 there; a baseline of both would fit");
	register_put(&to, IDENTITY_MIDR, 1, 0);
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
	/* Told one of them, KVM lets all of them be written. */
	cpu.count = 0;
	assert_true(identity_set(&cpu, &revision));
	register_put(&from, IDENTITY_REVIDR, 5, UINT32_MAX);
	register_put(&to, IDENTITY_REVIDR, 6, UINT32_MAX);
	register_put(&to, IDENTITY_MIDR, 2, UINT32_MAX);
	assert_true(passage_judge_machine(&from, &machine, &to).possible);
}

static void test_groups(void **state)
{
	struct host_facts hosts[5];
	uint32_t group[5];

	(void)state;
	for (uint32_t n = 0; n < 5; n++)
		hosts[n] = from;
	hosts[1].counter_hz = hosts[3].counter_hz = from.counter_hz + 1;
	register_put(&hosts[4], IDENTITY_MIDR, 1, 0);
	assert_int_equal(passage_group(hosts, 5, group), 3);
	assert_int_equal(group[0], 0);
	assert_int_equal(group[1], 1);
	assert_int_equal(group[2], 0);
	assert_int_equal(group[3], 1);
	assert_int_equal(group[4], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_alike, setup),     cmocka_unit_test_setup(test_rate, setup),
		cmocka_unit_test_setup(test_host, setup),      cmocka_unit_test_setup(test_protocol, setup),
		cmocka_unit_test_setup(test_registers, setup), cmocka_unit_test_setup(test_machine, setup),
		cmocka_unit_test_setup(test_groups, setup),    cmocka_unit_test_setup(test_implementation, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
