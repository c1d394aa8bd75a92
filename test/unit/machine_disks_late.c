/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine whose disks do not answer, or whose file systems do not: what it does meanwhile, and what nobody waits for.
 */
#include "machine_disks_fixture.h"

/* ---- A file system that does not answer ---- */

static struct disk_ops slow_ops;
static bool machine_locked;
static enum machine_state before;
static int (*meanwhile)(struct machine *machine, enum machine_state *before, struct error *error);

/* Of the second disk. */
static int lock_late(struct disk *disk, int limit_ms, struct error *reason)
{
	struct error ignored;

	(void)disk;
	assert_true(limit_ms > 0 && (unsigned int)limit_ms <= DISKS_LOCK_MS);
	machine_locked = pthread_mutex_trylock(&machine.lock.mutex) != 0;
	if (!machine_locked)
		pthread_mutex_unlock(&machine.lock.mutex);
	if (!meanwhile)
		return error_set(reason, ETIMEDOUT, "b does not answer");
	return meanwhile(&machine, &before, &ignored);
}

static void make_late(void)
{
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	/* The thread leaves these alone then. */
	devices_quiesce(&machine.devices);
	slow_ops = *machine.disks.disk[1]->ops;
	slow_ops.lock = lock_late;
	machine.disks.disk[1]->ops = &slow_ops;
	machine_locked = true;
	meanwhile = NULL;
}

/* It holds up nobody who wants something else of the machine, which stays as it is. */
static void test_late_lock(void **state)
{
	(void)state;
	make_late();
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "disk 1: b does not answer (it was waited for 4 s)");
	assert_false(machine_locked);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	assert_false(machine_has_disks(&machine));
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), 0);
	machine_destroy(&machine);
}

/* What was to be resumed is something else by then: the disks are given back. */
static void test_lock_comes_too_late(void **state)
{
	(void)state;
	make_late();
	meanwhile = machine_begin_save;
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -EBUSY);
	assert_int_equal(machine_get_state(&machine), MACHINE_SAVING);
	assert_false(machine_has_disks(&machine));
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), 0);
	machine_destroy(&machine);
}

/* ---- A disk that does not answer ---- */

static struct disk_ops silent_ops;
static struct disk_request *kept;
static bool answers; /* atomic */

static void keep(struct disk *disk, struct disk_request *request)
{
	(void)disk;
	assert_null(kept);
	kept = request;
}

static int look_again(struct disk *disk, struct pollfd *wanted)
{
	(void)disk;
	*wanted = (struct pollfd){ .fd = -1 };
	return kept ? 1 : -1;
}

static void answer(struct disk *disk, short events)
{
	struct disk_request *request = kept;

	(void)events;
	if (!request || !__atomic_load_n(&answers, __ATOMIC_SEQ_CST))
		return;
	kept = NULL;
	request->result = 0;
	disk->done(disk->context, request);
}

static uint32_t aside(void)
{
	uint32_t count;

	lock_take(&machine.vcpus.lock);
	count = machine.vcpus.aside;
	lock_drop(&machine.vcpus.lock);
	return count;
}

static void await_request(void)
{
	struct block *block = &machine.devices.disk[0];
	uint32_t under_way = 0;

	while (!under_way) {
		lock_take(&block->virtio.device.lock);
		under_way = block->under_way;
		lock_drop(&block->virtio.device.lock);
	}
}

/* The guest resets its disk, which has not done what it was asked: the vCPU waits for that. */
static void reset_and_wait(void)
{
	const struct fake_exit reset = {
		.exit = { .kind = HOST_EXIT_MMIO, .gpa = 0x0a000000 + 0x070, .size = 4, .write = true }
	};

	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	/* The thread leaves these alone then. */
	devices_quiesce(&machine.devices);
	silent_ops = *machine.disks.disk[0]->ops;
	silent_ops.submit = keep;
	silent_ops.poll = look_again;
	silent_ops.dispatch = answer;
	machine.disks.disk[0]->ops = &silent_ops;
	__atomic_store_n(&answers, false, __ATOMIC_SEQ_CST);
	kept = NULL;
	run();
	send_byte(disk_device(0), 7);
	await_request();
	fake_time_set_step(1700 * MS);
	fake_vcpu_script(vcpu(0), &reset);
	while (!aside())
		usleep(100);
}

static void expect_reset(void)
{
	while (virtio_driver_read(disk_device(0), 0x070))
		usleep(100);
	assert_int_equal(aside(), 0);
}

/* Nobody waits for such a vCPU, and nothing is made of a machine that has one. */
static void test_pause_while_a_vcpu_waits(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };

	(void)state;
	reset_and_wait();
	assert_int_equal(machine_pause(&machine, &error), 0);
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), -ETIMEDOUT);
	assert_int_equal(vcpus_settle(&machine.vcpus), -EBUSY);
	__atomic_store_n(&answers, true, __ATOMIC_SEQ_CST);
	/* It finishes what it has begun, and no more, though the machine is paused. */
	expect_reset();
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	assert_true(fake_vcpu_wait_inside(vcpu(0), false));
	run();
	buffer_free(&saved);
	machine_destroy(&machine);
}

/* The disk answers while the machine runs. */
static void test_run_while_a_vcpu_waits(void **state)
{
	(void)state;
	reset_and_wait();
	__atomic_store_n(&answers, true, __ATOMIC_SEQ_CST);
	expect_reset();
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	machine_destroy(&machine);
}

/* The other vCPU resets the machine: that waits for the disk, and for the vCPU to be done. */
static void test_restart_while_a_vcpu_waits(void **state)
{
	(void)state;
	reset_and_wait();
	vcpus_park(&machine.vcpus);
	__atomic_store_n(&answers, true, __ATOMIC_SEQ_CST);
	assert_int_equal(machine_reset(&machine, &error), 0);
	assert_int_equal(aside(), 0);
	assert_int_equal(virtio_driver_read(disk_device(0), 0x070), 0);
	vcpus_unpark(&machine.vcpus);
	machine_destroy(&machine);
}

static int (*ask_size)(struct disk *disk, struct error *reason);

static int resize_late(struct disk *disk, struct error *reason)
{
	while (!__atomic_load_n(&answers, __ATOMIC_SEQ_CST))
		usleep(100);
	return ask_size(disk, reason);
}

static uint64_t size_seen(void)
{
	return block_see(&machine.devices.disk[0]).size;
}

/* A size that comes when nobody waits for it any more: until then the machine is not taken elsewhere. */
static void test_late_size(void **state)
{
	struct machine_growth growth = { 0 };

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	/* The thread leaves these alone then. */
	devices_quiesce(&machine.devices);
	silent_ops = *machine.disks.disk[0]->ops;
	ask_size = silent_ops.resize;
	silent_ops.resize = resize_late;
	machine.disks.disk[0]->ops = &silent_ops;
	__atomic_store_n(&answers, false, __ATOMIC_SEQ_CST);
	run();
	assert_int_equal(truncate("a", DISK_SIZE * 2), 0);
	fake_time_set_step(1700 * MS);
	assert_int_equal(machine_grow(&machine, 0, &growth, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "disk 0 (a) does not answer: its guest is told of a new size once it does");
	assert_int_equal(machine_begin_migration(&machine, &error), -EBUSY);
	assert_int_equal(machine_begin_save(&machine, &before, &error), -EBUSY);
	assert_int_equal(machine_grow(&machine, 1, &growth, &error), -EBUSY);
	assert_string_equal(error.text,
			    "the size of a disk of m is being asked for: it cannot be given a larger disk now");
	fake_time_set_step(0);
	__atomic_store_n(&answers, true, __ATOMIC_SEQ_CST);
	while (size_seen() != DISK_SIZE * 2)
		usleep(100);
	assert_int_equal(machine_grow(&machine, 0, &growth, &error), 0);
	assert_true(growth.before == DISK_SIZE * 2 && growth.after == DISK_SIZE * 2);
	assert_int_equal(machine_begin_migration(&machine, &error), 0);
	machine_end_migration(&machine, MACHINE_RUNNING);
	machine_destroy(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISKS_TEST(test_pause_while_a_vcpu_waits),   DISKS_TEST(test_run_while_a_vcpu_waits),
		DISKS_TEST(test_restart_while_a_vcpu_waits), DISKS_TEST(test_late_lock),
		DISKS_TEST(test_lock_comes_too_late),	     DISKS_TEST(test_late_size),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
