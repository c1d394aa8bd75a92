/* SPDX-License-Identifier: BSD-2-Clause */
/* A block device whose thread does not come back from the disk: whoever waits for it does not wait for ever. */
#include "block_fixture.h"

#include <errno.h>

/* What passes at each look at the clock. */
#define PATIENCE_STEP_NS 1700000000ull

/* A system call that does not end: the thread itself does not come back, and nobody waits for it for ever. */
static void get_stuck(void)
{
	fake_disk_set_stuck(&disk, true);
	fake_time_set_step(PATIENCE_STEP_NS);
}

/* With a request that is under way. */
static void read_and_get_stuck(void)
{
	fake_disk_set_silent(&disk, true);
	send(0, VIRTIO_BLK_T_IN, 0, NULL, 0, 513);
	while (!fake_disk_pending(&disk))
		usleep(100);
	get_stuck();
	fake_disk_set_silent(&disk, false);
}

static void test_stuck_is_not_settled(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	read_and_get_stuck();
	quiesce();
	assert_int_equal(block_stands(&guest.block, &error), -ETIMEDOUT);
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	start();
	fake_disk_set_stuck(&disk, false);
	assert_int_equal(status_of((uint32_t)block_guest_wait(&guest)), VIRTIO_BLK_S_OK);
	quiesce();
	assert_int_equal(block_stands(&guest.block, &error), 0);
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_int_equal(disk.medium[0], 1);
}

/* It comes back while the guest stands still, and finds the device as it was left. */
static void test_stuck_comes_back_late(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	read_and_get_stuck();
	quiesce();
	fake_disk_set_stuck(&disk, false);
	assert_int_equal(status_of((uint32_t)block_guest_wait(&guest)), VIRTIO_BLK_S_OK);
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	start();
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
}

/* Whoever asked is told in time, and the guest once the disk has answered. */
static void test_resize_is_late(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	disk.grown = 2 * SIZE;
	get_stuck();
	assert_int_equal(block_resize(&guest.block, &error), -ETIMEDOUT);
	assert_int_equal(block_resize(&guest.block, &error), -EBUSY);
	quiesce();
	assert_int_equal(block_stands(&guest.block, &error), -ETIMEDOUT);
	start();
	fake_disk_set_stuck(&disk, false);
	while (config_u32(0) != 2 * SECTORS)
		usleep(100);
	assert_int_equal(block_resize(&guest.block, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stuck_is_not_settled),
		TEST(test_stuck_comes_back_late),
		TEST(test_resize_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
