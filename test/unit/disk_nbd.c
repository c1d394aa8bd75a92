/* SPDX-License-Identifier: BSD-2-Clause */
/* Network disks: data, ways to a server, and what servers can and cannot do. */
#include "disk_nbd_fixture.h"

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
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), -ENOTSUP);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), -EPERM);
	assert_int_equal(disk_client_do(&client, DISK_READ, 0, back, 512), 0);
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, 0, data, 512), 0);
	assert_int_equal(disk_client_do(&client, DISK_WRITE, SIZE, data, 512), -EIO);
	disk_unlock(client.disk, LOCK_MS, &error);
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
	assert_int_equal(disk_lock(client.disk, LOCK_MS, &error), 0);
	assert_int_equal(disk_check_locked(client.disk, LOCK_MS, &error), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_data),    TEST(test_zeroed),	       TEST(test_ownership),	 TEST(test_tcp),
		TEST(test_tls),	    TEST(test_readonly),       TEST(test_simple_server), TEST(test_errors),
		TEST(test_no_disk), TEST(test_silent_at_open),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
