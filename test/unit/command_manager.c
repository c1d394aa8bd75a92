/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager passes on, and what it is told: variables, sockets from descriptor 3 on, one datagram. */
#include "unit.h"

#include "command/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SELF 1234

static struct error error;

static void test_count(void **state)
{
	static const struct {
		const char *pid, *sockets;
		int count;
	} cases[] = {
		{ NULL, NULL, 0 },	   { NULL, "1", 0 },	      { "1234", NULL, 0 },
		{ "1235", "1", 0 },	   { "1235", "junk", 0 },     { "1234", "1", 1 },
		{ "1234", "16", 16 },	   { "1234", "17", -EPROTO }, { "1234", "0", -EPROTO },
		{ "1234", "-1", -EPROTO }, { "1234", "", -EPROTO },   { "1234", "1x", -EPROTO },
		{ "", "1", -EPROTO },	   { "1234 ", "1", -EPROTO }, { "99999999999999999999", "1", -EPROTO },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++)
		assert_int_equal(manager_count(cases[n].pid, cases[n].sockets, SELF, &error), cases[n].count);
	assert_string_equal(error.text, "LISTEN_PID is `99999999999999999999`, which is no process");
}

/* A listener of loopback, as that descriptor; the port. */
static uint16_t listen_as(int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(dup2(listener, fd), fd);
	if (listener != fd)
		close(listener);
	return ntohs(address.sin_port);
}

static int call(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Two sockets are passed on, and `callers` of them are called, the second first. */
static void expect_caller(int callers, int expected)
{
	char self[16];
	int caller[2] = { -1, -1 }, listener;
	uint16_t port[2];

	port[0] = listen_as(3);
	port[1] = listen_as(4);
	for (int n = 0; n < callers; n++)
		caller[n] = call(port[1 - n]);
	snprintf(self, sizeof(self), "%d", (int)getpid());
	setenv("LISTEN_PID", self, 1);
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(manager_caller(&listener, &error), 0);
	assert_int_equal(listener, expected);
	assert_int_equal(is_open(3), expected == 3);
	assert_int_equal(is_open(4), expected == 4);
	if (expected >= 0)
		close(expected);
	for (int n = 0; n < callers; n++)
		close(caller[n]);
}

static void test_caller(void **state)
{
	(void)state;
	expect_caller(0, -1);
	expect_caller(1, 4);
	expect_caller(2, 3);
}

/* What is another process's stays as it is. */
static void test_not_ours(void **state)
{
	int listener;

	(void)state;
	listen_as(3);
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(manager_caller(&listener, &error), 0);
	assert_int_equal(listener, -1);
	assert_true(is_open(3));
	close(3);
	unsetenv("LISTEN_PID");
}

/* One name is in the file system, and the other is not. */
static void expect_told(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[32] = "";

	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(manager, (struct sockaddr *)&address, size), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	manager_ready();
	assert_int_equal(recv(manager, text, sizeof(text) - 1, 0), strlen("READY=1"));
	assert_string_equal(text, "READY=1");
	close(manager);
}

static void test_ready(void **state)
{
	char folder[] = "/tmp/seaclock-notify-XXXXXX", name[64];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	manager_ready();
	assert_non_null(mkdtemp(folder));
	snprintf(name, sizeof(name), "%s/socket", folder);
	expect_told(name);
	unlink(name);
	rmdir(folder);
	snprintf(name, sizeof(name), "@seaclock-notify-%d", (int)getpid());
	expect_told(name);
	/* Nobody is there any more, or can be: nothing ends. */
	manager_ready();
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	manager_ready();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_caller),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
