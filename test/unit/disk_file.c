/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that are files: data, ends, errors of a full disk, discard and zeroes, sizes, and whose they are. Most tests
 * run twice, by io_uring and by plain calls.
 *
 * Policy: what this machine does not allow, a mount, is skipped.
 */
#include "disk_fixture.h"

#include "base/signals.h"

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define MANY 600u

/* ---- Data ---- */

static void test_data(void **state)
{
	struct iovec out[] = { { data, 100 }, { data + 100, 0 }, { data + 5000, 412 }, { data + 8192, 65536 } };
	struct iovec in[] = { { back, 65000 }, { back + 65000, 1048 } };
	struct disk_request write = { .operation = DISK_WRITE, .offset = 1024, .buffer = out, .buffers = 4 };
	struct disk_request read = { .operation = DISK_READ, .offset = 1024, .buffer = in, .buffers = 2 };

	(void)state;
	open_disk(false);
	assert_int_equal(client.disk->size, SIZE);
	assert_true(client.disk->can_discard && client.disk->can_write_zeroes);
	write.length = read.length = 512 + 65536;
	disk_client_submit(&client, &write);
	disk_client_finish(&client);
	assert_int_equal(write.result, 0);
	disk_client_submit(&client, &read);
	disk_client_finish(&client);
	assert_int_equal(read.result, 0);
	assert_memory_equal(back, data, 100);
	assert_memory_equal(back + 100, data + 5000, 412);
	assert_memory_equal(back + 512, data + 8192, 65536);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	file_get(path, back, 2048);
	assert_memory_equal(back + 1024, data, 100);
	assert_int_equal(back[1023], 0);
}

/* More than the backend works on at a time. */
static void test_many(void **state)
{
	static struct disk_request requests[MANY];
	static struct iovec buffers[MANY];

	(void)state;
	open_disk(false);
	for (uint32_t n = 0; n < MANY; n++) {
		buffers[n] = (struct iovec){ data + n * 512, 512 };
		requests[n] = (struct disk_request){
			.operation = DISK_WRITE,
			.offset = n * 512,
			.length = 512,
			.buffer = &buffers[n],
			.buffers = 1,
		};
		disk_client_submit(&client, &requests[n]);
	}
	assert_int_equal(client.under_way, MANY);
	disk_client_finish(&client);
	assert_int_equal(client.done, MANY);
	for (uint32_t n = 0; n < MANY; n++)
		assert_int_equal(requests[n].result, 0);
	file_get(path, back, SIZE);
	assert_memory_equal(back, data, MANY * 512);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(open_at(path, false), 0);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	/* Before it is ours. */
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 0, NULL, 512), -EPERM);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	/* What is not inside it. */
	assert_int_equal(disk_client_do(&client, DISK_READ, SIZE, back, 512), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE - 512, data, 1024), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_READ, UINT64_MAX - 511, back, 512), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_WRITE_ZEROES, 512, NULL, UINT64_MAX - 511), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_READ, 1, back, 512), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 511), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE - 512, data, 512), 0);
	disk_unlock(client.disk, LOCK_MS, &error);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
	close_disk();
	/* Read-only. */
	open_disk(true);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EROFS);
	assert_int_equal(disk_client_do(&client, DISK_WRITE_ZEROES, 0, NULL, 512), -EROFS);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_false(client.disk->can_discard || client.disk->can_write_zeroes);
	assert_int_equal(disk_client_do(&client, DISK_READ, SIZE - 512, back, 512), 0);
	assert_memory_equal(back, data, 512);
}

/* The file has shrunk behind our back. */
static void test_shrunk(void **state)
{
	(void)state;
	file_put(path, data, 3072);
	open_disk(false);
	assert_false(truncate(path, 3072));
	assert_int_equal(disk_client_do(&client, DISK_READ, 2048, back, 1024), 0);
	assert_memory_equal(back, data + 2048, 1024);
	assert_int_equal(disk_client_do(&client, DISK_READ, 2560, back, 1024), -EIO);
	assert_memory_equal(back, data + 2560, 512);
	assert_int_equal(disk_client_do(&client, DISK_READ, 8192, back, 512), -EIO);
}

/* ---- No room ---- */

/* A write that can be done in part only. */
static void test_limit(void **state)
{
	struct rlimit before, limit;

	(void)state;
	signals_prepare();
	open_disk(false);
	assert_false(getrlimit(RLIMIT_FSIZE, &before));
	limit = (struct rlimit){ .rlim_cur = 8192 + 100, .rlim_max = before.rlim_max };
	assert_false(setrlimit(RLIMIT_FSIZE, &limit));
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 4096, data, 8192), -EFBIG);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 4096), 0);
	assert_false(setrlimit(RLIMIT_FSIZE, &before));
	file_get(path, back, 16384);
	assert_memory_equal(back, data, 4096);
	assert_memory_equal(back + 4096, data, 4096 + 100);
	assert_int_equal(back[8192 + 100], 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 4096, data, 8192), 0);
}

/* In a file system of 64 KiB; for the rest of this program it is mounted for this program alone. */
static bool mount_small(void)
{
	static bool is_private;

	if (!is_private && (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)))
		return false;
	is_private = true;
	unlink(path);
	return !mount("small", folder, "tmpfs", 0, "size=64k");
}

static void test_full(void **state)
{
	int result;

	(void)state;
	if (!mount_small()) {
		print_message("no file system can be mounted\n");
		skip();
	}
	file_make(path, SIZE);
	open_disk(false);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 32768), 0);
	result = disk_client_do(&client, DISK_WRITE, 32768, data, 65536);
	assert_int_equal(result, -ENOSPC);
	/* It goes on: with what is there, and with what is given back. This file system has holes, and no zeroes. */
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data + 1, 4096), 0);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE_ZEROES, 4096, NULL, 4096), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE_ZEROES, 0, NULL, SIZE), -ENOSPC);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 0, NULL, SIZE), 0);
	assert_int_equal(file_space(path), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 32768, data, 32768), 0);
	close_disk();
	assert_false(umount2(folder, MNT_DETACH));
}

/* ---- Discard and zeroes ---- */

/* Over all but the first and the last sector of what was written. */
static void expect_zeroed(enum disk_operation operation, bool unmap, bool gives_back)
{
	struct disk_request request = {
		.operation = operation,
		.unmap = unmap,
		.offset = 512,
		.length = SIZE - 1024,
	};

	file_put(path, data, SIZE);
	disk_client_submit(&client, &request);
	disk_client_finish(&client);
	assert_int_equal(request.result, 0);
	file_get(path, back, SIZE);
	assert_memory_equal(back, data, 512);
	assert_memory_equal(back + SIZE - 512, data + SIZE - 512, 512);
	for (uint32_t n = 512; n < SIZE - 512; n++)
		if (back[n])
			fail_msg("byte %u is not 0", n);
	if (gives_back)
		assert_true(file_space(path) < SIZE / 2);
	else
		assert_true(file_space(path) >= SIZE);
}

static void test_zeroed(void **state)
{
	(void)state;
	open_disk(false);
	expect_zeroed(DISK_WRITE_ZEROES, false, false);
	expect_zeroed(DISK_WRITE_ZEROES, true, true);
	expect_zeroed(DISK_DISCARD, false, true);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 0, NULL, 0), 0);
}

/* ---- Size ---- */

static void test_resize(void **state)
{
	(void)state;
	open_disk(false);
	assert_int_equal(client.disk->ops->resize(client.disk, &error), 0);
	assert_int_equal(client.disk->size, SIZE);
	assert_false(truncate(path, 2 * SIZE));
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE, data, 512), -EIO);
	assert_int_equal(client.disk->ops->resize(client.disk, &error), 0);
	assert_int_equal(client.disk->size, 2 * SIZE);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 2 * SIZE - 512, data, 512), 0);
	assert_false(truncate(path, 2 * SIZE + 1));
	assert_int_equal(client.disk->ops->resize(client.disk, &error), -EINVAL);
	assert_non_null(strstr(error.text, "2097153 bytes"));
	assert_false(truncate(path, SIZE));
	assert_int_equal(client.disk->ops->resize(client.disk, &error), -EINVAL);
	assert_non_null(strstr(error.text, "shrunk from 2097152 to 1048576 bytes"));
	assert_int_equal(client.disk->size, 2 * SIZE);
}

/* ---- What is no disk ---- */

static void expect_no_disk(const char *where, bool readonly, int result, const char *words)
{
	const struct disk_options options = { .where = where, .readonly = readonly };
	struct disk *disk;

	assert_int_equal(disk_open(&disk, &options, &error), result);
	if (!strstr(error.text, words) || !strstr(error.text, where))
		fail_msg("%s: %s", where, error.text);
}

static void test_no_disk(void **state)
{
	char other[128];

	(void)state;
	snprintf(other, sizeof(other), "%s/none", folder);
	expect_no_disk(other, false, -ENOENT, "there is no disk");
	snprintf(other, sizeof(other), "%s/disk/below", folder);
	expect_no_disk(other, false, -ENOENT, "there is no disk");
	expect_no_disk(folder, false, -EINVAL, "is a folder");
	expect_no_disk(folder, true, -EINVAL, "is a folder");
	assert_false(truncate(path, 0));
	expect_no_disk(path, false, -EINVAL, "is empty");
	assert_false(truncate(path, 513));
	expect_no_disk(path, false, -EINVAL, "513 bytes, which is no multiple of 512");
	snprintf(other, sizeof(other), "%s/fifo", folder);
	assert_false(mkfifo(other, 0600));
	expect_no_disk(other, false, -EINVAL, "neither a file nor a block device");
	expect_no_disk(other, true, -EINVAL, "neither a file nor a block device");
	unlink(other);
	expect_no_disk("/dev/null", false, -EINVAL, "neither a file nor a block device");
	expect_no_disk("ftp://host/disk", false, -EINVAL, "name a path, or a server by nbd://");
	expect_no_disk("nbd+ssh://host/disk", false, -EINVAL, "name a path, or a server by nbd://");
}

/* Opening some devices is an order already, a watchdog's for one: what is no disk is not opened to find that out. */
static void expect_untouched(const char *where)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char event[sizeof(struct inotify_event)];

	assert_true(watch >= 0 && inotify_add_watch(watch, where, IN_CLOSE_WRITE) >= 0);
	expect_no_disk(where, false, -EINVAL, "neither a file nor a block device");
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	close(watch);
	unlink(where);
}

static void test_untouched(void **state)
{
	char other[128];

	(void)state;
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_false(mkfifo(other, 0600));
	expect_untouched(other);
	if (mknod(other, S_IFCHR | 0600, makedev(1, 5)))
		print_message("no device can be made: only a FIFO was tried\n");
	else
		expect_untouched(other);
}

static void test_denied(void **state)
{
	uid_t self = geteuid();

	(void)state;
	assert_false(chmod(path, 0444) || chmod(folder, 0755));
	if (!self)
		assert_false(seteuid(65534));
	expect_no_disk(path, false, -EACCES, "may not read and write");
	assert_non_null(strstr(error.text, "add readonly"));
	assert_int_equal(open_at(path, true), 0);
	assert_false(seteuid(self));
	assert_false(chmod(path, 0));
	if (!self)
		assert_false(seteuid(65534));
	expect_no_disk(path, true, -EACCES, "may not read the disk");
	assert_false(seteuid(self));
}

/* ---- Whose it is ---- */

#define OWNER "owner"

/* What this program is when it is called by that name: another one that has the disk, until its input ends. */
static int owner_run(const char *disk, const char *how)
{
	char byte = 0;

	engine = DISK_FILE_PLAIN;
	if (open_at(disk, !strcmp(how, "readonly")) || disk_lock(client.disk, LOCK_MS, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	return write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) < 0;
}

/* A program anew: in a mere copy, what a thread of ours held at that moment would be held for ever. */
static pid_t owner_start(bool readonly, int *end)
{
	int ready[2], over[2];
	pid_t child;
	char byte;

	assert_false(pipe2(ready, O_CLOEXEC) || pipe2(over, O_CLOEXEC));
	child = fork();
	if (!child) {
		if (dup2(over[0], STDIN_FILENO) >= 0 && dup2(ready[1], STDOUT_FILENO) >= 0)
			execl("/proc/self/exe", OWNER, path, readonly ? "readonly" : "writable", NULL);
		_exit(1);
	}
	close(over[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*end = over[1];
	return child;
}

static void owner_end(pid_t owner, int end)
{
	int status;

	close(end);
	assert_int_equal(waitpid(owner, &status, 0), owner);
	assert_int_equal(status, 0);
}

static void test_owner(void **state)
{
	pid_t owner;
	int end;

	(void)state;
	assert_int_equal(open_at(path, false), 0);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), -ENOLCK);
	assert_non_null(strstr(error.text, "no machine has"));

	owner = owner_start(false, &end);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), -EBUSY);
	assert_non_null(strstr(error.text, "is in use"));
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
	owner_end(owner, end);

	/* One that only reads is no owner, but its disk does not change. */
	owner = owner_start(true, &end);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), -ENOLCK);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), -EBUSY);
	owner_end(owner, end);

	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), 0);
	assert_int_equal(disk_unlock(client.disk, LOCK_MS, &error), 0);
	owner = owner_start(false, &end);
	owner_end(owner, end);
	/* Our own lock is not somebody else's. */
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), -ENOLCK);
}

static void test_readers(void **state)
{
	pid_t owner;
	int end;

	(void)state;
	assert_int_equal(open_at(path, true), 0);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), 0);
	owner = owner_start(true, &end);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_unlock(client.disk, LOCK_MS, &error), 0);
	owner_end(owner, end);
	owner = owner_start(false, &end);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), -EBUSY);
	assert_non_null(strstr(error.text, "for writing"));
	owner_end(owner, end);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TWICE(test_data),
		TWICE(test_many),
		TWICE(test_refused),
		TWICE(test_shrunk),
		TWICE(test_limit),
		TWICE(test_zeroed),
		TWICE(test_resize),
		BY(test_no_disk, &engine_plain),
		BY(test_untouched, &engine_plain),
		BY(test_denied, &engine_plain),
		BY(test_owner, &engine_plain),
		BY(test_readers, &engine_plain),
		/* Last, for its private mounts stay. */
		TWICE(test_full),
	};

	if (argc == 3 && !strcmp(argv[0], OWNER))
		return owner_run(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
