// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes a disk. Policy: every other round goes through the kernel's cache, which makes many requests of it at once;
 * the rounds between go past it, one request after the other. Reads always go to the disk.
 */
#include "disks_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disks_check.h"
#include "disks_order.h"
#include "probe_line.h"

#define BLOCK_WORDS (ORDER_BLOCK_SIZE / sizeof(uint64_t))
#define ROUND_GROUPS_MAX 16u /* that are written between two fsync() */
#define READS 4u	     /* groups read back after one */
#define NS_PER_MS 1000000
#define REPORT_ROUNDS 16u
#define OPEN_MAX (ROUND_GROUPS_MAX * ORDER_GROUP) /* writes that may be on the disk and not yet durable */

/* Or a write that is repeated could undo a newer one. */
_Static_assert(OPEN_MAX < ORDER_BLOCKS_MIN, "no block is written twice in one round");

struct writer {
	unsigned int disk, pause_ms;
	const char *path;
	int direct, cached, reader;
	uint64_t sequence; /* written so far */
	uint64_t rounds, errors;
	struct check seen; /* by reading back */
	uint64_t checked;  /* blocks */
	unsigned int seed;
};

static void report(const struct writer *writer)
{
	line_print("@disk disk=%u sequence=%" PRIu64 " checked=%" PRIu64 " wrong=%" PRIu64 " first=%" PRIu64
		   " errors=%" PRIu64,
		   writer->disk, writer->sequence, writer->checked, writer->seen.wrong + writer->seen.lost,
		   writer->seen.first, writer->errors);
}

static int fail(struct writer *writer, const char *what, int err)
{
	writer->errors++;
	line_print("@error disk=%u in=%s errno=%d sequence=%" PRIu64, writer->disk, what, -err, writer->sequence);
	report(writer);
	return err;
}

static int group_write(struct writer *writer, int fd)
{
	static _Thread_local uint64_t words[ORDER_GROUP * BLOCK_WORDS] __attribute__((aligned(ORDER_BLOCK_SIZE)));
	uint64_t block = order_block(writer->sequence + 1, writer->seen.blocks);

	for (uint64_t i = 0; i < ORDER_GROUP; i++)
		order_fill(words + i * BLOCK_WORDS, writer->disk, block + i, writer->sequence + 1 + i);
	ssize_t written = pwrite(fd, words, sizeof(words), (off_t)(block * ORDER_BLOCK_SIZE));

	if (written != (ssize_t)sizeof(words))
		return fail(writer, "write", written < 0 ? -errno : -EIO);
	writer->sequence += ORDER_GROUP;
	return 0;
}

static int round_write(struct writer *writer)
{
	unsigned int groups = 1 + (unsigned int)rand_r(&writer->seed) % ROUND_GROUPS_MAX;
	int fd = writer->rounds % 2 ? writer->direct : writer->cached, err = 0;

	for (unsigned int i = 0; i < groups && !err; i++)
		err = group_write(writer, fd);
	if (!err && fsync(fd) != 0)
		err = fail(writer, "fsync", -errno);
	if (!err)
		line_print("@fsync disk=%u sequence=%" PRIu64, writer->disk, writer->sequence);
	return err;
}

/* No other write has gone to a group since the last one that is known, so nothing newer than that can be there. */
static int round_read(struct writer *writer)
{
	int err = 0;

	for (unsigned int i = 0; i < READS && !err; i++) {
		uint64_t group = (uint64_t)rand_r(&writer->seed) % (writer->seen.blocks / ORDER_GROUP);

		err = check_group(&writer->seen, writer->reader, writer->disk, group * ORDER_GROUP, writer->sequence);
		if (err)
			return fail(writer, "read", err);
		writer->checked += ORDER_GROUP;
	}
	if (writer->seen.last > writer->sequence)
		writer->seen.wrong++;
	return err;
}

static void rest(const struct writer *writer)
{
	struct timespec time = { .tv_sec = writer->pause_ms / 1000,
				 .tv_nsec = (long)(writer->pause_ms % 1000) * NS_PER_MS };

	nanosleep(&time, NULL);
}

/* What was being written when the last writer was killed may be there in part: it is written once more. */
static int begin(struct writer *writer)
{
	struct check found;
	int err = check_run(&found, writer->path, writer->disk, 0);

	if (err)
		return fail(writer, "begin", err);
	uint64_t written = found.last / ORDER_GROUP * ORDER_GROUP;

	writer->sequence = written > OPEN_MAX ? written - OPEN_MAX : 0;
	writer->seen = found;
	if (found.last)
		err = check_run(&writer->seen, writer->path, writer->disk, writer->sequence);
	writer->seen.last = 0;
	return err ? fail(writer, "begin", err) : 0;
}

static void *writer_run(void *argument)
{
	struct writer *writer = argument;
	int err = begin(writer);

	for (uint64_t until = writer->sequence + OPEN_MAX; !err && writer->sequence < until;)
		err = group_write(writer, writer->cached);
	while (!err) {
		err = round_write(writer);
		if (!err)
			err = round_read(writer);
		if (!err && writer->rounds++ % REPORT_ROUNDS == 0)
			report(writer);
		rest(writer);
	}
	return NULL;
}

static int files_open(struct writer *writer)
{
	writer->direct = check_open(writer->path, O_WRONLY);
	writer->reader = check_open(writer->path, O_RDONLY);
	writer->cached = open(writer->path, O_WRONLY | O_CLOEXEC);
	if (writer->direct < 0)
		return writer->direct;
	if (writer->reader < 0)
		return writer->reader;
	return writer->cached < 0 ? -errno : 0;
}

int writer_start(unsigned int disk, const char *path, unsigned int pause_ms)
{
	static struct writer writers[ORDER_DISKS_MAX];
	struct writer *writer = &writers[disk];
	pthread_t thread;

	*writer = (struct writer){ .disk = disk, .path = path, .pause_ms = pause_ms, .seed = disk };
	int err = files_open(writer);

	return err ? err : -pthread_create(&thread, NULL, writer_run, writer);
}
