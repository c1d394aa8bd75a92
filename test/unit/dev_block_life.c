/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a block device: quiesced, moved, reset, grown; with disks that are late, silent or away. */
#include "block_fixture.h"

#include "base/buffer.h"

#include <errno.h>

/* What passes at each look at the clock. */
#define PATIENCE_STEP_NS 1700000000ull

/* ---- Standing still, and moving ---- */

/* On another host: made anew, with the state. */
static int move(uint32_t cut)
{
	struct buffer state = { 0 };
	struct cursor cursor;
	int result;

	quiesce();
	lock_take(&device()->lock);
	device()->ops->save(device(), &state);
	lock_drop(&device()->lock);
	block_guest_detach(&guest);
	block_guest_attach(&guest);
	cursor = cursor_make(state.data, state.size - cut);
	lock_take(&device()->lock);
	result = device()->ops->load(device(), &cursor, 1);
	lock_drop(&device()->lock);
	if (!result && !cursor_finish(&cursor))
		result = -EPROTO;
	buffer_free(&state);
	return result;
}

static void test_quiesce_waits(void **state)
{
	(void)state;
	fake_disk_set_late(&disk, 1000);
	begin(FEATURES);
	for (uint32_t n = 0; n < 8; n++)
		send(n, VIRTIO_BLK_T_IN, n, NULL, 0, 513);
	quiesce();
	/* All of them, or those that were not taken yet are still in the ring. */
	assert_int_equal(fake_disk_pending(&disk), 0);
	assert_false(virtqueue_in_flight(&guest.block.virtio.queue[0]));
	start();
	for (uint32_t n = 0; n < 8; n++)
		block_guest_wait(&guest);
	assert_null(block_guest_audit(&guest));
}

static void test_quiesced_takes_nothing(void **state)
{
	(void)state;
	begin(FEATURES);
	quiesce();
	quiesce();
	send(0, VIRTIO_BLK_T_IN, 0, NULL, 0, 513);
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_int_equal(fake_disk_submitted(&disk, DISK_READ), 0);
	start();
	start();
	block_guest_wait(&guest);
}

/* Another host finds on the medium what was written here. */
static void test_quiesce_flushes(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.medium[0], 0);
	quiesce();
	assert_int_equal(disk.medium[0], 1);
	assert_int_equal(block_settled(&guest.block, &error), 0);
	start();
	quiesce();
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
	start();
	assert_int_equal(write_sector(0, 2), VIRTIO_BLK_S_OK);
	fake_disk_set_errors(&disk, 1, ENOSPC);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -ENOSPC);
	assert_string_equal(error.text, "disk 0 (fake) cannot flush what the guest wrote (No space left on device)");
}

/*
 * A file says once that it could not be flushed, and the next flush succeeds, though data are lost. So the driver has
 * to be told, and until then the disk is not settled.
 */
static void test_failed_flush_is_told(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	fake_disk_set_errors(&disk, 1, EIO);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -EIO);
	fake_disk_set_errors(&disk, 0, 0);
	quiesce();
	assert_int_equal(disk.medium[0], 1);
	assert_int_equal(block_settled(&guest.block, &error), -EIO);
	start();
	assert_int_equal(write_sector(0, 2), VIRTIO_BLK_S_OK);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -EIO);
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 1), VIRTIO_BLK_S_OK);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
}

static void test_failed_flush_is_told_by_a_write(void **state)
{
	struct error error;

	(void)state;
	begin(VERSION_1);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	fake_disk_set_errors(&disk, 1, EIO);
	quiesce();
	/* Nothing is lost: each write was on the medium, but the disk need not know. */
	assert_int_equal(block_settled(&guest.block, &error), -EIO);
	fake_disk_set_errors(&disk, 0, 0);
	start();
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
}

/* What a server has acknowledged and not flushed may be lost with it: not settled, and it is asked again later. */
static void test_quiesce_flushes_nothing_away(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	fake_disk_set_away(&disk, true);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	assert_int_equal(disk.withdrawn, 1);
	fake_disk_set_away(&disk, false);
	start();
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_int_equal(disk.medium[0], 1);
}

static void fall_silent(void)
{
	fake_disk_set_silent(&disk, true);
	fake_disk_set_away(&disk, false);
	fake_time_set_step(PATIENCE_STEP_NS);
}

static void flush_ahead(void)
{
	block_flush_ahead(&guest.block);
	while (!block_has_flushed_ahead(&guest.block))
		usleep(100);
}

/* What was written before the machine is stopped need not be flushed then; what was written after is. */
static void test_flush_ahead(void **state)
{
	struct error error;

	(void)state;
	flush_ahead();
	begin(FEATURES);
	flush_ahead();
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 0);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	flush_ahead();
	assert_int_equal(disk.medium[0], 1);
	quiesce();
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
	start();
	assert_int_equal(write_sector(0, 2), VIRTIO_BLK_S_OK);
	flush_ahead();
	assert_int_equal(write_sector(0, 3), VIRTIO_BLK_S_OK);
	quiesce();
	assert_int_equal(disk.medium[0], 3);
	start();
	assert_int_equal(write_sector(0, 4), VIRTIO_BLK_S_OK);
	fake_disk_set_errors(&disk, 1, EIO);
	flush_ahead();
	fake_disk_set_errors(&disk, 0, 0);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -EIO);
}

/* The guest stands still before that is over. */
static void test_flush_ahead_is_late(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	fall_silent();
	block_flush_ahead(&guest.block);
	while (!fake_disk_submitted(&disk, DISK_FLUSH))
		usleep(100);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	assert_false(block_has_flushed_ahead(&guest.block));
	fake_disk_set_silent(&disk, false);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_true(block_has_flushed_ahead(&guest.block));
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
}

/* Of several disks all begin before one is waited for. */
static void test_halt_begins(void **state)
{
	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	device()->ops->halt(device());
	while (!fake_disk_submitted(&disk, DISK_FLUSH))
		usleep(100);
	quiesce();
	assert_int_equal(disk.medium[0], 1);
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 1);
}

static void send_eight(void)
{
	uint8_t data[512];

	fake_disk_set_away(&disk, true);
	for (uint32_t n = 0; n < 8; n++) {
		memset(data, (int)n + 1, sizeof(data));
		send(n, VIRTIO_BLK_T_OUT, n, data, sizeof(data), 1);
	}
	while (fake_disk_pending(&disk) < 8)
		usleep(100);
}

static void expect_eight(void)
{
	for (uint32_t n = 0; n < 8; n++)
		assert_int_equal(status_of((uint32_t)block_guest_wait(&guest)), VIRTIO_BLK_S_OK);
	assert_int_equal(block_guest_collect(&guest), -1);
	for (uint32_t n = 0; n < 8; n++)
		assert_int_equal(disk.content[n * 512], n + 1);
	assert_null(block_guest_audit(&guest));
}

static void test_away_is_left_and_taken_again(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	quiesce();
	assert_int_equal(disk.withdrawn, 8);
	assert_int_equal(virtqueue_in_flight(&guest.block.virtio.queue[0]), 8);
	fake_disk_set_away(&disk, false);
	start();
	expect_eight();
}

/*
 * A server that is there may do at any time what it was sent: what does not come back in time is neither taken back nor
 * done again.
 */
static void test_silent_is_not_settled(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	send_eight();
	fall_silent();
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "disk 0 (fake) does not answer, and has not finished what the guest wrote: try "
					"again once it does");
	start();
	assert_int_equal(fake_disk_pending(&disk), 8);
	fake_disk_set_silent(&disk, false);
	expect_eight();
	assert_int_equal(disk.withdrawn, 0);
	assert_int_equal(fake_disk_submitted(&disk, DISK_WRITE), 8);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_int_equal(disk.medium[512], 2);
}

/* The same of the device's own flush: what is written meanwhile needs another. */
static void test_silent_flush_is_not_settled(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	fall_silent();
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	start();
	fake_disk_set_silent(&disk, false);
	assert_int_equal(write_sector(1, 2), VIRTIO_BLK_S_OK);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_int_equal(disk.medium[512], 2);
}

/* It came to an end after all, but after its memory could have been sent. */
static void test_late_is_not_settled(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	send_eight();
	fall_silent();
	quiesce();
	fake_disk_set_silent(&disk, false);
	expect_eight();
	assert_int_equal(block_settled(&guest.block, &error), -ETIMEDOUT);
	quiesce();
	assert_int_equal(block_settled(&guest.block, &error), 0);
	assert_int_equal(disk.medium[512], 2);
}

/* A server that goes away while it is waited for in vain: what is left then is taken again, and once. */
static void test_silent_goes_away(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	fall_silent();
	quiesce();
	fake_disk_set_away(&disk, true);
	start();
	fake_disk_set_silent(&disk, false);
	fake_disk_set_away(&disk, false);
	expect_eight();
}

/* The machine ends: what is under way is given up. */
static void test_silent_ends(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	fall_silent();
	quiesce();
	assert_int_equal(fake_disk_pending(&disk), 8);
	block_guest_detach(&guest);
	assert_int_equal(fake_disk_pending(&disk), 0);
	block_guest_attach(&guest);
}

static void test_away_moves(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	assert_int_equal(move(0), 0);
	assert_int_equal(virtqueue_in_flight(&guest.block.virtio.queue[0]), 8);
	start();
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	fake_disk_set_away(&disk, false);
	expect_eight();
}

static void test_move(void **state)
{
	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 7), VIRTIO_BLK_S_OK);
	assert_int_equal(move(0), 0);
	start();
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 0, NULL, 0, 513), VIRTIO_BLK_S_OK);
	assert_int_equal(move(1), -EPROTO);
}

/* The guest keeps the size that it knows; what is smaller is not its disk. */
static void test_move_to_another_size(void **state)
{
	struct error error;

	(void)state;
	begin(FEATURES);
	disk.disk.size = disk.grown = 2 * SIZE;
	assert_int_equal(move(0), 0);
	assert_int_equal(config_u32(0), SECTORS);
	start();
	assert_int_equal(block_resize(&guest.block, &error), 0);
	assert_int_equal(config_u32(0), 2 * SECTORS);
	disk.disk.size = SIZE;
	assert_int_equal(move(0), -EPROTO);
	disk.disk.size = 2 * SIZE;
}

/* ---- Reset ---- */

/* What was under way when the driver reset the device does not touch memory afterwards, and is forgotten. */
static void test_reset_waits(void **state)
{
	(void)state;
	fake_disk_set_late(&disk, 500);
	begin(FEATURES);
	memset(disk.content, 0x5a, SIZE);
	for (uint32_t n = 0; n < 8; n++)
		send(n, VIRTIO_BLK_T_IN, n, NULL, 0, 513);
	virtio_driver_write(device(), 0x070, 0);
	assert_int_equal(fake_disk_pending(&disk), 0);
	assert_null(block_guest_audit(&guest));
	assert_true(block_guest_begin(&guest, FEATURES, RING));
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_null(block_guest_audit(&guest));
	assert_int_equal(write_sector(1, 1), VIRTIO_BLK_S_OK);
}

static void *answer_later(void *context)
{
	bool waits = false;

	while (!waits) {
		lock_take(&device()->lock);
		waits = guest.block.resets;
		lock_drop(&device()->lock);
	}
	usleep(NOTHING_MS * 1000);
	fake_disk_set_silent(&disk, false);
	return context;
}

/* A server that is there and does not answer: as long as it takes. */
static void test_reset_waits_for_silent(void **state)
{
	pthread_t thread;

	(void)state;
	begin(FEATURES);
	send_eight();
	fall_silent();
	assert_int_equal(pthread_create(&thread, NULL, answer_later, NULL), 0);
	virtio_driver_write(device(), 0x070, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(disk.withdrawn, 0);
	for (uint32_t n = 0; n < 8; n++)
		assert_int_equal(disk.content[n * 512], n + 1);
}

static void test_reset_while_away(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	virtio_driver_write(device(), 0x070, 0);
	assert_int_equal(disk.withdrawn, 8);
	assert_true(block_guest_begin(&guest, FEATURES, RING));
	fake_disk_set_away(&disk, false);
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_disk_submitted(&disk, DISK_WRITE), 9);
}

/* The machine's own reset, between quiesce() and start(), forgets what was left. */
static void test_machine_reset(void **state)
{
	(void)state;
	begin(FEATURES);
	send_eight();
	quiesce();
	lock_take(&device()->lock);
	device()->ops->reset(device());
	lock_drop(&device()->lock);
	fake_disk_set_away(&disk, false);
	start();
	assert_true(block_guest_begin(&guest, FEATURES, 8));
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_disk_submitted(&disk, DISK_WRITE), 9);
}

/* ---- Growing ---- */

static void test_resize(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(block_resize(&guest.block, &error), -EBUSY);
	begin(FEATURES);
	assert_int_equal(write_sector(SECTORS, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(block_resize(&guest.block, &error), 0);
	assert_int_equal(virtio_driver_take_interrupt(device()) & 2, 0);
	disk.grown = 2 * SIZE;
	assert_int_equal(block_resize(&guest.block, &error), 0);
	assert_int_equal(virtio_driver_take_interrupt(device()) & 2, 2);
	assert_int_equal(config_u32(0), 2 * SECTORS);
	assert_int_equal(write_sector(SECTORS, 1), VIRTIO_BLK_S_OK);
	disk.grown = SIZE;
	assert_int_equal(block_resize(&guest.block, &error), -EINVAL);
	assert_string_equal(error.text, "fake has shrunk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_quiesce_waits),
		TEST(test_quiesced_takes_nothing),
		TEST(test_quiesce_flushes),
		TEST(test_failed_flush_is_told),
		TEST(test_failed_flush_is_told_by_a_write),
		TEST(test_quiesce_flushes_nothing_away),
		TEST(test_halt_begins),
		TEST(test_flush_ahead),
		TEST(test_flush_ahead_is_late),
		TEST(test_away_is_left_and_taken_again),
		TEST(test_silent_is_not_settled),
		TEST(test_silent_flush_is_not_settled),
		TEST(test_late_is_not_settled),
		TEST(test_silent_goes_away),
		TEST(test_silent_ends),
		TEST(test_away_moves),
		TEST(test_move),
		TEST(test_move_to_another_size),
		TEST(test_reset_waits),
		TEST(test_reset_waits_for_silent),
		TEST(test_reset_while_away),
		TEST(test_machine_reset),
		TEST(test_resize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
