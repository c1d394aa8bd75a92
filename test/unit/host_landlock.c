/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread opens what its rules allow, and nothing else. All in children, for it cannot be taken back. Where the kernel
 * has no Landlock there is nothing to see, and the test says so.
 */
#include "base/replace.h"
#include "host/landlock.h"
#include "host/process.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[64], seen[128], kept[128], hidden[128];

static void file_make(char place[128], const char *folder, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", top, folder);
	mkdir(path, 0700);
	snprintf(place, 128, "%s/%s", path, name);
	close(open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int set_up(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/landlock.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	file_make(seen, "seen", "file");
	file_make(kept, "kept", "file");
	file_make(hidden, "hidden", "file");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

/* The number of the first line that is not so; 0: all are. */
#define MUST(what)                                                                                                     \
	do                                                                                                             \
		if (!(what))                                                                                           \
			return __LINE__;                                                                               \
	while (0)

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool refused(const char *path, int flags)
{
	return !opens(path, flags) && errno == EACCES;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;

	close(fd);
	return err;
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;

	close(fd);
	return err;
}

static int enter(enum landlock_ports ports)
{
	struct error error;
	int rules;

	MUST(!process_harden(&error));
	rules = landlock_make(ports);
	MUST(rules >= 0);
	MUST(!landlock_allow_beside(rules, seen, LANDLOCK_READ));
	MUST(!landlock_allow_beside(rules, kept, LANDLOCK_WRITE));
	MUST(!landlock_allow(rules, "/nowhere/at/all", LANDLOCK_READ));
	MUST(ports != LANDLOCK_PORTS_ALL || !landlock_allow_port(rules, 9));
	MUST(!landlock_enter(rules));
	return 0;
}

static int files(void)
{
	char beside[160], older[160];
	struct replace variables;
	struct error error;
	int open_before = open(hidden, O_RDWR | O_CLOEXEC), line = enter(LANDLOCK_PORTS_ALL);

	if (line)
		return line;
	/* What may be read, also if it is replaced, and not written; */
	MUST(opens(seen, O_RDONLY));
	MUST(refused(seen, O_WRONLY));
	MUST(unlink(seen) && errno == EACCES);
	/* what may be replaced; */
	snprintf(beside, sizeof(beside), "%s.new", kept);
	snprintf(older, sizeof(older), "%s.old", kept);
	MUST(opens(beside, O_RDWR | O_CREAT | O_EXCL));
	MUST(!rename(kept, older) && !rename(beside, kept) && !unlink(older));
	MUST(opens(kept, O_RDWR | O_TRUNC));
	MUST(!replace_init(&variables, kept, &error) && !replace_lock(&variables, &error));
	MUST(!replace_write(&variables, "new", 3, 4096, &error));
	/* and the rest, of which only what was open stays. */
	MUST(refused(hidden, O_RDONLY));
	MUST(refused("/etc/passwd", O_RDONLY));
	MUST(refused("/", O_RDONLY | O_DIRECTORY));
	MUST(write(open_before, "x", 1) == 1);
	return 0;
}

static int ports(void)
{
	int line = enter(LANDLOCK_PORTS_ALL);

	if (line)
		return line;
	MUST(connect_to(9) != EACCES);
	MUST(connect_to(10) == EACCES);
	MUST(listen_on(0) == EACCES);
	return 0;
}

static int listening(void)
{
	int line = enter(LANDLOCK_PORTS_LISTEN);

	if (line)
		return line;
	MUST(connect_to(10) != EACCES);
	MUST(listen_on(0) == EACCES);
	return 0;
}

static void expect(int (*act)(void), int needs)
{
	int status = -1;
	pid_t child;

	if (landlock_abi() < needs) {
		print_message("this kernel's Landlock has version %d, and %d is needed\n", landlock_abi(), needs);
		skip();
	}
	child = fork();
	if (!child) {
		int line = act();

		if (line)
			dprintf(STDERR_FILENO, "line %d is not so\n", line);
		_exit(line ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_files(void **state)
{
	(void)state;
	expect(files, LANDLOCK_ABI_FILES);
}

static void test_ports(void **state)
{
	(void)state;
	expect(ports, LANDLOCK_ABI_PORTS);
}

static void test_listening(void **state)
{
	(void)state;
	expect(listening, LANDLOCK_ABI_PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ports, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_listening, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
