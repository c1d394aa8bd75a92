/* SPDX-License-Identifier: BSD-2-Clause */
/* What an operator learns of a machine's disks, a file and a server, and that nobody else waits for a server. */
#include "fixture/node.h"
#include "fixture/relay.h"

#include "../fake/disk_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DISK_SIZE 1048576

static struct node altra;
static struct disk_server server;
static char file[PROCESS_PATH_SIZE], word[PROCESS_PATH_SIZE + 8];

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	snprintf(file, sizeof(file), "%s", process_path("disk"));
	snprintf(word, sizeof(word), "file=%s", file);
	process_write(file, "", 0);
	assert_int_equal(truncate(file, DISK_SIZE), 0);
	return result;
}

static int tear_down(void **state)
{
	if (server.pid) {
		kill(server.pid, SIGCONT);
		disk_server_end(&server, SIGKILL);
		unlink(server.socket);
		unlink(server.pid_file);
	}
	return process_tear_down(state);
}

static void run_on(const char *disk)
{
	node_start(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64", "--append", "guest=printing",
		   "--console", node_path(&altra, "boat.console"), "--disk", disk, NULL);
	node_wait_state(&altra, "boat", "running");
}

static void run_on_server(void)
{
	const char *const words[] = { "file", word, NULL };

	disk_server_init(&server, process_path("%s", ""));
	disk_server_start(&server, words);
	run_on(server.uri);
}

/* ---- Sizes and servers ---- */

static void test_grow(void **state)
{
	(void)state;
	run_on(file);
	assert_int_equal(node_command(&altra, "grow", "boat", NULL), 0);
	assert_string_equal(altra.said, "disk 0 of boat still has 1048576 bytes\n");
	assert_int_equal(truncate(file, 2 * DISK_SIZE), 0);
	assert_int_equal(node_command(&altra, "grow", "boat", "--disk", "0", NULL), 0);
	assert_string_equal(altra.said, "disk 0 of boat had 1048576 bytes, and has 2097152 now\n");
	assert_int_equal(truncate(file, 3 * DISK_SIZE), 0);
	assert_int_equal(node_command(&altra, "grow", "boat", "--json", NULL), 0);
	assert_non_null(strstr(altra.said, "\"bytes_before\": 2097152,\n  \"bytes\": 3145728\n"));
	node_expect_refused(&altra, node_command(&altra, "grow", "boat", "--disk", "1", NULL),
			    "boat has no disk 1: it has 1, and the first one is disk 0");
	assert_int_equal(truncate(file, DISK_SIZE), 0);
	node_expect_refused(&altra, node_command(&altra, "grow", "boat", NULL), "has shrunk from 3145728 to 1048576");
}

/* A server that is there and does not answer keeps nobody waiting but the one who asks for it. */
static void test_grow_waits(void **state)
{
	static const char request[] = "{\"version\": 1, \"command\": \"grow\"}\n";
	struct pollfd answer = { .events = POLLIN };
	char line[128] = "";

	(void)state;
	run_on_server();
	assert_int_equal(truncate(file, 2 * DISK_SIZE), 0);
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	answer.fd = node_connect(&altra, "boat");
	assert_int_equal(send(answer.fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	node_expect_refused(&altra, node_command(&altra, "grow", "boat", NULL),
			    "the size of disk 0 of boat is being asked for: try again later");
	node_expect_refused(&altra, node_command(&altra, "save", "boat", node_path(&altra, "saved"), NULL),
			    "the size of a disk of boat is being asked for: it cannot be saved now");
	node_expect_refused(&altra, node_command(&altra, "migrate", "boat", "127.0.0.1:1", NULL),
			    "the size of a disk of boat is being asked for: it cannot be migrated now");
	assert_int_equal(node_command(&altra, "pause", "boat", NULL), 0);
	node_wait_state(&altra, "boat", "paused");
	assert_int_equal(poll(&answer, 1, 0), 0);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	assert_int_equal(poll(&answer, 1, process_limit_ms()), 1);
	assert_true(read(answer.fd, line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "{\"ok\":{\"disk\":0,\"bytes_before\":1048576,\"bytes\":2097152}}\n");
	close(answer.fd);
	assert_int_equal(node_command(&altra, "resume", "boat", NULL), 0);
	node_runs_on(&altra, "boat");
}

static bool server_is_away(void *context)
{
	json_t *status = node_status(&altra, "boat");
	const json_t *disk = json_array_get(json_object_get(status, "disks"), 0);
	bool away = !strcmp(json_string_value(json_object_get(disk, "state")), "server-away");

	json_decref(status);
	return away == *(bool *)context;
}

static void expect_status(const char *line)
{
	assert_int_equal(node_command(&altra, "status", "boat", NULL), 0);
	if (!strstr(altra.said, line))
		fail_msg("status does not say `%s`: %s", line, altra.said);
}

static void test_status(void **state)
{
	char option[PROCESS_PATH_SIZE + 16], line[PROCESS_PATH_SIZE + 64];

	(void)state;
	snprintf(option, sizeof(option), "%s,readonly", file);
	snprintf(line, sizeof(line), "\n  disk 0: %s, 1048576 bytes, read-only\n", file);
	run_on(option);
	expect_status(line);
}

static void test_status_of_server(void **state)
{
	const char *const words[] = { "file", word, NULL };
	char line[sizeof(server.uri) + 64];
	bool away = true, there = false;

	(void)state;
	run_on_server();
	snprintf(line, sizeof(line), "\n  disk 0: %s, 1048576 bytes\n", server.uri);
	expect_status(line);
	disk_server_end(&server, SIGKILL);
	process_wait_until(server_is_away, &away, "status says that the server is away");
	snprintf(line, sizeof(line), "\n  disk 0: %s, 1048576 bytes, its server is away\n", server.uri);
	expect_status(line);
	disk_server_start(&server, words);
	process_wait_until(server_is_away, &there, "status says that the server is back");
}

/* ---- Diskless ---- */

static bool disk_is_mine(void *context)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(*(int *)context, F_OFD_SETLK, &lock);
}

/* The source has given its disk away when the migration fails, and somebody else takes it before the source can. */
static void test_diskless(void **state)
{
	const char *const faults[] = { "silence", "STATE", NULL };
	char option[PROCESS_PATH_SIZE + 2];
	int other = open(file, O_RDWR | O_CLOEXEC);
	struct process *migrate;
	struct relay relay;
	struct node grace;
	json_t *status;

	(void)state;
	altra.host = "hz=25000000,stopped_ms=3000,disks_ms=500";
	node_make(&grace, "grace", altra.host);
	snprintf(option, sizeof(option), "0=%s", file);
	run_on(file);
	node_receive_with(&grace, "--disk", option);
	relay_start(&relay, grace.address, faults);
	migrate = node_start(&altra, "migrate", "boat", relay.address, "--json", "--max-step", "100000", NULL);
	process_wait_until(disk_is_mine, &other, "the source gives its disk away");
	node_expect_failed(&altra, node_finish(&altra, migrate), NODE_DISKLESS,
			   "boat stays paused, because its disks cannot be taken back: `seaclock resume boat` tries");
	assert_non_null(strstr(altra.said, "\"code\":\"diskless\"}"));
	status = node_status(&altra, "boat");
	assert_string_equal(json_string_value(json_object_get(status, "state")), "diskless");
	json_decref(status);
	close(other);
	assert_int_equal(node_command(&altra, "resume", "boat", NULL), 0);
	node_runs_on(&altra, "boat");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_grow),   TEST(test_grow_waits),	TEST(test_diskless),
		TEST(test_status), TEST(test_status_of_server),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
