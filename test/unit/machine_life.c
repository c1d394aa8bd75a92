/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's life: creation that fails anywhere, states and what they allow, exits, timers, and who may race with
 * whom. */
#include "machine_fixture.h"
#include "../property/random.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool readable(int fd, int timeout_ms)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return poll(&item, 1, timeout_ms) == 1;
}

static void expect_end(enum machine_end end)
{
	assert_true(readable(machine.ended, 5000));
	assert_int_equal(machine_get_end(&machine), end);
	assert_int_equal(machine_get_state(&machine), MACHINE_ENDED);
}

static void play(uint32_t n, enum host_exit_kind kind)
{
	const struct fake_exit exit = { .exit = { .kind = kind, .reason = 99 } };

	fake_vcpu_script(vcpu(n), &exit);
}

/* ---- Creation ---- */

static void test_create_fails(void **state)
{
	static const struct {
		enum fake_call call;
		uint32_t skip;
	} cases[] = {
		{ FAKE_VM_CREATE, 0 },	  { FAKE_MEMORY, 0 },	      { FAKE_SET_RAM, 0 },     { FAKE_MEMORY, 1 },
		{ FAKE_SET_RAM, 1 },	  { FAKE_MEMORY, 2 },	      { FAKE_SET_WINDOW, 0 },  { FAKE_STOLEN, 0 },
		{ FAKE_TIMER_CREATE, 1 }, { FAKE_VCPU_CREATE, 0 },    { FAKE_VCPU_CREATE, 1 }, { FAKE_GIC_CREATE, 0 },
		{ FAKE_TIMER_CREATE, 0 }, { FAKE_COUNTER_OFFSET, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct machine other;

		fake_fail(fake_host_current(), cases[n].call, cases[n].skip, 1, ENOMEM);
		error.text[0] = '\0';
		assert_int_equal(machine_create(&other, &config, &console, &error), -ENOMEM);
		assert_true(strlen(error.text) > 0);
	}
}

static void test_never_started(void **state)
{
	(void)state;
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
	assert_false(fake_vm_of(&machine.vm)->has_run);
	assert_false(readable(machine.ended, 0));
}

/* ---- States ---- */

static void test_pause_and_resume(void **state)
{
	uint64_t before;

	(void)state;
	run();
	fake_time_advance(10 * MS);
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(fake_vm_of(&machine.vm)->inside, 0);
	before = clock_reference(&machine.clock).v;
	fake_time_advance(10 * MS);
	run();
	assert_int_equal(clock_reference(&machine.clock).v, before);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

static void test_resume_fails(void **state)
{
	(void)state;
	fake_fail(fake_host_current(), FAKE_COUNTER_OFFSET, 0, 1, EIO);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -EIO);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	assert_false(fake_vm_of(&machine.vm)->has_run);
	run();
}

/* Another thread reads the registers of a vCPU for a moment: no reason to give up. */
static void test_resume_waits(void **state)
{
	(void)state;
	fake_vm_occupy(&machine.vm, 20);
	run();
}

static void test_migrating(void **state)
{
	(void)state;
	assert_int_equal(machine_begin_migration(&machine, &error), -EBUSY);
	assert_string_equal(error.text, "m is paused: it cannot be migrated now");
	run();
	assert_int_equal(machine_begin_migration(&machine, &error), 0);
	assert_int_equal(machine_begin_migration(&machine, &error), -EBUSY);
	assert_string_equal(error.text, "m is migrating: it cannot be migrated now");
	assert_int_equal(machine_pause(&machine, &error), -EBUSY);
	assert_string_equal(error.text, "m is migrating: it cannot be paused now");
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, true, &error), -EBUSY);
	assert_string_equal(error.text, "m is migrating: it cannot be resumed now");
	assert_int_equal(machine_stop(&machine, &error), -EBUSY);
	assert_string_equal(error.text, "m is migrating: it cannot be stopped now");
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
	machine_end_migration(&machine, MACHINE_RUNNING);
	assert_int_equal(machine_pause(&machine, &error), 0);
}

static void become_undecided(void)
{
	run();
	machine_begin_migration(&machine, &error);
	end_undecided();
}

static void test_undecided(void **state)
{
	(void)state;
	become_undecided();
	assert_int_equal(machine_pause(&machine, &error), -EBUSY);
	assert_int_equal(machine_begin_migration(&machine, &error), -EBUSY);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -EBUSY);
	assert_non_null(strstr(error.text, "m may be running on the other host"));
	assert_non_null(strstr(error.text, "--force"));
	assert_int_equal(fake_vm_of(&machine.vm)->inside, 0);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, true, &error), 0);
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

static void test_undecided_stop(void **state)
{
	(void)state;
	become_undecided();
	assert_int_equal(machine_stop(&machine, &error), 0);
	expect_end(MACHINE_END_STOPPED);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(machine_state_name(MACHINE_RUNNING), "running");
	assert_string_equal(machine_state_name(MACHINE_UNDECIDED), "undecided");
	assert_string_equal(machine_level_name(SC_LEVEL_NONE), "none");
	assert_string_equal(machine_level_name(SC_LEVEL_REFERENCE), "reference");
}

/* ---- Ends ---- */

static void test_power_off(void **state)
{
	(void)state;
	run();
	play(1, HOST_EXIT_SHUTDOWN);
	expect_end(MACHINE_END_POWER_OFF);
	/* The first end counts. */
	assert_int_equal(machine_stop(&machine, &error), 0);
	expect_end(MACHINE_END_POWER_OFF);
}

static void test_reset(void **state)
{
	(void)state;
	run();
	play(0, HOST_EXIT_RESET);
	expect_end(MACHINE_END_RESET);
}

static void test_unknown_exit(void **state)
{
	(void)state;
	run();
	play(0, HOST_EXIT_UNKNOWN);
	expect_end(MACHINE_END_FAILED);
}

static void test_kvm_fails(void **state)
{
	(void)state;
	fake_fail(fake_host_current(), FAKE_VCPU_RUN, 1, 1, EFAULT);
	machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
	expect_end(MACHINE_END_FAILED);
}

/* A call that cannot be answered is the end: the guest would wait for ever, or take garbage for an answer. */
static void test_registers_fail(void **state)
{
	struct fake_exit exit = guest_exit(SC_CALL_GET_ONE, SC_REG_SEACLOCK, 0);

	(void)state;
	run();
	fake_fail(fake_host_current(), FAKE_GET_X, 0, 1, EIO);
	fake_vcpu_script(vcpu(0), &exit);
	expect_end(MACHINE_END_FAILED);
}

static void test_panic(void **state)
{
	static const char text[] = "Kernel panic\n\x1b[31mred\n";
	const struct fake_exit crash = guest_exit(SC_CALL_SET_ONE, SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY);

	(void)state;
	run();
	fake_guest_write(&machine.vm, PAGE, text, sizeof(text));
	guest_set(vcpu(0), SC_REG_GUEST_CRASH_P0 + 3, PAGE);
	guest_set(vcpu(0), SC_REG_GUEST_CRASH_P4, 1 << 20);
	fake_vcpu_script(vcpu(0), &crash);
	expect_end(MACHINE_END_PANIC);
}

static void test_panic_nowhere(void **state)
{
	const struct fake_exit crash = guest_exit(SC_CALL_SET_ONE, SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY);

	(void)state;
	run();
	guest_set(vcpu(0), SC_REG_GUEST_CRASH_P0 + 3, LAYOUT_RAM_BASE + LAYOUT_RAM_MIN - 1);
	guest_set(vcpu(0), SC_REG_GUEST_CRASH_P4, UINT64_MAX);
	fake_vcpu_script(vcpu(0), &crash);
	expect_end(MACHINE_END_PANIC);
}

/* ---- Exits ---- */

static void test_smc(void **state)
{
	struct fake_exit exit = guest_exit(SC_CALL_GET_ONE, SC_REG_SEACLOCK, 0);

	(void)state;
	run();
	exit.exit.smc = true;
	fake_vcpu_script(vcpu(0), &exit);
	assert_true(fake_vcpu_wait(vcpu(0)));
	assert_true(fake_vcpu_register(vcpu(0), FAKE_REGISTER_X0) == UINT64_MAX);
	assert_int_equal(fake_vcpu_register(vcpu(0), FAKE_REGISTER_X0 + 6), 0);
}

static void test_uart(void **state)
{
	char path[] = "/tmp/seaclock-console-XXXXXX", output[8] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(console_open(&console, path, &error), 0);
	run();
	mmio(UART_DR, 1, true, 'h');
	mmio(UART_DR, 1, true, 'i');
	console_close(&console);
	assert_int_equal(read(fd, output, sizeof(output)), 2);
	assert_string_equal(output, "hi");
	/* Nobody takes it any more, and the guest does not notice. */
	mmio(UART_DR, 1, true, '!');
	close(fd);
	unlink(path);
	assert_true(uart_receive(&machine.devices.uart, 'k'));
	assert_int_equal(mmio(UART_DR, 1, false, 0), 'k');
	for (unsigned int n = 0; n < PL011_FIFO_SIZE + UART_INPUT_MAX; n++)
		assert_true(uart_receive(&machine.devices.uart, (uint8_t)n));
	assert_false(uart_receive(&machine.devices.uart, 'y'));
	/* Each that the guest takes makes room for another. */
	assert_int_equal(mmio(UART_DR, 1, false, 0), 0);
	assert_true(uart_receive(&machine.devices.uart, 'z'));
	for (unsigned int n = 1; n < 100; n++)
		assert_int_equal(mmio(UART_DR, 1, false, 0), n);
}

static void test_nothing_there(void **state)
{
	(void)state;
	run();
	for (int n = 0; n < 40; n++)
		assert_int_equal(mmio(4096 * (uint64_t)n, 8, false, 0xff), 0);
	mmio(UINT64_MAX - 7, 8, true, 0xff);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
}

/* ---- Level and timers ---- */

static void test_level(void **state)
{
	(void)state;
	run();
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_NONE);
	guest_load_driver(vcpu(0), PAGE);
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_REFERENCE);
	/* A second vCPU that is on and has no timer. */
	fake_vcpu_of(vcpu(1))->on = true;
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_NONE);
	guest_set(vcpu(1), SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID));
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_REFERENCE);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED);
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_NONE);
	machine_pause(&machine, &error);
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).level, SC_LEVEL_NONE);
}

/* What is inferred is told as such, the level agrees with it, and no vCPU is called or waited for. */
static void test_known_level(void **state)
{
	struct sc_follow follow;
	uint32_t touches;

	(void)state;
	run();
	guest_load_driver(vcpu(0), PAGE);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, 0);
	touches = fake_vm_touches(&machine.vm);
	follow = machine_known_follow(&machine);
	assert_int_equal(follow.level, SC_LEVEL_REFERENCE);
	assert_true(follow.on_page && follow.inferred);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, GUEST_CLOCK_ON_PAGE);
	guest_set(vcpu(0), SC_REG_STIMER0_CONFIG, 0);
	follow = machine_known_follow(&machine);
	assert_int_equal(follow.obstacle, SC_OBSTACLE_TIMER);
	assert_int_equal(follow.vp, 0);
	assert_true(follow.on_page && !follow.inferred);
	assert_int_equal(fake_vm_touches(&machine.vm), touches);
}

/* What the fake's interrupt controller has seen so far, as one number; waits until it is `want`. */
static bool wait_interrupts(bool level, uint32_t want)
{
	const struct fake_vm *vm = fake_vm_of(&machine.vm);
	uint32_t seen = 0;

	for (int n = 0; n < 5000; n++) {
		pthread_mutex_lock(&fake_lock);
		seen = level ? vm->level[0] >> SC_STIMER0_INTID & 1 : vm->latched[0][SC_STIMER0_INTID];
		pthread_mutex_unlock(&fake_lock);
		if (seen == want)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static void test_timer_level(void **state)
{
	(void)state;
	run();
	guest_load_driver(vcpu(0), PAGE);
	guest_set(vcpu(0), SC_REG_STIMER0_COUNT, 10 * MS / SC_REF_NS);
	fake_time_advance(11 * MS);
	assert_true(wait_interrupts(true, 1));
	guest_set(vcpu(0), SC_REG_STIMER0_COUNT, 20 * MS / SC_REF_NS);
	assert_true(wait_interrupts(true, 0));
}

static void test_timer_latch(void **state)
{
	(void)state;
	run();
	guest_load_driver(vcpu(0), PAGE);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, 0);
	for (uint32_t n = 1; n <= 20; n++) {
		guest_set(vcpu(0), SC_REG_STIMER0_COUNT, clock_reference(&machine.clock).v + 10);
		fake_time_advance(MS);
		assert_true(wait_interrupts(false, n));
	}
	/* The vCPUs run on. */
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	assert_true(fake_vcpu_wait_inside(vcpu(1), true));
}

/* ---- Everybody at once ---- */

static bool storm_over;

static void *storm_thread(void *argument)
{
	struct random random = { (uintptr_t)argument };
	struct error ignored;

	fake_host_use(machine.vm.vm >= 0 ? fake_vm_of(&machine.vm)->host : NULL);
	while (!__atomic_load_n(&storm_over, __ATOMIC_SEQ_CST)) {
		switch (random_between(&random, 0, 5)) {
		case 0:
			machine_pause(&machine, &ignored);
			break;
		case 1:
			machine_resume(&machine, SC_CLOCK_FREEZE, false, &ignored);
			break;
		case 2:
			machine_follow(&machine, SC_MOVE_ASKED);
			machine_known_follow(&machine);
			break;
		case 3:
			if (!machine_begin_migration(&machine, &ignored))
				machine_end_migration(&machine, MACHINE_RUNNING);
			break;
		case 4:
			machine_get_state(&machine);
			uart_receive(&machine.devices.uart, 'x');
			break;
		default:
			fake_time_advance(MS);
		}
	}
	return NULL;
}

static void test_storm(void **state)
{
	struct random random = random_start();
	pthread_t threads[3];
	uint64_t last = 0;

	(void)state;
	run();
	guest_load_driver(vcpu(0), PAGE);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, random_next(&random) & SC_GUEST_CLOCK_REWRITES_TIMER);
	storm_over = false;
	for (size_t n = 0; n < ARRAY_SIZE(threads); n++)
		pthread_create(&threads[n], NULL, storm_thread, (void *)(uintptr_t)random_next(&random));
	for (int n = 0; n < 300; n++) {
		const struct fake_exit exit =
			guest_exit(SC_CALL_SET_ONE, SC_REG_STIMER0_COUNT, last + random_between(&random, 1, 30000));
		uint64_t now = clock_reference(&machine.clock).v;

		assert_true(now >= last);
		last = now;
		if (n % 10 == 0)
			fake_vcpu_script(vcpu(0), &exit);
		sched_yield();
	}
	play(1, HOST_EXIT_SHUTDOWN);
	machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
	while (!readable(machine.ended, 10))
		machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
	__atomic_store_n(&storm_over, true, __ATOMIC_SEQ_CST);
	for (size_t n = 0; n < ARRAY_SIZE(threads); n++)
		pthread_join(threads[n], NULL);
	expect_end(MACHINE_END_POWER_OFF);
}

/* Reset in place: the guest's registers, timers and devices are as at the start, memory and reference time are not. */
static void test_reset_in_place(void **state)
{
	const struct host_vcpu *vcpu = &machine.vcpus.vcpu[0].host;
	uint64_t before;

	(void)state;
	run();
	guest_load_driver(&machine.vcpus.vcpu[0].host, LAYOUT_RAM_BASE);
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).obstacle != SC_OBSTACLE_NO_PAGE, true);
	assert_true(uart_receive(&machine.devices.uart, 'x'));
	assert_int_equal(machine_pause(&machine, &error), 0);
	before = clock_reference(&machine.clock).v;
	assert_int_equal(machine_reset(&machine, &error), 0);
	assert_int_equal(machine.devices.uart.pl011.count, 0);
	assert_int_equal(machine.clock.partition.guest_os_id, 0);
	assert_int_equal(machine.clock.partition.reference_tsc, 0);
	assert_int_equal(fake_vcpu_register(vcpu, FAKE_REGISTER_X0), 0);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_true(clock_reference(&machine.clock).v >= before);
	assert_int_equal(machine_follow(&machine, SC_MOVE_ASKED).obstacle, SC_OBSTACLE_NO_PAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_create_fails), TEST(test_never_started),  TEST(test_pause_and_resume),
		TEST(test_resume_fails), TEST(test_resume_waits),   TEST(test_known_level),
		TEST(test_migrating),	 TEST(test_undecided),	    TEST(test_undecided_stop),
		TEST(test_names),	 TEST(test_power_off),	    TEST(test_reset),
		TEST(test_unknown_exit), TEST(test_kvm_fails),	    TEST(test_registers_fail),
		TEST(test_panic),	 TEST(test_panic_nowhere),  TEST(test_smc),
		TEST(test_uart),	 TEST(test_reset_in_place), TEST(test_nothing_there),
		TEST(test_level),	 TEST(test_timer_level),    TEST(test_timer_latch),
		TEST(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
