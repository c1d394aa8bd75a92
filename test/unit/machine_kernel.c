/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine whose guest has what repair/ looks for in a Linux kernel: it is found as far as its layout, from all that
 * the machine says of itself, and of what goes wrong a sentence is left.
 */
#include "machine_fixture.h"
#include "../fake/linux_kernel.h"

#include <errno.h>
#include <stdlib.h>

static const struct linux_shape shape = { 12, 48, false };
static struct kernel kernel;

/* The guest's memory, and the registers of its second vCPU alone, which is the only one that is on. */
static void begin(void)
{
	struct linux_kernel *linux_kernel = calloc(1, sizeof(*linux_kernel));
	struct host_tables tables;

	assert_non_null(linux_kernel);
	linux_kernel_begin(linux_kernel, &shape, "6.12.3");
	linux_kernel_write(linux_kernel);
	assert_true(memory_write(&machine.memory, LINUX_RAM, linux_kernel->ram.range[0].bytes, LINUX_RAM_SIZE));
	tables = (struct host_tables){ linux_kernel->ram.tables.ttbr1, linux_kernel->ram.tables.tcr,
				       linux_kernel->ram.tables.sctlr };
	fake_vcpu_set_tables(vcpu(1), &tables);
	linux_kernel_end(linux_kernel);
	free(linux_kernel);
	run();
	fake_vcpu_of(vcpu(1))->on = true;
	fake_vcpu_of(vcpu(0))->on = false;
}

static void expect_reason(const char *words)
{
	if (kernel.known || !strstr(kernel.reason, words))
		fail_msg("\"%s\" does not say \"%s\"", kernel.reason, words);
}

/* Each step but the judgement has succeeded, or it would have another reason. */
static void test_found(void **state)
{
	(void)state;
	begin();
	assert_false(kernel_last(&machine, &kernel));
	assert_int_equal(kernel_find(&machine, &kernel, &error), 0);
	expect_reason("the layout of this kernel's timekeeping is not known (fingerprint ");
	kernel.reason[0] = '\0';
	assert_true(kernel_last(&machine, &kernel));
	expect_reason("the layout of this kernel's timekeeping is not known (fingerprint ");
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	/* What was found belongs to the guest's life. */
	machine.restarts++;
	assert_false(kernel_last(&machine, &kernel));
}

static void test_vcpus_off(void **state)
{
	(void)state;
	begin();
	fake_vcpu_of(vcpu(1))->on = false;
	assert_int_equal(kernel_find(&machine, &kernel, &error), 0);
	expect_reason("all vCPUs are powered off");
}

/* Pages that were given back are not looked at, nor is there anything in them. */
static void test_nothing_there(void **state)
{
	(void)state;
	begin();
	memory_clear_ram(&machine.memory);
	assert_int_equal(kernel_find(&machine, &kernel, &error), 0);
	expect_reason("guest memory has no VMCOREINFO note");
}

static void test_fails(void **state)
{
	(void)state;
	begin();
	fake_fail(fake_host_current(), FAKE_GET_TABLES, 1, 1, EIO);
	assert_int_equal(kernel_find(&machine, &kernel, &error), -EIO);
	assert_non_null(strstr(error.text, "KVM does not give the registers of m"));
	fake_fail(fake_host_current(), FAKE_MEMORY, 0, 1, ENOMEM);
	assert_int_equal(kernel_find(&machine, &kernel, &error), -ENOMEM);
	assert_non_null(strstr(error.text, "it takes 24 MiB"));
	assert_false(kernel_last(&machine, &kernel));
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
}

static void test_states(void **state)
{
	(void)state;
	begin();
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(kernel_find(&machine, &kernel, &error), 0);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	machine_finish(&machine, MACHINE_END_STOPPED);
	assert_int_equal(kernel_find(&machine, &kernel, &error), -EBUSY);
	assert_string_equal(error.text, "m is ended: its kernel cannot be looked for now");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found), TEST(test_vcpus_off), TEST(test_nothing_there), TEST(test_fails), TEST(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
