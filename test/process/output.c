/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a monitor writes: readers that go away or never read, files at their size limit, FIFOs that nobody opens. The
 * guest runs on, and every command works.
 */
#include "fixture/node.h"
#include "../fake/port.h"

#include "base/log_limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct node altra, grace;

#define FILE_LIMIT 512u

static const char host[] = "hz=25000000,counter=99887766";

/* A pipe for a monitor's output. */
static void pipe_make(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

/* So that whoever writes to it now would wait. */
static void pipe_fill(int fd)
{
	static const char bytes[4096];
	int flags = fcntl(fd, F_GETFL);

	assert_int_equal(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
}

static struct process *run_with(struct process_options options, const char *console, const char *guest)
{
	struct process *monitor = node_start_with(&altra, options, "run", "guest", "--kernel", node_kernel(),
						  "--memory", "64", "--append", guest, "--console", console, NULL);

	node_wait_state(&altra, "guest", "running");
	return monitor;
}

/* The guest has run on for `units` of reference time, and whatever is asked is done. */
static void expect_alive(struct process *monitor)
{
	struct node_moment then = node_look(&altra, "guest");

	while (node_look(&altra, "guest").reference_ns < then.reference_ns + 300000000ull)
		usleep(10000);
	assert_int_equal(node_command(&altra, "pause", "guest", NULL), 0);
	assert_int_equal(node_command(&altra, "resume", "guest", NULL), 0);
	assert_int_equal(node_command(&altra, "status", NULL), 0);
	assert_non_null(strstr(altra.said, "running"));
	assert_int_equal(node_command(&altra, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
}

/* A migration that fails is a line in the log. */
static void fail_migration(void)
{
	assert_int_equal(node_command(&altra, "migrate", "guest", "127.0.0.1:1", NULL), 1);
	assert_non_null(strstr(altra.errors, "cannot connect to 127.0.0.1:1"));
}

/* ---- Readers ---- */

static void test_console_reader_gone(void **state)
{
	struct process *monitor;
	int ends[2];
	char byte;

	(void)state;
	node_make(&altra, "altra", host);
	pipe_make(ends);
	monitor = run_with((struct process_options){ .output = ends[1] }, "-", "guest=printing");
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	expect_alive(monitor);
}

static void test_console_reader_silent(void **state)
{
	struct process *monitor;
	int ends[2];

	(void)state;
	node_make(&altra, "altra", host);
	pipe_make(ends);
	pipe_fill(ends[1]);
	monitor = run_with((struct process_options){ .output = ends[1] }, "-", "guest=printing every_ms=0");
	expect_alive(monitor);
	close(ends[0]);
	close(ends[1]);
}

static void test_log_reader_gone(void **state)
{
	struct process *monitor;
	int ends[2];

	(void)state;
	node_make(&altra, "altra", host);
	pipe_make(ends);
	close(ends[0]);
	monitor = run_with((struct process_options){ .errors = ends[1] }, "/dev/null", "guest=printing");
	fail_migration();
	expect_alive(monitor);
	close(ends[1]);
}

static void test_log_reader_silent(void **state)
{
	struct process *monitor;
	int ends[2];

	(void)state;
	node_make(&altra, "altra", host);
	pipe_make(ends);
	pipe_fill(ends[1]);
	monitor = run_with((struct process_options){ .errors = ends[1] }, "/dev/null", "guest=printing");
	fail_migration();
	expect_alive(monitor);
	close(ends[0]);
	close(ends[1]);
}

/* Standard output and error are closed: the descriptors of KVM and of the control socket do not take their places. */
static void close_outputs(void)
{
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

static void test_closed(void **state)
{
	struct process *monitor;

	(void)state;
	node_make(&altra, "altra", host);
	monitor = run_with((struct process_options){ .prepare = close_outputs }, "-", "guest=printing");
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		char link[64], file[64] = "";

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)monitor->pid, fd);
		assert_true(readlink(link, file, sizeof(file) - 1) > 0);
		assert_string_equal(file, "/dev/null");
	}
	expect_alive(monitor);
}

/* ---- Limits of files ---- */

static void limit_files(void)
{
	const struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };

	setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_file_limit(void **state)
{
	const char *console, *saved;
	struct process *monitor;

	(void)state;
	node_make(&altra, "altra", host);
	console = node_path(&altra, "guest.console");
	saved = node_path(&altra, "saved");
	monitor = run_with((struct process_options){ .prepare = limit_files }, console, "guest=printing every_ms=0");
	while (strlen(process_text(console)) < FILE_LIMIT)
		usleep(1000);
	node_expect_refused(&altra, node_command(&altra, "save", "guest", saved, NULL), "File too large");
	assert_int_equal(access(saved, F_OK), -1);
	expect_alive(monitor);
}

/* ---- FIFOs ---- */

static void expect_refused_fifo(const char *option, const char *fifo)
{
	int status = node_command(&altra, "run", "guest", "--kernel", option ? node_kernel() : fifo,
				  option ? option : "--append", fifo, "--console", "/dev/null", NULL);

	node_expect_refused(&altra, status, "is not a file");
}

static void test_fifo_to_read(void **state)
{
	const char *fifo;

	(void)state;
	node_make(&altra, "altra", host);
	fifo = node_path(&altra, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_refused_fifo(NULL, fifo);
	expect_refused_fifo("--initrd", fifo);
}

/* A receiver whose console nobody has opened takes a machine, and shows what it prints to whoever opens it later. */
static void test_fifo_console(void **state)
{
	struct process *monitor, *receiver;
	const char *fifo;
	char text[64] = "";
	int fd;

	(void)state;
	node_make(&altra, "altra", host);
	node_make(&grace, "grace", host);
	monitor = node_run(&altra, "guest", "guest=printing");
	fifo = node_path(&grace, "guest.console");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	receiver = node_receive(&grace);
	assert_int_equal(node_command(&altra, "migrate", "guest", grace.address, "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	fd = open(fifo, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "line "));
	assert_int_equal(node_command(&grace, "stop", "guest", NULL), 0);
	assert_int_equal(process_wait(receiver), 6);
	close(fd);
}

/* ---- Strangers ---- */

/* Connections that are no good, with the log's reader gone: the receiver takes a machine all the same. */
static void test_receiver_log_gone(void **state)
{
	struct process_options options = { 0 };
	struct process *monitor;
	char line[256] = "";
	int ends[2], port;

	(void)state;
	node_make(&altra, "altra", host);
	node_make(&grace, "grace", host);
	monitor = node_run(&altra, "guest", "guest=printing");
	pipe_make(ends);
	options.errors = ends[1];
	port = port_reserve(grace.address);
	assert_true(port >= 0);
	node_start_with(&grace, options, "receive", "--listen", grace.address, "--console",
			node_path(&grace, "guest.console"), NULL);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "waiting for a machine on "));
	close(port);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(node_command(&altra, "migrate", "guest", grace.address, "--dry-run", NULL), 0);
	assert_int_equal(node_command(&altra, "migrate", "guest", grace.address, "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_wait_state(&grace, "guest", "running");
	node_runs_on(&grace, "guest");
}

/* Says nonsense to the receiver, and waits until it has been refused. */
static void speak_nonsense(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[256];

	address.sin_port = htons((uint16_t)atoi(strchr(grace.address, ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	close(fd);
}

/* What one stranger says again and again does not fill the log. */
static void test_flood_is_counted(void **state)
{
	struct process *receiver;

	(void)state;
	node_make(&grace, "grace", host);
	receiver = node_receive(&grace);
	for (int n = 0; n < 300; n++)
		speak_nonsense();
	process_signal(receiver, SIGTERM);
	assert_int_equal(process_wait(receiver), 6);
	assert_in_range(process_count(receiver->errors, "seaclock: a connection was refused"), LOG_LIMIT_LINES,
			5 * LOG_LIMIT_LINES);
	assert_in_range(process_count(receiver->errors, " more lines like `a connection was refused"), 1, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_console_reader_gone),
		TEST(test_console_reader_silent),
		TEST(test_log_reader_gone),
		TEST(test_log_reader_silent),
		TEST(test_closed),
		TEST(test_file_limit),
		TEST(test_fifo_to_read),
		TEST(test_fifo_console),
		TEST(test_receiver_log_gone),
		TEST(test_flood_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
