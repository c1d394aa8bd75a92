/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are block devices: loop devices, each of which ends with its last user. Where this machine does not allow
 * them the tests are skipped.
 */
#include "disk_fixture.h"

#include <linux/loop.h>
#include <sys/ioctl.h>

/* Makes one of the file, which ends with its last user; -1 if this machine does not allow it. */
static int loop_make(char *where, size_t size)
{
	const struct loop_info64 ends_by_itself = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number, loop, file;

	number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (number < 0)
		return -1;
	snprintf(where, size, "/dev/loop%d", number);
	loop = open(where, O_RDWR | O_CLOEXEC);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (loop >= 0 && (ioctl(loop, LOOP_SET_FD, file) || ioctl(loop, LOOP_SET_STATUS64, &ends_by_itself))) {
		close(loop);
		loop = -1;
	}
	close(file);
	return loop;
}

static void test_block_device(void **state)
{
	char where[32];
	int loop = loop_make(where, sizeof(where));
	struct disk *other;

	(void)state;
	if (loop < 0) {
		print_message("no loop device can be made\n");
		skip();
	}
	assert_int_equal(open_at(where, false), 0);
	assert_int_equal(client.disk->size, SIZE);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), -ENOTSUP);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	other = client.disk;
	assert_int_equal(open_at(where, false), 0);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), -EBUSY);
	close_disk();
	disk_client_attach(&client, other);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, SIZE), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE_ZEROES, 8192, NULL, 8192), 0);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 65536, NULL, SIZE - 65536), 0);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(client.disk->ops->resize(client.disk, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 65536), 0);
	memset(data + 8192, 0, 8192);
	assert_memory_equal(back, data, 65536);
	assert_true(file_space(path) < SIZE / 2);
	close_disk();
	close(loop);
}

/* Two devices of one file are as one device seen from two hosts: each has its own cache. */
static void test_moved(void **state)
{
	char here[32], there[32];
	int first = loop_make(here, sizeof(here)), second = loop_make(there, sizeof(there));

	(void)state;
	if (first < 0 || second < 0) {
		print_message("no loop device can be made\n");
		skip();
	}
	assert_int_equal(open_at(here, false), 0);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 65536), 0);
	assert_int_equal(pwrite(second, data, 65536, 0), 65536);
	assert_false(fsync(second));
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 65536), 0);
	assert_memory_equal(back, data, 65536);
	close_disk();
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWICE(test_block_device),
		BY(test_moved, &engine_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
