/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine of two vCPUs on the fake host, for the tests of its lifecycle and of its console. */
#ifndef UNIT_MACHINE_FIXTURE_H
#define UNIT_MACHINE_FIXTURE_H

#include "unit.h"
#include "../fake/guest_call.h"
#include "../wait_scale.h"

#include "base/layout.h"
#include "machine/machine.h"

#include <string.h>
#include <unistd.h>

#define LIMIT_S 60
#define MS 1000000ull
#define PAGE (LAYOUT_RAM_BASE + 5 * 4096)
#define UART_DR LAYOUT_UART_BASE

static const struct machine_config config = {
	.name = "m",
	.vcpus = 2,
	.memory_size = LAYOUT_RAM_MIN,
	.model = CONFIG_MODEL_NEW,
};

static struct machine machine;
static struct console console;
static struct error error;

static inline int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	console = (struct console){ .in = -1, .out = -1 };
	return machine_create(&machine, &config, &console, &error);
}

static inline int tear_down(void **state)
{
	(void)state;
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

static struct host_vcpu *vcpu(uint32_t n)
{
	return &machine.vcpus.vcpu[n].host;
}

static inline void run(void)
{
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	assert_true(fake_vcpu_wait_inside(vcpu(1), true));
}

static inline uint64_t mmio(uint64_t gpa, uint32_t size, bool write, uint8_t byte)
{
	struct fake_exit exit = { .exit = { .kind = HOST_EXIT_MMIO, .gpa = gpa, .size = size, .write = write } };

	memset(exit.data, byte, sizeof(exit.data));
	fake_vcpu_script(vcpu(0), &exit);
	assert_true(fake_vcpu_wait(vcpu(0)));
	return fake_vcpu_register(vcpu(0), FAKE_REGISTER_X0);
}

/* As the source leaves it: held, its clock stopped. */
static inline void end_undecided(void)
{
	vcpus_park(&machine.vcpus);
	clock_stop(&machine.clock);
	machine_end_migration(&machine, MACHINE_UNDECIDED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
