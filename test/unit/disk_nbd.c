/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network disks on a real server, nbdkit: data, what servers can and cannot do, and servers that die, come back, come
 * back as another one, or stay away.
 *
 * Policy: time is the machine's; where a test would wait for long, it is set forward.
 */
#include "unit.h"
#include "../fake/disk_client.h"
#include "../fake/disk_server.h"
#include "../fake/host_fake.h"
#include "../fake/port.h"
#include "../wait_scale.h"

#include "dev/disk/nbd_link.h"

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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void start_file(void)
{
	START("file", file_word);
}

/* One that takes its time, so that requests are under way. */
static void start_slow(void)
{
	START("--filter=delay", "file", file_word, "rdelay=20ms", "wdelay=20ms");
}

static int open_disk(bool readonly, uint32_t reconnect_s)
{
	const struct disk_options options = { .where = server.uri, .readonly = readonly, .reconnect_s = reconnect_s };
	struct disk *disk;
	int result = disk_open(&disk, &options, &error);

	if (!result)
		disk_client_attach(&client, disk);
	return result;
}

static void open_own(uint32_t reconnect_s)
{
	assert_int_equal(open_disk(false, reconnect_s), 0);
	assert_int_equal(disk_lock(client.disk, &error), 0);
}

/* While it runs a second passes every few ms. */
static bool hurries;
static pthread_t hurry;

static void *hurry_run(void *ignored)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	(void)ignored;
	while (__atomic_load_n(&hurries, __ATOMIC_RELAXED)) {
		fake_time_advance(S);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void hurry_begin(void)
{
	__atomic_store_n(&hurries, true, __ATOMIC_RELAXED);
	assert_false(pthread_create(&hurry, NULL, hurry_run, NULL));
}

static void hurry_end(void)
{
	__atomic_store_n(&hurries, false, __ATOMIC_RELAXED);
	pthread_join(hurry, NULL);
}

static void file_get(void *bytes, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, bytes, size, 0), size);
	close(fd);
}

/* ---- Many requests ---- */

static struct disk_request requests[MANY];
static struct iovec buffers[MANY];

static void submit_many(enum disk_operation operation, uint8_t *bytes)
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
static void await_middle(void)
{
	while (client.done < MANY / 8)
		disk_client_round(&client, 100);
	assert_true(client.under_way > 0);
}

/* Until nothing more comes of what was answered before. */
static void await_quiet(void)
{
	do {
		client.done = 0;
		disk_client_round(&client, 50);
	} while (client.done);
	assert_true(client.under_way > 0);
}

static void expect_many(int result)
{
	disk_client_finish(&client);
	for (uint32_t n = 0; n < MANY; n++)
		assert_int_equal(requests[n].result, result);
}

/* ---- Data ---- */

static int do_buffers(enum disk_operation operation, uint64_t offset, struct iovec *buffer, uint32_t count)
{
	struct disk_request request = { .operation = operation, .offset = offset, .buffer = buffer, .buffers = count };

	for (uint32_t n = 0; n < count; n++)
		request.length += buffer[n].iov_len;
	disk_client_submit(&client, &request);
	disk_client_finish(&client);
	return request.result;
}

static void test_data(void **state)
{
	struct iovec odd[] = { { data, 100 }, { data + 5000, 412 }, { data + 8192, 70000 }, { data + 100000, 144 } };
	struct iovec odd_back[] = { { back, 65000 }, { back + 70000, 5656 } };
	struct iovec one[] = { { data, 5u << 20 } }, one_back[] = { { back, 5u << 20 } };
	struct iovec pages[256];

	(void)state;
	start_file();
	open_own(60);
	assert_int_equal(client.disk->size, SIZE);
	assert_true(client.disk->can_discard && client.disk->can_write_zeroes);
	assert_int_equal(do_buffers(DISK_WRITE, 1024, odd, 4), 0);
	assert_int_equal(do_buffers(DISK_READ, 1024, odd_back, 2), 0);
	assert_memory_equal(back, data, 100);
	assert_memory_equal(back + 100, data + 5000, 412);
	memmove(back + 65000, back + 70000, 5656);
	assert_memory_equal(back + 512, data + 8192, 70000);
	assert_memory_equal(back + 70512, data + 100000, 144);
	/* Larger than a piece, and in as many places as a request can have. */
	assert_int_equal(do_buffers(DISK_WRITE, SIZE - (5u << 20), one, 1), 0);
	assert_int_equal(do_buffers(DISK_READ, SIZE - (5u << 20), one_back, 1), 0);
	assert_memory_equal(back, data, 5u << 20);
	for (uint32_t n = 0; n < 256; n++)
		pages[n] = (struct iovec){ data + (255 - n) * 8192, 4096 };
	assert_int_equal(do_buffers(DISK_WRITE, 0, pages, 256), 0);
	file_get(back, 256 * 4096);
	for (uint32_t n = 0; n < 256; n++)
		assert_memory_equal(back + n * 4096, data + (255 - n) * 8192, 4096);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
}

static void test_zeroed(void **state)
{
	struct disk_request zeroes = { .operation = DISK_WRITE_ZEROES, .offset = 512, .length = SIZE - 1024 };
	struct stat facts;

	(void)state;
	start_file();
	open_own(60);
	for (int unmap = 0; unmap < 2; unmap++) {
		assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, SIZE), 0);
		zeroes.unmap = unmap;
		disk_client_submit(&client, &zeroes);
		disk_client_finish(&client);
		assert_int_equal(zeroes.result, 0);
		file_get(back, SIZE);
		assert_memory_equal(back, data, 512);
		assert_memory_equal(back + SIZE - 512, data + SIZE - 512, 512);
		assert_int_equal(back[512] | back[SIZE / 2] | back[SIZE - 513], 0);
	}
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, SIZE), 0);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 0, NULL, SIZE), 0);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_false(stat(path, &facts));
	assert_true(facts.st_blocks * 512 < SIZE / 2);
}

static void test_ownership(void **state)
{
	(void)state;
	start_file();
	assert_int_equal(open_disk(false, 60), 0);
	assert_int_equal(disk_check_locked(client.disk, &error), -ENOTSUP);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	assert_int_equal(disk_lock(client.disk, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE, data, 512), -EIO);
	disk_unlock(client.disk);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
}

/* ---- Ways to a server ---- */

static void test_tcp(void **state)
{
	char address[PORT_TEXT_SIZE];
	int port = port_reserve(address);

	(void)state;
	assert_true(port >= 0);
	disk_server_use_port(&server, address);
	start_file();
	open_own(60);
	assert_false(client.disk->shared_name);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, SIZE), 0);
	disk_server_end(&server, SIGKILL);
	start_file();
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, SIZE), 0);
	assert_memory_equal(back, data, SIZE);
	close(port);
}

static void start_tls(const char *keys)
{
	char word[128];

	snprintf(word, sizeof(word), "--tls-psk=%s", keys);
	START("--tls=require", word, "file", file_word);
}

static void test_tls(void **state)
{
	static const char pair[] = "guest:000102030405060708090a0b0c0d0e0f\n";
	char keys[96];
	int fd;

	(void)state;
	snprintf(keys, sizeof(keys), "%s/keys", folder);
	fd = open(keys, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, pair, sizeof(pair) - 1), sizeof(pair) - 1);
	close(fd);
	start_tls(keys);
	/* Not without. */
	assert_true(open_disk(false, 60) < 0);
	snprintf(server.uri, sizeof(server.uri), "nbds+unix://guest@/?socket=%s&tls-psk-file=%s", server.socket, keys);
	open_own(60);
	submit_many(DISK_WRITE, data);
	await_middle();
	disk_server_end(&server, SIGKILL);
	start_tls(keys);
	expect_many(0);
	submit_many(DISK_READ, back);
	expect_many(0);
	assert_memory_equal(back, data, MANY * 4096);
	/* A server without it is not taken instead. */
	disk_server_end(&server, SIGKILL);
	start_file();
	hurry_begin();
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), -EIO);
	hurry_end();
	unlink(keys);
}

/* ---- What servers cannot do ---- */

static void test_readonly(void **state)
{
	(void)state;
	START("-r", "file", file_word);
	assert_int_equal(open_disk(false, 60), -EINVAL);
	assert_non_null(strstr(error.text, "add readonly"));
	assert_int_equal(open_disk(true, 60), 0);
	assert_int_equal(disk_lock(client.disk, &error), 0);
	assert_int_equal(disk_check_locked(client.disk, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EROFS);
}

static void test_simple_server(void **state)
{
	(void)state;
	START("eval", "get_size=echo 1M", "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null");
	open_own(60);
	assert_int_equal(client.disk->size, 1u << 20);
	assert_false(client.disk->can_discard);
	/* There is nothing that could be flushed. */
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 4096), 0);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(disk_client_do(&client, DISK_DISCARD, 0, NULL, 4096), -EOPNOTSUPP);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 4096), 0);
}

static void test_errors(void **state)
{
	(void)state;
	START("--filter=error", "file", file_word, "error=ENOSPC", "error-pwrite-rate=100%");
	open_own(60);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 4096), -ENOSPC);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 4096), 0);
	disk_close(client.disk);
	client.disk = NULL;
	disk_server_end(&server, SIGTERM);
	START("--filter=error", "file", file_word, "error=EIO", "error-pread-rate=100%");
	open_own(60);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 4096), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 4096), 0);
}

static void expect_no_disk(const char *size, const char *filter, const char *word, const char *words)
{
	START(filter, "memory", size, word);
	assert_true(open_disk(false, 60) < 0);
	if (!strstr(error.text, words) || !strstr(error.text, server.uri))
		fail_msg("%s", error.text);
	disk_server_end(&server, SIGKILL);
}

static void test_no_disk(void **state)
{
	(void)state;
	assert_int_equal(open_disk(false, 60), -ENOENT);
	assert_non_null(strstr(error.text, "cannot use the disk nbd+unix://"));
	expect_no_disk("513", "--filter=nocache", "allocator=malloc", "513 bytes, which is no multiple of 512");
	expect_no_disk("0", "--filter=nocache", "allocator=malloc", "0 bytes, which is no multiple of 512");
	expect_no_disk("1M", "--filter=blocksize-policy", "blocksize-minimum=4096", "blocks of 4096 bytes at least");
	/* Nothing listens there. */
	snprintf(server.uri, sizeof(server.uri), "nbd://127.0.0.1:1/");
	assert_int_equal(open_disk(false, 60), -ECONNREFUSED);
	snprintf(server.uri, sizeof(server.uri), "nbd+unix:///");
	assert_true(open_disk(false, 60) < 0);
}

/* It takes the connection and says nothing. */
static void test_silent_at_open(void **state)
{
	(void)state;
	start_file();
	kill(server.pid, SIGSTOP);
	hurry_begin();
	assert_int_equal(open_disk(false, 60), -ETIMEDOUT);
	hurry_end();
	assert_non_null(strstr(error.text, "no answer for 10 s"));
	kill(server.pid, SIGCONT);
}

/* ---- Servers that die ---- */

static void test_restart(void **state)
{
	static const int signals[] = { SIGKILL, SIGTERM };

	(void)state;
	start_slow();
	open_own(60);
	for (size_t n = 0; n < ARRAY_SIZE(signals); n++) {
		client.done = 0;
		submit_many(DISK_WRITE, data + n * 512);
		await_middle();
		disk_server_end(&server, signals[n]);
		disk_client_round(&client, 0);
		start_slow();
		expect_many(0);
		assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
		file_get(back, MANY * 4096);
		assert_memory_equal(back, data + n * 512, MANY * 4096);

		client.done = 0;
		memset(back, 0, MANY * 4096);
		submit_many(DISK_READ, back);
		await_middle();
		disk_server_end(&server, signals[n]);
		start_slow();
		expect_many(0);
		assert_memory_equal(back, data + n * 512, MANY * 4096);
	}
}

/* While nobody asks for anything. */
static void test_restart_idle(void **state)
{
	(void)state;
	start_file();
	open_own(60);
	disk_client_round(&client, 0);
	disk_server_end(&server, SIGKILL);
	start_file();
	for (int n = 0; n < 5; n++)
		disk_client_round(&client, 20);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 4096), 0);
}

static void test_patience(void **state)
{
	(void)state;
	start_slow();
	open_own(60);
	submit_many(DISK_WRITE, data);
	await_middle();
	disk_server_end(&server, SIGKILL);
	assert_false(client.disk->ops->is_away(client.disk));
	await_quiet();
	assert_true(client.disk->ops->is_away(client.disk));
	fake_time_advance(55 * S);
	disk_client_round(&client, 0);
	assert_true(client.under_way > 0);
	fake_time_advance(6 * S);
	disk_client_finish(&client);
	assert_int_equal(requests[MANY - 1].result, -EIO);
	/* At once from now on. */
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), -EIO);
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), -EIO);
	/* Until it is back. */
	start_file();
	fake_time_advance(3 * S);
	while (disk_client_do(&client, DISK_READ, 0, back, 512))
		disk_client_round(&client, 20);
	assert_false(client.disk->ops->is_away(client.disk));
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), 0);
}

/* It is there, and does not answer. */
static void test_silence(void **state)
{
	(void)state;
	start_slow();
	open_own(60);
	submit_many(DISK_WRITE, data);
	await_middle();
	kill(server.pid, SIGSTOP);
	await_quiet();
	fake_time_advance(59 * S);
	disk_client_round(&client, 0);
	assert_true(client.under_way > 0);
	fake_time_advance(3 * S);
	disk_client_finish(&client);
	assert_int_equal(requests[MANY - 1].result, -EIO);
	disk_server_end(&server, SIGKILL);
	start_file();
	fake_time_advance(3 * S);
	while (disk_client_do(&client, DISK_READ, 0, back, 512))
		disk_client_round(&client, 20);
}

static void test_withdraw(void **state)
{
	uint32_t back_again;

	(void)state;
	start_slow();
	open_own(60);
	submit_many(DISK_WRITE, data);
	await_middle();
	disk_server_end(&server, SIGKILL);
	disk_client_round(&client, 0);
	back_again = disk_client_withdraw(&client);
	assert_true(back_again > 0);
	/* What was answered is done all the same, and nothing else is left. */
	disk_client_finish(&client);
	assert_int_equal(client.done + back_again, MANY);
	assert_int_equal(disk_client_withdraw(&client), 0);
	/* Those that came back can be submitted once more. */
	start_file();
	for (uint32_t n = 0; n < MANY; n++)
		if (requests[n].result == -ECANCELED)
			disk_client_submit(&client, &requests[n]);
	expect_many(0);
	file_get(back, MANY * 4096);
	assert_memory_equal(back, data, MANY * 4096);
}

/* ---- Servers that come back as another one ---- */

static int resize(void)
{
	return client.disk->ops->resize(client.disk, &error);
}

static void restart_with_size(off_t size)
{
	disk_server_end(&server, SIGKILL);
	assert_false(truncate(path, size));
	start_file();
}

/* It is as one that is away, and `words` are why. */
static void expect_away(const char *words)
{
	hurry_begin();
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), -EIO);
	hurry_end();
	assert_int_equal(resize(), -EHOSTUNREACH);
	if (!strstr(error.text, words))
		fail_msg("%s", error.text);
}

static void expect_back(void)
{
	fake_time_advance(3 * S);
	while (disk_client_do(&client, DISK_READ, 0, back, 512))
		disk_client_round(&client, 20);
}

/* One that is smaller is another disk. */
static void test_smaller(void **state)
{
	(void)state;
	start_file();
	open_own(60);
	restart_with_size(SIZE / 2);
	expect_away("its size was 8388608 bytes and is 4194304 now");
	restart_with_size(SIZE);
	expect_back();
}

/* One that is larger is the same, and its size is taken when it is asked for. */
static void test_larger(void **state)
{
	(void)state;
	start_file();
	open_own(60);
	restart_with_size(SIZE * 2);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	assert_int_equal(client.disk->size, SIZE);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE, data, 512), -EIO);
	assert_int_equal(resize(), 0);
	assert_int_equal(client.disk->size, SIZE * 2);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE, data, 512), 0);
}

/* While its server runs on, and has requests. */
static void test_resize(void **state)
{
	(void)state;
	start_slow();
	open_own(60);
	assert_int_equal(resize(), 0);
	assert_int_equal(client.disk->size, SIZE);
	submit_many(DISK_WRITE, data);
	await_middle();
	assert_false(truncate(path, SIZE * 2));
	assert_int_equal(resize(), 0);
	assert_int_equal(client.disk->size, SIZE * 2);
	expect_many(0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE * 2 - 512, data, 512), 0);
	assert_false(truncate(path, SIZE));
	assert_int_equal(resize(), -EINVAL);
	assert_non_null(strstr(error.text, "its size was 16777216 bytes and is 8388608 now"));
	assert_int_equal(client.disk->size, SIZE * 2);
	assert_false(truncate(path, SIZE * 2));
	expect_back();
	/* It does not answer. */
	kill(server.pid, SIGSTOP);
	submit_many(DISK_WRITE, data);
	disk_client_round(&client, 0);
	hurry_begin();
	assert_int_equal(resize(), -ETIMEDOUT);
	hurry_end();
	kill(server.pid, SIGCONT);
	expect_many(0);
}

static int prepare(void **state)
{
	(void)state;
	fake_reset();
	fake_time_follow_machine();
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_data),	   TEST(test_zeroed),  TEST(test_ownership),
		TEST(test_readonly),	   TEST(test_tcp),     TEST(test_tls),
		TEST(test_simple_server),  TEST(test_errors),  TEST(test_no_disk),
		TEST(test_silent_at_open), TEST(test_restart), TEST(test_restart_idle),
		TEST(test_patience),	   TEST(test_silence), TEST(test_withdraw),
		TEST(test_smaller),	   TEST(test_larger),  TEST(test_resize),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
