// SPDX-License-Identifier: BSD-2-Clause
/* The load on disks: the order of its writes against a plain replay of them, and what the check of a disk finds. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guest/disks_check.h"
#include "../guest/disks_order.h"

#define BLOCKS 256u
#define WORDS (ORDER_BLOCK_SIZE / sizeof(uint64_t))

static const char *const folder_template = "/tmp/guest-disks.XXXXXX";
static char path[64];
static uint64_t words[WORDS];

static void sizes_are_powers_of_two(void **state)
{
	static const struct {
		uint64_t bytes, blocks;
	} cases[] = {
		{ 0, 0 },
		{ (1 << 20) - 1, 0 },
		{ 1 << 20, 256 },
		{ (2 << 20) - 1, 256 },
		{ 16 << 20, 4096 },
		{ UINT64_C(1) << 40, ORDER_BLOCKS_MAX },
		{ UINT64_MAX, ORDER_BLOCKS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(order_blocks(cases[i].bytes), cases[i].blocks);
}

/* Every block once in each round, and order_latest() is what a replay remembers. */
static void order_is_a_permutation(void **state)
{
	(void)state;
	for (uint64_t blocks = BLOCKS; blocks <= 4096; blocks *= 4) {
		uint64_t *latest = calloc(blocks, sizeof(*latest));

		assert_non_null(latest);
		for (uint64_t sequence = 1; sequence <= 3 * blocks + 11; sequence++) {
			uint64_t block = order_block(sequence, blocks), any = sequence * 7 % blocks;

			assert_in_range(block, 0, blocks - 1);
			assert_int_equal(latest[block], sequence > blocks ? sequence - blocks : 0);
			latest[block] = sequence;
			assert_int_equal(order_latest(block, sequence, blocks), sequence);
			assert_int_equal(order_latest(any, sequence, blocks), latest[any]);
		}
		free(latest);
	}
}

static void groups_are_neighbours(void **state)
{
	(void)state;
	for (uint64_t sequence = 1; sequence <= BLOCKS; sequence += ORDER_GROUP)
		for (uint64_t i = 1; i < ORDER_GROUP; i++)
			assert_int_equal(order_block(sequence + i, BLOCKS), order_block(sequence, BLOCKS) + i);
}

static void a_block_tells_its_write(void **state)
{
	uint64_t sequence, block = order_block(1234, BLOCKS);

	(void)state;
	order_fill(words, 3, block, 1234);
	assert_true(order_read(words, 3, block, BLOCKS, &sequence));
	assert_int_equal(sequence, 1234);
	assert_false(order_read(words, 2, block, BLOCKS, &sequence));
	assert_false(order_read(words, 3, block + 1, BLOCKS, &sequence));
	assert_false(order_read(words, 3, block, 4096, &sequence));
	for (size_t i = 0; i < WORDS; i++) {
		words[i] ^= UINT64_C(1) << i % 64;
		assert_false(order_read(words, 3, block, BLOCKS, &sequence));
		words[i] ^= UINT64_C(1) << i % 64;
	}
	memset(words, 0, sizeof(words));
	assert_true(order_read(words, 3, block, BLOCKS, &sequence));
	assert_int_equal(sequence, 0);
}

/* One half of each of two writes. */
static void a_torn_block_is_wrong(void **state)
{
	uint64_t other[WORDS], sequence, block = order_block(77, BLOCKS);

	(void)state;
	order_fill(words, 0, block, 77);
	order_fill(other, 0, block, 77 + BLOCKS);
	memcpy(words + WORDS / 2, other + WORDS / 2, sizeof(words) / 2);
	assert_false(order_read(words, 0, block, BLOCKS, &sequence));
}

static void block_write(int fd, uint64_t sequence)
{
	uint64_t block = order_block(sequence, BLOCKS);

	order_fill(words, 1, block, sequence);
	assert_int_equal(pwrite(fd, words, sizeof(words), (off_t)(block * ORDER_BLOCK_SIZE)), sizeof(words));
}

/* A disk with the first `count` writes but `lost`, if that is not 0. */
static int disk_make(uint64_t count, uint64_t lost)
{
	int fd;

	snprintf(path, sizeof(path), "%s", folder_template);
	fd = mkstemp(path);
	assert_return_code(fd, 0);
	assert_return_code(ftruncate(fd, BLOCKS * ORDER_BLOCK_SIZE), 0);
	for (uint64_t sequence = 1; sequence <= count; sequence++)
		if (sequence != lost)
			block_write(fd, sequence);
	return fd;
}

static void check_is(int fd, uint64_t durable, uint64_t last, uint64_t wrong, uint64_t lost)
{
	struct check check;

	assert_int_equal(check_run(&check, path, 1, durable), 0);
	assert_int_equal(check.blocks, BLOCKS);
	assert_int_equal(check.last, last);
	assert_int_equal(check.wrong, wrong);
	assert_int_equal(check.lost, lost);
	close(fd);
	unlink(path);
}

static void a_good_disk_passes(void **state)
{
	(void)state;
	check_is(disk_make(0, 0), 0, 0, 0, 0);
	check_is(disk_make(100, 0), 100, 100, 0, 0);
	check_is(disk_make(1000, 0), 1000, 1000, 0, 0);
	/* Written and not yet durable: there or not. */
	check_is(disk_make(1000, 0), 900, 1000, 0, 0);
	check_is(disk_make(1000, 950), 900, 1000, 0, 0);
}

static void what_is_missing_is_lost(void **state)
{
	int fd = disk_make(1000, 0);

	(void)state;
	/* A write of the round before that came late. */
	block_write(fd, 1000 - BLOCKS);
	check_is(fd, 1000, 999, 0, 1);
	check_is(disk_make(1000, 990), 1000, 1000, 0, 1);
	check_is(disk_make(100, 50), 100, 100, 0, 1);
	check_is(disk_make(900, 0), 1000, 900, 0, 100);
}

static void what_is_damaged_is_wrong(void **state)
{
	int fd = disk_make(1000, 0);
	struct check check;

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 5 * ORDER_BLOCK_SIZE + 4095), 1);
	assert_int_equal(check_run(&check, path, 1, 1000), 0);
	assert_int_equal(check.first, 5);
	check_is(fd, 1000, 1000, 1, 0);
	/* Another disk's content, all of it. */
	fd = disk_make(1000, 0);
	assert_int_equal(check_run(&check, path, 0, 0), 0);
	assert_int_equal(check.wrong, BLOCKS);
	close(fd);
	unlink(path);
}

static void a_disk_that_cannot_be_read_is_an_error(void **state)
{
	struct check check;
	int fd = disk_make(0, 0);

	(void)state;
	assert_return_code(ftruncate(fd, BLOCKS * ORDER_BLOCK_SIZE - 1), 0);
	assert_int_equal(check_run(&check, path, 1, 0), -ENOSPC);
	close(fd);
	unlink(path);
	assert_int_equal(check_run(&check, path, 1, 0), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_powers_of_two),
		cmocka_unit_test(order_is_a_permutation),
		cmocka_unit_test(groups_are_neighbours),
		cmocka_unit_test(a_block_tells_its_write),
		cmocka_unit_test(a_torn_block_is_wrong),
		cmocka_unit_test(a_good_disk_passes),
		cmocka_unit_test(what_is_missing_is_lost),
		cmocka_unit_test(what_is_damaged_is_wrong),
		cmocka_unit_test(a_disk_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
