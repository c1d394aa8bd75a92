/* SPDX-License-Identifier: BSD-2-Clause */
/* What reaches a disk's medium before the guest is stopped: disks that are fast, slow, or too slow. */
#include "unit.h"
#include "../fake/disk.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "base/layout.h"
#include "migrate/ahead.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LIMIT_S 60
#define SIZE 4096u
#define LIMIT_MS 100
/* What passes at each look at the clock. */
#define STEP_NS 10000000u

static struct devices devices;
static struct fake_disk disk;
static struct memory memory;
static const struct hold_wait alone = { .limit_ms = LIMIT_MS };

static void set_line(void *context, uint32_t intid, bool level)
{
	(void)context;
	(void)intid;
	(void)level;
}

static struct device *device(void)
{
	return &devices.disk[0].virtio.device;
}

static int set_up(void **state)
{
	static const struct device_line line = { .set = set_line };
	const struct block_options options = {
		.disk = &disk.disk, .serial = "", .memory = &memory, .machine = "m", .line = &line
	};
	struct error error;

	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	fake_disk_init(&disk, SIZE, SIZE, (struct random){ 1 });
	assert_int_equal(block_create(&devices.disk[0], &options, &error), 0);
	devices.disks = 1;
	/* As if the guest had written. */
	lock_take(&device()->lock);
	devices.disk[0].dirty = true;
	lock_drop(&device()->lock);
	device()->ops->start(device());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_disk_set_silent(&disk, false);
	device()->ops->quiesce(device());
	device()->ops->destroy(device());
	fake_disk_destroy(&disk);
	alarm(0);
	return 0;
}

static void test_fast(void **state)
{
	uint32_t tries = 0;
	bool enough = true;
	struct error error;

	(void)state;
	assert_int_equal(ahead_flush(&devices, &alone, &tries, &enough, &error), 0);
	assert_true(enough);
	assert_int_equal(tries, 1);
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
}

/* Each time that it takes long there is another round, but not for ever. */
static void test_slow(void **state)
{
	uint32_t tries = 0;
	bool enough = true;
	struct error error;

	(void)state;
	fake_disk_set_silent(&disk, true);
	fake_time_set_step(STEP_NS);
	for (uint32_t n = 1; n <= AHEAD_TRIES; n++) {
		enough = true;
		assert_int_equal(ahead_flush(&devices, &alone, &tries, &enough, &error), 0);
		assert_false(enough);
		assert_int_equal(tries, n);
	}
	enough = true;
	assert_int_equal(ahead_flush(&devices, &alone, &tries, &enough, &error), 0);
	assert_true(enough);
	while (!fake_disk_submitted(&disk, DISK_FLUSH))
		usleep(100);
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
}

static int cancel(void *context, struct error *error)
{
	(void)context;
	return error_set(error, ECANCELED, "cancelled");
}

static void test_cancelled(void **state)
{
	const struct wait_watch watch = { .fd = eventfd(1, EFD_CLOEXEC), .fn = cancel };
	const struct hold_wait wait = { .limit_ms = LIMIT_MS, .watch = &watch, .watches = 1 };
	uint32_t tries = 0;
	bool enough = true;
	struct error error;

	(void)state;
	fake_disk_set_silent(&disk, true);
	assert_int_equal(ahead_flush(&devices, &wait, &tries, &enough, &error), -ECANCELED);
	assert_string_equal(error.text, "cancelled");
	close(watch.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fast, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
