/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that starts anew in place: what is as at power-on and what is not, in which states it is done, what happens
 * if it cannot be, and that a guest may do it as often as it likes.
 */
#include "machine_fixture.h"
#include "boot_fixture.h"

#include "base/log.h"
#include "machine/expiry.h"
#include "snapshot/save.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <zlib.h>

#define LOOPS 1000u
#define DIRT (LAYOUT_RAM_BASE + (48ull << 20))

static char folder[] = "/tmp/seaclock-restart-XXXXXX";
static struct machine_config described;

/* Whose last byte is this; compressed with mode "w". */
static void write_kernel_by(const char *mode, uint8_t last)
{
	uint8_t image[IMAGE_FILE_SIZE];
	gzFile file = gzopen(described.kernel, mode);

	fixture_image(image);
	image[IMAGE_FILE_SIZE - 1] = last;
	assert_non_null(file);
	assert_int_equal(gzfwrite(image, sizeof(image), 1, file), 1);
	assert_int_equal(gzclose(file), Z_OK);
}

static void write_kernel(uint8_t last)
{
	write_kernel_by("wT", last);
}

static int restart_set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	console = (struct console){ .in = -1, .out = -1 };
	described = config;
	described.on_reboot = described.on_panic = CONFIG_RESET;
	snprintf(described.kernel, sizeof(described.kernel), "%s/Image", folder);
	snprintf(described.command_line, sizeof(described.command_line), "again");
	write_kernel(1);
	return machine_create(&machine, &described, &console, &error);
}

static void play(uint32_t n, enum host_exit_kind kind)
{
	const struct fake_exit exit = { .exit = { .kind = kind } };

	fake_vcpu_script(vcpu(n), &exit);
}

static uint32_t restarts(void)
{
	return __atomic_load_n(&machine.restarts, __ATOMIC_RELAXED);
}

static bool wait_restarts(uint32_t count)
{
	for (unsigned int n = 0; n < wait_scaled(5000) && restarts() < count; n++)
		usleep(1000);
	return restarts() == count && fake_vcpu_wait_inside(vcpu(0), true) && fake_vcpu_wait_inside(vcpu(1), true);
}

static void wait_end(enum machine_end end)
{
	for (unsigned int n = 0; n < wait_scaled(5000) && machine_get_end(&machine) == MACHINE_END_NONE; n++)
		usleep(1000);
	assert_int_equal(machine_get_end(&machine), end);
}

/* A reset has been ordered, and is not done. */
static void expect_waiting(void)
{
	for (unsigned int n = 0; n < wait_scaled(5000) && !machine_check_alive(&machine, "moved", &error); n++)
		usleep(1000);
	assert_int_equal(machine_check_alive(&machine, "moved", &error), -EBUSY);
	assert_int_equal(restarts(), 0);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
}

static uint8_t ram(uint64_t gpa)
{
	return machine.memory.region[0].host[gpa - LAYOUT_RAM_BASE];
}

/* ---- A disk that does not answer ---- */

static char disk_path[64];
static struct disk_ops stuck_ops;
static uint32_t tries; /* atomic */
static bool stuck;     /* atomic */
static bool inside;    /* the thread is in that call; atomic */

/* The thread of the disk, in a system call that does not end. */
static int poll_stuck(struct disk *disk, struct pollfd *wanted)
{
	while (__atomic_load_n(&stuck, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&inside, true, __ATOMIC_SEQ_CST);
		usleep(1000);
	}
	*wanted = (struct pollfd){ .fd = -1 };
	(void)disk;
	return -1;
}

static void quiesce_counted(struct device *device)
{
	__atomic_fetch_add(&tries, 1, __ATOMIC_SEQ_CST);
	((struct virtio *)device)->ops->quiesce((struct virtio *)device);
}

static int stuck_set_up(void **state)
{
	int fd, result;

	snprintf(disk_path, sizeof(disk_path), "%s/disk", folder);
	fd = open(disk_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 1 << 20))
		return -1;
	close(fd);
	if (restart_set_up(state))
		return -1;
	machine_destroy(&machine);
	described.disks = 1;
	snprintf(described.disk[0].where, sizeof(described.disk[0].where), "%s", disk_path);
	result = machine_create(&machine, &described, &console, &error);
	if (result)
		return result;
	/* The thread leaves these alone then. */
	devices_quiesce(&machine.devices);
	stuck_ops = *machine.disks.disk[0]->ops;
	stuck_ops.poll = poll_stuck;
	machine.disks.disk[0]->ops = &stuck_ops;
	machine.devices.disk[0].virtio.device_ops.quiesce = quiesce_counted;
	__atomic_store_n(&tries, 0, __ATOMIC_SEQ_CST);
	return 0;
}

/* The guest resets its machine while the disk's thread is stuck: it has been waited for in vain. */
static void reset_while_stuck(void)
{
	run();
	__atomic_store_n(&stuck, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&inside, false, __ATOMIC_SEQ_CST);
	eventfd_write(machine.devices.disk[0].wake, 1);
	while (!__atomic_load_n(&inside, __ATOMIC_SEQ_CST))
		usleep(1000);
	fake_time_set_step(1700 * MS);
	play(0, HOST_EXIT_RESET);
	while (__atomic_load_n(&tries, __ATOMIC_SEQ_CST) < 2)
		usleep(1000);
	assert_int_equal(machine_get_state(&machine), MACHINE_RESETTING);
	assert_int_equal(restarts(), 0);
}

static void test_waits_for_a_disk(void **state)
{
	(void)state;
	reset_while_stuck();
	__atomic_store_n(&stuck, false, __ATOMIC_SEQ_CST);
	assert_true(wait_restarts(1));
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
}

static void test_ends_while_it_waits_for_a_disk(void **state)
{
	(void)state;
	reset_while_stuck();
	assert_int_equal(machine_stop(&machine, &error), 0);
	expiry_stop(&machine);
	assert_int_equal(restarts(), 0);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_STOPPED);
	__atomic_store_n(&stuck, false, __ATOMIC_SEQ_CST);
}

/* ---- What is new ---- */

static void test_all_is_new(void **state)
{
	uint64_t before, dirty[(LAYOUT_RAM_MIN + LAYOUT_PLATFORM_SIZE) / 4096 / 64] = { 0 };

	(void)state;
	run();
	guest_load_driver(vcpu(0), PAGE);
	fake_guest_write(&machine.vm, DIRT, "dirt", 4);
	fake_vcpu_set_register(vcpu(1), FAKE_REGISTER_X0, 5);
	assert_true(uart_receive(&machine.devices.uart, 'x'));
	memory_take_dirty(&machine.memory, dirty);
	fake_time_advance(10 * MS);
	before = clock_reference(&machine.clock).v;
	play(0, HOST_EXIT_RESET);
	assert_true(wait_restarts(1));
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	assert_true(clock_reference(&machine.clock).v >= before);
	assert_int_equal(machine.clock.partition.guest_os_id, 0);
	assert_int_equal(machine.clock.partition.reference_tsc, 0);
	assert_int_equal(machine.devices.uart.pl011.count, 0);
	assert_int_equal(fake_vcpu_register(vcpu(1), FAKE_REGISTER_X0), 0);
	assert_int_equal(fake_vcpu_register(vcpu(0), FAKE_REGISTER_PC), LAYOUT_RAM_BASE);
	assert_int_equal(
		fixture_load(
			&machine.memory.region[0].host[fake_vcpu_register(vcpu(0), FAKE_REGISTER_X0) - LAYOUT_RAM_BASE],
			4),
		0xedfe0dd0);
	assert_int_equal(ram(LAYOUT_RAM_BASE + 56), 'A');
	assert_int_equal(ram(DIRT), 0);
	/* The other side of a migration may have the old contents of any page. */
	memset(dirty, 0, sizeof(dirty));
	memory_take_dirty(&machine.memory, dirty);
	for (size_t n = 0; n < LAYOUT_RAM_MIN / 4096 / 64; n++)
		assert_true(dirty[n] == UINT64_MAX);
}

static void test_new_kernel(void **state)
{
	(void)state;
	run();
	write_kernel(2);
	play(0, HOST_EXIT_RESET);
	assert_true(wait_restarts(1));
	assert_int_equal(ram(LAYOUT_RAM_BASE + IMAGE_FILE_SIZE - 1), 2);
}

static void test_compressed_kernel(void **state)
{
	(void)state;
	run();
	write_kernel_by("w", 2);
	play(0, HOST_EXIT_RESET);
	assert_true(wait_restarts(1));
	assert_int_equal(ram(LAYOUT_RAM_BASE + 56), 'A');
	assert_int_equal(ram(LAYOUT_RAM_BASE + IMAGE_FILE_SIZE - 1), 2);
}

static void crash(uint32_t n)
{
	const struct fake_exit exit = guest_exit(SC_CALL_SET_ONE, SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY);

	fake_vcpu_script(vcpu(n), &exit);
}

/* Of a crash while the other vCPU waits in a hold, or is in the middle of an access to a device, nothing is left. */
static void test_crash(void **state)
{
	const struct fake_exit hold = guest_exit(SC_CALL_GET_ONE, SC_REG_HOLD, 0);
	const struct fake_exit load = { .exit = { .kind = HOST_EXIT_MMIO, .gpa = LAYOUT_UART_BASE + 0x18, .size = 4 } };

	(void)state;
	run();
	guest_set(vcpu(0), SC_REG_GUEST_OS_ID, GUEST_OS_ID);
	guest_set(vcpu(0), SC_REG_GUEST_CLOCK, GUEST_CLOCK_ON_PAGE | SC_GUEST_CLOCK_HOLDS);
	clock_request(&machine.clock, SC_ASK_HOLD);
	fake_vcpu_script(vcpu(0), &hold);
	assert_true(fake_vcpu_wait_inside(vcpu(0), false));
	crash(1);
	assert_true(wait_restarts(1));
	assert_false(clock_is_held(&machine.clock));
	for (uint32_t n = 2; n < 20; n++) {
		for (int i = 0; i < 20; i++)
			fake_vcpu_script(vcpu(0), &load);
		crash(1);
		assert_true(wait_restarts(n));
		assert_true(fake_vcpu_wait(vcpu(0)));
	}
}

/* ---- When it is done ---- */

static void test_paused(void **state)
{
	(void)state;
	run();
	/* The order comes while the machine is about to pause. */
	machine_pause(&machine, &error);
	machine_restart(&machine, MACHINE_END_RESET);
	expect_waiting();
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_true(wait_restarts(1));
}

static void test_migrating(void **state)
{
	(void)state;
	run();
	assert_int_equal(machine_begin_migration(&machine, &error), 0);
	play(1, HOST_EXIT_RESET);
	expect_waiting();
	assert_string_equal(error.text, "m starts anew here, for its guest has reset it: it cannot be moved before");
	machine_end_migration(&machine, MACHINE_RUNNING);
	assert_true(wait_restarts(1));
}

static void test_saving(void **state)
{
	FILE *file = tmpfile();
	const struct save_options options = { .fd = fileno(file), .path = "file", .limits = &handover_limits };
	enum machine_state before;
	struct save_report report;

	(void)state;
	run();
	assert_int_equal(machine_begin_save(&machine, &before, &error), 0);
	crash(0);
	expect_waiting();
	assert_int_equal(save_run(&machine, &options, &report, &error), -EBUSY);
	assert_string_equal(error.text, "m starts anew here, for its guest has crashed: it cannot be saved before");
	fclose(file);
	machine_end_save(&machine, before);
	assert_true(wait_restarts(1));
}

/* A machine that is stopped before it can start anew. */
static void test_stopped(void **state)
{
	(void)state;
	run();
	machine_pause(&machine, &error);
	machine_restart(&machine, MACHINE_END_RESET);
	assert_int_equal(machine_stop(&machine, &error), 0);
	assert_int_equal(machine_check_alive(&machine, "moved", &error), -ESHUTDOWN);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_STOPPED);
	assert_int_equal(restarts(), 0);
}

/* ---- If it cannot be done ---- */

static void test_no_kernel(void **state)
{
	(void)state;
	run();
	fake_guest_write(&machine.vm, DIRT, "dirt", 4);
	assert_int_equal(unlink(described.kernel), 0);
	play(0, HOST_EXIT_RESET);
	wait_end(MACHINE_END_RESET);
	assert_int_equal(restarts(), 0);
	/* Whoever looks for the reason finds the guest's memory as it was. */
	assert_int_equal(ram(DIRT), 'd');
}

/* Of a compressed kernel, this is known before anything is done to the guest. */
static void test_damaged_kernel(void **state)
{
	(void)state;
	run();
	fake_guest_write(&machine.vm, DIRT, "dirt", 4);
	write_kernel_by("w", 2);
	assert_int_equal(truncate(described.kernel, 100), 0);
	play(0, HOST_EXIT_RESET);
	wait_end(MACHINE_END_RESET);
	assert_int_equal(restarts(), 0);
	assert_int_equal(ram(DIRT), 'd');
}

static void test_no_name(void **state)
{
	(void)state;
	machine.config.kernel[0] = '\0';
	run();
	crash(0);
	wait_end(MACHINE_END_PANIC);
}

static void test_host_fails(void **state)
{
	static const enum fake_call calls[] = { FAKE_VCPU_RESET, FAKE_GIC_RESET };

	for (size_t n = 0; n < ARRAY_SIZE(calls); n++) {
		if (n) {
			tear_down(state);
			restart_set_up(state);
		}
		run();
		fake_fail(fake_host_current(), calls[n], 0, 1, EIO);
		play(1, HOST_EXIT_RESET);
		wait_end(MACHINE_END_RESET);
		assert_int_equal(fake_vm_of(&machine.vm)->inside, 0);
	}
}

/* ---- Again and again ---- */

static uint32_t descriptors(void)
{
	DIR *open_ones = opendir("/proc/self/fd");
	uint32_t count = 0;

	while (readdir(open_ones))
		count++;
	closedir(open_ones);
	return count;
}

/* From either vCPU, by itself and with the other at work; nothing grows, and the log does not fill. */
static void test_loop(void **state)
{
	uint64_t last = 0;
	uint32_t before = 0;

	(void)state;
	run();
	for (uint32_t n = 0; n < LOOPS; n++) {
		uint64_t now = clock_reference(&machine.clock).v;

		assert_true(now >= last);
		last = now;
		if (n == 10)
			before = descriptors();
		if (n % 3)
			play(n % 2, HOST_EXIT_RESET);
		else
			crash(n % 2);
		assert_true(wait_restarts(n + 1));
		fake_time_advance(MS);
	}
	assert_int_equal(descriptors(), before);
	assert_int_equal(machine.restarts_logged, LOG_GUEST_LINES);
	assert_int_equal(machine.crashes_logged, LOG_GUEST_LINES);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_NONE);
}

#define RESTART_TEST(name) cmocka_unit_test_setup_teardown(name, restart_set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		RESTART_TEST(test_all_is_new),
		RESTART_TEST(test_new_kernel),
		RESTART_TEST(test_compressed_kernel),
		RESTART_TEST(test_damaged_kernel),
		RESTART_TEST(test_crash),
		RESTART_TEST(test_paused),
		RESTART_TEST(test_migrating),
		RESTART_TEST(test_saving),
		RESTART_TEST(test_stopped),
		RESTART_TEST(test_no_kernel),
		RESTART_TEST(test_no_name),
		RESTART_TEST(test_host_fails),
		RESTART_TEST(test_loop),
		cmocka_unit_test_setup_teardown(test_waits_for_a_disk, stuck_set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ends_while_it_waits_for_a_disk, stuck_set_up, tear_down),
	};
	int failed;

	if (!mkdtemp(folder))
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(described.kernel);
	unlink(disk_path);
	rmdir(folder);
	return failed;
}
