/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of saved machines as such: frames go in and come out; what is not whole is refused; what fails leaves nothing.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/forged_file.h"

#include "snapshot/reader.h"
#include "snapshot/seal.h"
#include "snapshot/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

/* A file of a few frames, `pages` of which are incompressible. */
static int write_file(uint32_t pages)
{
	struct snapshot_writer writer;
	int result = snapshot_writer_open(&writer, path, &error);

	if (result)
		return result;
	result = put(&writer, FRAME_HELLO, "hello", 5);
	for (uint32_t n = 0; !result && n < pages; n++)
		result = put(&writer, FRAME_PAGES, noise, sizeof(noise));
	if (!result)
		result = put(&writer, FRAME_DONE, NULL, 0);
	if (!result)
		result = snapshot_writer_finish(&writer, &error);
	if (!result)
		return snapshot_writer_commit(&writer, &error);
	snapshot_writer_discard(&writer);
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

/* Nothing but the file, if there is one, lies in the folder. */
static uint32_t files_in_folder(void)
{
	DIR *all = opendir(folder);
	const struct dirent *entry;
	uint32_t count = 0;

	while ((entry = readdir(all)))
		count += entry->d_name[0] != '.';
	closedir(all);
	return count;
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
	assert_int_equal(files_in_folder(), 1);
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

static void test_replaces(void **state)
{
	(void)state;
	assert_int_equal(write_file(1), 0);
	assert_int_equal(write_file(3), 0);
	assert_int_equal(read_frames(), 5);
	assert_int_equal(files_in_folder(), 1);
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
	assert_int_equal(files_in_folder(), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(write_file(1), 0);
	for (size_t n = 0; n < ARRAY_SIZE(room); n++) {
		limit_files(room[n]);
		assert_int_equal(write_file(3), -EFBIG);
		expect_refused(-EFBIG);
		assert_int_equal(files_in_folder(), 1);
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
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(read_frames(), 2);
}

/* Runs `part` in a child, which may give up what it is not to have: its exit status. */
static int in_child(int (*part)(void))
{
	pid_t pid = fork();
	int how = -1;

	if (!pid)
		_exit(part());
	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* As somebody who may write into the folder and not read it. */
static int write_as_stranger(void)
{
	if (!getuid() && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
		return 2;
	return write_file(3) ? 1 : 0;
}

static void test_drop_box(void **state)
{
	struct stat facts;

	(void)state;
	assert_int_equal(write_file(1), 0);
	assert_int_equal(stat(path, &facts), 0);
	if (!getuid()) {
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
	}
	assert_int_equal(chmod(folder, 0300), 0);
	assert_int_equal(in_child(write_as_stranger), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(chown(folder, getuid(), getgid()), 0);
	assert_int_equal(chown(path, getuid(), getgid()), 0);
	assert_int_equal(read_frames(), 5);
	assert_int_equal(files_in_folder(), 1);
}

/* From here on this process cannot make the folder's names last: fsync(2) of that descriptor fails with EIO. */
static int folder_break(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* From here on this process cannot do this system call: it fails with err. */
static int call_break(long call, int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* What rename(3) and unlink(3) call. */
#ifdef SYS_rename
#define CALL_RENAME SYS_rename
#define CALL_UNLINK SYS_unlink
#else
#define CALL_RENAME SYS_renameat
#define CALL_UNLINK SYS_unlinkat
#endif

static int write_to_broken_folder(void)
{
	struct snapshot_writer writer;

	if (snapshot_writer_open(&writer, path, &error) || folder_break(writer.folder))
		return 2;
	if (put(&writer, FRAME_DONE, NULL, 0) || snapshot_writer_finish(&writer, &error))
		return 3;
	return snapshot_writer_commit(&writer, &error) == -EIO ? 1 : 0;
}

/* The file system cannot exchange two files. */
static int write_without_exchange(void)
{
	return call_break(SYS_renameat2, EINVAL) ? 2 : write_file(3) ? 3 : 1;
}

static int write_to_broken_folder_without_exchange(void)
{
	return call_break(SYS_renameat2, EINVAL) ? 2 : write_to_broken_folder();
}

/* The new file stays, and the sentence must name it and what it is not to be used for. */
static int expect_danger(int written)
{
	return written == 1 && strstr(error.text, path) && strstr(error.text, "twice") ? 1 : 4;
}

static int write_and_not_rename_back(void)
{
	return call_break(CALL_RENAME, EPERM) ? 2 : expect_danger(write_to_broken_folder());
}

static int write_and_not_remove(void)
{
	return call_break(CALL_UNLINK, EPERM) ? 2 : expect_danger(write_to_broken_folder());
}

/* The disk fails when the file is in its place already: what was there before is there again. */
static void test_folder_fails(void **state)
{
	(void)state;
	assert_int_equal(write_file(1), 0);
	assert_int_equal(in_child(write_to_broken_folder), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(read_frames(), 3);
	assert_int_equal(in_child(write_to_broken_folder_without_exchange), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(read_frames(), 3);
	unlink(path);
	assert_int_equal(in_child(write_to_broken_folder), 1);
	assert_int_equal(files_in_folder(), 0);
	assert_int_equal(in_child(write_to_broken_folder_without_exchange), 1);
	assert_int_equal(files_in_folder(), 0);
}

static void test_without_exchange(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(in_child(write_without_exchange), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(write_file(1), 0);
	assert_int_equal(in_child(write_without_exchange), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(read_frames(), 5);
}

static void remove_all_files(void)
{
	DIR *all = opendir(folder);
	const struct dirent *entry;

	while ((entry = readdir(all)))
		unlinkat(dirfd(all), entry->d_name, 0);
	closedir(all);
}

/* Nor can what was there before be brought back. */
static void test_not_taken_back(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(in_child(write_and_not_remove), 1);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(read_frames(), 1);
	assert_int_equal(write_file(1), 0);
	assert_int_equal(in_child(write_and_not_rename_back), 1);
	/* The older file is not lost. */
	assert_int_equal(files_in_folder(), 2);
	assert_int_equal(read_frames(), 1);
	remove_all_files();
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

static void test_bad_paths(void **state)
{
	struct snapshot_writer writer;
	char longest[PATH_MAX + 10];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(snapshot_writer_open(&writer, "/none/of/this", &error), -ENOENT);
	assert_int_equal(snapshot_writer_open(&writer, folder, &error), -EINVAL);
	assert_int_equal(snapshot_writer_open(&writer, "/dev/full", &error), -EINVAL);
	assert_int_equal(snapshot_writer_open(&writer, longest, &error), -ENAMETOOLONG);
	longest[PATH_MAX - 8] = '\0';
	assert_int_equal(snapshot_writer_open(&writer, longest, &error), -ENAMETOOLONG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum),	  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_replaces),	  cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_altered),		  cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_versions),	  cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_sealed_nonsense),	  cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_disk_full_at_seal), cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_drop_box),	  cmocka_unit_test(test_folder_fails),
		cmocka_unit_test(test_without_exchange),  cmocka_unit_test(test_not_taken_back),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
