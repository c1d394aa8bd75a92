/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients of a control socket: many, wrong, slow, and gone before the answer. */
#include "fixture/node.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 8

static struct node altra;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	return result;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void expect_answer(int fd, const char *words)
{
	char line[4096] = "";
	size_t size = 0;
	ssize_t got;

	while (size < sizeof(line) - 1 && (got = read(fd, line + size, sizeof(line) - 1 - size)) > 0)
		size += (size_t)got;
	if (*words ? !strstr(line, words) : size > 0)
		fail_msg("the answer is `%s`, not \"%s\"", line, words);
	close(fd);
}

/* What is sent, and what is answered; "": nothing, the connection ends. */
static const struct request_case {
	const char *request;
	const char *answer;
} requests[] = {
	{ "\n", "" },
	{ "hello\n", "" },
	{ "{\n", "" },
	{ "{\"version\": 1, \"command\": \"status\"} {}\n", "" },
	{ "{\"version\": 1, \"command\": \"status\", \"command\": \"stop\xff\"}\n", "" },
	{ "[]\n", "a request is a JSON object" },
	{ "{}\n", "the request names no version of the control protocol; this monitor takes version 1" },
	{ "{\"command\": \"status\"}\n", "\"code\":\"version\"" },
	{ "{\"version\": 2, \"command\": \"status\"}\n", "the request is of version 2 of the control protocol" },
	{ "{\"version\": 2, \"command\": \"status\"}\n", "\"code\":\"version\",\"version\":1}" },
	{ "{\"version\": 1, \"command\": 7}\n", "a request has a \\\"command\\\"" },
	{ "{\"version\": 1, \"command\": \"pause\", \"force\": true}\n", "pause takes no \\\"force\\\"" },
	{ "{\"version\": 1, \"command\": \"resume\", \"force\": 1}\n", "\\\"force\\\" takes true or false" },
	{ "{\"version\": 1, \"command\": \"dance\"}\n", "the monitor does not know the command `dance`" },
	{ "{\"version\": 1, \"command\": \"pause\", \"clock\": \"back\"}\n", "`back` is no policy of the clock" },
	{ "{\"version\": 1, \"command\": \"migrate\"}\n", "a migration needs a host" },
	{ "{\"version\": 1, \"command\": \"migrate\", \"host\": \"x\", \"downtime_ms\": \"1\"}\n",
	  "\\\"downtime_ms\\\" takes a number" },
	{ "{\"version\": 1, \"command\": \"migrate\", \"cancel\": true}\n", "boat is not being migrated" },
	{ "{\"version\": 1, \"command\": \"save\"}\n", "a save needs the name of a file" },
	{ "{\"version\": 1, \"command\": \"save\", \"file\": \"here\"}\n",
	  "`here` is not the absolute path of a file" },
	{ "{\"version\": 1, \"command\": \"status\"}\n", "\"state\":\"running\"" },
};

static void test_requests(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=printing");
	for (size_t n = 0; n < ARRAY_SIZE(requests); n++) {
		int fd = node_connect(&altra, "boat");

		put(fd, requests[n].request);
		expect_answer(fd, requests[n].answer);
	}
	node_runs_on(&altra, "boat");
}

static void test_many_at_once(void **state)
{
	int fds[CLIENTS];

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	for (int n = 0; n < CLIENTS; n++) {
		fds[n] = node_connect(&altra, "boat");
		put(fds[n], "{\"version\": 1, \"command\": \"status\"}\n");
	}
	for (int n = 0; n < CLIENTS; n++)
		expect_answer(fds[n], "\"name\":\"boat\"");
	node_runs_on(&altra, "boat");
}

/* A line that is too long is not waited for. */
static void test_long_line(void **state)
{
	char line[5000];
	int fd;

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	memset(line, ' ', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	fd = node_connect(&altra, "boat");
	put(fd, line);
	expect_answer(fd, "");
	assert_true(node_state_is(&altra, "boat", "running"));
}

static void test_half_a_line(void **state)
{
	int slow;

	(void)state;
	node_run(&altra, "boat", "guest=printing");
	slow = node_connect(&altra, "boat");
	put(slow, "{\"version\": 1, \"command\": \"st");
	close(slow);
	assert_true(node_state_is(&altra, "boat", "running"));
	slow = node_connect(&altra, "boat");
	put(slow, "{\"version\": 1, \"command\": \"st");
	assert_true(node_state_is(&altra, "boat", "running"));
	/* It may take its time. */
	put(slow, "atus\"}\n");
	expect_answer(slow, "\"state\"");
	node_runs_on(&altra, "boat");
}

static void test_gone_before_the_answer(void **state)
{
	(void)state;
	node_run(&altra, "boat", "guest=printing");
	for (int n = 0; n < CLIENTS; n++) {
		int fd = node_connect(&altra, "boat");

		put(fd, "{\"version\": 1, \"command\": \"status\"}\n");
		close(fd);
	}
	node_runs_on(&altra, "boat");
	assert_true(node_state_is(&altra, "boat", "running"));
}

/* Who has given an order is in the log; who has only looked is not. */
static void test_orders_are_logged(void **state)
{
	struct process *monitor = node_run(&altra, "boat", "guest=printing");
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), ": ordered by user %u (process ", (unsigned int)geteuid());
	assert_true(node_state_is(&altra, "boat", "running"));
	assert_int_equal(process_count(monitor->errors, words), 0);
	assert_int_equal(node_command(&altra, "pause", "boat", NULL), 0);
	process_wait_text(monitor->errors, "seaclock: pause: ordered by user", 1);
	assert_int_equal(process_count(monitor->errors, words), 1);
}

/* What was asked for happens all the same. */
static void test_migrates_without_a_client(void **state)
{
	struct process *monitor;
	struct node grace;
	char request[192];
	int fd;

	(void)state;
	node_make(&grace, "grace", "hz=25000000");
	monitor = node_run(&altra, "guest", "guest=printing");
	node_receive(&grace);
	fd = node_connect(&altra, "guest");
	snprintf(request, sizeof(request),
		 "{\"version\": 1, \"command\": \"migrate\", \"host\": \"%s\", \"max_step_us\": 100000}\n",
		 grace.address);
	put(fd, request);
	close(fd);
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&grace, "guest");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_many_at_once),
		TEST(test_long_line),
		TEST(test_half_a_line),
		TEST(test_orders_are_logged),
		TEST(test_gone_before_the_answer),
		TEST(test_migrates_without_a_client),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
