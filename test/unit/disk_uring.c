/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ring of a disk does, and what it refuses though the kernel could: anything but a disk's requests. */
#include "dev/disk/uring.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct uring uring;
static int file = -1;
static bool has_uring;

static int set_up(void **state)
{
	char path[] = "/tmp/seaclock-uring-XXXXXX";
	static struct step_medium medium;

	(void)state;
	file = mkstemp(path);
	unlink(path);
	has_uring = file >= 0 && !uring_open(&uring, file, &medium);
	return file < 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (has_uring)
		uring_close(&uring);
	return close(file);
}

/* What comes of it. */
static int ask(void)
{
	struct io_uring_cqe *done;
	int result;

	assert_int_equal(io_uring_submit(&uring.ring), 1);
	assert_int_equal(io_uring_wait_cqe(&uring.ring, &done), 0);
	result = done->res;
	io_uring_cqe_seen(&uring.ring, done);
	return result;
}

static struct io_uring_sqe *take(void)
{
	struct io_uring_sqe *entry;

	if (!has_uring)
		skip();
	entry = io_uring_get_sqe(&uring.ring);
	assert_non_null(entry);
	return entry;
}

static void test_allowed(void **state)
{
	struct io_uring_sqe *entry = take();

	(void)state;
	io_uring_prep_write(entry, file, "data", 4, 0);
	assert_int_equal(ask(), 4);
	entry = take();
	io_uring_prep_fsync(entry, file, IORING_FSYNC_DATASYNC);
	assert_int_equal(ask(), 0);
}

static void test_refused(void **state)
{
	struct io_uring_sqe *entry = take();
	char byte;

	(void)state;
	io_uring_prep_nop(entry);
	assert_int_equal(ask(), -EACCES);
	entry = take();
	io_uring_prep_openat(entry, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	assert_int_equal(ask(), -EACCES);
	entry = take();
	io_uring_prep_socket(entry, AF_INET, SOCK_STREAM, 0, 0);
	assert_int_equal(ask(), -EACCES);
	entry = take();
	io_uring_prep_read(entry, file, &byte, 1, 0);
	assert_int_equal(ask(), -EACCES);
	/* Nor are there descriptors, buffers or other threads for it later. */
	assert_true(io_uring_register_files(&uring.ring, &file, 1) < 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_allowed), TEST(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
