/* SPDX-License-Identifier: BSD-2-Clause */
/* Network disks whose servers die, come back, come back as another one, or stay away. */
#include "disk_nbd_fixture.h"

#include <sys/wait.h>

/* Writes larger than what a socket receives while nobody reads it, so many that one of them fits in what it sends. */
#define UNSENT 8u
#define UNSENT_SIZE (1u << 20)

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

/*
 * What waits in this host to be sent is not sent behind what the next connection asks for: a write that was given up is
 * done by what the server has of it already, or not at all. It takes one connection after the other here, and has less
 * than a whole write.
 */
static void test_unsent(void **state)
{
	char address[PORT_TEXT_SIZE];
	int port = port_reserve(address);

	(void)state;
	assert_true(port >= 0);
	disk_server_use_port(&server, address);
	START("--filter=noparallel", "file", file_word, "serialize=connections");
	open_own(60);
	kill(server.pid, SIGSTOP);
	assert_int_equal(waitpid(server.pid, NULL, WUNTRACED), server.pid);
	for (uint32_t n = 0; n < UNSENT; n++) {
		buffers[n] = (struct iovec){ data + n * UNSENT_SIZE, UNSENT_SIZE };
		requests[n] = (struct disk_request){
			.operation = DISK_WRITE,
			.offset = n * UNSENT_SIZE,
			.length = UNSENT_SIZE,
			.buffer = &buffers[n],
			.buffers = 1,
		};
		disk_client_submit(&client, &requests[n]);
	}
	await_quiet();
	assert_int_equal(disk_client_withdraw(&client), UNSENT);
	kill(server.pid, SIGCONT);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, SIZE), 0);
	memset(data, 0, SIZE);
	assert_memory_equal(back, data, SIZE);
	close(port);
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
	do {
		disk_client_round(&client, 20);
		assert_int_equal(resize(), -EHOSTUNREACH);
	} while (!strstr(error.text, words));
	hurry_end();
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

#define START_EVAL(...) START(__VA_ARGS__, "get_size=echo 1M", "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null")

static void start_able(void)
{
	START_EVAL("eval", "flush=exit 0", "trim=exit 0");
}

/* What the guest was told that its disk can do, it can. */
static void test_less_able(void **state)
{
	(void)state;
	start_able();
	open_own(60);
	assert_true(client.disk->can_discard && client.disk->can_write_zeroes);
	disk_server_end(&server, SIGKILL);
	START_EVAL("eval", "trim=exit 0");
	expect_away("its server could flush, and cannot now");
	disk_server_end(&server, SIGKILL);
	START_EVAL("eval", "flush=exit 0");
	expect_away("its server could discard, and cannot now");
	disk_server_end(&server, SIGKILL);
	START_EVAL("--filter=nozero", "eval", "flush=exit 0", "trim=exit 0");
	expect_away("its server could write zeroes, and cannot now");
	disk_server_end(&server, SIGKILL);
	start_able();
	expect_back();
	assert_int_equal(disk_client_do(&client, DISK_FLUSH, 0, NULL, 0), 0);
}

/* One that could not flush, and can: from then on it has to. */
static void test_more_able(void **state)
{
	(void)state;
	START_EVAL("eval");
	open_own(60);
	disk_server_end(&server, SIGKILL);
	start_able();
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	assert_false(client.disk->can_discard);
	disk_server_end(&server, SIGKILL);
	START_EVAL("eval");
	expect_away("its server could flush, and cannot now");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),  TEST(test_restart_idle), TEST(test_patience),  TEST(test_silence),
		TEST(test_withdraw), TEST(test_unsent),	      TEST(test_smaller),   TEST(test_larger),
		TEST(test_resize),   TEST(test_less_able),    TEST(test_more_able),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
