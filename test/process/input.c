/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad input: options, files and streams. Each gets one sentence and a status, and disturbs nobody. */
#include "fixture/node.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOISE_SIZE 65536u

static struct node altra;
static uint8_t noise[NOISE_SIZE];

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	return result;
}

/* ---- Command lines ---- */

#define KERNEL "the kernel" /* stands for one */

static const struct line {
	const char *words[8];
	const char *error; /* the sentence has this */
	int status;
} lines[] = {
	{ { NULL }, "a command is missing; see seaclock --help\n", 2 },
	{ { "sail" }, "there is no command `sail`; see seaclock --help\n", 2 },
	{ { "run" }, "run needs NAME; see seaclock run --help\n", 2 },
	{ { "run", "boat", "ship" }, "run takes no further word `ship`; see seaclock run --help\n", 2 },
	{ { "status", "boat", "ship" }, "status takes no further word `ship`", 2 },
	{ { "run", "boat" }, "a machine needs a kernel", 1 },
	{ { "run", "boat", "--config", "/none/boat.json" }, "cannot open /none/boat.json", 1 },
	{ { "run", "boat", "--config", KERNEL }, "Image: it is not JSON in line 1", 1 },
	{ { "run", "boat", "--kernel", KERNEL, "--on-reboot", "halt" },
	  "--on-reboot takes reset or exit, not `halt`",
	  2 },
	{ { "run", "boat", "--kernel", KERNEL, "--on-panic", "" }, "--on-panic takes reset or exit, not ``", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--disk", "/a,b" }, "behind its path --disk takes readonly", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--disk", "" }, "a path is empty", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--disk", "/a,serial=123456789012345678901" },
	  "serial= of --disk takes 1 to 20 characters, not 21",
	  2 },
	{ { "run", "boat", "--kernel", KERNEL, "--append", "\xff" }, "command_line takes text in UTF-8", 2 },
	{ { "run", "../boat", "--kernel", KERNEL }, "`../boat` cannot be a machine's name", 2 },
	{ { "run", "", "--kernel", KERNEL }, "`` cannot be a machine's name", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--vcpus", "0" }, "--vcpus takes a number from 1 to 8, not `0`", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--vcpus", "9" }, "--vcpus takes a number from 1 to 8, not `9`", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--vcpus", "two" }, "--vcpus takes a number from 1 to 8, not `two`", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--vcpus", "-1" }, "--vcpus takes a number from 1 to 8, not `-1`", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--memory", "0" }, "--memory takes a number from 64 to 65536", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--memory", "1000000000" }, "--memory takes a number from 64", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--colour", "blue" }, "run takes no --colour", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--force" }, "run takes no --force", 2 },
	{ { "run", "boat", "--kernel" }, "--kernel needs a value", 2 },
	{ { "status", "--json=yes" }, "--json takes no value", 2 },
	{ { "migrate", "--cancel", "nobody", "x" }, "--cancel takes no host: it cancels what is under way; see", 2 },
	{ { "run", "boat", "--kernel", KERNEL, "--console", "/none/console" }, "cannot write the console to", 1 },
	{ { "run", "boat", "--kernel", "/none/Image" }, "/none/Image", 1 },
	{ { "run", "boat", "--kernel", "/tmp" }, "/tmp", 1 },
	{ { "run", "boat", "--kernel", KERNEL, "--initrd", "/none/initrd" }, "/none/initrd", 1 },
	{ { "status", "nobody" }, "no machine named nobody is running here", 1 },
	{ { "status", "a/b" }, "`a/b` cannot be a machine's name", 2 },
	{ { "console", "nobody" }, "no machine named nobody is running here", 1 },
	{ { "console", "nobody", "--json" }, "console takes no --json", 2 },
	{ { "console" }, "console needs NAME; see seaclock console --help\n", 2 },
	{ { "shutdown", "nobody", "--wait", "5" }, "no machine named nobody is running here", 1 },
	{ { "shutdown", "nobody", "--wait", "0" }, "--wait takes a number from 1 to 86400", 2 },
	{ { "grow", "nobody" }, "no machine named nobody is running here", 1 },
	{ { "grow", "nobody", "--disk", "8" }, "--disk takes a number from 0 to 7", 2 },
	{ { "kernel" }, "kernel needs NAME|FILE; see seaclock kernel --help\n", 2 },
	{ { "kernel", "nobody" }, "no machine named nobody is running here", 1 },
	{ { "kernel", "/none/Image" }, "cannot open /none/Image", 1 },
	{ { "stop", "nobody" }, "no machine named nobody is running here", 1 },
	{ { "pause", "nobody", "--clock", "back" }, "--clock takes advance or freeze, not `back`", 2 },
	{ { "save", "nobody", "file" }, "no machine named nobody is running here", 1 },
	{ { "migrate", "nobody", "127.0.0.1:1" }, "no machine named nobody is running here", 1 },
	{ { "migrate", "nobody" }, "migrate needs NAME HOST[:PORT]|PATH; see seaclock migrate --help\n", 2 },
	{ { "migrate", "nobody", "x", "--downtime", "0" }, "--downtime takes a number from 1", 2 },
	{ { "migrate", "nobody", "x", "--max-step", "1x" }, "--max-step takes a number from 1", 2 },
	{ { "receive", "boat", "--listen", ":5999" }, "`:5999` is not HOST, HOST:PORT or [ADDRESS]:PORT", 2 },
	{ { "receive", "boat", "--listen", "127.0.0.1:" }, "`127.0.0.1:` is not HOST, HOST:PORT or [ADDRESS]:PORT", 2 },
	{ { "receive", "boat", "--listen", "127.0.0.1:0" },
	  "`127.0.0.1:0` is not HOST, HOST:PORT or [ADDRESS]:PORT",
	  2 },
	{ { "receive", "boat", "--listen", "127.0.0.1:65536" },
	  "`127.0.0.1:65536` is not HOST, HOST:PORT or [ADDRESS]:PORT",
	  2 },
	{ { "receive", "boat", "--listen", "[::1]5998" }, "`[::1]5998` is not HOST, HOST:PORT or [ADDRESS]:PORT", 2 },
	{ { "receive", "boat", "--listen", "192.0.2.7:5999" }, "cannot listen on 192.0.2.7:5999", 1 },
	{ { "receive", "boat", "--disk", "/srv/a" }, "--disk takes N=PATH or N=URI here", 2 },
	{ { "receive", "boat", "--disk", "8=/srv/a" }, "--disk takes N=PATH or N=URI here", 2 },
	{ { "receive", "boat", "--disk", "1=/a", "--disk", "1=/b" }, "--disk says twice where disk 1 is", 2 },
	{ { "restore", "/none/file", "--disk", "x=/a" }, "--disk takes N=PATH or N=URI here", 2 },
	{ { "receive", "a b", "--listen", "127.0.0.1:1" }, "`a b` cannot be a machine's name", 2 },
	{ { "restore", "/none/file" }, "/none/file", 1 },
	{ { "restore", "/none/file", "a/b" }, "`a/b` cannot be a machine's name", 2 },
};

static int run_line(const struct line *line)
{
	const char *words[ARRAY_SIZE(line->words) + 1] = { NULL };

	for (size_t n = 0; n < ARRAY_SIZE(line->words) && line->words[n]; n++)
		words[n] = strcmp(line->words[n], KERNEL) ? line->words[n] : node_kernel();
	return node_command(&altra, words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7],
			    NULL);
}

static void test_command_lines(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(lines); n++) {
		int status = run_line(&lines[n]);

		node_expect_sentence(&altra, lines[n].error);
		assert_int_equal(status, lines[n].status);
		assert_true((status == 2) == !!strstr(altra.errors, "; see seaclock "));
	}
}

/* What is wrong with the command line is told to programs, too, wherever --json stands. */
static void test_json(void **state)
{
	(void)state;
	assert_int_equal(node_command(&altra, "pause", "nobody", "--colour", "blue", "--json", NULL), 2);
	assert_string_equal(altra.said, "{\"error\":\"pause takes no --colour\",\"code\":\"invalid\"}\n");
	assert_int_equal(node_command(&altra, "pause", "--json", NULL), 2);
	assert_string_equal(altra.said, "{\"error\":\"pause needs NAME\",\"code\":\"invalid\"}\n");
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(node_command(&altra, "--help", NULL), 0);
	assert_non_null(strstr(altra.said, "\n       seaclock stop NAME [--now] [--json]\n"));
	assert_int_equal(node_command(&altra, "pause", "--colour", "--help", NULL), 0);
	assert_string_equal(altra.said, "usage: seaclock pause NAME [--clock advance|freeze] [--json]\n"
					"The manual page seaclock(1) explains the options.\n");
	assert_string_equal(altra.errors, "");
	assert_int_equal(node_command(&altra, "--version", NULL), 0);
	assert_string_equal(altra.said,
			    "seaclock " SEACLOCK_VERSION ": migration protocol 6, also taken: 5; control protocol 1\n");
}

/* ---- Images ---- */

static void expect_no_kernel(const void *bytes, size_t size)
{
	const char *path = process_path("kernel");
	int status;

	process_write(path, bytes, size);
	status = node_command(&altra, "run", "boat", "--kernel", path, NULL);
	node_expect_refused(&altra, status, "");
	node_expect_nobody(&altra, "boat");
}

static void test_kernels(void **state)
{
	static const uint8_t zeroes[300];
	const char *good;
	int status;

	(void)state;
	expect_no_kernel(zeroes, 0);
	expect_no_kernel(zeroes, sizeof(zeroes));
	expect_no_kernel("MZ, a program for another architecture", 38);
	expect_no_kernel(noise, sizeof(noise));
	good = process_text(node_kernel());
	expect_no_kernel(good, 32);
	expect_no_kernel(good, 0x1fff);
	process_write(process_path("initrd"), NULL, 0);
	assert_int_equal(truncate(process_path("initrd"), 80 << 20), 0);
	status = node_command(&altra, "run", "boat", "--kernel", node_kernel(), "--memory", "64", "--initrd",
			      process_path("initrd"), NULL);
	node_expect_refused(&altra, status, "initial RAM disk 80 MiB, the guest has 64: give it more memory");
}

/* ---- Streams ---- */

static int stream_connect(const struct node *node)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_port = htons((uint16_t)strtoul(strchr(node->address, ':') + 1, NULL, 10));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* The receiver has one more line to say, and waits on. */
static void expect_stream_refused(struct process *receiver, const void *bytes, size_t size)
{
	unsigned int seen = process_count(receiver->errors, "\n");
	int fd = stream_connect(&altra);

	/* It may be refused before all of it has gone. */
	(void)!send(fd, bytes, size, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	process_wait_text(receiver->errors, "\n", seen + 1);
	close(fd);
	assert_int_equal(process_count(receiver->errors, "\n"), seen + 1);
	assert_false(process_has_ended(receiver));
}

static void test_streams(void **state)
{
	static const uint8_t zeroes[NOISE_SIZE];
	struct process *receiver, *monitor;
	struct node grace;

	(void)state;
	receiver = node_receive(&altra);
	expect_stream_refused(receiver, "", 0);
	expect_stream_refused(receiver, "x", 1);
	expect_stream_refused(receiver, noise, sizeof(noise));
	expect_stream_refused(receiver, zeroes, sizeof(zeroes));
	expect_stream_refused(receiver, "GET / HTTP/1.0\r\n\r\n", 18);
	/* After all that it takes a machine. */
	node_make(&grace, "grace", "hz=25000000");
	monitor = node_run(&grace, "guest", "guest=printing");
	assert_int_equal(node_command(&grace, "migrate", "guest", altra.address, "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&altra, "guest");
	process_signal(receiver, SIGTERM);
	assert_int_equal(process_wait(receiver), 6);
}

/* Connections that say nothing, or the beginning of something, are in nobody's way. */
static void test_silent_streams(void **state)
{
	struct process *monitor;
	struct node grace;
	int fds[20];

	(void)state;
	node_receive(&altra);
	for (size_t n = 0; n < ARRAY_SIZE(fds); n++) {
		fds[n] = stream_connect(&altra);
		(void)!send(fds[n], noise, n % 2 ? 0 : 3, MSG_NOSIGNAL);
	}
	node_make(&grace, "grace", "hz=25000000");
	monitor = node_run(&grace, "guest", "guest=printing");
	assert_int_equal(node_command(&grace, "migrate", "guest", altra.address, "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&altra, "guest");
	for (size_t n = 0; n < ARRAY_SIZE(fds); n++)
		close(fds[n]);
}

static void test_receiver_told_to_end(void **state)
{
	struct process *receiver;

	(void)state;
	receiver = node_receive(&altra);
	process_signal(receiver, SIGTERM);
	assert_int_equal(process_wait(receiver), 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_command_lines),
		TEST(test_json),
		TEST(test_help),
		TEST(test_kernels),
		TEST(test_streams),
		TEST(test_silent_streams),
		TEST(test_receiver_told_to_end),
	};
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)getpid();

	printf("SEED=%u\n", seed);
	for (size_t n = 0; n < NOISE_SIZE; n++)
		noise[n] = (uint8_t)rand_r(&seed);
	return process_run_tests(tests, ARRAY_SIZE(tests));
}
