/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who starts a passt: what stands for one here is a script, which says what it was given on its socket. All in
 * children, each with a launcher of its own or without.
 */
#include "dev/net/launcher.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/seaclock-launcher-XXXXXX";

/* Its words, and what its descriptors are; then it waits for its end. */
static const char script[] = "#!/bin/sh\n"
			     "echo \"$*\" >&3\n"
			     "for fd in /proc/$$/fd/*; do readlink $fd; done >&3\n"
			     "echo over >&3\n"
			     "exec cat <&3 >/dev/null\n";

static int set_up(void **state)
{
	char path[128];
	int fd;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/passt", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	if (fd < 0 || write(fd, script, strlen(script)) != (ssize_t)strlen(script))
		return -1;
	close(fd);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	return setenv("PATH", path, 1);
}

static int tear_down(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/passt", folder);
	return unlink(path) || rmdir(folder);
}

/* Up to a line `over`, or to the end. */
static void hear(int socket, char text[512])
{
	size_t size = 0;
	ssize_t got;

	while (size < 511 && (got = read(socket, text + size, 511 - size)) > 0) {
		size += (size_t)got;
		text[size] = '\0';
		if (strstr(text, "over\n"))
			return;
	}
	text[size] = '\0';
}

static bool is_gone(pid_t process)
{
	return kill(process, 0) && errno == ESRCH;
}

#define MUST(what)                                                                                                     \
	do                                                                                                             \
		if (!(what)) {                                                                                         \
			dprintf(STDERR_FILENO, "line %d is not so\n", __LINE__);                                       \
			_exit(1);                                                                                      \
		}                                                                                                      \
	while (0)

static pid_t passt_make(int *socket, char text[512])
{
	int pair[2];
	pid_t passt = 0;

	MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	MUST(!launcher_start(pair[1], &passt));
	MUST(passt > 0);
	close(pair[1]);
	*socket = pair[0];
	hear(pair[0], text);
	return passt;
}

/* Two at a time; each is ended when it is said, and has nothing of the monitor's but its socket. */
static void two_of_them(void)
{
	char text[512];
	int socket[2];
	pid_t passt[2];

	for (int n = 0; n < 2; n++) {
		passt[n] = passt_make(&socket[n], text);
		MUST(strstr(text, "--foreground --quiet --fd 3\n"));
		MUST(strstr(text, "\nsocket:"));
		MUST(!strstr(text, "/dev/zero"));
	}
	launcher_end(passt[0]);
	MUST(is_gone(passt[0]));
	MUST(!is_gone(passt[1]));
	launcher_end(passt[1]);
	MUST(is_gone(passt[1]));
	/* Neither is there a second time, nor may another process be ended. */
	launcher_end(passt[1]);
	launcher_end(getppid());
	MUST(!is_gone(getppid()));
}

static void none_there(void)
{
	pid_t passt;

	MUST(launcher_start(0, &passt) == ENOENT);
}

static void expect(void (*act)(void), bool with_launcher)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		struct error error;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* What is inherited. */
		MUST(open("/dev/zero", O_RDONLY) > STDERR_FILENO);
		if (act == none_there)
			setenv("PATH", "/nowhere", 1);
		if (with_launcher)
			MUST(!launcher_open(&error));
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_two(void **state)
{
	(void)state;
	expect(two_of_them, false);
	expect(two_of_them, true);
}

static void test_none(void **state)
{
	(void)state;
	expect(none_there, false);
	expect(none_there, true);
}

/* The launcher ends with the monitor, however that ends: it holds the last end of a pipe. */
static void test_end(void **state)
{
	int ends[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		struct error error;

		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		MUST(!launcher_open(&error));
		raise(SIGKILL);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
