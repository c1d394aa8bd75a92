/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network disk on a real server, nbdkit, for each test: a file of its own behind a socket of its own.
 *
 * Policy: time is the machine's; where a test would wait for long, it is set forward.
 */
#ifndef DISK_NBD_FIXTURE_H
#define DISK_NBD_FIXTURE_H

#include "unit.h"
#include "../fake/disk_client.h"
#include "../fake/disk_server.h"
#include "../fake/host_fake.h"
#include "../fake/port.h"
#include "../wait_scale.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 100
#define SIZE (8u << 20)
#define MANY 300u
#define S 1000000000ull

static char folder[64], path[96], file_word[128];
static struct disk_server server;
static struct disk_client client;
static struct error error;
static uint8_t *data, *back;

/* ---- Fixture ---- */

static inline int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	strcpy(folder, "/tmp/disk_nbd.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/disk", folder);
	snprintf(file_word, sizeof(file_word), "file=%s", path);
	disk_server_init(&server, folder);
	client.disk = NULL;
	data = malloc(SIZE);
	back = calloc(1, SIZE);
	for (uint32_t n = 0; n < SIZE; n++)
		data[n] = (uint8_t)(n * 31 + n / 257 + 1);
	close(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	return truncate(path, SIZE);
}

static inline int tear_down(void **state)
{
	(void)state;
	if (client.disk)
		disk_close(client.disk);
	disk_server_end(&server, SIGKILL);
	free(data);
	free(back);
	unlink(server.socket);
	unlink(server.pid_file);
	unlink(path);
	rmdir(folder);
	alarm(0);
	return 0;
}

#define START(...) disk_server_start(&server, (const char *const[]){ __VA_ARGS__, NULL })

static inline void start_file(void)
{
	START("file", file_word);
}

/* One that takes its time, so that requests are under way. */
static inline void start_slow(void)
{
	START("--filter=delay", "file", file_word, "rdelay=20ms", "wdelay=20ms");
}

static inline int open_disk(bool readonly, uint32_t reconnect_s)
{
	const struct disk_options options = { .where = server.uri, .readonly = readonly, .reconnect_s = reconnect_s };
	struct disk *disk;
	int result = disk_open(&disk, &options, &error);

	if (!result)
		disk_client_attach(&client, disk);
	return result;
}

static inline void open_own(uint32_t reconnect_s)
{
	assert_int_equal(open_disk(false, reconnect_s), 0);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
}

/* While it runs a second passes every few ms; of a slow machine's, whose servers have to answer in these seconds. */
static bool hurries;
static pthread_t hurry;

static inline void *hurry_run(void *ignored)
{
	const struct timespec pause = { .tv_nsec = (long)wait_scaled(10) * 1000000 };

	(void)ignored;
	while (__atomic_load_n(&hurries, __ATOMIC_RELAXED)) {
		fake_time_advance(S);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static inline void hurry_begin(void)
{
	__atomic_store_n(&hurries, true, __ATOMIC_RELAXED);
	assert_false(pthread_create(&hurry, NULL, hurry_run, NULL));
}

static inline void hurry_end(void)
{
	__atomic_store_n(&hurries, false, __ATOMIC_RELAXED);
	pthread_join(hurry, NULL);
}

static inline void file_get(void *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, bytes, size, 0), size);
	close(fd);
}

/* ---- Many requests ---- */

static struct disk_request requests[MANY];
static struct iovec buffers[MANY];

static inline void submit_many(enum disk_operation operation, uint8_t *bytes)
{
	for (uint32_t n = 0; n < MANY; n++) {
		buffers[n] = (struct iovec){ bytes + n * 4096, 4096 };
		requests[n] = (struct disk_request){
			.operation = operation,
			.offset = n * 4096,
			.length = 4096,
			.buffer = &buffers[n],
			.buffers = 1,
		};
		disk_client_submit(&client, &requests[n]);
	}
}

/* Until some are done, and others under way. */
static inline void await_middle(void)
{
	while (client.done < MANY / 8)
		disk_client_round(&client, 100);
	assert_true(client.under_way > 0);
}

/* Until nothing more comes of what was answered before. */
static inline void await_quiet(void)
{
	do {
		client.done = 0;
		disk_client_round(&client, 50);
	} while (client.done);
	assert_true(client.under_way > 0);
}

static inline void expect_many(int result)
{
	disk_client_finish(&client);
	for (uint32_t n = 0; n < MANY; n++)
		assert_int_equal(requests[n].result, result);
}

static inline int prepare(void **state)
{
	(void)state;
	fake_reset();
	fake_time_follow_machine();
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
