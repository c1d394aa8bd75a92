/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a file as rows of calls: what comes next after a part, an error, or a way that is none. */
#include "unit.h"

#include "dev/disk/step.h"

#include <errno.h>
#include <linux/falloc.h>
#include <string.h>

#define HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZEROES (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)

static struct step_medium medium;
static struct disk_request request;
static struct step step;

static void begin(enum disk_operation operation, bool unmap, uint64_t length)
{
	request = (struct disk_request){
		.operation = operation,
		.unmap = unmap,
		.offset = 4096,
		.length = length,
		.result = 1,
	};
	assert_true(step_begin(&medium, &request));
	step_next(&request, &step);
}

/* The call fails, and another one is made. */
static void go_on(int err)
{
	assert_false(step_end(&medium, &request, -err));
	step_next(&request, &step);
}

static void expect_end(int64_t returned, int result)
{
	assert_true(step_end(&medium, &request, returned));
	assert_int_equal(request.result, result);
}

static int set_up(void **state)
{
	(void)state;
	medium = (struct step_medium){ .is_block = false };
	return 0;
}

static void test_parts(void **state)
{
	uint8_t data[3072];
	struct iovec buffers[] = { { data, 1024 }, { data + 1024, 0 }, { data + 1024, 1000 }, { data + 2024, 1048 } };

	(void)state;
	begin(DISK_WRITE, false, sizeof(data));
	request.buffer = buffers;
	request.buffers = ARRAY_SIZE(buffers);
	step_next(&request, &step);
	assert_int_equal(step.call, STEP_WRITE);
	assert_int_equal(step.buffers, 4);
	/* Up to the end of the first buffer, the empty one is left out as well; then into the next. */
	assert_false(step_end(&medium, &request, 1024));
	step_next(&request, &step);
	assert_int_equal(step.offset, 4096 + 1024);
	assert_int_equal(step.buffers, 2);
	assert_ptr_equal(step.buffer, &buffers[2]);
	assert_false(step_end(&medium, &request, 300));
	step_next(&request, &step);
	assert_int_equal(step.length, 3072 - 1324);
	assert_ptr_equal(step.buffer->iov_base, data + 1324);
	assert_int_equal(step.buffer->iov_len, 700);
	go_on(EINTR);
	go_on(EAGAIN);
	assert_int_equal(step.offset, 4096 + 1324);
	expect_end(3072 - 1324, 0);
}

static void test_ends(void **state)
{
	static const struct {
		enum disk_operation operation;
		int64_t returned;
		int result;
	} cases[] = {
		{ DISK_READ, 0, -EIO },	  /* behind the end of a file that has shrunk */
		{ DISK_READ, 513, -EIO }, /* more than was asked for */
		{ DISK_READ, -EIO, -EIO },
		{ DISK_WRITE, 0, -EIO },
		{ DISK_WRITE, -ENOSPC, -ENOSPC },
		{ DISK_WRITE, -EINVAL, -EINVAL },
		{ DISK_FLUSH, 0, 0 },
		{ DISK_FLUSH, -EIO, -EIO },
		{ DISK_FLUSH, -EINVAL, -EINVAL },
		{ DISK_DISCARD, 0, 0 },
		{ DISK_DISCARD, -EIO, -EIO },
		{ DISK_WRITE_ZEROES, -ENOSPC, -ENOSPC },
		{ DISK_WRITE_ZEROES, 0, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		uint8_t data[512];
		struct iovec buffer = { data, sizeof(data) };

		begin(cases[n].operation, false, sizeof(data));
		request.buffer = &buffer;
		request.buffers = 1;
		expect_end(cases[n].returned, cases[n].result);
	}
}

static void test_zeroes(void **state)
{
	(void)state;
	/* The space may be given back. */
	begin(DISK_WRITE_ZEROES, true, 1 << 20);
	assert_int_equal(step.call, STEP_ALLOCATE);
	assert_int_equal(step.mode, HOLE);
	go_on(EOPNOTSUPP);
	assert_int_equal(step.mode, ZEROES);
	go_on(EOPNOTSUPP);
	assert_int_equal(step.call, STEP_WRITE_ZEROES);
	assert_int_equal(step.length, STEP_ZEROES_MAX);
	assert_false(step_end(&medium, &request, STEP_ZEROES_MAX));
	step_next(&request, &step);
	assert_int_equal(step.offset, 4096 + STEP_ZEROES_MAX);
	expect_end(-ENOSPC, -ENOSPC);
	/* It is remembered. */
	begin(DISK_WRITE_ZEROES, true, 512);
	assert_int_equal(step.call, STEP_WRITE_ZEROES);
	assert_int_equal(step.length, 512);
	expect_end(512, 0);
}

static void test_zeroes_kept(void **state)
{
	(void)state;
	/* No hole where the space is to stay. */
	begin(DISK_WRITE_ZEROES, false, 512);
	assert_int_equal(step.mode, ZEROES);
	/* This range only. */
	go_on(EINVAL);
	assert_int_equal(step.call, STEP_WRITE_ZEROES);
	expect_end(-EINVAL, -EINVAL);
	begin(DISK_WRITE_ZEROES, false, 512);
	assert_int_equal(step.mode, ZEROES);
	expect_end(0, 0);
}

static void test_discard(void **state)
{
	(void)state;
	begin(DISK_DISCARD, false, 512);
	assert_int_equal(step.mode, HOLE);
	/* A file system without holes: nothing happens, now and later. */
	expect_end(-EOPNOTSUPP, 0);
	assert_false(step_begin(&medium, &request));
	assert_int_equal(request.result, 0);

	medium = (struct step_medium){ .is_block = true };
	begin(DISK_DISCARD, false, 512);
	assert_int_equal(step.mode, HOLE);
	go_on(EOPNOTSUPP);
	assert_int_equal(step.call, STEP_DISCARD);
	expect_end(0, 0);
	begin(DISK_DISCARD, false, 512);
	assert_int_equal(step.call, STEP_DISCARD);
	expect_end(-EIO, -EIO);
	begin(DISK_DISCARD, false, 512);
	expect_end(-EOPNOTSUPP, 0);
	assert_false(step_begin(&medium, &request));
}

/* More buffers than one call takes. */
static void test_buffers(void **state)
{
	struct iovec buffers[STEP_BUFFERS_MAX + 1];
	uint8_t data[512];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(buffers); n++)
		buffers[n] = (struct iovec){ data, sizeof(data) };
	begin(DISK_READ, false, sizeof(data) * ARRAY_SIZE(buffers));
	request.buffer = buffers;
	request.buffers = ARRAY_SIZE(buffers);
	step_next(&request, &step);
	assert_int_equal(step.call, STEP_READ);
	assert_int_equal(step.buffers, STEP_BUFFERS_MAX);
	assert_false(step_end(&medium, &request, sizeof(data) * STEP_BUFFERS_MAX));
	step_next(&request, &step);
	assert_int_equal(step.buffers, 1);
	expect_end(512, 0);
}

static void test_nothing(void **state)
{
	(void)state;
	request = (struct disk_request){ .operation = DISK_READ, .result = 1 };
	assert_false(step_begin(&medium, &request));
	assert_int_equal(request.result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_parts, set_up),   cmocka_unit_test_setup(test_ends, set_up),
		cmocka_unit_test_setup(test_zeroes, set_up),  cmocka_unit_test_setup(test_zeroes_kept, set_up),
		cmocka_unit_test_setup(test_discard, set_up), cmocka_unit_test_setup(test_buffers, set_up),
		cmocka_unit_test_setup(test_nothing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
