/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: readers that come late, never or go away; a terminal, in the foreground and in the background, with a
 * child as the job whose terminal it is.
 */
#include "unit.h"
#include "../wait_scale.h"

#include "dev/console.h"
#include "base/log.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_S 60

static char path[] = "/tmp/seaclock-console-XXXXXX";
static struct console console;
static struct error error;

static int set_up_group(void **state)
{
	(void)state;
	signals_prepare();
	return mkdtemp(path) && !chdir(path) ? 0 : -1;
}

static int tear_down_group(void **state)
{
	(void)state;
	unlink("fifo");
	unlink("file");
	return chdir("/") || rmdir(path);
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	unlink("fifo");
	return mkfifo("fifo", 0600);
}

/* Numbered lines, so that a part of them tells its place. */
static void write_lines(int from, int to)
{
	for (int n = from; n < to; n++) {
		char line[16];
		int size = snprintf(line, sizeof(line), "line %d\n", n);

		console_write(&console, line, (size_t)size);
	}
}

static bool ends_with(const char *text, size_t size, const char *end)
{
	size_t length = strlen(end);

	return size >= length && !memcmp(text + size - length, end, length);
}

/* All that comes up to this last line; to be freed. */
static char *read_up_to(int fd, const char *last)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };
	char *text = malloc(4u << 20);
	size_t size = 0;
	ssize_t got = 1;

	while (got > 0 && !ends_with(text, size, last)) {
		assert_int_equal(poll(&item, 1, (int)wait_scaled(LIMIT_S) * 1000 / 2), 1);
		got = read(fd, text + size, (4u << 20) - 1 - size);
		size += got > 0 ? (size_t)got : 0;
	}
	text[size] = '\0';
	return text;
}

static void test_file(void **state)
{
	char text[32] = "";
	int fd;

	(void)state;
	for (int n = 0; n < 2; n++) {
		assert_int_equal(console_open(&console, "file", &error), 0);
		write_lines(n, n + 1);
		console_close(&console);
	}
	fd = open("file", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 14);
	assert_string_equal(text, "line 0\nline 1\n");
	close(fd);
	assert_int_equal(console_open(&console, "/none/of/this", &error), -ENOENT);
}

/* A FIFO that nobody has opened: the console opens at once, and what is written waits for the reader. */
static void test_fifo(void **state)
{
	char *text;
	int fd;

	(void)state;
	assert_int_equal(console_open(&console, "fifo", &error), 0);
	write_lines(0, 3);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	text = read_up_to(fd, "line 2\n");
	assert_string_equal(text, "line 0\nline 1\nline 2\n");
	free(text);
	/* The reader goes away, and another one comes. */
	close(fd);
	write_lines(3, 5);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	text = read_up_to(fd, "line 4\n");
	assert_string_equal(text, "line 3\nline 4\n");
	free(text);
	close(fd);
	console_close(&console);
}

/* How many bytes the marks in the text say are missing, and how long the marks are. */
static uint64_t missing_bytes(const char *text, size_t *length)
{
	uint64_t missing = 0;

	*length = 0;
	for (const char *mark = text; (mark = strstr(mark, "\n[seaclock: ")); mark++) {
		unsigned long long dropped = 0;
		int size = 0;

		sscanf(mark, "\n[seaclock: %llu bytes of output are missing here]%n", &dropped, &size);
		assert_true(dropped > 0 && size > 0);
		missing += dropped;
		*length += (size_t)size + 1;
	}
	return missing;
}

/* Nobody reads: nothing waits, the oldest is dropped, and there it says how much. */
static void test_nobody_reads(void **state)
{
	size_t written = 0, marks;
	uint64_t missing;
	char *text;
	int fd;

	(void)state;
	assert_int_equal(console_open(&console, "fifo", &error), 0);
	write_lines(0, 200000);
	for (int n = 0; n < 200000; n++)
		written += (size_t)snprintf(NULL, 0, "line %d\n", n);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	text = read_up_to(fd, "line 199999\n");
	assert_memory_equal(text, "line 0\nline 1\n", 14);
	missing = missing_bytes(text, &marks);
	assert_true(missing > written / 4);
	assert_int_equal(strlen(text) - marks + missing, written);
	free(text);
	close(fd);
	console_close(&console);
}

/* Still nobody reads at the end, which is not waited for either. */
static void test_end_without_reader(void **state)
{
	(void)state;
	assert_int_equal(console_open(&console, "fifo", &error), 0);
	write_lines(0, 20000);
	console_close(&console);
}

/* What is lost at the end is told. */
static void test_end_on_full_disk(void **state)
{
	struct output *output;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(output_open(&output, fd, 4096, &error), 0);
	output_put(output, "x", 1);
	assert_false(output_close(output));
	close(fd);
}

/* Nobody reads, and the write that waits cannot be broken off: the end does not wait for that either. */
static void test_end_of_stubborn_write(void **state)
{
	static const char bytes[1 << 20];
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	char drained[4096];
	struct output *output;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(output_open(&output, ends[1], sizeof(bytes), &error), 0);
	assert_int_equal(sigaction(SIGUSR2, &ignore, NULL), 0);
	output_put(output, bytes, sizeof(bytes));
	assert_false(output_close(output));
	/* Once it is, its thread ends, and frees nothing that somebody else uses. */
	close(ends[1]);
	while (read(ends[0], drained, sizeof(drained)) > 0)
		;
	close(ends[0]);
}

/* ---- Standard input and output ---- */

/* Runs `job` in a child whose standard input and output are `in` and `out`: how it ended. */
static int child_status(int in, int out, void (*job)(void))
{
	int how = -1;
	pid_t pid = fork();

	if (!pid) {
		alarm(LIMIT_S);
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		job();
		_exit(0);
	}
	waitpid(pid, &how, 0);
	return how;
}

static void job_writes(void)
{
	if (console_open(&console, "-", &error))
		_exit(1);
	write_lines(0, 20000);
	console_close(&console);
}

/* The reader of a pipe goes away. */
static void test_pipe_gone(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(child_status(STDIN_FILENO, ends[1], job_writes), 0);
	close(ends[1]);
}

/* A blocking pipe that stays full, so that the writer's thread has to be ended in its wait. */
static void test_pipe_full(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(child_status(STDIN_FILENO, ends[1], job_writes), 0);
	close(ends[0]);
	close(ends[1]);
}

/* ---- A terminal ---- */

static bool is_raw(void)
{
	struct termios now;

	return !tcgetattr(STDIN_FILENO, &now) && !(now.c_lflag & ICANON);
}

static void check(bool right, int code)
{
	if (!right)
		_exit(code);
}

/* The next key, once it is there. */
static enum console_key key_take(uint8_t *byte)
{
	struct pollfd item = { .fd = console.in, .events = POLLIN };

	poll(&item, 1, LIMIT_S * 1000);
	return console_read(&console, byte);
}

static void job_in_foreground(void)
{
	uint8_t byte = 0;

	check(!console_open(&console, "-", &error), 1);
	console_start(&console);
	check(is_raw(), 2);
	check(console_attend(&console), 3);
	check(key_take(&byte) == CONSOLE_KEY_BYTE && byte == 'a', 4);
	check(key_take(&byte) == CONSOLE_KEY_NONE, 5);
	check(key_take(&byte) == CONSOLE_KEY_EXIT, 6);
	/* Somebody else has taken what there was. */
	check(console_read(&console, &byte) == CONSOLE_KEY_NONE, 8);
	console_close(&console);
	check(!is_raw(), 7);
}

/* Another group of the session has the terminal, as a shell would; later it gets it. */
static void job_in_background(void)
{
	uint8_t byte;

	check(!console_open(&console, "-", &error), 11);
	console_start(&console);
	check(!is_raw(), 12);
	check(!console_attend(&console), 13);
	check(console_read(&console, &byte) == CONSOLE_KEY_NONE, 14);
	write_lines(0, 2);
	check(!tcsetpgrp(STDIN_FILENO, getpgrp()), 15);
	check(console_attend(&console) && is_raw(), 16);
	console_close(&console);
	check(!is_raw(), 17);
}

/* Runs the job in a session whose terminal is a new one, in its foreground or not. */
static void on_terminal(void (*job)(void), bool foreground)
{
	pid_t pid;

	check(setsid() > 0 && !ioctl(STDIN_FILENO, TIOCSCTTY, 0), 20);
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (!pid) {
		alarm(LIMIT_S);
		setpgid(0, 0);
		if (foreground)
			tcsetpgrp(STDIN_FILENO, getpgrp());
		job();
		_exit(0);
	} else {
		int how = -1;

		waitpid(pid, &how, WUNTRACED);
		if (WIFSTOPPED(how))
			kill(pid, SIGKILL);
		_exit(WIFEXITED(how) ? WEXITSTATUS(how) : 21);
	}
}

static void session_foreground(void)
{
	on_terminal(job_in_foreground, true);
}

static void session_background(void)
{
	on_terminal(job_in_background, false);
}

static void expect_terminal(void (*session)(void))
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, how;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	assert_int_equal(write(master, "a\1x", 3), 3);
	how = child_status(slave, slave, session);
	assert_int_equal(how, 0);
	close(slave);
	close(master);
}

static void test_terminal(void **state)
{
	(void)state;
	expect_terminal(session_foreground);
}

static void test_background(void **state)
{
	(void)state;
	expect_terminal(session_background);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_fifo),
		TEST(test_nobody_reads),
		TEST(test_end_without_reader),
		TEST(test_end_on_full_disk),
		TEST(test_end_of_stubborn_write),
		TEST(test_pipe_gone),
		TEST(test_pipe_full),
		TEST(test_terminal),
		TEST(test_background),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
