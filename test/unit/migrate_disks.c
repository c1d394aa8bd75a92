/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose the disks are in a migration: the target finds them in use, takes them before READY and gives them back before
 * its promise; the source runs on only with them. Real files with real locks, which both machines of this process have
 * by descriptors of their own.
 */
#include "pair_fixture.h"
#include "../fake/virtio_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_SIZE (1 << 20)
#define MS 1000000ull

static char path[] = "/tmp/seaclock-disks-XXXXXX";
static int other = -1; /* somebody else's descriptor */

static int disks_set_up(void **state)
{
	struct machine_config config = {
		.name = "pair", .vcpus = 2, .memory_size = LAYOUT_RAM_MIN, .model = CONFIG_MODEL_NEW, .disks = 1
	};
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && !ftruncate(fd, DISK_SIZE));
	close(fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	assert_true(other >= 0);
	strcpy(config.disk[0].where, path);
	pair_set_up(state);
	pair_open_machine(&pair, &config, 25000000, 1000000000, 7);
	pair_load_driver(&pair);
	return 0;
}

static int disks_tear_down(void **state)
{
	pair_tear_down(state);
	close(other);
	unlink(path);
	return 0;
}

/* Whether somebody else could take the disk; if so he has it, until he closes the descriptor or gives it back. */
static bool other_takes(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return !fcntl(other, F_OFD_SETLK, &lock);
}

static void expect_nobody_else_can(void)
{
	assert_false(other_takes(F_WRLCK));
}

static void test_moves(void **state)
{
	(void)state;
	expect_nobody_else_can();
	pair_migrate(&pair);
	if (pair.source_state != SOURCE_GONE)
		fprintf(stderr, "source: %s; target: %s\n", pair.source_error.text, pair.target_error.text);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_true(machine_has_disks(&pair.target));
	assert_false(machine_has_disks(&pair.source));
	expect_nobody_else_can();
}

static const struct disk_ops *file_ops;
static bool flushed_running;

/* In the disk's thread. */
static void watch_submit(struct disk *disk, struct disk_request *request)
{
	struct block *block = &pair.source.devices.disk[0];

	lock_take(&block->virtio.device.lock);
	flushed_running |= request->operation == DISK_FLUSH && block->order == BLOCK_RUN;
	lock_drop(&block->virtio.device.lock);
	file_ops->submit(disk, request);
}

/* What the guest wrote is flushed while it still runs. */
static void test_flushes_ahead(void **state)
{
	struct block *block = &pair.source.devices.disk[0];
	struct disk_ops watched = *block->disk->ops;

	(void)state;
	file_ops = block->disk->ops;
	watched.submit = watch_submit;
	flushed_running = false;
	/* The thread leaves these alone then. */
	devices_quiesce(&pair.source.devices);
	block->disk->ops = &watched;
	block->dirty = true;
	devices_start(&pair.source.devices);
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	block->disk->ops = file_ops;
	assert_true(flushed_running);
}

/* A file of the same name that nobody uses is not the guest's disk. */
static void test_not_in_use(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(disks_unlock(&pair.source.disks, &error), 0);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, path));
	assert_non_null(strstr(pair.source_error.text, "no machine has"));
}

static void test_not_there(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, path));
}

/* A smaller one is another one, whatever it is called. */
static void test_smaller(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, DISK_SIZE / 2), 0);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "524288 bytes here, and the machine's disk has 1048576"));
}

/* What the guest uses of its disk is asked for before it is touched. */
static size_t take_discard(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)index;
	(void)size;
	assert_int_not_equal(frame[0], FRAME_STATE);
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_CHECK)
		of->target.disks.disk[0]->can_discard = false;
	return PAIR_PASS;
}

static void test_less_able(void **state)
{
	(void)state;
	assert_true(virtio_driver_begin(&pair.source.devices.disk[0].virtio.device,
					1ull << 32 | 1 << VIRTIO_BLK_F_DISCARD));
	pair.tap = take_discard;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "could no longer discard"));
}

/* The other side has looked at its size. */
static size_t grow(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct machine_growth growth;
	struct error error;

	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_SYNC)
		assert_int_equal(machine_grow(&of->source, 0, &growth, &error), -EBUSY);
	return PAIR_PASS;
}

static void test_does_not_grow_meanwhile(void **state)
{
	(void)state;
	pair.tap = grow;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_GONE);
}

/* ---- Failures after the stop ---- */

static size_t cut_ready(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)of;
	(void)index;
	(void)size;
	return way == PAIR_TO_SOURCE && frame[0] == FRAME_READY ? 0 : PAIR_PASS;
}

static void test_comes_back(void **state)
{
	(void)state;
	pair.tap = cut_ready;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_true(machine_has_disks(&pair.source));
	expect_nobody_else_can();
}

/* As the source has given the disk away, somebody else takes it: the target finds it taken, and so does the source. */
static size_t steal(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)of;
	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_STATE) {
		assert_true(other_takes(F_WRLCK));
		fake_time_set_step(20 * MS);
	}
	return PAIR_PASS;
}

static void test_stolen(void **state)
{
	struct error error;

	(void)state;
	pair.limits.disks_ms = 300;
	pair.tap = steal;
	pair_migrate(&pair);
	fake_time_set_step(0);
	assert_int_equal(pair.source_state, SOURCE_DISKLESS);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_DISKLESS);
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	fake_host_use(&pair.host[0]);
	for (int force = 0; force < 2; force++) {
		assert_int_equal(machine_resume(&pair.source, SC_CLOCK_ADVANCE, force, &error), -EBUSY);
		assert_int_equal(machine_get_state(&pair.source), MACHINE_DISKLESS);
	}
	assert_true(other_takes(F_UNLCK));
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_ADVANCE, false, &error), 0);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
	expect_nobody_else_can();
}

/* The file system does not answer the target: the guest goes on where it was, with its disk. */
static struct disk_ops silent_ops;

static int lock_never(struct disk *disk, int limit_ms, struct error *error)
{
	(void)limit_ms;
	return error_set(error, ETIMEDOUT, "%s does not answer", disk->where);
}

static size_t fall_silent(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct disk *disk = of->target.disks.disk[0];

	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_STATE) {
		/* The thread leaves these alone then. */
		devices_quiesce(&of->target.devices);
		silent_ops = *disk->ops;
		silent_ops.lock = lock_never;
		disk->ops = &silent_ops;
	}
	return PAIR_PASS;
}

static void test_lock_is_not_answered(void **state)
{
	(void)state;
	pair.tap = fall_silent;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_true(machine_has_disks(&pair.source));
	expect_nobody_else_can();
	assert_non_null(strstr(pair.source_error.text, "does not answer (it was waited for 4 s)"));
}

/* Somebody else has the disk, and the file system takes its time to say so. */
static unsigned int tries;
static int refusal;

static int lock_slowly(struct disk *disk, int limit_ms, struct error *error)
{
	(void)limit_ms;
	tries++;
	fake_time_advance(100 * MS);
	return error_set(error, refusal, "%s is not to be had", disk->where);
}

static size_t take_time(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct disk *disk = of->source.disks.disk[0];

	(void)index;
	(void)size;
	if (way == PAIR_TO_TARGET && frame[0] == FRAME_STATE) {
		/* It is quiesced, and given away. */
		silent_ops = *disk->ops;
		silent_ops.lock = lock_slowly;
		disk->ops = &silent_ops;
	}
	return way == PAIR_TO_SOURCE && frame[0] == FRAME_READY ? 0 : PAIR_PASS;
}

/* The limit is one of time, however long a try takes; the last try comes after it. */
static void expect_tries(int err)
{
	pair.limits.disks_ms = 300;
	pair.tap = take_time;
	refusal = err;
	tries = 0;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_DISKLESS);
	assert_int_equal(tries, 4);
}

static void test_taken_back_in_time(void **state)
{
	(void)state;
	expect_tries(EBUSY);
}

/* This host may have memory and threads again. */
static void test_taken_back_without_memory(void **state)
{
	(void)state;
	expect_tries(ENOMEM);
}

/* ---- After GO ---- */

static size_t lose_go(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)of;
	(void)index;
	(void)size;
	return way == PAIR_TO_TARGET && frame[0] == FRAME_GO ? PAIR_LOSE : PAIR_PASS;
}

/* The target is asked, and has given the disk back when its promise arrives. */
static void test_promise(void **state)
{
	(void)state;
	pair.limits.stopped_ms = 300;
	pair.limits.question_ms = 5000;
	pair.tap = lose_go;
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	expect_nobody_else_can();
}

static size_t lose_done(struct pair *of, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)of;
	(void)index;
	(void)size;
	return way == PAIR_TO_SOURCE && frame[0] == FRAME_DONE ? PAIR_LOSE : PAIR_PASS;
}

/* The lock is the fence: whatever the operator believes, the guest that runs there keeps its disk. */
static void test_fence(void **state)
{
	struct error error;

	(void)state;
	pair.limits.stopped_ms = 300;
	pair.asked = PAIR_ASKED_NOBODY;
	pair.tap = lose_done;
	pair_migrate(&pair);
	assert_int_equal(pair.source_state, SOURCE_UNDECIDED);
	assert_int_equal(machine_get_state(&pair.target), MACHINE_RUNNING);
	fake_host_use(&pair.host[0]);
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_ADVANCE, true, &error), -EBUSY);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_UNDECIDED);
	assert_true(machine_has_disks(&pair.target));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_moves, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_flushes_ahead, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_not_in_use, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_not_there, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_smaller, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_less_able, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_does_not_grow_meanwhile, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_comes_back, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_stolen, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_lock_is_not_answered, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back_in_time, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back_without_memory, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_promise, disks_set_up, disks_tear_down),
		cmocka_unit_test_setup_teardown(test_fence, disks_set_up, disks_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
