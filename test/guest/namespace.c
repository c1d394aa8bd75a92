/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program in a time namespace of its own, whose CLOCK_MONOTONIC is that many seconds ahead and whose
 * CLOCK_BOOTTIME twice as many: `namespace SECONDS PROGRAM [ARGUMENT...]`.
 *
 * Policy: time_namespaces(7): offsets can be set until the first process is in it, which is the next child.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "namespace: %s: %s\n", what, strerror(errno));
	return 1;
}

static int offsets_write(unsigned long seconds)
{
	FILE *offsets = fopen("/proc/self/timens_offsets", "w");
	int written;

	if (!offsets)
		return -1;
	written = fprintf(offsets, "monotonic %lu 0\nboottime %lu 0\n", seconds, seconds * 2);
	return fclose(offsets) || written < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: namespace SECONDS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	if (unshare(CLONE_NEWTIME))
		return fail("no time namespace");
	if (offsets_write(strtoul(argv[1], NULL, 10)))
		return fail("the offsets are not set");
	child = fork();
	if (child < 0)
		return fail("no child");
	if (!child) {
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	if (waitpid(child, &status, 0) < 0)
		return fail("the child is lost");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
