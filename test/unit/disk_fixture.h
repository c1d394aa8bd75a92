/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in a file of its own, for each test, by the engine that the test is given.
 *
 * Policy: where this machine does not allow io_uring, plain calls are tested instead, and the test says so.
 */
#ifndef DISK_FIXTURE_H
#define DISK_FIXTURE_H

#include "unit.h"
#include "../fake/disk_client.h"
#include "../wait_scale.h"

#include "dev/disk/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_S 100
#define SIZE (1u << 20)

static enum disk_file_engine engine_uring = DISK_FILE_URING, engine_plain = DISK_FILE_PLAIN;

static char folder[64], path[96];
static enum disk_file_engine engine;
static struct disk_client client;
static struct error error;
static uint8_t *data, *back;

static inline void pattern_fill(uint8_t *bytes, size_t size, uint8_t seed)
{
	for (size_t n = 0; n < size; n++)
		bytes[n] = (uint8_t)(n * 31 + n / 257 + seed);
}

static inline void file_make(const char *name, off_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_false(ftruncate(fd, size));
	close(fd);
}

static inline void file_put(const char *name, const void *bytes, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	assert_false(fsync(fd));
	close(fd);
}

static inline void file_get(const char *name, void *bytes, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, size, 0), size);
	close(fd);
}

static inline uint64_t file_space(const char *name)
{
	struct stat facts;

	assert_false(stat(name, &facts));
	return (uint64_t)facts.st_blocks * 512;
}

static inline int open_at(const char *where, bool readonly)
{
	const struct disk_options options = { .where = where, .readonly = readonly };
	struct disk *disk;
	int result = disk_file_open(&disk, &options, engine, &error);

	if (!result)
		disk_client_attach(&client, disk);
	return result;
}

static inline void open_disk(bool readonly)
{
	assert_int_equal(open_at(path, readonly), 0);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
}

static inline void close_disk(void)
{
	disk_close(client.disk);
	client.disk = NULL;
}

static inline int set_up(void **state)
{
	engine = *(enum disk_file_engine *)*state;
	alarm(wait_scaled(LIMIT_S));
	strcpy(folder, "/tmp/disk_file.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/disk", folder);
	data = malloc(SIZE);
	back = calloc(1, SIZE);
	pattern_fill(data, SIZE, 1);
	file_make(path, SIZE);
	client.disk = NULL;
	if (engine == DISK_FILE_URING && open_at(path, true)) {
		print_message("%s: plain calls are tested instead\n", error.text);
		engine = DISK_FILE_PLAIN;
	}
	if (client.disk)
		close_disk();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	if (client.disk)
		close_disk();
	free(data);
	free(back);
	unlink(path);
	rmdir(folder);
	alarm(0);
	return 0;
}

#define BY(function, engine) cmocka_unit_test_prestate_setup_teardown(function, set_up, tear_down, engine)
#define TWICE(function) BY(function, &engine_uring), BY(function, &engine_plain)

#endif
