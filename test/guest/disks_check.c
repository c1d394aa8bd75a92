// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checks a disk, group by group.
 */
#include "disks_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "disks_order.h"

#define BLOCK_WORDS (ORDER_BLOCK_SIZE / sizeof(uint64_t))

int check_open(const char *path, int flags)
{
	int fd = open(path, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int64_t check_blocks(int fd)
{
	off_t bytes = lseek(fd, 0, SEEK_END);

	if (bytes < 0)
		return -errno;
	uint64_t blocks = order_blocks((uint64_t)bytes);

	return blocks ? (int64_t)blocks : -ENOSPC;
}

static void check_block(struct check *check, const uint64_t *words, unsigned int disk, uint64_t block, uint64_t durable)
{
	uint64_t sequence;
	bool right = order_read(words, disk, block, check->blocks, &sequence);
	bool old = right && sequence < order_latest(block, durable, check->blocks);

	if ((!right || old) && !check->wrong && !check->lost)
		check->first = block;
	check->wrong += !right;
	check->lost += old;
	if (right && sequence > check->last)
		check->last = sequence;
}

int check_group(struct check *check, int fd, unsigned int disk, uint64_t block, uint64_t durable)
{
	static _Thread_local uint64_t words[ORDER_GROUP * BLOCK_WORDS] __attribute__((aligned(ORDER_BLOCK_SIZE)));
	ssize_t got = pread(fd, words, sizeof(words), (off_t)(block * ORDER_BLOCK_SIZE));

	if (got != (ssize_t)sizeof(words))
		return got < 0 ? -errno : -EIO;
	for (uint64_t i = 0; i < ORDER_GROUP; i++)
		check_block(check, words + i * BLOCK_WORDS, disk, block + i, durable);
	return 0;
}

int check_run(struct check *check, const char *path, unsigned int disk, uint64_t durable)
{
	int fd = check_open(path, O_RDONLY);

	memset(check, 0, sizeof(*check));
	if (fd < 0)
		return fd;
	int64_t blocks = check_blocks(fd);
	int err = blocks < 0 ? (int)blocks : 0;

	check->blocks = err ? 0 : (uint64_t)blocks;
	for (uint64_t block = 0; block < check->blocks && !err; block += ORDER_GROUP)
		err = check_group(check, fd, disk, block, durable);
	close(fd);
	return err;
}
