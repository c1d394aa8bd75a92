/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of saved machines as such: frames go in and come out; what is not whole is refused; what fails leaves nothing.
 */
#include "unit.h"
#include "broken_fixture.h"
#include "../fake/host_fake.h"
#include "../fake/forged_file.h"

#include "snapshot/draft.h"
#include "snapshot/reader.h"
#include "snapshot/seal.h"
#include "snapshot/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOISE_SIZE 200000u

static char folder[] = "/tmp/seaclock-snapshot-XXXXXX";
static char path[64];
static struct error error;
static uint8_t noise[NOISE_SIZE];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	srandom(1);
	for (size_t n = 0; n < sizeof(noise); n++)
		noise[n] = (uint8_t)random();
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

/* ---- Helpers ---- */

static int put(struct snapshot_writer *writer, enum frame_type type, const void *data, size_t size)
{
	return writer->sink.put(&writer->sink, type, data, size, NULL, 0, &error);
}

/* Frames into the draft, `pages` of which are incompressible, up to its seal. */
static int fill(struct snapshot_writer *writer, const struct draft *draft, uint32_t pages)
{
	int result = snapshot_writer_open(writer, draft->fd, path, &error);

	if (result)
		return result;
	result = put(writer, FRAME_HELLO, "hello", 5);
	for (uint32_t n = 0; !result && n < pages; n++)
		result = put(writer, FRAME_PAGES, noise, sizeof(noise));
	if (!result)
		result = put(writer, FRAME_DONE, NULL, 0);
	return result ? result : snapshot_writer_finish(writer, &error);
}

/* As a client and its monitor do it together. */
static int write_file(uint32_t pages)
{
	struct snapshot_writer writer;
	struct draft draft;
	struct error left;
	int result = draft_make(&draft, path, &error);

	if (result)
		return result;
	result = fill(&writer, &draft, pages);
	if (!result)
		result = draft_place(&draft, &error);
	if (!result)
		result = snapshot_writer_seal(&writer, &error);
	snapshot_writer_close(&writer);
	if (!result)
		draft_keep(&draft);
	else
		assert_int_equal(draft_withdraw(&draft, &left), 0);
	return result;
}

static int open_file(void)
{
	struct snapshot_reader reader;
	int result = snapshot_reader_open(&reader, path, &error);

	if (!result)
		snapshot_reader_close(&reader);
	return result;
}

/* Reads all frames: how many, or the error. */
static int read_frames(void)
{
	struct snapshot_reader reader;
	struct frame frame = { .type = FRAME_HELLO };
	int count = 0, result = snapshot_reader_open(&reader, path, &error);

	if (result)
		return result;
	while (!result && frame.type != FRAME_DONE) {
		result = snapshot_reader_next(&reader, &frame, &error);
		count++;
	}
	snapshot_reader_close(&reader);
	return result ? result : count;
}

static void expect_refused(int result)
{
	assert_true(result < 0);
	assert_non_null(strstr(error.text, path));
	assert_null(strchr(error.text, '\n'));
}

/* ---- The seal ---- */

static void test_checksum(void **state)
{
	(void)state;
	assert_true(seal_checksum(0, "123456789", 9) == 0x995dc9bbdf1939faull);
	assert_true(seal_checksum(seal_checksum(0, "1234", 4), "56789", 5) == 0x995dc9bbdf1939faull);
	assert_true(seal_checksum(0, "", 0) == 0);
}

/* ---- Whole files ---- */

static void test_round_trip(void **state)
{
	struct snapshot_reader reader;
	struct frame frame;
	struct stat facts;

	(void)state;
	assert_int_equal(write_file(2), 0);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	assert_int_equal(folder_count(folder), 1);
	assert_int_equal(snapshot_reader_open(&reader, path, &error), 0);
	assert_int_equal(snapshot_reader_next(&reader, &frame, &error), 0);
	assert_int_equal(frame.type, FRAME_HELLO);
	assert_int_equal(frame.size, 5);
	assert_memory_equal(frame.data, "hello", 5);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(snapshot_reader_next(&reader, &frame, &error), 0);
		assert_int_equal(frame.type, FRAME_PAGES);
		assert_int_equal(frame.size, sizeof(noise));
		assert_memory_equal(frame.data, noise, sizeof(noise));
	}
	assert_int_equal(snapshot_reader_next(&reader, &frame, &error), 0);
	assert_int_equal(frame.type, FRAME_DONE);
	snapshot_reader_close(&reader);
}

/* ---- Damaged files ---- */

static struct buffer file_content(void)
{
	struct buffer content = { 0 };
	struct stat facts;
	int fd = open(path, O_RDONLY);

	assert_int_equal(fstat(fd, &facts), 0);
	assert_int_equal(read(fd, buffer_reserve(&content, (size_t)facts.st_size), (size_t)facts.st_size),
			 facts.st_size);
	close(fd);
	return content;
}

static void test_truncated(void **state)
{
	struct buffer content;

	(void)state;
	assert_int_equal(write_file(0), 0);
	content = file_content();
	for (size_t size = 0; size < content.size; size++) {
		forged_file_store(path, content.data, size);
		expect_refused(open_file());
	}
	forged_file_store(path, content.data, content.size);
	assert_int_equal(open_file(), 0);
	buffer_free(&content);
}

static void test_altered(void **state)
{
	struct buffer content;

	(void)state;
	assert_int_equal(write_file(0), 0);
	content = file_content();
	for (size_t n = 0; n < content.size; n++)
		for (int bit = 0; bit < 8; bit++) {
			content.data[n] ^= (uint8_t)(1 << bit);
			forged_file_store(path, content.data, content.size);
			expect_refused(open_file());
			content.data[n] ^= (uint8_t)(1 << bit);
		}
	buffer_free(&content);
}

static void test_trailing(void **state)
{
	struct buffer content;

	(void)state;
	assert_int_equal(write_file(0), 0);
	content = file_content();
	buffer_put_u8(&content, 0);
	forged_file_store(path, content.data, content.size);
	expect_refused(open_file());
	buffer_put(&content, content.data, content.size - 1);
	forged_file_store(path, content.data, content.size);
	expect_refused(open_file());
	buffer_free(&content);
}

/* A file of the version before is taken, of no other. */
static void test_versions(void **state)
{
	struct buffer content;

	(void)state;
	assert_int_equal(write_file(0), 0);
	content = file_content();
	for (unsigned int version = FRAME_PROTOCOL_OLDEST - 1; version <= FRAME_PROTOCOL + 1; version++) {
		content.data[content.size - SEAL_SIZE + 16] = (uint8_t)version;
		forged_file_store(path, content.data, content.size);
		if (version >= FRAME_PROTOCOL_OLDEST && version <= FRAME_PROTOCOL) {
			assert_int_equal(open_file(), 0);
			continue;
		}
		expect_refused(open_file());
		assert_non_null(strstr(error.text, "of the migration protocol, this one takes 5 to 6"));
	}
	buffer_free(&content);
}

static void test_no_file(void **state)
{
	(void)state;
	forged_file_store(path, noise, sizeof(noise));
	expect_refused(open_file());
	unlink(path);
	expect_refused(open_file());
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(open_file());
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(open_file());
}

/* The seal is right, and what it seals is not. */
static void test_sealed_nonsense(void **state)
{
	static const uint8_t beyond[] = { FRAME_DONE, 0, 0, 0, 0, 0, 0, 0, 0 }, unknown[8] = { 0xee };
	static const uint8_t large[] = { FRAME_HELLO, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	struct buffer content = { 0 };

	(void)state;
	forged_file_store_frames(path, beyond, 8);
	assert_int_equal(read_frames(), 1);
	forged_file_store_frames(path, beyond, sizeof(beyond));
	expect_refused(read_frames());
	forged_file_store_frames(path, beyond, 7);
	expect_refused(read_frames());
	forged_file_store_frames(path, "", 0);
	expect_refused(read_frames());
	forged_file_store_frames(path, unknown, sizeof(unknown));
	expect_refused(read_frames());
	forged_file_store_frames(path, large, sizeof(large));
	expect_refused(read_frames());
	/* Sealed without zstd's end, and with something behind it. */
	forged_file_store_raw(path, noise, 1000);
	expect_refused(read_frames());
	forged_file_compress(&content, beyond, 8);
	forged_file_store_raw(path, content.data, content.size - 1);
	expect_refused(read_frames());
	buffer_put_u8(&content, 1);
	forged_file_store_raw(path, content.data, content.size);
	expect_refused(read_frames());
	buffer_free(&content);
}

/* ---- Disks that fail ---- */

static void limit_files(rlim_t size)
{
	const struct rlimit limit = { size, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* As on a full disk: wherever it ends, the old file is untouched and nothing else remains. */
static void test_disk_full(void **state)
{
	static const rlim_t room[] = { 0, 1, 1000, 131072, 131073, 200000 };

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	unlink(path);
	limit_files(1000);
	assert_int_equal(write_file(3), -EFBIG);
	assert_int_equal(folder_count(folder), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(write_file(1), 0);
	for (size_t n = 0; n < ARRAY_SIZE(room); n++) {
		limit_files(room[n]);
		assert_int_equal(write_file(3), -EFBIG);
		expect_refused(-EFBIG);
		assert_int_equal(folder_count(folder), 1);
		assert_int_equal(read_frames(), 3);
	}
	limit_files(RLIM_INFINITY);
}

static void test_disk_full_at_seal(void **state)
{
	struct stat facts;

	(void)state;
	assert_int_equal(write_file(0), 0);
	assert_int_equal(stat(path, &facts), 0);
	limit_files((rlim_t)facts.st_size - 1);
	assert_int_equal(write_file(0), -EFBIG);
	limit_files(RLIM_INFINITY);
	assert_int_equal(folder_count(folder), 1);
	assert_int_equal(read_frames(), 2);
}

/* The disk fails when the seal is there: it is taken off again. */
static int file_breaks_late(void)
{
	struct snapshot_writer writer;
	struct draft draft;

	if (draft_make(&draft, path, &error) || fill(&writer, &draft, 1) || draft_place(&draft, &error) ||
	    fsync_break(draft.fd))
		return 2;
	return snapshot_writer_seal(&writer, &error) == -EIO && open_file() == -EPROTO ? 1 : 3;
}

/* Nor can that be done. */
static int file_stays_sealed(void)
{
	struct snapshot_writer writer;
	struct draft draft;

	if (draft_make(&draft, path, &error) || fill(&writer, &draft, 1) || draft_place(&draft, &error) ||
	    fsync_break(draft.fd) || call_break(SYS_ftruncate, EIO))
		return 2;
	return snapshot_writer_seal(&writer, &error) == -EIO && strstr(error.text, "twice; remove /tmp/") ? 1 : 3;
}

static void test_seal_fails(void **state)
{
	(void)state;
	assert_int_equal(in_child(file_breaks_late), 1);
	assert_int_equal(in_child(file_stays_sealed), 1);
	folder_clear(folder);
}

/* Before it has its seal a file is no saved machine, whatever its name. */
static void test_unsealed(void **state)
{
	struct snapshot_writer writer;
	struct draft draft;

	(void)state;
	assert_int_equal(draft_make(&draft, path, &error), 0);
	assert_int_equal(fill(&writer, &draft, 1), 0);
	assert_int_equal(draft_place(&draft, &error), 0);
	expect_refused(open_file());
	assert_non_null(strstr(error.text, "or not all of one"));
	assert_int_equal(snapshot_writer_seal(&writer, &error), 0);
	assert_int_equal(read_frames(), 3);
	snapshot_writer_close(&writer);
	draft_close(&draft);
}

/* What is no new file that can be written. */
static void test_bad_descriptors(void **state)
{
	struct snapshot_writer writer;
	const int bad[] = {
		-1,
		open("/dev/null", O_RDWR | O_CLOEXEC),
		open(folder, O_RDONLY | O_CLOEXEC),
		open(path, O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
		open(path, O_WRONLY | O_APPEND | O_CLOEXEC),
		open(path, O_PATH | O_CLOEXEC),
	};
	int full;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		assert_true(!n || bad[n] >= 0);
		assert_int_equal(snapshot_writer_open(&writer, bad[n], path, &error), -EINVAL);
		expect_refused(-EINVAL);
		if (n)
			close(bad[n]);
	}
	assert_int_equal(write_file(0), 0);
	full = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(snapshot_writer_open(&writer, full, path, &error), -EINVAL);
	close(full);
	assert_int_equal(read_frames(), 2);
}

/* Who has no terminal, and is told to read one. */
static int open_terminal(void)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY);
	struct snapshot_reader reader;

	if (pty < 0 || setsid() < 0 || grantpt(pty) || unlockpt(pty))
		return 2;
	if (snapshot_reader_open(&reader, ptsname(pty), &error) != -EINVAL)
		return 3;
	return open("/dev/tty", O_RDWR) < 0 ? 1 : 4;
}

static void test_terminal(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_terminal), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_altered),
		cmocka_unit_test(test_trailing),  cmocka_unit_test(test_versions),
		cmocka_unit_test(test_no_file),	  cmocka_unit_test(test_sealed_nonsense),
		cmocka_unit_test(test_disk_full), cmocka_unit_test(test_disk_full_at_seal),
		cmocka_unit_test(test_terminal),  cmocka_unit_test(test_seal_fails),
		cmocka_unit_test(test_unsealed),  cmocka_unit_test(test_bad_descriptors),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
