/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as users write them, and connections: what is no address, names with several addresses, and what a
 * connection says of its other end.
 *
 * Policy: names are resolved here, so that nothing depends on the machine's resolver.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/port.h"

#include "migrate/channel.h"
#include "migrate/unix_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 600
#define LIMIT_S 30
#define ADDRESSES_MAX 2

/* What names stand for: these places, in their order. */
static struct sockaddr_in places[ADDRESSES_MAX];
static struct addrinfo results[ADDRESSES_MAX];
static struct channel_terms terms;
static uint32_t place_count;
/* What was asked of the resolver. */
static char asked_host[256], asked_port[16];
static int asked_flags;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
	snprintf(asked_host, sizeof(asked_host), "%s", host);
	snprintf(asked_port, sizeof(asked_port), "%s", port);
	asked_flags = hints->ai_flags;
	if (!place_count)
		return EAI_NONAME;
	for (uint32_t n = 0; n < place_count; n++)
		results[n] = (struct addrinfo){
			.ai_family = AF_INET,
			.ai_addr = (struct sockaddr *)&places[n],
			.ai_addrlen = sizeof(places[n]),
			.ai_next = n + 1 < place_count ? &results[n + 1] : NULL,
		};
	*found = results;
	return 0;
}

void freeaddrinfo(struct addrinfo *found)
{
	(void)found;
}

static int set_up(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	fake_reset();
	place_count = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

/* ---- Text ---- */

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *host, *port;
		bool numeric;
	} cases[] = {
		{ "altra", "altra", "5999", false },
		{ "altra.example:7000", "altra.example", "7000", false },
		{ "altra2:1", "altra2", "1", false },
		{ "192.0.2.1", "192.0.2.1", "5999", false },
		{ "192.0.2.1:65535", "192.0.2.1", "65535", false },
		{ "[::1]", "::1", "5999", true },
		{ "[2001:db8::1]:5998", "2001:db8::1", "5998", true },
		{ "[fe80::1%eth0]:5998", "fe80::1%eth0", "5998", true },
	};
	struct error error;
	int listener;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		/* The resolver knows nobody: what it was asked is what counts. */
		assert_int_equal(channel_listen(cases[n].text, &listener, &error), -EHOSTUNREACH);
		assert_string_equal(asked_host, cases[n].host);
		assert_string_equal(asked_port, cases[n].port);
		assert_int_equal(!!(asked_flags & AI_NUMERICHOST), cases[n].numeric);
		assert_true(asked_flags & AI_NUMERICSERV);
	}
}

static void test_no_addresses(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		":5999",
		"altra:",
		"altra:0",
		"altra:00000",
		"altra:65536",
		"altra:99999",
		"altra:100000",
		"altra:4294973295", /* 5999 and 2^32 */
		"altra:-1",
		"altra:+5999",
		"altra: 5999",
		"altra:5999 ",
		"altra:0x50",
		"altra:http",
		"altra:59:99",
		"::1",
		"::1:5999",
		"2001:db8::1",
		"[::1",
		"[::1]5998",
		"[::1]:",
		"[::1]:0",
		"[::1]:65536",
		"[::1]]:5999",
		"[]",
		"[]:5999",
		"[altra]:5999",
		"99999",
		"127.1",
		"192.0.2.256",
		"192.0.2.1.5",
		"0x7f000001",
		"0x7f.1",
		"192.0.2.0x1",
	};
	char longest[300];
	struct channel channel;
	struct error error;
	int listener;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
		if (channel_listen(texts[n], &listener, &error) != -EINVAL)
			fail_msg("`%s` is taken for %s and %s", texts[n], asked_host, asked_port);
		assert_non_null(strstr(error.text, "is not HOST, HOST:PORT or [ADDRESS]:PORT, with a port from 1 to"));
		assert_int_equal(channel_connect(&channel, texts[n], LIMIT_MS, &terms, NULL, &error), -EINVAL);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(channel_listen(longest, &listener, &error), -EINVAL);
}

/* ---- Connections ---- */

static void place_add(const char *address)
{
	struct sockaddr_in *place = &places[place_count++];

	*place = (struct sockaddr_in){ .sin_family = AF_INET };
	place->sin_port = htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10));
	place->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* A listener at a place of its own. */
static int listener_make(char address[PORT_TEXT_SIZE], int backlog)
{
	int fd = port_reserve(address);

	assert_true(fd >= 0);
	place_add(address);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* Its queue is full, so that whoever comes next hears nothing. */
static int queue_fill(int sockets[2], const struct sockaddr_in *place)
{
	int made = 0;

	for (; made < 2; made++) {
		sockets[made] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		/* The one that does not fit goes on trying. */
		if (connect(sockets[made], (const struct sockaddr *)place, sizeof(*place)) && errno != EINPROGRESS)
			fail_msg("cannot connect: %s", strerror(errno));
	}
	return made;
}

/* The first address of a name is dead: the second has its share of the time. */
static void test_dead_address(void **state)
{
	char dead[PORT_TEXT_SIZE], alive[PORT_TEXT_SIZE], peer[CHANNEL_ADDRESS_SIZE];
	int listeners[2], sockets[2];
	struct channel channel;
	struct error error;

	(void)state;
	listeners[0] = listener_make(dead, 0);
	listeners[1] = listener_make(alive, 8);
	queue_fill(sockets, &places[0]);
	/* What one address takes is gone. */
	fake_time_follow_machine();
	if (channel_connect(&channel, "altra", LIMIT_MS, &terms, NULL, &error))
		fail_msg("%s", error.text);
	channel_peer(&channel, peer);
	assert_string_equal(peer, alive);
	assert_string_not_equal(peer, dead);
	channel_close(&channel);
	for (int n = 0; n < 2; n++) {
		close(sockets[n]);
		close(listeners[n]);
	}
}

/* A closed port costs nothing. */
static void test_refused_address(void **state)
{
	char closed[PORT_TEXT_SIZE], alive[PORT_TEXT_SIZE], peer[CHANNEL_ADDRESS_SIZE];
	int reserved = port_reserve(closed), listener;
	struct channel channel;
	struct error error;

	(void)state;
	place_add(closed);
	assert_int_equal(channel_connect(&channel, "altra", LIMIT_MS, &terms, NULL, &error), -ECONNREFUSED);
	listener = listener_make(alive, 8);
	assert_int_equal(channel_connect(&channel, "altra", LIMIT_MS, &terms, NULL, &error), 0);
	channel_peer(&channel, peer);
	assert_string_equal(peer, alive);
	channel_close(&channel);
	close(listener);
	close(reserved);
}

/* ---- Unix sockets ---- */

static char folder[] = "/tmp/seaclock-connect-XXXXXX";

static const char *path_in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A monitor opens no keys by itself. */
static void test_no_keys(void **state)
{
	struct key_files files = key_files_none;
	struct channel_terms of_monitor = { .files = &files };
	struct error error;

	(void)state;
	assert_int_equal(channel_terms_open(&of_monitor, &error), -ENOKEY);
	assert_string_equal(error_code(&error), "no-keys");
}

static void test_unix_socket(void **state)
{
	const struct channel_terms secure = { .folder = "/nowhere" };
	struct channel channel;
	struct error error;
	char text[CHANNEL_ADDRESS_SIZE];
	int listener, accepted;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(channel_connect(&channel, path_in_folder("s"), LIMIT_MS, &terms, NULL, &error), -ENOENT);
	assert_int_equal(channel_listen(path_in_folder("s"), &listener, &error), 0);
	channel_address(listener, text);
	assert_string_equal(text, path_in_folder("s"));
	assert_false(channel_terms_secure(&secure, listener));
	assert_int_equal(channel_connect(&channel, path_in_folder("s"), LIMIT_MS, &terms, NULL, &error), 0);
	accepted = accept(listener, NULL, NULL);
	assert_int_equal(unix_socket_check_peer(accepted, &error), 0);
	channel_peer(&channel, text);
	assert_string_equal(text, path_in_folder("s"));
	channel_peer_of(accepted, text);
	assert_string_equal(text, "this host");
	channel_close(&channel);
	close(accepted);
	unix_socket_remove(listener);
	close(listener);
	assert_int_equal(rmdir(folder), 0);
}

/* Whoever has it is not root, and not who I am. */
static void test_unix_socket_of_another(void **state)
{
	struct channel channel;
	struct error error;
	uid_t self = geteuid();
	int listener, pid, status;

	(void)state;
	if (self)
		skip();
	assert_non_null(mkdtemp(strcpy(folder, "/tmp/seaclock-connect-XXXXXX")));
	assert_int_equal(chmod(folder, 0777), 0);
	pid = fork();
	if (!pid) {
		if (setuid(65534) || channel_listen(path_in_folder("s"), &listener, &error))
			_exit(1);
		for (;;)
			pause();
	}
	while (access(path_in_folder("s"), F_OK))
		usleep(1000);
	while (channel_connect(&channel, path_in_folder("s"), LIMIT_MS, &terms, NULL, &error) == -ECONNREFUSED)
		usleep(1000);
	assert_int_equal(error.err, EACCES);
	assert_non_null(strstr(error.text, "is user 65534, and this one user 0"));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	unlink(path_in_folder("s"));
	assert_int_equal(rmdir(folder), 0);
}

static void test_unix_socket_refused(void **state)
{
	char path[200] = "/";
	struct error error;
	int listener, fd;

	(void)state;
	memset(path + 1, 'x', 108);
	assert_int_equal(channel_listen(path, &listener, &error), -EINVAL);
	assert_non_null(strstr(error.text, "is too long for a socket: it has 107 bytes at most"));
	/* What is no socket is left alone. */
	assert_non_null(mkdtemp(strcpy(folder, "/tmp/seaclock-connect-XXXXXX")));
	fd = open(path_in_folder("f"), O_CREAT | O_WRONLY, 0600);
	assert_int_equal(channel_listen(path_in_folder("f"), &listener, &error), -EADDRINUSE);
	assert_int_equal(unlink(path_in_folder("f")), 0);
	close(fd);
	assert_int_equal(channel_listen(path_in_folder("no/s"), &listener, &error), -ENOENT);
	assert_int_equal(rmdir(folder), 0);
}

/* What is passed on must be a socket that listens; its name is not this process's to remove. */
static void test_inherited(void **state)
{
	static const char *const texts[] = { "fd:", "fd:x", "fd:-1", "fd:3x", "fd: 3", "fd:2147483648" };
	struct error error;
	char text[16];
	int named, listener,
		fds[3] = { socket(AF_UNIX, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0), open("/", O_RDONLY) };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
		assert_int_equal(channel_listen(texts[n], &listener, &error), -EINVAL);
		assert_non_null(strstr(error.text, "does not name a descriptor, as `fd:3` does"));
	}
	for (size_t n = 0; n < ARRAY_SIZE(fds); n++) {
		snprintf(text, sizeof(text), "fd:%d", fds[n]);
		assert_int_equal(channel_listen(text, &listener, &error), -EINVAL);
		assert_non_null(strstr(error.text, "is not a stream socket that listens"));
		close(fds[n]);
	}
	assert_int_equal(channel_listen("fd:2147483647", &listener, &error), -EINVAL);
	assert_non_null(mkdtemp(strcpy(folder, "/tmp/seaclock-connect-XXXXXX")));
	assert_int_equal(channel_listen(path_in_folder("s"), &named, &error), 0);
	fcntl(named, F_SETFL, 0);
	snprintf(text, sizeof(text), "fd:%d", named);
	assert_int_equal(channel_listen(text, &listener, &error), 0);
	assert_int_equal(listener, named);
	assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
	unix_socket_remove(listener);
	close(listener);
	assert_int_equal(rmdir(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_no_addresses),
		TEST(test_dead_address),
		TEST(test_refused_address),
		TEST(test_no_keys),
		TEST(test_unix_socket),
		TEST(test_unix_socket_of_another),
		TEST(test_unix_socket_refused),
		TEST(test_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
