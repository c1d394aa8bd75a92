/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MIDR_EL1 and its like: which machines are told them, what KVM refuses, what stays of it once a state is loaded, and
 * the description that carries it.
 */
#include "config_fixture.h"
#include "machine_fixture.h"

#include "base/section.h"
#include "machine/processor.h"
#include "machine/state.h"

#include <errno.h>

#define OWN 0x413fd0c1u
#define OTHER 0x414fd0b1u

static const uint64_t isar0 = IDENTITY_SYSTEM(3, 0, 0, 6, 0);

static int set_up_host(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	console = (struct console){ .in = -1, .out = -1 };
	return 0;
}

/* Its KVM lets MIDR_EL1 be written. */
static void host_frees(void)
{
	const struct identity_register midr = { IDENTITY_MIDR, OWN, UINT32_MAX };

	assert_true(identity_set(&fake_host_current()->identity, &midr));
}

/* A machine that is told this. */
static int create(uint64_t id, uint64_t value)
{
	const struct identity_register told = { .id = id, .value = value };
	struct machine_config with = config;

	assert_true(identity_set(&with.cpu, &told));
	return machine_create(&machine, &with, &console, &error);
}

static uint64_t midr_of(uint32_t n)
{
	uint64_t value;

	assert_int_equal(host_vcpu_get_identity(vcpu(n), IDENTITY_MIDR, &value), 0);
	return value;
}

static void test_told(void **state)
{
	(void)state;
	host_frees();
	assert_int_equal(create(IDENTITY_MIDR, OTHER), 0);
	assert_true(midr_of(0) == OTHER && midr_of(1) == OTHER);
	machine_destroy(&machine);
}

/* Where KVM cannot, a machine can still be told what it has. */
static void test_bound(void **state)
{
	(void)state;
	assert_int_equal(create(IDENTITY_MIDR, OTHER), -EINVAL);
	assert_string_equal(error.text, "this host's KVM does not let the machine have 0x414fd0b1 in MIDR_EL1 (Invalid "
					"argument): that of Linux 6.15 and newer does");
	assert_int_equal(create(IDENTITY_MIDR, OWN), 0);
	assert_true(midr_of(0) == OWN);
	machine_destroy(&machine);
	/* The fake's processor has none. */
	assert_int_equal(create(IDENTITY_AIDR, 0), -ENOENT);
	assert_non_null(strstr(error.text, "in AIDR_EL1 (No such file or directory): `seaclock baseline` says"));
}

/* One that is told something else is bound to its host's processor. */
static void test_untold(void **state)
{
	(void)state;
	host_frees();
	assert_int_equal(create(isar0, 0x100010210120), 0);
	assert_int_equal(host_vcpu_set_identity(vcpu(0), IDENTITY_MIDR, OTHER), -EINVAL);
	assert_true(midr_of(0) == OWN);
	machine_destroy(&machine);
}

/* Of what a machine was told it keeps this, though this host's processor is the same; the rest shows where it differs.
 */
static void test_kept(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };
	sc_ns_t gap;

	(void)state;
	for (uint64_t value = OWN;; value = OTHER) {
		assert_int_equal(create(IDENTITY_MIDR, value), 0);
		assert_int_equal(processor_learn(&machine.vm, &machine.vcpus, &machine.untold, &error), 0);
		devices_quiesce(&machine.devices);
		assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
		assert_int_equal(state_load(&machine, saved.data, saved.size, &gap, &error), 0);
		assert_int_equal(machine.config.cpu.count, 1);
		assert_true(identity_find(&machine.config.cpu, IDENTITY_MIDR)->value == value);
		machine_destroy(&machine);
		buffer_free(&saved);
		saved = (struct buffer){ 0 };
		if (value == OTHER)
			break;
		host_frees();
	}
}

/* ---- In a description ---- */

static void travel(const struct machine_config *there, struct machine_config *back)
{
	struct buffer buffer = { 0 };

	config_put(&buffer, there);
	assert_int_equal(config_get(buffer.data, buffer.size, back, &error), 0);
	buffer_free(&buffer);
}

/* What it was told of the implementation is a part of it, and nothing else that it was told. */
static void test_implementation(void **state)
{
	const struct identity_register registers[] = {
		{ IDENTITY_MIDR, 0x413fd0c1, 1 }, { IDENTITY_REVIDR, 7, 0 }, { IDENTITY_AIDR, UINT64_MAX, 0 },
		{ IDENTITY_MMFR1, 3, 0 },	  { IDENTITY_PSCI, 2, 0 },
	};
	struct machine_config with = config, back;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(registers); n++)
		assert_true(identity_set(&with.cpu, &registers[n]));
	travel(&with, &back);
	assert_int_equal(back.cpu.count, 3);
	for (size_t n = 0; n < 3; n++)
		assert_true(identity_find(&back.cpu, registers[n].id)->value == registers[n].value);
	expect_same(&with, &back);
}

static int take_with_registers(const uint64_t *ids, uint32_t count, size_t size)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	int result;

	config_put(&buffer, &config);
	for (uint32_t n = 0; n < count; n++) {
		size_t begun = section_begin(&buffer, SECTION_ID('M', 'I', 'D', 'R'), n, 1, false);
		const uint64_t content[] = { ids[n], 9, 9 };

		buffer_put(&buffer, content, size);
		section_end(&buffer, begun);
	}
	result = config_get(buffer.data, buffer.size, &back, &error);
	if (result)
		assert_string_equal(error.text, "the machine's description is damaged");
	buffer_free(&buffer);
	return result;
}

static void test_bad_implementation(void **state)
{
	static const uint64_t all[] = { IDENTITY_AIDR, IDENTITY_MIDR, IDENTITY_REVIDR, IDENTITY_MIDR };
	static const uint64_t twice[] = { IDENTITY_MIDR, IDENTITY_MIDR };
	static const uint64_t foreign[] = { IDENTITY_MMFR1 }, none[] = { 0 };

	(void)state;
	assert_int_equal(take_with_registers(all, 3, 16), 0);
	assert_int_equal(take_with_registers(all, 4, 16), -EPROTO);
	assert_int_equal(take_with_registers(twice, 1, 16), 0);
	assert_int_equal(take_with_registers(twice, 2, 16), -EPROTO);
	assert_int_equal(take_with_registers(foreign, 1, 16), -EPROTO);
	assert_int_equal(take_with_registers(none, 1, 16), -EPROTO);
	for (size_t size = 0; size <= 24; size++)
		assert_int_equal(take_with_registers(twice, 1, size), size == 16 ? 0 : -EPROTO);
}

#define TEST_HOST(name) cmocka_unit_test_setup(name, set_up_host)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_HOST(test_told),
		TEST_HOST(test_bound),
		TEST_HOST(test_untold),
		TEST_HOST(test_kept),
		cmocka_unit_test(test_implementation),
		cmocka_unit_test(test_bad_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
