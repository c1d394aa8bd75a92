/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device between a driver and a disk: what it answers, what it refuses, and errors of the medium. */
#include "block_fixture.h"

#include "base/log.h"
#include "dev/virtio/block_worker.h"

#include <errno.h>

#define INDIRECT (1ull << 28)

/* ---- An honest driver ---- */

static void test_reads_and_writes(void **state)
{
	uint8_t data[1024];

	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(3, 0x33), VIRTIO_BLK_S_OK);
	assert_int_equal(guest.slot[0].written, 1);
	assert_int_equal(disk.content[3 * 512 + 511], 0x33);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 3, NULL, 0, 1025), VIRTIO_BLK_S_OK);
	assert_int_equal(guest.slot[0].written, 1025);
	block_guest_read(&guest, 0, 0, data, sizeof(data));
	assert_memory_equal(data, disk.content + 3 * 512, sizeof(data));
	assert_null(block_guest_audit(&guest));
}

static void test_flush(void **state)
{
	(void)state;
	begin(FEATURES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.medium[0], 0);
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.medium[0], 1);
}

static void test_write_through(void **state)
{
	(void)state;
	begin(VERSION_1 | 1 << VIRTIO_BLK_F_WRITE_ZEROES);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.medium[0], 1);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.medium[0], 0);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 0, NULL, 0, 513), VIRTIO_BLK_S_OK);
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 2);
}

static void test_erase(void **state)
{
	(void)state;
	begin(FEATURES);
	memset(disk.content, 0xff, SIZE);
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 1, 2, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 5, SECTORS - 5, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(disk.content[511], 0xff);
	assert_int_equal(disk.content[512], 0);
	assert_int_equal(disk.content[3 * 512], 0xff);
	assert_int_equal(disk.content[SIZE - 1], 0);
}

static void test_id(void **state)
{
	uint8_t id[24];

	(void)state;
	begin(FEATURES);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 21), VIRTIO_BLK_S_OK);
	assert_int_equal(guest.slot[0].written, 21);
	block_guest_read(&guest, 0, 0, id, 20);
	assert_memory_equal(id, "serial-7\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	/* What is behind it is left alone, and not said to be written. */
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 25), VIRTIO_BLK_S_OK);
	assert_int_equal(guest.slot[0].written, 20);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 5), VIRTIO_BLK_S_OK);
	block_guest_read(&guest, 0, 0, id, 4);
	assert_memory_equal(id, "seri", 4);
	assert_int_equal(ask(VIRTIO_BLK_T_GET_ID, 0, NULL, 0, 1), VIRTIO_BLK_S_OK);
}

static void test_configuration(void **state)
{
	(void)state;
	assert_int_equal(virtio_driver_read(device(), 0x008), 2);
	assert_int_equal(virtio_driver_offered(device()) & 0xffffff, 1 << 2 | 1 << 6 | 1 << 9 | 1 << 13 | 1 << 14);
	assert_int_equal(config_u32(0), SECTORS);
	assert_int_equal(config_u32(4), 0);
	assert_int_equal(config_u32(8), 0);
	assert_int_equal(config_u32(12), 126);
	assert_int_equal(config_u32(20), 512);
	assert_int_equal(config_u32(32), 0);
	assert_int_equal(config_u32(36), 1 << 22);
	assert_int_equal(config_u32(40), 1);
	assert_int_equal(config_u32(44), 8);
	assert_int_equal(config_u32(48), 1 << 22);
	assert_int_equal(config_u32(52), 1);
	assert_int_equal(config_u32(56), 1);
	assert_int_equal(config_u32(60), 0);
	assert_int_equal(config_u32(0xfc), 0);
}

static void test_read_only(void **state)
{
	(void)state;
	block_guest_detach(&guest);
	disk.disk.readonly = true;
	block_guest_attach(&guest);
	assert_int_equal(virtio_driver_offered(device()) & 0xffffff, 1 << 2 | 1 << 5 | 1 << 6 | 1 << 9);
	begin(VERSION_1 | 1 << VIRTIO_BLK_F_RO);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 0, 1, 0), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 0, NULL, 0, 513), VIRTIO_BLK_S_OK);
}

/* More than can be under way: the rest waits in the ring, and all of them come back. */
static void test_many(void **state)
{
	(void)state;
	fake_disk_set_late(&disk, 8);
	fake_disk_set_away(&disk, true);
	device()->ops->start(device());
	assert_true(block_guest_begin(&guest, FEATURES, 256));
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
		send(n, VIRTIO_BLK_T_IN, n % SECTORS, NULL, 0, 513);
	while (fake_disk_pending(&disk) < BLOCK_REQUESTS_MAX)
		usleep(100);
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_int_equal(fake_disk_pending(&disk), BLOCK_REQUESTS_MAX);
	fake_disk_set_away(&disk, false);
	for (uint32_t n = 0; n < BLOCK_SLOTS; n++)
		assert_int_equal(status_of((uint32_t)block_guest_wait(&guest)), VIRTIO_BLK_S_OK);
	assert_int_equal(block_guest_collect(&guest), -1);
}

/* ---- What no request can be ---- */

static void test_refuses(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size, writable;
		uint8_t status;
	} cases[] = {
		{ VIRTIO_BLK_T_IN, SECTORS, 0, 513, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, SECTORS - 1, 0, 1025, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, UINT64_MAX, 0, 513, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, UINT64_MAX / 512 + 1, 0, 513, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 0, 512, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 0, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, SECTORS, 512, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 511, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 0, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_DISCARD, 0, 0, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_DISCARD, 0, 15, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_DISCARD, 0, 32, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_DISCARD, 0, 16, 1, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_SECURE_ERASE, 0, 16, 1, VIRTIO_BLK_S_UNSUPP },
		{ 2, 0, 0, 1, VIRTIO_BLK_S_UNSUPP },
		{ UINT32_MAX, 0, 0, 1, VIRTIO_BLK_S_UNSUPP },
	};
	static const uint8_t zeroes[1024];

	(void)state;
	begin(FEATURES);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		uint32_t type = cases[n].type, writable = cases[n].writable;

		assert_int_equal(ask(type, cases[n].sector, zeroes, cases[n].size, writable), cases[n].status);
		assert_int_equal(guest.slot[0].written, writable == 1);
	}
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, SECTORS - 1, 2, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, UINT64_MAX, 1, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_DISCARD, 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, UINT32_MAX, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 2), VIRTIO_BLK_S_UNSUPP);
	assert_null(block_guest_audit(&guest));
	for (enum disk_operation n = DISK_READ; n <= DISK_WRITE_ZEROES; n++)
		assert_int_equal(fake_disk_submitted(&disk, n), 0);
}

static void test_refuses_short_header(void **state)
{
	(void)state;
	begin(FEATURES);
	assert_true(block_guest_send(&guest, 0, "fifteen bytes..", 15, 1, NULL));
	block_guest_kick(&guest);
	assert_int_equal(block_guest_wait(&guest), 0);
	assert_int_equal(status_of(0), VIRTIO_BLK_S_IOERR);
	assert_true(block_guest_send(&guest, 0, NULL, 0, 1, NULL));
	block_guest_kick(&guest);
	assert_int_equal(block_guest_wait(&guest), 0);
	assert_int_equal(status_of(0), VIRTIO_BLK_S_IOERR);
}

/* A table of one buffer a byte, which is more than a request may have. */
static void test_refuses_many_pieces(void **state)
{
	const uint64_t table = BLOCK_SLOTS_GPA, data = BLOCK_SLOTS_GPA + 0x8000;
	const struct ring_buffer entry = { table, 16 * 256, false };
	const struct virtio_blk_outhdr header = { .type = htole32(VIRTIO_BLK_T_IN) };
	uint8_t *place = memory_span(&guest.memory, data, 1024);

	(void)state;
	begin(FEATURES | INDIRECT);
	memcpy(place, &header, sizeof(header));
	place[16 + 512] = 0xee;
	for (uint32_t n = 0; n < 256; n++) {
		/* A header, 128 buffers of 4 bytes, the status, and what does not matter. */
		const struct ring_buffer part = n ? (struct ring_buffer){ data + 12 + 4ull * n, n == 129 ? 1 : 4, true }
						  : (struct ring_buffer){ data, 16, false };

		virtio_ring_describe(&guest.ring, table, n, &part, n == 129 ? 0 : RING_NEXT, (uint16_t)(n + 1));
	}
	virtio_ring_describe(&guest.ring, guest.ring.descriptors, 5, &entry, RING_INDIRECT, 0);
	guest.ring.in_use[5] = true;
	guest.ring.behind[5] = 5;
	guest.slot[7] = (struct block_slot){ .busy = true, .head = 5 };
	virtio_ring_offer(&guest.ring, 5);
	block_guest_kick(&guest);
	assert_int_equal(block_guest_wait(&guest), 7);
	assert_int_equal(place[16 + 512], VIRTIO_BLK_S_IOERR);
}

/* The device needs a reset then, and works after it. */
static void test_no_room_for_status(void **state)
{
	const struct virtio_blk_outhdr header = { .type = 0 };

	(void)state;
	begin(FEATURES);
	assert_true(block_guest_send(&guest, 0, &header, sizeof(header), 0, NULL));
	block_guest_kick(&guest);
	while (!(virtio_driver_read(device(), 0x070) & 0x40))
		usleep(100);
	assert_int_equal(virtio_driver_read(device(), 0x070), 0x40 | 15);
	assert_int_equal(block_guest_wait_ms(&guest, NOTHING_MS), -1);
	assert_true(block_guest_begin(&guest, FEATURES, RING));
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
}

/* ---- Errors of the medium ---- */

static void test_errors(void **state)
{
	(void)state;
	begin(FEATURES);
	fake_disk_set_errors(&disk, 1, ENOSPC);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(guest.slot[0].written, 1);
	assert_int_equal(ask(VIRTIO_BLK_T_IN, 0, NULL, 0, 513), VIRTIO_BLK_S_IOERR);
	assert_int_equal(guest.slot[0].written, 0);
	assert_int_equal(ask(VIRTIO_BLK_T_FLUSH, 0, NULL, 0, 1), VIRTIO_BLK_S_IOERR);
	assert_null(block_guest_audit(&guest));
	fake_disk_set_errors(&disk, 1, EOPNOTSUPP);
	assert_int_equal(erase(VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), VIRTIO_BLK_S_UNSUPP);
	fake_disk_set_errors(&disk, 0, 0);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
}

/* A driver that does not flush learns that the medium failed. */
static void test_write_through_errors(void **state)
{
	(void)state;
	begin(VERSION_1);
	fake_disk_set_errors(&disk, 1, EIO);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_IOERR);
	assert_int_equal(fake_disk_submitted(&disk, DISK_FLUSH), 0);
}

/* ---- What the log has of errors ---- */

static int log_pipe[2], log_before;

static void log_begin(void)
{
	log_before = dup(STDERR_FILENO);
	assert_int_equal(pipe(log_pipe), 0);
	dup2(log_pipe[1], STDERR_FILENO);
	close(log_pipe[1]);
}

/* The text since then, and its lines. */
static uint32_t log_end(char *text, size_t room)
{
	uint32_t lines = 0;
	ssize_t size;

	dup2(log_before, STDERR_FILENO);
	close(log_before);
	size = read(log_pipe[0], text, room - 1);
	close(log_pipe[0]);
	assert_true(size >= 0);
	text[size] = '\0';
	for (const char *line = text; *line; line++)
		lines += *line == '\n';
	return lines;
}

static void fail_to_write(void)
{
	fake_disk_set_errors(&disk, 1, ENOSPC);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_IOERR);
	fake_disk_set_errors(&disk, 0, 0);
	assert_int_equal(write_sector(0, 1), VIRTIO_BLK_S_OK);
}

/* A run ends by time, not by a request that succeeds, which a guest could have as often as it likes. */
static void test_errors_are_logged_once(void **state)
{
	char text[8192];
	uint32_t lines;

	(void)state;
	fake_time_advance(1);
	begin(FEATURES);
	log_begin();
	for (uint32_t n = 0; n < 5; n++)
		fail_to_write();
	fake_time_advance(BLOCK_RUN_NS - 1);
	fail_to_write();
	fake_time_advance(BLOCK_RUN_NS);
	fail_to_write();
	lines = log_end(text, sizeof(text));
	assert_int_equal(lines, 2);
	assert_non_null(strstr(text, "m: disk 0 (fake) cannot write 512 bytes at 0 (No space left on device)"));
}

static void test_errors_are_logged_not_for_ever(void **state)
{
	char text[8192];
	uint32_t lines;

	(void)state;
	fake_time_advance(1);
	begin(FEATURES);
	log_begin();
	for (uint32_t n = 0; n < LOG_GUEST_LINES + 5; n++) {
		fail_to_write();
		fake_time_advance(BLOCK_RUN_NS);
	}
	lines = log_end(text, sizeof(text));
	assert_int_equal(lines, LOG_GUEST_LINES);
	assert_non_null(strstr(text, "(more of this is not logged)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_and_writes),
		TEST(test_flush),
		TEST(test_write_through),
		TEST(test_erase),
		TEST(test_id),
		TEST(test_configuration),
		TEST(test_read_only),
		TEST(test_many),
		TEST(test_refuses),
		TEST(test_refuses_short_header),
		TEST(test_refuses_many_pieces),
		TEST(test_no_room_for_status),
		TEST(test_errors),
		TEST(test_write_through_errors),
		TEST(test_errors_are_logged_once),
		TEST(test_errors_are_logged_not_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
