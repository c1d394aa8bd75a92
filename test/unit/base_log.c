/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: how many lines of a kind are written and how the others are counted; a reader that goes away or never reads.
 */
#include "unit.h"
#include "../fake/host_fake.h"

#include "base/log.h"
#include "base/log_limit.h"
#include "base/signals.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60

static struct error error;

/* ---- The limit ---- */

static void test_limit(void **state)
{
	const sc_ns_t begin = sc_ns(5), end = sc_ns(5 + LOG_LIMIT_WINDOW_NS);
	struct log_limit limit = { .lines = 0 };

	(void)state;
	for (uint32_t n = 1; n < LOG_LIMIT_LINES; n++)
		assert_int_equal(log_limit_step(&limit, begin), LOG_WRITE);
	assert_int_equal(log_limit_step(&limit, begin), LOG_WRITE_LAST);
	for (int n = 0; n < 750000; n++)
		assert_int_equal(log_limit_step(&limit, sc_ns(end.v - 1)), LOG_DROP);
	assert_int_equal(log_limit_take(&limit, sc_ns(end.v - 1)), 0);
	assert_int_equal(log_limit_take(&limit, end), 750000);
	assert_int_equal(log_limit_take(&limit, end), 0);
	/* A new window, as long as the first. */
	assert_int_equal(log_limit_step(&limit, end), LOG_WRITE);
	assert_int_equal(log_limit_take(&limit, sc_ns(end.v + LOG_LIMIT_WINDOW_NS - 1)), 0);
}

static void test_limit_end(void **state)
{
	struct log_limit limit = { .lines = 0 };

	(void)state;
	assert_int_equal(log_limit_end(&limit), 0);
	for (uint32_t n = 0; n < LOG_LIMIT_LINES + 3; n++)
		log_limit_step(&limit, sc_ns(1));
	assert_int_equal(log_limit_end(&limit), 3);
	assert_int_equal(log_limit_end(&limit), 0);
}

/* ---- Lines ---- */

static int saved_stderr;
static int pipe_ends[2];

static int set_up(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	fake_reset();
	signals_prepare();
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) || dup2(pipe_ends[1], STDERR_FILENO) < 0)
		return -1;
	close(pipe_ends[1]);
	return log_open(host_monotonic, &error);
}

static int tear_down(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipe_ends[0]);
	alarm(0);
	return 0;
}

/* The log's own thread writes: waits until there are so many bytes. The alarm ends a wait for what never comes. */
static void await_written(int bytes)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int there = 0;

	while (!ioctl(pipe_ends[0], FIONREAD, &there) && there < bytes)
		nanosleep(&pause, NULL);
}

/* What has been written, after the log is closed. */
static const char *text_written(void)
{
	static char text[1 << 17];
	size_t size = 0;
	ssize_t got;

	while ((got = read(pipe_ends[0], text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)got;
	text[size] = '\0';
	return text;
}

static uint32_t lines_like(const char *text, const char *part)
{
	uint32_t count = 0;

	for (const char *place = text; (place = strstr(place, part)); place++)
		count++;
	return count;
}

static void test_kinds(void **state)
{
	const char *text;

	(void)state;
	for (int n = 0; n < 1000; n++)
		log_line("a connection was refused: %d", n);
	log_line("web runs here");
	fake_time_advance(LOG_LIMIT_WINDOW_NS);
	log_line("web is saved");
	for (int n = 0; n < 30; n++)
		log_quote("the guest's last words");
	for (int n = 0; n < 25; n++)
		log_line("asked about %d", n);
	log_close();
	text = text_written();
	assert_int_equal(lines_like(text, "seaclock: a connection was refused: "), LOG_LIMIT_LINES);
	assert_non_null(strstr(text,
			       "seaclock: a connection was refused: 19 (more lines like this one are only counted)\n"
			       "seaclock: web runs here\n"
			       "seaclock: 980 more lines like `a connection was refused: 19` were left out\n"
			       "seaclock: web is saved\n"));
	assert_int_equal(lines_like(text, "seaclock:   | the guest's last words\n"), 30);
	assert_non_null(strstr(text, "seaclock: 5 more lines like `asked about 19` were left out\n"));
}

/* Nobody reads: the monitor goes on, and whoever reads at last is told what is missing. */
static void test_nobody_reads(void **state)
{
	const char *mark = " bytes of output are missing here]\n";
	const char *text;
	char word[1001];
	bool marked;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	for (int n = 0; n < 1000; n++) {
		fake_time_advance(LOG_LIMIT_WINDOW_NS);
		log_line("%s", word);
	}
	await_written(2 * sizeof(word));
	text = text_written();
	assert_non_null(strstr(text, "xxx\n"));
	/* How far the log's thread has come by now decides where the gap is. */
	marked = strstr(text, mark);
	log_close();
	assert_true(marked || strstr(text_written(), mark));
}

static void test_reader_gone(void **state)
{
	(void)state;
	close(pipe_ends[0]);
	for (int n = 0; n < 3; n++)
		log_line("web runs here %d", n);
	log_close();
	pipe_ends[0] = -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit), cmocka_unit_test(test_limit_end), TEST(test_kinds),
		TEST(test_nobody_reads),      TEST(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
